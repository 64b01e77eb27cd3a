//! `suites`.

use sea_orm::entity::prelude::*;

use super::kind::{LengthList, TaskSlugs};

/// A set of tasks over lengths, and its board.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "suites")]
pub struct Model {
    /// Slug, also of the board.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Title.
    pub title: String,
    /// Head of the board.
    pub description: String,
    /// Task slugs in order.
    pub tasks: TaskSlugs,
    /// Buckets, short to long.
    pub lengths: LengthList,
    /// Samples per (task, length).
    pub samples: i32,
    /// Answers come from prediction files.
    pub imported: bool,
    /// Order of boards.
    pub position: i32,
    /// Rises with every change a board shows.
    pub data_version: i64,
    /// When.
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
