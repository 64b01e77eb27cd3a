//! `answers`.

use sea_orm::entity::prelude::*;

use super::kind::{Causes, Reports};

/// What became of one sample.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "answers")]
pub struct Model {
    /// Order of arrival.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Run.
    pub run_id: Uuid,
    /// Shard, absent for imports.
    pub shard_id: Option<Uuid>,
    /// Number within the run, from 1: the name in paths.
    pub number: i32,
    /// Task.
    pub task_slug: String,
    /// Version.
    pub task_version: i32,
    /// Bucket.
    pub length_tokens: i32,
    /// Item.
    pub item_index: i32,
    /// Repetition, from 0.
    pub repetition: i32,
    /// Identity in a prediction file.
    pub item_key: Option<String>,
    /// SHA-256 of the prompt; empty for imports.
    pub prompt_digest: String,
    /// Canonical tokens of the prompt.
    pub prompt_tokens: i32,
    /// The answer, unchanged.
    pub body: String,
    /// Label of a prediction file.
    pub reference: Option<String>,
    /// Outcome slug.
    pub outcome: String,
    /// 0..1, absent without an answer.
    pub score: Option<f64>,
    /// Score of the strict form.
    pub strict: Option<f64>,
    /// What the metric read.
    pub extracted: String,
    /// Requested depth.
    pub depth_percent: Option<i32>,
    /// Canonical tokens cut from an official record to fit the window; absent for generated items.
    pub tokens_removed: Option<i32>,
    /// Share of the evidence that the cut left, 0..1, where the record says where it stands.
    pub evidence_left: Option<f64>,
    /// As reported.
    pub finish_reason: Option<String>,
    /// As reported.
    pub reported_prompt_tokens: Option<i32>,
    /// As reported.
    pub reported_completion_tokens: Option<i32>,
    /// Time to first token.
    pub first_token_ms: Option<i32>,
    /// Time to last byte.
    pub latency_ms: Option<i32>,
    /// Requests made.
    pub attempts: i32,
    /// Causes of the retries.
    pub retry_causes: Causes,
    /// Why there is no answer.
    pub cause: Option<String>,
    /// What the endpoint said.
    pub detail: Option<String>,
    /// Who sent it.
    pub worker_id: Option<Uuid>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Tokens stored per head at the end, mean; like all costs below only for answers of the reference model.
    pub kept_tokens: Option<f64>,
    /// Tokens stored by the head that stores most.
    pub max_kept_tokens: Option<f64>,
    /// Milliseconds choosing what is read.
    pub selection_ms: Option<f64>,
    /// Milliseconds reading it.
    pub attention_ms: Option<f64>,
    /// Floating-point operations of attention.
    pub attention_flops: Option<f64>,
    /// Bytes of keys and values that attention read.
    pub attention_bytes: Option<f64>,
    /// Bytes of the cache at the end.
    pub cache_bytes: Option<i64>,
    /// Requests behind the answer, where it took several.
    pub calls: Option<i32>,
    /// Canonical tokens that all of them sent.
    pub sent_tokens: Option<i64>,
    /// Canonical tokens that came back.
    pub written_tokens: Option<i64>,
    /// What a strategy says about itself.
    pub reports: Option<Reports>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
