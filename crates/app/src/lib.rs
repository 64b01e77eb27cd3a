//! Use cases: what people and workers do, with permissions and audit entries. No HTTP types, no HTML, no SQL.
//!
//! Permissions are proofs: a use case of a team takes a [`team::Member`], one of maintainers a
//! [`account::Maintainer`], one of workers a [`fleet::FleetMember`], and only this crate makes them.

pub mod account;
pub mod battle;
pub mod board;
mod bucket;
mod collection;
mod companion;
pub mod compare;
pub mod cost;
pub mod data_file;
pub mod dataset;
mod dial;
pub mod endpoint;
mod error;
pub mod factuality;
pub mod fleet;
pub mod judge;
pub mod judged_answers;
pub mod judging;
pub mod jury;
mod longboard;
pub mod method;
pub mod pairing;
pub mod panel;
mod password;
mod piece;
pub mod predictions;
pub mod publish;
pub mod quickstart;
pub mod rating;
pub mod record;
pub mod report;
pub mod run;
pub mod sample;
mod slug;
mod standing;
pub mod strategy;
mod sums;
pub mod task;
pub mod team;
pub mod votes;

pub use error::AppError;
pub use longboard::{Fresh, Longboard};
pub use longboard_bus::{Admission, Bell, Bus, BusError};
pub use longboard_endpoint::policy::{AddressPolicy, AllowRule};
pub use longboard_stats as stats;
pub use longboard_store as store;
pub use longboard_store::EndpointKind;
pub use longboard_store::task::Suite;
pub use longboard_store::{Store, StoreError, vault};
pub use longboard_suites as suites;
pub use longboard_suites::length::Length;
