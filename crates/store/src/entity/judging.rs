//! `judgings`.

use sea_orm::entity::prelude::*;

use super::kind::{JudgingState, Names};

/// Comparisons of a suite's answers, round after round, up to a budget.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "judgings")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Suite whose answers are compared.
    pub suite_slug: String,
    /// Judges by slug.
    pub judges: Names,
    /// Most comparisons; both orders of a battle by one judge count as two.
    pub budget: i32,
    /// Scores of one answer by one judge, where answers are scored; 0 where they are compared.
    pub samples: i32,
    /// Rounds planned so far.
    pub rounds: i32,
    /// Seed of the choice of pairs.
    pub seed: i64,
    /// State.
    pub state: JudgingState,
    /// Why it ended.
    pub ended_by: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// When it ended.
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
