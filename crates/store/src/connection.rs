//! Opening a database.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{ConnectOptions, DatabaseConnection};

use crate::error::StoreError;
use crate::vault::Vault;
use crate::{dialect, seed};

/// Which database, for messages and the health page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// One file, one host.
    Sqlite,
    /// A server.
    Postgres,
}

impl Database {
    /// Reads the scheme of a URL, strictly: a mistyped URL must not create an empty database.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] naming the schemes that work.
    pub fn of_url(url: &str) -> Result<Self, StoreError> {
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err(StoreError::BadUrl(
                "the database URL must begin with sqlite:// or postgres://, e.g. sqlite:///var/lib/longboard/longboard.db"
                    .to_owned(),
            )),
        }
    }
}

/// A connected, migrated database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    pub(crate) vault: Vault,
    database: Database,
}

impl Store {
    /// Connects without touching the schema. A SQLite file is created when it does not exist.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] for another scheme, [`StoreError::Database`] when nothing answers within ten seconds.
    pub async fn connect(url: &str, vault: Vault) -> Result<Self, StoreError> {
        let database = Database::of_url(url)?;
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(8)
            .min_connections(1)
            .connect_timeout(Duration::from_secs(10))
            .acquire_timeout(Duration::from_secs(10))
            .sqlx_logging(false);
        if database == Database::Sqlite {
            dialect::sqlite_options(&mut options);
        }
        let db = sea_orm::Database::connect(options).await?;
        Ok(Self { db, vault, database })
    }

    /// Brings the schema to this version and adds built-in tasks and suites that are missing.
    ///
    /// # Errors
    /// [`StoreError::Database`] when a migration fails; nothing of it stays.
    pub async fn migrate(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        longboard_migrations::up(&self.db).await?;
        seed::builtin(self, micros(now)).await
    }

    /// Takes every migration back. For tests of `down`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn unmigrate(&self) -> Result<(), StoreError> {
        Ok(longboard_migrations::down(&self.db).await?)
    }

    /// Whether the schema is this version's.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database does not answer.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        Ok(longboard_migrations::pending(&self.db).await? == 0)
    }

    /// Which database this is.
    #[must_use]
    pub const fn database(&self) -> Database {
        self.database
    }

    /// The vault that seals endpoint secrets.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Ends all connections.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }
}

/// Whole microseconds: what PostgreSQL keeps, so that both databases return what was written.
pub(crate) fn micros(now: DateTime<Utc>) -> DateTime<Utc> {
    now.trunc_subsecs(6)
}
