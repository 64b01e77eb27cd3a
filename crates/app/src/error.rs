//! What can go wrong, by what the person in front of it can do.

use longboard_store::StoreError;

/// A use case that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no such thing.
    #[error("no {0}")]
    NotFound(String),
    /// The input is wrong; the text names what to change.
    #[error("{0}")]
    Invalid(String),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
