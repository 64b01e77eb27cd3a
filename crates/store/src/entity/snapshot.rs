//! `snapshots`.

use sea_orm::entity::prelude::*;

/// A published board. Never changed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "snapshots")]
pub struct Model {
    /// Board.
    #[sea_orm(primary_key, auto_increment = false)]
    pub board_slug: String,
    /// Digest of its content.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Data version it shows.
    pub data_version: i64,
    /// When.
    pub published_at: DateTimeUtc,
    /// The board as JSON.
    pub body: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
