//! What can go wrong, by what the person in front of it can do.

use std::time::Duration;

use longboard_endpoint::policy::PolicyError;
use longboard_store::StoreError;

/// A use case that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no such thing, or it is none of theirs.
    #[error("no {0}")]
    NotFound(String),
    /// The input is wrong; the text names what to change.
    #[error("{0}")]
    Invalid(String),
    /// Known, but not allowed to do this.
    #[error("{0}")]
    Forbidden(String),
    /// Unknown: sign in, or send a valid token.
    #[error("{0}")]
    Unknown(String),
    /// Too many calls.
    #[error("too many attempts; try again in {} s", .0.as_secs().max(1))]
    TooMany(Duration),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AppError {
    pub(crate) fn no(what: &str, name: impl std::fmt::Display) -> Self {
        Self::NotFound(format!("{what} `{name}`"))
    }

    pub(crate) fn stopped(_: tokio::task::JoinError) -> Self {
        Self::Invalid("the computation stopped; try again".to_owned())
    }
}

impl From<PolicyError> for AppError {
    fn from(error: PolicyError) -> Self {
        Self::Invalid(error.to_string())
    }
}
