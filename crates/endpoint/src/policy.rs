//! Which addresses may be reached: the control against requests forged through a registered endpoint.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// Public addresses over https, and what the operator allows besides.
///
/// Checked three times: when an endpoint is saved, when a run starts, and for every resolved address at connect.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    allowed: Vec<AllowRule>,
}

/// An operator's exception: a network, and a port or all ports. Plain http is fine there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowRule {
    network: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

/// Ports that are open without an exception.
const PORTS: [u16; 2] = [443, 8443];

/// Names that never leave the machine or its network.
const LOCAL_NAMES: [&str; 8] =
    ["localhost", "local", "internal", "localdomain", "home.arpa", "lan", "metadata.goog", "metadata"];

impl AddressPolicy {
    /// A policy with exceptions.
    #[must_use]
    pub fn new(allowed: Vec<AllowRule>) -> Self {
        Self { allowed }
    }

    /// Parses and checks a base URL as far as that goes without resolving a name. Spellings such as `0x7f.1` or
    /// `2130706433` become addresses in parsing and are checked as such.
    ///
    /// # Errors
    /// [`PolicyError`] says what is refused and what to do.
    pub fn check_url(&self, text: &str) -> Result<Url, PolicyError> {
        let url = Url::parse(text.trim()).map_err(|error| PolicyError::NotAUrl(error.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(PolicyError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PolicyError::Credentials);
        }
        if url.fragment().is_some() || url.query().is_some() {
            return Err(PolicyError::Extra);
        }
        let port = url.port_or_known_default().unwrap_or(443);
        let excepted = match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(address.into(), port)?,
            Some(Host::Ipv6(address)) => self.check_address(address.into(), port)?,
            Some(Host::Domain(name)) => self.check_name(name, port)?,
            None => return Err(PolicyError::NotAUrl("no host".to_owned())),
        };
        if !excepted && url.scheme() == "http" {
            return Err(PolicyError::Plain);
        }
        if !excepted && !PORTS.contains(&port) {
            return Err(PolicyError::Port(port));
        }
        Ok(url)
    }

    /// Checks an address that a name resolved to. `true` when an exception allows it.
    ///
    /// # Errors
    /// [`PolicyError::Address`] for an address that is not public.
    pub fn check_address(&self, address: IpAddr, port: u16) -> Result<bool, PolicyError> {
        if self.allowed.iter().any(|rule| rule.allows(address, port)) {
            return Ok(true);
        }
        match special(address) {
            Some(kind) => Err(PolicyError::Address { address, kind }),
            None => Ok(false),
        }
    }

    fn check_name(&self, name: &str, port: u16) -> Result<bool, PolicyError> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        if name == "localhost" && self.allowed.iter().any(|rule| rule.allows(loopback, port)) {
            return Ok(true);
        }
        let local = LOCAL_NAMES.iter().any(|local| name == *local || name.ends_with(&format!(".{local}")));
        if local || !name.contains('.') { Err(PolicyError::Name(name)) } else { Ok(false) }
    }
}

impl AllowRule {
    /// Exactly one address and port.
    #[must_use]
    pub const fn exactly(address: IpAddr, port: u16) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { network: address, prefix, port: Some(port) }
    }

    fn allows(&self, address: IpAddr, port: u16) -> bool {
        self.port.is_none_or(|own| own == port) && within(address, self.network, self.prefix)
    }
}

impl FromStr for AllowRule {
    type Err = PolicyError;

    /// `127.0.0.1:9001`, `10.0.0.0/8`, `10.0.0.0/8:8000`, `[::1]:9001`, `::1/128`.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let bad = || PolicyError::Rule(text.to_owned());
        if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
            return Ok(Self::exactly(socket.ip(), socket.port()));
        }
        let (network, rest) = text.split_once('/').unwrap_or((text, ""));
        let network: IpAddr = network.parse().map_err(|_| bad())?;
        let widest = if network.is_ipv4() { 32 } else { 128 };
        let (prefix, port) = rest.split_once(':').unwrap_or((rest, ""));
        let prefix = if prefix.is_empty() { widest } else { prefix.parse().map_err(|_| bad())? };
        let port = if port.is_empty() { None } else { Some(port.parse().map_err(|_| bad())?) };
        if prefix > widest { Err(bad()) } else { Ok(Self { network, prefix, port }) }
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.network, self.prefix)?;
        self.port.map_or(Ok(()), |port| write!(out, ":{port}"))
    }
}

fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(a: u16, b: u16, c: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
}

/// The special-purpose registries of IANA (RFC 6890 and successors), and what embeds an IPv4 address.
const SPECIAL: [(IpAddr, u8, &str); 29] = [
    (v4(0, 0, 0, 0), 8, "this network"),
    (v4(10, 0, 0, 0), 8, "private"),
    (v4(100, 64, 0, 0), 10, "carrier-grade NAT"),
    (v4(127, 0, 0, 0), 8, "loopback"),
    (v4(169, 254, 0, 0), 16, "link-local"),
    (v4(172, 16, 0, 0), 12, "private"),
    (v4(192, 0, 0, 0), 24, "protocol assignments"),
    (v4(192, 0, 2, 0), 24, "documentation"),
    (v4(192, 88, 99, 0), 24, "6to4 relay"),
    (v4(192, 168, 0, 0), 16, "private"),
    (v4(198, 18, 0, 0), 15, "benchmarking"),
    (v4(198, 51, 100, 0), 24, "documentation"),
    (v4(203, 0, 113, 0), 24, "documentation"),
    (v4(224, 0, 0, 0), 4, "multicast"),
    (v4(240, 0, 0, 0), 4, "reserved"),
    (v6(0, 0, 0), 96, "unspecified, loopback or IPv4-compatible"),
    (v6(0x64, 0xff9b, 0), 96, "NAT64"),
    (v6(0x64, 0xff9b, 1), 48, "NAT64"),
    (v6(0x100, 0, 0), 64, "discard"),
    (v6(0x2001, 0, 0), 32, "Teredo"),
    (v6(0x2001, 0x2, 0), 48, "benchmarking"),
    (v6(0x2001, 0x10, 0), 28, "ORCHID"),
    (v6(0x2001, 0x20, 0), 28, "ORCHIDv2"),
    (v6(0x2001, 0xdb8, 0), 32, "documentation"),
    (v6(0x2002, 0, 0), 16, "6to4"),
    (v6(0x3fff, 0, 0), 20, "documentation"),
    (v6(0xfc00, 0, 0), 7, "private"),
    (v6(0xfe80, 0, 0), 10, "link-local"),
    (v6(0xff00, 0, 0), 8, "multicast"),
];

/// Why an address is not public; an IPv4-mapped one is judged as IPv4.
fn special(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    SPECIAL.iter().find(|(network, prefix, _)| within(address, *network, *prefix)).map(|(.., kind)| *kind)
}

/// A refused address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not a URL.
    #[error("this is not a URL ({0}); write it like https://api.example.com/v1")]
    NotAUrl(String),
    /// A scheme other than http and https.
    #[error("`{0}:` is not supported; use https")]
    Scheme(String),
    /// Plain http to a public host.
    #[error("plain http would send the secret in the clear; use https")]
    Plain,
    /// A name and password in the URL.
    #[error("the URL carries a name or password; put the secret in its own field")]
    Credentials,
    /// A query or fragment.
    #[error("the URL has a query or fragment; give the base only, like https://api.example.com/v1")]
    Extra,
    /// A port that is not open.
    #[error("port {0} is not open; use 443 or 8443, or ask the operator to allow it")]
    Port(u16),
    /// A name of the local network.
    #[error("`{0}` is a name of the local network; use a public host")]
    Name(String),
    /// An address that is not public.
    #[error("{address} is not a public address ({kind}); use a public host, or ask the operator to allow it")]
    Address {
        /// The address.
        address: IpAddr,
        /// Its range.
        kind: &'static str,
    },
    /// An exception that cannot be read.
    #[error("`{0}` is no address rule; write 127.0.0.1:9001, 10.0.0.0/8 or 10.0.0.0/8:8000")]
    Rule(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_and_spelling_is_refused() {
        let policy = AddressPolicy::default();
        for host in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "2130706433",
            "0x7f000001",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[::7f00:1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[ff02::1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer.local",
            "db.internal",
            "metadata.google.internal",
            "metadata.goog",
            "intranet",
            "１２７.0.0.1",
        ] {
            let url = format!("https://{host}/v1");
            assert!(policy.check_url(&url).is_err(), "{url} got through");
        }
    }

    #[test]
    fn public_hosts_get_through() {
        let policy = AddressPolicy::default();
        for url in [
            "https://api.example.com/v1",
            "https://api.example.com:8443",
            "https://8.8.8.8",
            "https://[2606:4700::1]/v1",
        ] {
            assert!(policy.check_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn the_form_of_the_url_is_checked() {
        let policy = AddressPolicy::default();
        for (url, expected) in [
            ("http://api.example.com", PolicyError::Plain),
            ("ftp://api.example.com", PolicyError::Scheme("ftp".into())),
            ("https://a:b@api.example.com", PolicyError::Credentials),
            ("https://api.example.com/#x", PolicyError::Extra),
            ("https://api.example.com/?x", PolicyError::Extra),
            ("https://api.example.com:22", PolicyError::Port(22)),
        ] {
            assert_eq!(policy.check_url(url).unwrap_err(), expected, "{url}");
        }
        assert!(matches!(policy.check_url("api.example.com"), Err(PolicyError::NotAUrl(_))));
    }

    #[test]
    fn an_exception_holds_for_its_port_only() {
        let policy = AddressPolicy::new(vec!["127.0.0.1:9001".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
        assert!(policy.check_url("http://127.0.0.1:9001/v1").is_ok());
        assert!(policy.check_url("http://localhost:9001/v1").is_ok());
        assert!(policy.check_url("http://10.200.0.1:8000").is_ok());
        for url in ["http://127.0.0.1:9002", "http://127.0.0.2:9001", "http://[::1]:9001", "http://169.254.169.254"] {
            assert!(policy.check_url(url).is_err(), "{url}");
        }
        for text in ["127.0.0.1/33", "nonsense", "10.0.0.0/8:x", ""] {
            assert!(text.parse::<AllowRule>().is_err(), "{text}");
        }
    }
}
