//! `shards`.

use sea_orm::entity::prelude::*;

use super::kind::{ShardKind, ShardState};

/// A slice of one (task, length) cell, or a probe: the unit of lease.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "shards")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Run, absent for probes.
    pub run_id: Option<Uuid>,
    /// Endpoint.
    pub endpoint_id: Uuid,
    /// Team, for fair share.
    pub team_id: Uuid,
    /// Kind.
    pub kind: ShardKind,
    /// Task, empty for probes.
    pub task_slug: String,
    /// Version.
    pub task_version: i32,
    /// Bucket.
    pub length_tokens: i32,
    /// First item.
    pub first_index: i32,
    /// Items.
    pub item_count: i32,
    /// Repetitions of each.
    pub repetitions: i32,
    /// Label a worker must have; empty for none.
    pub requires: String,
    /// Higher goes first.
    pub priority: i32,
    /// Order within the run.
    pub position: i32,
    /// State.
    pub state: ShardState,
    /// Fencing number: rises with every lease.
    pub fence: i32,
    /// Failed attempts since it was queued or resumed.
    pub failures: i32,
    /// Worker with the newest lease.
    pub lease_owner: Option<Uuid>,
    /// End of the lease.
    pub lease_until: Option<DateTimeUtc>,
    /// Back-off.
    pub not_before: DateTimeUtc,
    /// Stored answers.
    pub done_count: i32,
    /// Requests in flight at the last renewal.
    pub in_flight: i32,
    /// Named cause of the last failure.
    pub last_cause: Option<String>,
    /// Its detail.
    pub last_detail: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Last change.
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
