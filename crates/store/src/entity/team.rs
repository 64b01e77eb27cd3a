//! `teams`.

use sea_orm::entity::prelude::*;

/// A team: owner of endpoints and runs.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "teams")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Slug, unique.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// Written first in transactions that check a quota: the row is the lock.
    pub touched_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
