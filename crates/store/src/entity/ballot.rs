//! `ballots`.

use sea_orm::entity::prelude::*;

/// A vote from elsewhere.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ballots")]
pub struct Model {
    /// Order in the file.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Board.
    pub board_slug: String,
    /// Entry shown first.
    pub first_entry: String,
    /// Entry shown second.
    pub second_entry: String,
    /// `first`, `second` or `tie`.
    pub winner: String,
    /// Question; votes on one question share its noise.
    pub question: String,
    /// Judge.
    pub judge: String,
    /// Weight.
    pub weight: f64,
    /// Length of the first answer.
    pub first_length: Option<f64>,
    /// Length of the second answer.
    pub second_length: Option<f64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
