//! Judges: who compares answers.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, TransactionTrait};
use serde_json::Value;
use uuid::Uuid;

use crate::Store;
use crate::connection::micros;
use crate::endpoint::Endpoint;
pub use crate::entity::judge::Model as Judge;
use crate::entity::kind::ShardKind;
use crate::entity::{judge, shard};
use crate::error::StoreError;
use crate::queue::{end_check, new_shard};

/// Priority of health checks: below probes, above runs.
const HEALTH_PRIORITY: i32 = 50;

impl Store {
    /// Enrols a judge. One that has an endpoint gets a health check, which waits for the endpoint's probe.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the slug is in use.
    pub async fn add_judge(&self, mut row: Judge, endpoint: Option<&Endpoint>) -> Result<Judge, StoreError> {
        row.enrolled_at = micros(row.enrolled_at);
        let transaction = self.db.begin().await?;
        let added = judge::Entity::insert(judge::ActiveModel::from(row))
            .exec_with_returning(&transaction)
            .await
            .map_err(|error| StoreError::taken(error, "this judge's name"))?;
        if let Some(endpoint) = endpoint {
            let check = health_shard(endpoint, added.enrolled_at);
            shard::Entity::insert(check).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(added)
    }

    /// Queues another health check.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn queue_health(&self, endpoint: &Endpoint, now: DateTime<Utc>) -> Result<(), StoreError> {
        shard::Entity::insert(health_shard(endpoint, micros(now))).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// Stores a health report and finishes its shard.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn record_health(
        &self,
        shard_id: Uuid,
        owner: Uuid,
        fence: u32,
        report: Value,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let shard = end_check(&transaction, ShardKind::Health, (shard_id, owner, fence), now).await?;
        judge::Entity::update_many()
            .set(judge::ActiveModel { health: Set(Some(report)), health_at: Set(Some(now)), ..Default::default() })
            .filter(judge::Column::EndpointId.eq(shard.endpoint_id))
            .exec(&transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// All judges by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn judges(&self) -> Result<Vec<Judge>, StoreError> {
        Ok(judge::Entity::find().order_by_asc(judge::Column::Slug).all(&self.db).await?)
    }

    /// A judge.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn judge(&self, slug: &str) -> Result<Option<Judge>, StoreError> {
        Ok(judge::Entity::find_by_id(slug.to_owned()).one(&self.db).await?)
    }

    /// The judge behind an endpoint.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn judge_of_endpoint(&self, endpoint: Uuid) -> Result<Option<Judge>, StoreError> {
        Ok(judge::Entity::find().filter(judge::Column::EndpointId.eq(endpoint)).one(&self.db).await?)
    }

    /// Takes a judge off new judgings; its verdicts stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn retire_judge(&self, slug: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let changed = judge::Entity::update_many()
            .set(judge::ActiveModel { retired_at: Set(Some(micros(now))), ..Default::default() })
            .filter(judge::Column::Slug.eq(slug))
            .filter(judge::Column::RetiredAt.is_null())
            .exec(&self.db)
            .await?;
        if changed.rows_affected == 0 { Err(StoreError::NotFound("such judge")) } else { Ok(()) }
    }
}

fn health_shard(endpoint: &Endpoint, now: DateTime<Utc>) -> shard::ActiveModel {
    shard::ActiveModel {
        priority: Set(HEALTH_PRIORITY),
        item_count: Set(1),
        ..new_shard(ShardKind::Health, None, endpoint.id, endpoint.team_id, now)
    }
}
