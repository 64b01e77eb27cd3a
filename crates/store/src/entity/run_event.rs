//! `run_events`.

use sea_orm::entity::prelude::*;

/// Something worth knowing about a run.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "run_events")]
pub struct Model {
    /// Order.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Run.
    pub run_id: Uuid,
    /// When.
    pub at: DateTimeUtc,
    /// E.g. `submitted`, `shard_failed`, `closed`.
    pub kind: String,
    /// For people.
    pub detail: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
