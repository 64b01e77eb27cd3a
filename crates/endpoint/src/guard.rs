//! The policy at the moment of connecting: every address a name resolves to is checked, and only those are tried.

use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::policy::AddressPolicy;

/// Resolves names and drops out at the first address the policy refuses, so that a name cannot mix public and
/// private addresses, nor change them between check and connect.
pub(crate) struct GuardedResolver {
    pub(crate) policy: AddressPolicy,
    pub(crate) port: u16,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, port) = (self.policy.clone(), self.port);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), port)).await?;
            let addresses = checked(&policy, found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn checked(policy: &AddressPolicy, found: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> = found.collect();
    for address in &addresses {
        policy
            .check_address(address.ip(), address.port())
            .map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, error))?;
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_refuses_the_name() {
        let addresses =
            |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>().into_iter();
        let policy = AddressPolicy::default();
        assert!(checked(&policy, addresses(&["8.8.8.8:443", "[2606:4700::1]:443"])).is_ok());
        let error = checked(&policy, addresses(&["8.8.8.8:443", "127.0.0.1:443"])).unwrap_err();
        assert!(error.to_string().contains("127.0.0.1"));
    }
}
