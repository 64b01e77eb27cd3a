//! `audit`.

use sea_orm::entity::prelude::*;

/// A link of the audit chain.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// When.
    pub at: DateTimeUtc,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Particulars.
    #[sea_orm(column_type = "JsonBinary")]
    pub detail: Json,
    /// Hash of the link before.
    pub previous_hash: String,
    /// Hash of this link.
    pub hash: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
