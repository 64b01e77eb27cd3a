//! `workers`.

use sea_orm::entity::prelude::*;

/// A worker that may claim shards.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "workers")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Name, unique.
    pub name: String,
    /// SHA-256 of its token in hex.
    pub token_hash: String,
    /// Labels of its last claim, separated by commas.
    pub labels: String,
    /// Program version of its last claim.
    pub version: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Last call.
    pub seen_at: Option<DateTimeUtc>,
    /// When its token ended.
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
