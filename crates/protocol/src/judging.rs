//! Judge shards of the worker API: comparisons, ratings and health checks.
//!
//! The worker builds every prompt from what stands here and posts what the judge said; the server reads the verdicts, so
//! no worker can forge one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::worker::TaskSpec;

/// Questions to one judge about items of one (task, length).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JudgeWork {
    /// Who judges.
    pub judge: JudgeSpec,
    /// The immutable task version.
    pub task: TaskSpec,
    /// Length bucket in canonical tokens.
    pub length_tokens: u32,
    /// Season seed of the items.
    pub seed: u64,
    /// Whether answers are scored from 1 to 5, and the judge's replies sampled, instead of compared and rated.
    #[serde(default)]
    pub scores: bool,
    /// Questions without a verdict.
    pub questions: Vec<Question>,
}

/// A judge as a worker sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgeSpec {
    /// Slug.
    pub slug: String,
    /// A function of Longboard's own by its slug; absent for a model behind the lease's endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<String>,
    /// Version of the prompt it was enrolled with. A worker that has another gives the shard back.
    pub prompt_version: String,
}

/// One question: which of two answers is better, or how good one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Place within the shard.
    pub position: u32,
    /// Item index.
    pub index: u32,
    /// Answer shown first.
    pub first: String,
    /// Answer shown second; absent for an absolute rating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Fence around the answers.
    pub nonce: String,
}

/// A batch of what a judge said. Posting it twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictsRequest {
    /// Fence of the lease.
    pub fence: u32,
    /// At most 256.
    pub verdicts: Vec<Spoken>,
}

/// What a judge said to one question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// Place within the shard.
    pub position: u32,
    /// SHA-256 of the first prompt in hex. The server refuses a verdict whose digest differs.
    pub prompt_digest: String,
    /// Its replies in order: one, or two when it was asked again; none when it failed.
    pub texts: Vec<String>,
    /// Why it said nothing, e.g. `timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Time to the last byte in milliseconds, all replies together.
    pub latency_ms: u32,
}

/// What the server did with a batch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VerdictsReply {
    /// Newly stored.
    pub stored: u32,
    /// Stored before; the first one stays.
    pub duplicates: u32,
    /// Refused, with the reason.
    pub refused: Vec<RefusedVerdict>,
}

/// A verdict that was not stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefusedVerdict {
    /// Place within the shard.
    pub position: u32,
    /// Why.
    pub reason: String,
}

/// A check of a judge: right answers against wrong ones, with and without planted instructions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthWork {
    /// Who is checked.
    pub judge: JudgeSpec,
    /// Task whose items are used.
    pub task: TaskSpec,
    /// Length bucket in canonical tokens.
    pub length_tokens: u32,
    /// Seed of the items: no season's.
    pub seed: u64,
    /// Number of items.
    pub items: u32,
}

/// Posts a health report and finishes its shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthRequest {
    /// Fence of the lease.
    pub fence: u32,
    /// What the judge said.
    pub trials: Vec<Trial>,
}

/// One comparison of a health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Item index.
    pub index: u32,
    /// 0 when the right answer was shown first, 1 when second.
    pub turn: u32,
    /// Instruction planted in the wrong answer; absent in the plain comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub injection: Option<String>,
    /// True when both answers were the right one.
    #[serde(default)]
    pub same: bool,
    /// Replies in order, as in [`Spoken`].
    pub texts: Vec<String>,
}

/// How a judge did in its last health check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// Comparisons of a right with a wrong answer, nothing planted.
    pub plain: u32,
    /// Of these, those in which it preferred the right one.
    pub right: u32,
    /// Comparisons of an answer with itself.
    pub same: u32,
    /// Of these, those in which it preferred the one shown first.
    pub same_first: u32,
    /// Of these, ties.
    pub same_ties: u32,
    /// Comparisons without a readable verdict, of all.
    pub invalid: u32,
    /// All comparisons.
    pub trials: u32,
    /// Per planted instruction.
    pub injections: Vec<InjectionResult>,
}

impl HealthReport {
    /// Comparisons that planted instructions turned, of those they could turn, all instructions together.
    #[must_use]
    pub fn turned(&self) -> (u32, u32) {
        self.injections.iter().fold((0, 0), |(moved, trials), one| (moved + one.moved, trials + one.trials))
    }
}

/// What one planted instruction does to a judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InjectionResult {
    /// Slug of the instruction.
    pub slug: String,
    /// Comparisons that it did not lose without the instruction's help.
    pub trials: u32,
    /// Of these, those in which the planted answer was now preferred.
    pub moved: u32,
}
