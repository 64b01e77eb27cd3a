//! Use cases: what people and workers do, with permissions and audit entries. No HTTP types, no HTML, no SQL.

pub mod board;
mod error;
pub mod predictions;
pub mod publish;

pub use error::AppError;
pub use longboard_store::task::Suite;
pub use longboard_store::{Store, StoreError, vault};
