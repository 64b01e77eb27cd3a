//! `verdicts`.

use sea_orm::entity::prelude::*;

/// One question to one judge: which of two answers is better, or how good one is.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "verdicts")]
pub struct Model {
    /// Order of planning.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Judging.
    pub judging_id: Uuid,
    /// Judge.
    pub judge_slug: String,
    /// Which person, for the judge `humans`; else empty.
    pub labeller: String,
    /// The two answers to one item, whoever judges them in whatever order; or the one answer that is rated.
    pub battle_id: Uuid,
    /// Shard, absent for people.
    pub shard_id: Option<Uuid>,
    /// Place within the shard.
    pub position: i32,
    /// Task.
    pub task_slug: String,
    /// Version.
    pub task_version: i32,
    /// Bucket.
    pub length_tokens: i32,
    /// Item.
    pub item_index: i32,
    /// Answer shown first.
    pub first_answer: i64,
    /// Answer shown second; absent for an absolute rating.
    pub second_answer: Option<i64>,
    /// Whose it is.
    pub first_entry: String,
    /// Whose it is.
    pub second_entry: Option<String>,
    /// 0 in the order by name, 1 in the other.
    pub turn: i32,
    /// Fence around the answers.
    pub nonce: String,
    /// Probability with which this comparison was chosen.
    pub propensity: f64,
    /// Version of the prompt.
    pub prompt_version: String,
    /// SHA-256 of the prompt in hex.
    pub prompt_digest: Option<String>,
    /// `first`, `second`, `tie` or `invalid`; absent until decided.
    pub label: Option<String>,
    /// Absolute rating, 0..1.
    pub rating: Option<f64>,
    /// What the judge said, both times when it was asked again.
    pub raw: Option<String>,
    /// How often it was asked.
    pub asks: i32,
    /// Why there is no verdict.
    pub cause: Option<String>,
    /// Time to the last byte.
    pub latency_ms: Option<i32>,
    /// Who sent it.
    pub worker_id: Option<Uuid>,
    /// When it was planned.
    pub created_at: DateTimeUtc,
    /// When it was decided.
    pub decided_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
