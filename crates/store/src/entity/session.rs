//! `sessions`.

use sea_orm::entity::prelude::*;

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// SHA-256 of the cookie in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// Who.
    pub user_id: Uuid,
    /// Token that forms carry.
    pub csrf: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// Last use, for idle expiry.
    pub seen_at: DateTimeUtc,
    /// Absolute expiry.
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
