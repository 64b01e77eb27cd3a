//! `runs`.

use sea_orm::entity::prelude::*;

use super::kind::{LengthList, RunState, TaskVersions};

/// A suite against an endpoint.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "runs")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Endpoint.
    pub endpoint_id: Uuid,
    /// Team.
    pub team_id: Uuid,
    /// Suite.
    pub suite_slug: String,
    /// Season seed.
    pub seed: i64,
    /// Samples per (task, length).
    pub samples: i32,
    /// Frozen task versions in order.
    pub tasks: TaskVersions,
    /// Buckets, short to long.
    pub lengths: LengthList,
    /// State.
    pub state: RunState,
    /// Whether it covers its suite and so may stand on the board.
    pub counts: bool,
    /// Samples in all.
    pub total: i32,
    /// Who.
    pub submitted_by: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// First lease.
    pub started_at: Option<DateTimeUtc>,
    /// Last shard ended.
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
