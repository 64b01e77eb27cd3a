//! `documents`.

use sea_orm::entity::prelude::*;

/// A text, known by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub struct Model {
    /// SHA-256 of the text in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sha256: String,
    /// The text.
    pub body: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
