//! A leaderboard on a fresh database, with what it takes to enter it.

use chrono::{DateTime, TimeDelta, Utc};
use longboard_app::account::SignUp;
use longboard_app::endpoint::Registration;
use longboard_app::fleet::FleetMember;
use longboard_app::store::vault::{KEY_BYTES, Vault};
use longboard_app::store::{EndpointCall, Store};
use longboard_app::{AddressPolicy, Bus, Longboard};
use longboard_protocol::worker::{CheckStatus, ProbeCheck, ProbeReport};
use longboard_testkit::database::TestDatabase;
use secrecy::{ExposeSecret, SecretString};

pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Over a migrated database; loopback may be reached.
pub async fn longboard(database: &TestDatabase) -> Longboard {
    let store = Store::connect(&database.url, Vault::new([7; KEY_BYTES])).await.unwrap();
    store.migrate(now()).await.unwrap();
    let policy = AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]);
    Longboard::new(store, Bus::local(), policy, TimeDelta::seconds(60))
}

pub fn alpha() -> SignUp {
    SignUp {
        email: "alpha@example.org".to_owned(),
        name: "Alpha".to_owned(),
        password: SecretString::from("a long enough password"),
    }
}

pub async fn enlist(longboard: &Longboard, name: &str, random: u8) -> FleetMember {
    let token = longboard.create_worker("test", name, [random; 32], now()).await.unwrap();
    longboard.fleet_member(token.expose_secret()).await.unwrap()
}

/// An endpoint that need not be there: tests answer for it.
pub fn registration(name: &str, base_url: &str) -> Registration {
    Registration {
        name: name.to_owned(),
        description: String::new(),
        base_url: base_url.to_owned(),
        model: "m".to_owned(),
        api: EndpointCall::Chat,
        query_prefix: String::new(),
        document_prefix: String::new(),
        secret: Some(SecretString::from("sk-hush")),
        max_concurrency: 8,
        context_limit_tokens: None,
        first_byte_timeout_s: 30,
        family: String::new(),
    }
}

/// What a probe says of an endpoint that works.
pub fn report() -> ProbeReport {
    let check = ProbeCheck {
        name: "reachable".to_owned(),
        status: CheckStatus::Passed,
        detail: "it answers".to_owned(),
        elapsed_ms: 1,
    };
    ProbeReport {
        checks: vec![check],
        canaries: Vec::new(),
        token_ratio: Some(1.0),
        context_seen_tokens: None,
        truncates: false,
    }
}
