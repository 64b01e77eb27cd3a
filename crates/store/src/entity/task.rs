//! `tasks`.

use sea_orm::entity::prelude::*;

/// A published task version. Never changed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    /// Slug.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Version, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// Title.
    pub title: String,
    /// Family slug.
    pub family: String,
    /// Checked parameters.
    #[sea_orm(column_type = "JsonBinary")]
    pub params: Json,
    /// Uploaded haystack.
    pub corpus_slug: Option<String>,
    /// Data file whose records are the items.
    pub data_sha256: Option<String>,
    /// Who published it.
    pub author: String,
    /// When.
    pub published_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
