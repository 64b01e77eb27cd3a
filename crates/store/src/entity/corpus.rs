//! `corpora`.

use sea_orm::entity::prelude::*;

/// An uploaded haystack.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "corpora")]
pub struct Model {
    /// Slug.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Title.
    pub title: String,
    /// `en` or `zh`.
    pub language: String,
    /// SHA-256 of the text in hex.
    pub digest: String,
    /// The text.
    pub body: String,
    /// When.
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
