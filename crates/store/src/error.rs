//! What can go wrong, by what a caller can do about it.

use sea_orm::{DbErr, SqlErr};

/// A failed call to the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL does not name a database Longboard can use.
    #[error("{0}")]
    BadUrl(String),
    /// There is no such row.
    #[error("no {0}")]
    NotFound(&'static str),
    /// The name is taken.
    #[error("{0} is taken; choose another")]
    Taken(&'static str),
    /// The worker's lease ended or another worker has the shard.
    #[error("the lease is lost: another attempt has this shard")]
    LeaseLost,
    /// A shard cannot finish before all answers are stored.
    #[error("{missing} answers of this shard are missing")]
    AnswersMissing {
        /// How many.
        missing: i32,
    },
    /// A limit was reached.
    #[error("{0}")]
    OverQuota(String),
    /// A sealed secret cannot be opened: another key, or another row.
    #[error(
        "a stored secret cannot be opened with this instance's key file; restore the key that belongs to this database"
    )]
    Sealed,
    /// A value in the database is not what this version writes.
    #[error("unexpected value in the database: {0}")]
    Corrupt(String),
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] DbErr),
}

impl StoreError {
    /// Turns a unique violation into [`StoreError::Taken`].
    pub(crate) fn taken(error: DbErr, what: &'static str) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Taken(what),
            _ => Self::Database(error),
        }
    }
}
