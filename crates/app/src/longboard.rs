//! What all use cases share.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use longboard_bus::{Admission, Bell, Bus, Listener};
use longboard_endpoint::policy::AddressPolicy;
use longboard_store::Store;
use longboard_store::audit::Entry;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::AppError;
use crate::factuality::Indexed;
use crate::password::Passwords;

/// Randomness for one use case: a token, a salt or a nonce is made of it, once.
pub type Fresh = [u8; 32];

/// The leaderboard: store, bus and rules. Cheap to clone.
#[derive(Clone)]
pub struct Longboard {
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) policy: Arc<AddressPolicy>,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) lease: TimeDelta,
    /// The corpus that answers were last checked against. Whoever needs another one waits for the lock and indexes it.
    pub(crate) index: Arc<Mutex<Option<Indexed>>>,
}

impl Longboard {
    /// Over a migrated store. `lease` is how long a worker may be silent before its shard goes to another.
    #[must_use]
    pub fn new(store: Store, bus: Bus, policy: AddressPolicy, lease: TimeDelta) -> Self {
        Self { store, bus, policy: Arc::new(policy), passwords: Arc::default(), lease, index: Arc::default() }
    }

    /// For reading; what changes something is a use case.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Hears bells from now on.
    #[must_use]
    pub fn listen(&self) -> Listener {
        self.bus.listen()
    }

    /// Counts a call against a rate window.
    ///
    /// # Errors
    /// [`AppError::TooMany`].
    pub async fn admit(&self, key: &str, limit: u32, window: Duration, now: DateTime<Utc>) -> Result<(), AppError> {
        match self.bus.admit(key, limit, window, now).await {
            Admission::Admitted => Ok(()),
            Admission::Wait(left) => Err(AppError::TooMany(left)),
        }
    }

    pub(crate) fn ring(&self, bell: Bell) {
        self.bus.ring(bell);
    }

    pub(crate) async fn note(
        &self,
        actor: &str,
        action: &str,
        subject: impl std::fmt::Display,
        detail: Value,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let entry = Entry { actor: actor.to_owned(), action: action.to_owned(), subject: subject.to_string(), detail };
        Ok(self.store.add_audit(entry, now).await?)
    }
}
