//! The worker API, `/api/v1/worker/…`. Every call carries `Authorization: Bearer <worker token>`.
//!
//! | call | body | reply |
//! |---|---|---|
//! | `POST claim` | [`ClaimRequest`] | 200 [`ShardLease`], 204 when nothing came within `wait_ms` |
//! | `POST shards/{id}/renew` | [`RenewRequest`] | 200 [`RenewReply`], 409 when the lease is lost |
//! | `POST shards/{id}/answers` | [`AnswersRequest`] | 200 [`AnswersReply`], 409 when the lease is lost |
//! | `POST shards/{id}/documents` | [`DocumentsRequest`] | 200 [`DocumentsReply`], 409 when the lease is lost |
//! | `POST shards/{id}/probe` | [`ProbeRequest`] | 204, 409 when the lease is lost |
//! | `POST shards/{id}/verdicts` | [`VerdictsRequest`] | 200 [`VerdictsReply`], 409 when the lease is lost |
//! | `POST shards/{id}/health` | [`HealthRequest`] | 204, 409 when the lease is lost |
//! | `POST shards/{id}/finish` | [`FinishRequest`] | 204, 409 when the lease is lost or answers are missing |
//! | `POST shards/{id}/fail` | [`FailRequest`] | 204, 409 when the lease is lost |
//!
//! A *fence* is the attempt number of the lease. It rises with every claim of the shard, so a worker that was
//! frozen past its lease carries a stale fence and is refused.
//!
//! [`VerdictsRequest`]: crate::judging::VerdictsRequest
//! [`VerdictsReply`]: crate::judging::VerdictsReply
//! [`HealthRequest`]: crate::judging::HealthRequest

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::judging::{HealthWork, JudgeWork};
use crate::method::{MethodCost, MethodSpec};

/// Label of workers that run the reference model in their own process. Shards of endpoints with a method require it.
pub const REFERENCE_LABEL: &str = "reference";

/// Asks for one shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// What this worker can do, e.g. `gpu`. A shard that requires a label goes only to a worker that has it.
    pub labels: Vec<String>,
    /// How long the server may hold the request while nothing is queued, at most 30 000.
    pub wait_ms: u64,
    /// Version of the worker program, shown on the fleet page.
    pub version: String,
}

/// One shard under lease: everything a worker needs, including the endpoint's secret for this shard only.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShardLease {
    /// The shard.
    pub shard: Uuid,
    /// Fencing number of this lease; goes back with every later call.
    pub fence: u32,
    /// Lease length from now in milliseconds; renew at a quarter of it.
    pub lease_ms: u64,
    /// Where to send the prompts.
    pub endpoint: EndpointSpec,
    /// What to do.
    pub work: Work,
}

/// The endpoint as a worker sees it.
#[derive(Clone, Serialize, Deserialize)]
pub struct EndpointSpec {
    /// The endpoint's id.
    pub id: Uuid,
    /// Base URL up to and including the version prefix, e.g. `https://api.example.com/v1`; empty with a `method`.
    pub base_url: String,
    /// Model name sent in the request.
    pub model: String,
    /// Which call it takes.
    pub api: EndpointApi,
    /// Bearer secret, absent when the endpoint needs none.
    pub secret: Option<String>,
    /// Upper bound on requests in flight to this endpoint from this shard.
    pub max_concurrency: u32,
    /// Declared context limit in the model's own tokens; longer items end as `over_length` without a request.
    pub context_limit_tokens: Option<u32>,
    /// Largest accepted delay until the first byte in milliseconds.
    pub first_byte_timeout_ms: u64,
    /// The reference model under this policy answers inside the worker; absent for endpoints with an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<MethodSpec>,
    /// What is done around the endpoint; absent when items are sent as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// What embedders of this family want before a query, e.g. `query: `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query_prefix: String,
    /// What they want before a document, e.g. `passage: `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document_prefix: String,
}

/// What an endpoint does, and by which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum EndpointApi {
    /// `POST {base_url}/chat/completions`
    #[default]
    Chat,
    /// `POST {base_url}/completions`
    Completions,
    /// `POST {base_url}/embeddings`
    Embeddings,
    /// `POST {base_url}/rerank`
    Rerank,
    /// `POST {base_url}/chat/completions`, asked for `true` or `false` about each document.
    TrueFalse,
}

/// The kinds of shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Send a slice of items and post their answers.
    Run(Box<RunWork>),
    /// Check an endpoint and post a [`ProbeReport`].
    Probe,
    /// Put questions to a judge and post what it says.
    Judge(Box<JudgeWork>),
    /// Check a judge and post what it says.
    Health(Box<HealthWork>),
}

/// A slice of one (task, length) cell of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunWork {
    /// The run.
    pub run: Uuid,
    /// The immutable task version.
    pub task: TaskSpec,
    /// Length bucket in canonical tokens.
    pub length_tokens: u32,
    /// Season seed: with task version and index it fixes the item byte for byte.
    pub seed: u64,
    /// First item index.
    pub first_index: u32,
    /// Number of items.
    pub count: u32,
    /// Repetitions of each item, at least 1.
    pub repetitions: u32,
    /// Items already answered: `(index, repetition)`. A worker continues with the rest.
    pub answered: Vec<(u32, u32)>,
}

/// A task version as data: enough for a worker to rebuild the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Task slug.
    pub slug: String,
    /// Version, from 1.
    pub version: u32,
    /// Human title.
    pub title: String,
    /// Family slug, a generator compiled into `suites`.
    pub family: String,
    /// Family parameters.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// An uploaded corpus that replaces the built-in world as haystack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusSpec>,
    /// The data file whose records are the items, with those that the shard needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSpec>,
}

/// Records of an official data file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSpec {
    /// Digest by which the data set is known, in hex.
    pub sha256: String,
    /// Documents of the records, each once.
    pub documents: Vec<String>,
    /// The records. A list and no map: numbers as keys of a JSON object cannot be read back inside a tagged enum.
    pub records: Vec<DataRecord>,
}

/// A record and where its document is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// Item index.
    pub index: u32,
    /// Place of the document in [`DataSpec::documents`].
    pub document: u32,
    /// The record in the form that the family reads, with an empty document.
    pub record: serde_json::Value,
}

/// Asks for documents of the collection that a shard's items search.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentsRequest {
    /// Fence of the lease.
    pub fence: u32,
    /// Which documents.
    pub picked: Picked,
}

/// Which documents of a collection are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Picked {
    /// Documents in the order of the collection.
    From {
        /// The first, from 0.
        first: u32,
        /// How many.
        count: u32,
    },
    /// Documents by name.
    Named {
        /// Their names.
        names: Vec<String>,
    },
}

/// The first of the documents that were asked for, at least one; the rest has to be asked for again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DocumentsReply {
    /// In the order of the request.
    pub documents: Vec<CollectedDocument>,
}

/// A document of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedDocument {
    /// Name in rankings.
    pub id: String,
    /// What it holds.
    pub part: CollectedPart,
}

/// What a document of a collection holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectedPart {
    /// UTF-8 text, uncut.
    Text(String),
    /// A PNG or JPEG file, in hex.
    Picture(String),
}

/// An uploaded haystack corpus, carried with the shard that needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusSpec {
    /// Slug of the corpus.
    pub slug: String,
    /// SHA-256 of the text in hex.
    pub digest: String,
    /// The text.
    pub text: String,
}

/// Keeps a lease alive and shows progress.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// Fence of the lease.
    pub fence: u32,
    /// Requests in flight now.
    pub in_flight: u32,
}

/// Answer to a renewal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RenewReply {
    /// New lease length from now in milliseconds.
    pub lease_ms: u64,
    /// True when the run was cancelled: stop, post what is done, and forget the shard.
    pub cancelled: bool,
}

/// A batch of answers. Posting the same batch twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswersRequest {
    /// Fence of the lease.
    pub fence: u32,
    /// At most 256 answers.
    pub answers: Vec<Answer>,
}

/// What became of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Item index.
    pub index: u32,
    /// Repetition, from 0.
    pub repetition: u32,
    /// SHA-256 of the prompt in hex, as the worker built it. The server refuses an answer whose digest differs.
    pub prompt_digest: String,
    /// Canonical tokens of the prompt.
    pub prompt_tokens: u32,
    /// How the exchange ended.
    pub result: Exchange,
}

/// The end of an exchange with an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Exchange {
    /// The endpoint answered.
    Completed(Completion),
    /// The item is longer than the endpoint's declared limit; nothing was sent.
    OverLength {
        /// Tokens needed including the output budget.
        needed_tokens: u32,
        /// The endpoint's limit.
        limit_tokens: u32,
    },
    /// The official record does not fit the length even when it is cut; nothing was sent.
    Unmade {
        /// What does not fit.
        reason: String,
    },
    /// A deadline passed.
    TimedOut {
        /// Which deadline: `first_byte`, `idle` or `total`.
        stage: String,
        /// Requests made.
        attempts: u32,
    },
    /// The endpoint failed for good.
    Failed {
        /// Named cause, e.g. `http_500`, `body_too_large`, `invalid_utf8`, `address_refused`.
        cause: String,
        /// What it said, at most 500 characters, control characters removed.
        detail: String,
        /// Requests made.
        attempts: u32,
    },
}

/// A completed exchange.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The text, unchanged.
    pub text: String,
    /// `stop`, `length`, `content_filter`, … as the endpoint reported it.
    pub finish_reason: Option<String>,
    /// Prompt tokens the endpoint says it counted, in its own tokenizer.
    pub reported_prompt_tokens: Option<u32>,
    /// Completion tokens the endpoint says it counted.
    pub reported_completion_tokens: Option<u32>,
    /// Time to the first token in milliseconds, absent without streaming.
    pub first_token_ms: Option<u32>,
    /// Time to the last byte in milliseconds, of the successful attempt.
    pub latency_ms: u32,
    /// Requests made, 1 when none was retried.
    pub attempts: u32,
    /// Causes of the retries, in order.
    #[serde(default)]
    pub retry_causes: Vec<String>,
    /// What the answer cost, where the reference model gave it. Ignored from any other endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<MethodCost>,
    /// What became of the program in the text, where the task has programs run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramRun>,
    /// What all calls for this sample took, where there is more than one: around a strategy, or for rankings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered: Option<Box<Metered>>,
}

/// What the calls behind one answer took together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metered {
    /// Requests that were answered.
    pub calls: u32,
    /// Canonical tokens sent. Documents that several samples share are divided among them.
    pub prompt_tokens: u64,
    /// Canonical tokens that came back.
    pub completion_tokens: u64,
    /// What a strategy says about itself, e.g. the share of facts that stand nowhere in the document.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reports: BTreeMap<String, f64>,
}

/// What became of a program that a model wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramRun {
    /// Whether it compiles.
    pub compiles: bool,
    /// What it printed, test by test; null after a crash, too much time or memory, or too long an output. Tests after one
    /// that failed so may be missing.
    #[serde(default)]
    pub outputs: Vec<Option<String>>,
}

/// What the server did with a batch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AnswersReply {
    /// Newly stored.
    pub stored: u32,
    /// Already stored before; the first one stays.
    pub duplicates: u32,
    /// Refused, with the reason.
    pub refused: Vec<RefusedAnswer>,
}

/// An answer that was not stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefusedAnswer {
    /// Item index.
    pub index: u32,
    /// Repetition.
    pub repetition: u32,
    /// Why, e.g. `outside the shard`, `prompt digest differs`.
    pub reason: String,
}

/// Ends a shard whose items are all answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinishRequest {
    /// Fence of the lease.
    pub fence: u32,
}

/// Gives a shard back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailRequest {
    /// Fence of the lease.
    pub fence: u32,
    /// Named cause, e.g. `endpoint_unreachable`, `unauthorised`, `worker_shutdown`.
    pub cause: String,
    /// Detail for the run page, at most 500 characters.
    pub detail: String,
    /// Whether another attempt may help. `false` ends the shard in the dead-letter list.
    pub retryable: bool,
}

/// Posts a probe's result and finishes its shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// Fence of the lease.
    pub fence: u32,
    /// The checklist.
    pub report: ProbeReport,
}

/// Timed checklist of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// Checks in the order they ran: `reachable`, `authorised`, `streams`, `usage`, `deterministic`, `context`.
    pub checks: Vec<ProbeCheck>,
    /// Canary results per length.
    pub canaries: Vec<CanaryResult>,
    /// Reported prompt tokens over canonical tokens on a short prompt: the endpoint tokenizer's ratio.
    pub token_ratio: Option<f64>,
    /// Length in canonical tokens up to which all three canaries were seen.
    pub context_seen_tokens: Option<u32>,
    /// True when a canary at head or middle was lost while the tail was read: input is silently cut.
    pub truncates: bool,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeCheck {
    /// Name of the check.
    pub name: String,
    /// Verdict.
    pub status: CheckStatus,
    /// What was seen, and what to do when it failed.
    pub detail: String,
    /// Duration in milliseconds.
    pub elapsed_ms: u32,
}

/// Verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Fine.
    Passed,
    /// Works, with a remark.
    Warned,
    /// Runs against this endpoint would fail.
    Failed,
    /// Not run because an earlier check failed.
    Skipped,
}

/// Which of the three planted codes came back at one length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CanaryResult {
    /// Canonical tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens the endpoint reported.
    pub reported_tokens: Option<u32>,
    /// Code at the head seen.
    pub head: bool,
    /// Code in the middle seen.
    pub middle: bool,
    /// Code at the tail seen.
    pub tail: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_travel_inside_the_work_that_needs_them() {
        let record = DataRecord { index: 10, document: 0, record: serde_json::json!({ "id": "a" }) };
        let data = DataSpec { sha256: "0".to_owned(), documents: vec!["d".to_owned()], records: vec![record] };
        let work = Work::Run(Box::new(RunWork {
            run: Uuid::nil(),
            task: TaskSpec {
                slug: "t".to_owned(),
                version: 1,
                title: "T".to_owned(),
                family: "leval".to_owned(),
                params: serde_json::Map::new(),
                corpus: None,
                data: Some(data.clone()),
            },
            length_tokens: 4096,
            seed: 0,
            first_index: 10,
            count: 1,
            repetitions: 1,
            answered: Vec::new(),
        }));
        let text = serde_json::to_string(&work).unwrap();
        let Work::Run(read) = serde_json::from_str(&text).unwrap() else { unreachable!("{text}") };
        assert_eq!(read.task.data, Some(data));
    }
}
