//! The JSON API, `/api/v1/…`, and the `.json` form of public pages.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::board::Cell;
use crate::bucket::BucketReport;
use crate::method::{MethodCard, MethodCost};

/// A suite that can be run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SuiteReport {
    /// Slug, also of its board.
    pub slug: String,
    /// Title.
    pub title: String,
    /// What it measures.
    pub description: String,
    /// Task slugs in order.
    pub tasks: Vec<String>,
    /// Lengths, short to long, e.g. `4k`.
    pub lengths: Vec<String>,
    /// Samples per (task, length).
    pub samples: u32,
    /// Filled by prediction files instead of runs.
    pub imported: bool,
}

/// A board in the list of boards.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BoardLink {
    /// Slug; the board is `/boards/{slug}`, `.json` and `.csv`.
    pub slug: String,
    /// Title.
    pub title: String,
    /// `scores` by task and length, or `ratings` from votes.
    pub kind: String,
    /// Suite whose runs or answers fill it; null for votes from elsewhere.
    pub suite: Option<String>,
}

/// A task version.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaskReport {
    /// Slug.
    pub slug: String,
    /// Version.
    pub version: u32,
    /// Title.
    pub title: String,
    /// Family slug.
    pub family: String,
    /// Parameters.
    #[schema(value_type = Object)]
    pub params: Value,
    /// Declared facts: benchmark, citation, language, metric, abilities, …; null for tasks of prediction files.
    #[schema(value_type = Object)]
    pub card: Value,
    /// All versions, newest first.
    pub versions: Vec<u32>,
    /// Uploaded haystack.
    pub corpus: Option<String>,
    /// When this version was published, UTC.
    pub published_at: DateTime<Utc>,
}

/// Registers an endpoint. No `Debug`: it carries a secret.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// Display name; its slug is the model's path.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Base URL with the version prefix, e.g. `https://api.example.com/v1`.
    pub base_url: String,
    /// Model name sent in requests.
    pub model: String,
    /// `chat`, `completions`, `embeddings`, `rerank` or `true_false`.
    #[serde(default = "chat")]
    pub api: String,
    /// Bearer secret; sealed at rest, never shown again.
    #[serde(default)]
    pub secret: Option<String>,
    /// Most requests in flight, 1 to 256.
    #[serde(default = "eight")]
    pub max_concurrency: u32,
    /// Declared context limit in the model's own tokens.
    #[serde(default)]
    pub context_limit_tokens: Option<u32>,
    /// Longest wait for the first byte in seconds, 1 to 3600.
    #[serde(default = "five_minutes")]
    pub first_byte_timeout_s: u32,
    /// Family of models, e.g. `llama`; may be empty. Judges of the same family do not judge it.
    #[serde(default)]
    pub family: String,
    /// What an embedder wants before a query, e.g. `query: `; may be empty.
    #[serde(default)]
    pub query_prefix: String,
    /// What an embedder wants before a document, e.g. `passage: `; may be empty.
    #[serde(default)]
    pub document_prefix: String,
}

fn chat() -> String {
    "chat".to_owned()
}

const fn eight() -> u32 {
    8
}

const fn five_minutes() -> u32 {
    300
}

/// An endpoint as its team sees it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EndpointReport {
    /// Slug, also of the model page.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// `endpoint`, `baseline` or `predictions`.
    pub kind: String,
    /// Base URL.
    pub base_url: String,
    /// Model name sent in requests.
    pub model: String,
    /// `none`, `pending`, `passed` or `failed`.
    pub probe: String,
    /// The probe's checklist.
    #[schema(value_type = Option<Object>)]
    pub probe_report: Option<Value>,
    /// When it was probed, UTC.
    pub probed_at: Option<DateTime<Utc>>,
    /// The probe saw that input is silently cut.
    pub truncates: bool,
    /// Whether a secret is stored.
    pub has_secret: bool,
}

/// Submits a run. Absent values are the suite's.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// Endpoint slug.
    pub endpoint: String,
    /// Suite slug.
    pub suite: String,
    /// Some of the suite's lengths, e.g. `["4k", "8k"]`.
    #[serde(default)]
    pub lengths: Option<Vec<String>>,
    /// Samples per (task, length).
    #[serde(default)]
    pub samples: Option<u32>,
    /// Most prompt tokens the run may send in all; a larger run is refused.
    #[serde(default)]
    pub budget_tokens: Option<u64>,
    /// What is done around the endpoint, e.g. `rag`; absent sends the items as they are.
    #[serde(default)]
    pub strategy: Option<String>,
}

/// What was cut from the prompts of one (task, window).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CutReport {
    /// Task slug.
    pub task: String,
    /// Window.
    pub length: String,
    /// Samples.
    pub n: u64,
    /// Samples from which something was cut.
    pub cut: u64,
    /// Canonical tokens taken out of those, on average.
    pub tokens_removed: f64,
    /// Share of the evidence left, 0..1, where records say where it stands.
    pub evidence_left: Option<f64>,
    /// Mean score of the samples that are whole, 0..100; null without any.
    pub score_of_whole: Option<f64>,
}

/// A run and where it stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RunReport {
    /// Id.
    pub id: Uuid,
    /// Slug of the model.
    pub model: String,
    /// Suite slug.
    pub suite: String,
    /// `open`, `done`, `incomplete` or `cancelled`.
    pub state: String,
    /// Whether it covers its suite and may stand on the board.
    pub counts: bool,
    /// Frozen task versions, e.g. `vt@1`.
    pub tasks: Vec<String>,
    /// Lengths, short to long.
    pub lengths: Vec<String>,
    /// Samples per (task, length).
    pub samples: u32,
    /// Season seed.
    pub seed: i64,
    /// Samples that ended.
    pub done: u64,
    /// Samples in all.
    pub total: u64,
    /// Samples per outcome.
    pub outcomes: BTreeMap<String, u32>,
    /// Per task, then per length.
    pub cells: BTreeMap<String, BTreeMap<String, Cell>>,
    /// What was cut from official records, by task and window; empty where items are generated.
    pub cuts: Vec<CutReport>,
    /// Scores by official length, for benchmarks that report them so.
    #[serde(default)]
    pub buckets: Vec<BucketReport>,
    /// Shards per state.
    pub shards: BTreeMap<String, u32>,
    /// Why requests were repeated or ended without an answer, with counts.
    pub causes: BTreeMap<String, u64>,
    /// What happened, newest first.
    pub events: Vec<RunEventReport>,
    /// Who submitted it.
    pub submitted_by: String,
    /// UTC.
    pub created_at: DateTime<Utc>,
    /// First lease, UTC.
    pub started_at: Option<DateTime<Utc>>,
    /// UTC.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Something that happened to a run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RunEventReport {
    /// UTC.
    pub at: DateTime<Utc>,
    /// E.g. `submitted`, `shard_retried`, `closed`.
    pub kind: String,
    /// For people.
    pub detail: String,
}

/// One sample. The prompt follows from task version, seed, index and length; `longboard-worker generate` prints it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SampleReport {
    /// Run.
    pub run: Uuid,
    /// Number within the run, from 1.
    pub number: u32,
    /// Task slug.
    pub task: String,
    /// Task version.
    pub task_version: u32,
    /// Length bucket.
    pub length: String,
    /// Season seed.
    pub seed: i64,
    /// Item index.
    pub index: u32,
    /// Repetition, from 0.
    pub repetition: u32,
    /// Named outcome.
    pub outcome: String,
    /// 0..100, null without an answer.
    pub score: Option<f64>,
    /// Score of the strict form, 0..100.
    pub strict: Option<f64>,
    /// What the metric read in the answer.
    pub extracted: String,
    /// The answer, unchanged.
    pub answer: String,
    /// Expected answers.
    pub references: Vec<String>,
    /// Canonical tokens of the prompt.
    pub prompt_tokens: u32,
    /// Canonical tokens cut from an official record to fit the window; null for generated items.
    pub tokens_removed: Option<u32>,
    /// Share of the evidence that the cut left, 0..1, where the record says where it stands.
    pub evidence_left: Option<f64>,
    /// SHA-256 of the prompt.
    pub prompt_digest: String,
    /// Prompt tokens the endpoint says it counted.
    pub reported_prompt_tokens: Option<u32>,
    /// Completion tokens the endpoint says it counted.
    pub reported_completion_tokens: Option<u32>,
    /// As the endpoint reported it.
    pub finish_reason: Option<String>,
    /// Time to first token in milliseconds.
    pub first_token_ms: Option<u32>,
    /// Time to last byte in milliseconds.
    pub latency_ms: Option<u32>,
    /// Requests made.
    pub attempts: u32,
    /// Causes of the retries.
    pub retry_causes: Vec<String>,
    /// Why there is no answer.
    pub cause: Option<String>,
    /// What the endpoint said about it.
    pub detail: Option<String>,
    /// What the answer cost, for answers of the reference model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<MethodCost>,
    /// What all calls behind the answer took, where it took several: around a strategy, or for rankings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered: Option<MeteredReport>,
}

/// What the calls behind one answer took together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeteredReport {
    /// Requests.
    pub calls: u32,
    /// Canonical tokens sent; documents that several samples share are divided among them.
    pub prompt_tokens: u64,
    /// Canonical tokens that came back.
    pub completion_tokens: u64,
    /// What a strategy says about itself.
    pub reports: BTreeMap<String, f64>,
}

/// Strategies around endpoints on one suite, beside the endpoints themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StrategiesReport {
    /// Strategies that can be chosen when a run is submitted.
    pub known: Vec<StrategyCard>,
    /// Suites with such runs.
    pub suites: Vec<String>,
    /// The suite that is shown; null where there is none.
    pub suite: Option<String>,
    /// One row per (model, task, length), by model.
    pub rows: Vec<StrategyRow>,
}

/// A strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StrategyCard {
    /// Slug.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Around what: `chat` or `embedder`.
    pub around: String,
    /// What it does, in a sentence or two.
    pub what: String,
    /// Where it differs from the paper or its code.
    pub differs: String,
    /// Numbers it can be given, as `slug name=value`.
    pub parameters: Vec<StrategyParameter>,
    /// Paper, and code where it was read.
    pub citation: String,
    /// What a sample costs, in words.
    pub cost: String,
}

/// A number that a strategy can be given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StrategyParameter {
    /// Name.
    pub name: String,
    /// What it is, with its unit.
    pub help: String,
    /// The value that holds where none is given.
    pub default: f64,
    /// Smallest allowed.
    pub least: f64,
    /// Largest allowed.
    pub most: f64,
}

/// What a strategy gained and cost on one (task, length).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StrategyRow {
    /// Slug of the model under the strategy.
    pub model: String,
    /// Slug of the model it works around.
    pub plain: String,
    /// Strategy slug.
    pub strategy: String,
    /// Task slug.
    pub task: String,
    /// Length bucket.
    pub length: String,
    /// Samples.
    pub n: u32,
    /// Score, 0..100.
    pub score: f64,
    /// What it took.
    pub cost: StrategyCost,
    /// Score of the model asked as it is, 0..100; null where it has not run.
    pub plain_score: Option<f64>,
    /// What that took.
    pub plain_cost: Option<StrategyCost>,
    /// Score less the plain one, over the items that both answered where there are common ones, with its 95 % interval.
    pub gain: Option<MethodDifference>,
}

/// Means per sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StrategyCost {
    /// Requests.
    pub calls: f64,
    /// Canonical tokens sent.
    pub sent_tokens: f64,
    /// Tokens that came back; null where nobody counted them.
    pub written_tokens: Option<f64>,
    /// Milliseconds to the last byte; null without an answer.
    pub latency_ms: Option<f64>,
}

/// A page of samples.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SamplePage {
    /// Samples that match.
    pub total: u64,
    /// Samples left out before these.
    pub offset: u64,
    /// At most 100.
    pub samples: Vec<SampleReport>,
}

/// A model with everything it was measured on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ModelReport {
    /// Slug.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// `endpoint`, `baseline` or `predictions`.
    pub kind: String,
    /// Team slug.
    pub team: String,
    /// Declared context limit in its own tokens.
    pub context_limit_tokens: Option<u32>,
    /// The probe saw that input is silently cut.
    pub truncates: bool,
    /// Endpoint tokens per canonical token.
    pub token_ratio: Option<f64>,
    /// Runs, newest first, without cells and events.
    pub runs: Vec<RunSummary>,
}

/// A run in a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RunSummary {
    /// Id.
    pub id: Uuid,
    /// Slug of the model.
    pub model: String,
    /// Suite slug.
    pub suite: String,
    /// `open`, `done`, `incomplete` or `cancelled`.
    pub state: String,
    /// Whether it may stand on the board.
    pub counts: bool,
    /// Samples in all.
    pub total: u64,
    /// UTC.
    pub created_at: DateTime<Utc>,
    /// UTC.
    pub closed_at: Option<DateTime<Utc>>,
}

/// `/methods.json`: every method of the reference model at one length of one suite.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MethodsReport {
    /// Suite slug.
    pub suite: String,
    /// Lengths at which some method has a score, short to long.
    pub lengths: Vec<String>,
    /// The length of the results, null where no method has any.
    pub length: Option<String>,
    /// The cost over which the front is drawn, one of the fields of a cost, e.g. `attention_flops`.
    pub cost: String,
    /// Best first; methods without a result at this length follow by title.
    pub methods: Vec<MethodRow>,
}

/// A method with its result at the chosen length.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MethodRow {
    /// Slug of the policy, also of its page.
    pub policy: String,
    /// Title.
    pub title: String,
    /// Slug of the model.
    pub model: String,
    /// Parameters that differ from the policy's defaults.
    pub settings: BTreeMap<String, f64>,
    /// Run the numbers come from, null where the method has not run on this suite.
    pub run: Option<Uuid>,
    /// State of that run.
    pub state: Option<String>,
    /// Null where some task of the suite has no answer at this length.
    pub result: Option<MethodResult>,
    /// No other method is at least as good in score and cost and better in one, by the means alone.
    pub front: bool,
}

/// What a method reached and cost at a length: plain means over the tasks of the suite.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MethodResult {
    /// Samples that ended.
    pub n: u32,
    /// Samples that the run asks for.
    pub expected: u32,
    /// 0..100.
    pub score: f64,
    /// 95 % interval of `score`.
    pub ci95: [f64; 2],
    /// Score beside dense attention; null for dense itself and where dense has no score.
    pub difference: Option<MethodDifference>,
    /// Per sample; null where an answer did not bring its cost.
    pub cost: Option<MethodCost>,
}

/// A method's score minus that of dense attention, or a strategy's minus that of the model asked as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MethodDifference {
    /// In points, negative where the other is better.
    pub value: f64,
    /// 95 % interval, clustered by item; null where the difference is not paired.
    pub ci95: Option<[f64; 2]>,
    /// Answers to common items; 0 where the difference is not paired.
    pub n: u32,
    /// Over the items that both answered. Otherwise the difference of the two scores, without interval.
    pub paired: bool,
}

/// `/methods/{policy}.json`: what a method is and what it did at every length of one suite.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MethodReport {
    /// What is known about the policy.
    pub card: MethodCard,
    /// Parameters that differ from the policy's defaults.
    pub settings: BTreeMap<String, f64>,
    /// Slug of the model.
    pub model: String,
    /// Suite slug.
    pub suite: String,
    /// Run the numbers come from, null where the method has not run on this suite.
    pub run: Option<Uuid>,
    /// Lengths at which the method or dense attention has a score, short to long.
    pub lengths: Vec<MethodLength>,
}

/// A method at a length, with dense attention beside it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MethodLength {
    /// Length, e.g. `8k`.
    pub length: String,
    /// The method; null where some task of the suite has no answer.
    pub result: Option<MethodResult>,
    /// Dense attention; for dense itself the same as `result`.
    pub dense: Option<MethodResult>,
}
