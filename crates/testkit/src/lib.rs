//! What tests stand on: private databases, fake endpoints, processes. A dev-dependency only.

pub mod database;
pub mod fake_endpoint;
pub mod picture;
pub mod process;
