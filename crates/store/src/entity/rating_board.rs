//! `rating_boards`.

use sea_orm::entity::prelude::*;

use super::kind::{Names, RatingSource};

/// A board whose numbers are ratings from votes.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "rating_boards")]
pub struct Model {
    /// Slug, shared with no suite.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Title.
    pub title: String,
    /// Suite whose answers are judged.
    pub suite_slug: Option<String>,
    /// Where the votes come from.
    pub source: RatingSource,
    /// What the reader of the file noticed.
    pub remarks: Names,
    /// Rises with every change.
    pub data_version: i64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
