//! Endpoints: the contestants.

use chrono::{DateTime, Utc};
use longboard_protocol::method::{Method, MethodCard};
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, TransactionTrait};
use serde_json::Value;
use uuid::Uuid;

use crate::Store;
use crate::connection::micros;
pub use crate::entity::endpoint::Model as Endpoint;
use crate::entity::kind::{EndpointCall, EndpointKind, MethodColumn, ProbeState, ShardKind};
use crate::entity::{endpoint, shard};
use crate::error::StoreError;
use crate::queue::{end_check, new_shard};

/// Priority of probes: somebody waits for them.
const PROBE_PRIORITY: i32 = 100;

/// What a probe found out.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeResult {
    /// Whether runs may start.
    pub usable: bool,
    /// The checklist.
    pub report: Value,
    /// Reported over canonical tokens.
    pub token_ratio: Option<f64>,
    /// Silent truncation was seen.
    pub truncates: bool,
}

impl Endpoint {
    /// A contestant with nothing special about it; its slug is also the model name sent in requests.
    #[must_use]
    pub fn new(team_id: Uuid, kind: EndpointKind, slug: &str, name: &str, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7(),
            team_id,
            slug: slug.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            kind,
            base_url: String::new(),
            model: slug.to_owned(),
            api: EndpointCall::Chat,
            secret_ciphertext: None,
            max_concurrency: 1,
            max_leases: 1,
            context_limit_tokens: None,
            first_byte_timeout_ms: 60_000,
            probe_state: ProbeState::Pending,
            probe_report: None,
            probed_at: None,
            token_ratio: None,
            truncates: false,
            created_at: now,
            retired_at: None,
            method: None,
            family: None,
            strategy: None,
            plain_id: None,
            query_prefix: String::new(),
            document_prefix: String::new(),
        }
    }
}

impl Store {
    /// Adds an endpoint, and queues its probe unless it has no address: prediction files, methods and built-in judges
    /// have none.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the slug is in use.
    pub async fn add_endpoint(&self, mut row: Endpoint) -> Result<Endpoint, StoreError> {
        row.created_at = micros(row.created_at);
        let unaddressed = row.base_url.is_empty();
        row.probe_state = if unaddressed { ProbeState::None } else { ProbeState::Pending };
        let transaction = self.db.begin().await?;
        let added = endpoint::Entity::insert(endpoint::ActiveModel::from(row))
            .exec_with_returning(&transaction)
            .await
            .map_err(|error| StoreError::taken(error, "this model name"))?;
        if added.probe_state == ProbeState::Pending {
            shard::Entity::insert(probe_shard(&added, added.created_at)).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(added)
    }

    /// Queues another probe; does nothing while one is pending.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn queue_probe(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let changed = endpoint::Entity::update_many()
            .set(endpoint::ActiveModel { probe_state: Set(ProbeState::Pending), ..Default::default() })
            .filter(endpoint::Column::Id.eq(id))
            .filter(endpoint::Column::ProbeState.is_in([ProbeState::Passed, ProbeState::Failed]))
            .exec(&transaction)
            .await?;
        if changed.rows_affected == 1 {
            let row = endpoint::Entity::find_by_id(id).one(&transaction).await?;
            let row = row.ok_or(StoreError::NotFound("such endpoint"))?;
            shard::Entity::insert(probe_shard(&row, now)).exec_without_returning(&transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Stores a probe's result and finishes its shard.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn record_probe(
        &self,
        shard_id: Uuid,
        owner: Uuid,
        fence: u32,
        result: ProbeResult,
        now: DateTime<Utc>,
    ) -> Result<Endpoint, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let shard = end_check(&transaction, ShardKind::Probe, (shard_id, owner, fence), now).await?;
        let state = if result.usable { ProbeState::Passed } else { ProbeState::Failed };
        let changed = endpoint::ActiveModel {
            probe_state: Set(state),
            probe_report: Set(Some(result.report)),
            probed_at: Set(Some(now)),
            token_ratio: Set(result.token_ratio.filter(|ratio| ratio.is_finite())),
            truncates: Set(result.truncates),
            ..Default::default()
        };
        let row = endpoint::Entity::update_many()
            .set(changed)
            .filter(endpoint::Column::Id.eq(shard.endpoint_id))
            .exec_with_returning(&transaction)
            .await?;
        transaction.commit().await?;
        row.into_iter().next().ok_or(StoreError::NotFound("such endpoint"))
    }

    /// An endpoint by id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn endpoint(&self, id: Uuid) -> Result<Option<Endpoint>, StoreError> {
        Ok(endpoint::Entity::find_by_id(id).one(&self.db).await?)
    }

    /// An endpoint by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn endpoint_by_slug(&self, slug: &str) -> Result<Option<Endpoint>, StoreError> {
        Ok(endpoint::Entity::find().filter(endpoint::Column::Slug.eq(slug)).one(&self.db).await?)
    }

    /// Endpoints of a team, or of all, by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn endpoints(&self, team: Option<Uuid>) -> Result<Vec<Endpoint>, StoreError> {
        let mut found = endpoint::Entity::find().order_by_asc(endpoint::Column::Slug);
        if let Some(team) = team {
            found = found.filter(endpoint::Column::TeamId.eq(team));
        }
        Ok(found.all(&self.db).await?)
    }

    /// Replaces what a team may change: where the endpoint is, its model name, secret and limits.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn change_endpoint(&self, changed: &Endpoint) -> Result<Endpoint, StoreError> {
        let row = endpoint::Entity::update_many()
            .set(endpoint::ActiveModel {
                description: Set(changed.description.clone()),
                base_url: Set(changed.base_url.clone()),
                model: Set(changed.model.clone()),
                api: Set(changed.api),
                query_prefix: Set(changed.query_prefix.clone()),
                document_prefix: Set(changed.document_prefix.clone()),
                secret_ciphertext: Set(changed.secret_ciphertext.clone()),
                max_concurrency: Set(changed.max_concurrency),
                context_limit_tokens: Set(changed.context_limit_tokens),
                first_byte_timeout_ms: Set(changed.first_byte_timeout_ms),
                ..Default::default()
            })
            .filter(endpoint::Column::Id.eq(changed.id))
            .exec_with_returning(&self.db)
            .await?;
        row.into_iter().next().ok_or(StoreError::NotFound("such endpoint"))
    }

    /// Changes where a baseline listens: its port is new with every start.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn move_baseline(&self, slug: &str, base_url: &str) -> Result<(), StoreError> {
        endpoint::Entity::update_many()
            .set(endpoint::ActiveModel { base_url: Set(base_url.to_owned()), ..Default::default() })
            .filter(endpoint::Column::Slug.eq(slug))
            .filter(endpoint::Column::Kind.eq(EndpointKind::Baseline))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Writes down anew what a method is and what is known about it. Its settings stay those that its runs had.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn describe_method(&self, row: &Endpoint, card: MethodCard) -> Result<(), StoreError> {
        let Some(MethodColumn(known)) = &row.method else { return Ok(()) };
        let method = MethodColumn(Method { spec: known.spec.clone(), card });
        endpoint::Entity::update_many()
            .set(endpoint::ActiveModel { method: Set(Some(method)), ..Default::default() })
            .filter(endpoint::Column::Id.eq(row.id))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Takes an endpoint off new runs; its results stay.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn retire_endpoint(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        endpoint::Entity::update_many()
            .set(endpoint::ActiveModel { retired_at: Set(Some(micros(now))), ..Default::default() })
            .filter(endpoint::Column::Id.eq(id))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

fn probe_shard(row: &Endpoint, now: DateTime<Utc>) -> shard::ActiveModel {
    shard::ActiveModel {
        priority: ActiveValue::Set(PROBE_PRIORITY),
        ..new_shard(ShardKind::Probe, None, row.id, row.team_id, now)
    }
}
