//! The audit chain: who did what, each link carrying the hash of the one before.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{EntityTrait, QueryOrder, QuerySelect, Set, TransactionTrait};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Store;
use crate::connection::micros;
pub use crate::entity::audit::Model as Audit;
use crate::entity::{audit, setting};
use crate::error::StoreError;

/// Setting whose row is written first, so that links are added one after the other on both databases.
const LOCK: &str = "audit_lock";

/// Something done by somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who: an address, `worker:NAME` or `longboard`.
    pub actor: String,
    /// What, e.g. `submit_run`.
    pub action: String,
    /// To what, e.g. a run id.
    pub subject: String,
    /// Particulars; never a secret.
    pub detail: Value,
}

impl Store {
    /// Adds a link.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn add_audit(&self, entry: Entry, now: DateTime<Utc>) -> Result<(), StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let lock = setting::ActiveModel { name: Set(LOCK.to_owned()), value: Set(String::new()) };
        setting::Entity::insert(lock)
            .on_conflict(OnConflict::column(setting::Column::Name).update_column(setting::Column::Value).to_owned())
            .exec_without_returning(&transaction)
            .await?;
        let last = audit::Entity::find().order_by_desc(audit::Column::Sequence).one(&transaction).await?;
        let mut link = Audit {
            sequence: last.as_ref().map_or(1, |last| last.sequence + 1),
            at: now,
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
            previous_hash: last.map(|last| last.hash).unwrap_or_default(),
            hash: String::new(),
        };
        link.hash = hash(&link);
        audit::Entity::insert(audit::ActiveModel::from(link)).exec_without_returning(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// The newest links, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit(&self, offset: u64, limit: u64) -> Result<Vec<Audit>, StoreError> {
        let found = audit::Entity::find().order_by_desc(audit::Column::Sequence);
        Ok(found.offset(offset).limit(limit).all(&self.db).await?)
    }

    /// The first link that does not fit the one before, or `None` when the chain holds.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn broken_link(&self) -> Result<Option<i64>, StoreError> {
        let mut previous = (0, String::new());
        loop {
            let page = audit::Entity::find()
                .filter_above(previous.0)
                .order_by_asc(audit::Column::Sequence)
                .limit(500)
                .all(&self.db)
                .await?;
            if page.is_empty() {
                return Ok(None);
            }
            for link in page {
                if link.sequence != previous.0 + 1 || link.previous_hash != previous.1 || hash(&link) != link.hash {
                    return Ok(Some(link.sequence));
                }
                previous = (link.sequence, link.hash);
            }
        }
    }
}

trait Above {
    fn filter_above(self, sequence: i64) -> Self;
}

impl Above for sea_orm::Select<audit::Entity> {
    fn filter_above(self, sequence: i64) -> Self {
        use sea_orm::QueryFilter;
        use sea_orm::sea_query::ExprTrait;
        self.filter(Expr::col(audit::Column::Sequence).gt(sequence))
    }
}

/// SHA-256 over the fields, each with its length before it, so that no two links share an encoding.
fn hash(link: &Audit) -> String {
    let at = link.at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let (sequence, detail) = (link.sequence.to_string(), link.detail.to_string());
    let fields =
        [&link.previous_hash, &sequence, &at, &link.actor, &link.action, &link.subject, &detail].map(String::as_str);
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hex::encode(hasher.finalize())
}
