//! `api_tokens`.

use sea_orm::entity::prelude::*;

/// A token of a team for the JSON API.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Team it acts for.
    pub team_id: Uuid,
    /// Who made it.
    pub user_id: Uuid,
    /// What it is for.
    pub name: String,
    /// Its first characters, to tell tokens apart.
    pub prefix: String,
    /// SHA-256 in hex.
    pub token_hash: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// Last use.
    pub used_at: Option<DateTimeUtc>,
    /// When it ended.
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
