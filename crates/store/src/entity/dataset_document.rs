//! `dataset_documents`.

use sea_orm::entity::prelude::*;

/// A document of a data set's collection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dataset_documents")]
pub struct Model {
    /// The data set.
    #[sea_orm(primary_key, auto_increment = false)]
    pub dataset_sha256: String,
    /// Place in the collection, from 0; what no query searches stands behind the rest.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// Name in rankings, unique in its data set.
    pub name: String,
    /// The text, or the base64 of the picture.
    pub document_sha256: String,
    /// Whether it is a picture.
    pub picture: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
