//! A probe shard: the checklist of an endpoint, with canaries as long as it says it can read.

use std::time::Duration;

use longboard_endpoint::client::{ClientError, OpenAiClient};
use longboard_endpoint::model::{
    CallError, ChatModel, ChatRequest, Embedded, Embedder, Input, Reply, Reranked, Reranker,
};
use longboard_endpoint::probe::{Canary, CanaryPrompt, Check, Findings, Verdict, probe};
use longboard_endpoint::true_false::TrueFalse;
use longboard_endpoint::vector_probe::{TailPair, probe_embedder, probe_reranker};
use longboard_protocol::worker::{CanaryResult, CheckStatus, EndpointApi, ProbeCheck, ProbeReport};
use longboard_suites::haystack::HaystackError;
use tokio::time::{Instant, timeout_at};

use super::lease::Failure;
use super::shard::End;
use crate::canary;

/// Lengths of the canaries in canonical tokens.
const LENGTHS: [u32; 6] = [1024, 4 * 1024, 16 * 1024, 32 * 1024, 64 * 1024, 128 * 1024];

/// Lengths of the texts for embedders in canonical tokens.
const TAIL_LENGTHS: [u32; 8] = [256, 512, 1024, 2 * 1024, 4 * 1024, 8 * 1024, 16 * 1024, 32 * 1024];

/// Tokens of each length that stay free for the answer and the endpoint's own frame, so that a canary as long as the
/// declared limit fits.
const ROOM: u32 = 64;

/// Longest duration of a probe.
const DEADLINE: Duration = Duration::from_secs(300);

/// Probes an endpoint. An address that may not be reached is a finding as well.
pub(super) async fn report(
    client: Result<OpenAiClient, ClientError>,
    api: EndpointApi,
    seed: u64,
    context_limit: Option<u32>,
) -> End {
    let client = match client {
        Ok(client) => client,
        Err(error) => return End::Probed(Box::new(unusable(&error))),
    };
    let until = Instant::now() + DEADLINE;
    let timed = Timed { model: &client, until };
    let findings = match api {
        EndpointApi::Chat | EndpointApi::Completions => match made(move || prompts(seed, context_limit)).await {
            Ok(prompts) => probe(&timed, prompts).await,
            Err(failure) => return End::Failed(failure),
        },
        EndpointApi::Embeddings => match made(move || tails(seed, context_limit)).await {
            Ok(pairs) => probe_embedder(&timed, pairs).await,
            Err(failure) => return End::Failed(failure),
        },
        EndpointApi::Rerank => probe_reranker(&timed).await,
        EndpointApi::TrueFalse => probe_reranker(&Timed { model: &TrueFalse(&client), until }).await,
    };
    End::Probed(Box::new(converted(findings)))
}

/// Texts are made off the async threads.
async fn made<T: Send + 'static>(
    make: impl FnOnce() -> Result<T, HaystackError> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::retryable("worker_error", error);
    tokio::task::spawn_blocking(make).await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

/// Texts that differ in their last words, short to long; the first one stands whatever the limit.
fn tails(seed: u64, context_limit: Option<u32>) -> Result<Vec<TailPair>, HaystackError> {
    fitting(&TAIL_LENGTHS, context_limit).map(|length| canary::tail_pair(seed, length - ROOM)).collect()
}

/// Lengths that an endpoint takes, and the first one whatever its limit.
fn fitting(lengths: &[u32], context_limit: Option<u32>) -> impl Iterator<Item = u32> {
    let limit = context_limit.unwrap_or(u32::MAX);
    lengths
        .iter()
        .copied()
        .enumerate()
        .take_while(move |&(number, length)| number == 0 || length <= limit)
        .map(|(_, length)| length)
}

/// The canaries, short to long; the first one stands whatever the limit.
fn prompts(seed: u64, context_limit: Option<u32>) -> Result<Vec<CanaryPrompt>, HaystackError> {
    fitting(&LENGTHS, context_limit).map(|length| canary::prompt(seed, length - ROOM)).collect()
}

/// A model until a moment: later calls time out at once, so that what was found before stays.
struct Timed<'a, M> {
    model: &'a M,
    until: Instant,
}

impl<M> Timed<'_, M> {
    async fn within<T>(&self, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        let late = |_| Err(CallError::TimedOut { stage: "total", attempts: 1 });
        timeout_at(self.until, call).await.unwrap_or_else(late)
    }
}

impl<M: ChatModel> ChatModel for Timed<'_, M> {
    async fn complete(&self, request: ChatRequest) -> Result<Reply, CallError> {
        self.within(self.model.complete(request)).await
    }
}

impl<M: Embedder> Embedder for Timed<'_, M> {
    async fn embed(&self, inputs: &[Input]) -> Result<Embedded, CallError> {
        self.within(self.model.embed(inputs)).await
    }
}

impl<M: Reranker> Reranker for Timed<'_, M> {
    async fn rerank(&self, query: &str, documents: &[String]) -> Result<Reranked, CallError> {
        self.within(self.model.rerank(query, documents)).await
    }
}

/// The checklist of an endpoint to which nothing can be sent.
fn unusable(error: &ClientError) -> ProbeReport {
    let check =
        |name: &str, status, detail: String| ProbeCheck { name: name.to_owned(), status, detail, elapsed_ms: 0 };
    let mut checks = vec![check("reachable", CheckStatus::Failed, error.to_string())];
    for name in ["authorised", "streams", "usage", "deterministic", "context"] {
        checks.push(check(name, CheckStatus::Skipped, "an earlier check failed".to_owned()));
    }
    ProbeReport { checks, canaries: Vec::new(), token_ratio: None, context_seen_tokens: None, truncates: false }
}

/// What the probe found, as the server stores it.
fn converted(findings: Findings) -> ProbeReport {
    ProbeReport {
        checks: findings.checks.into_iter().map(check).collect(),
        canaries: findings.canaries.iter().map(canary).collect(),
        token_ratio: findings.token_ratio,
        context_seen_tokens: findings.context_seen_tokens,
        truncates: findings.truncates,
    }
}

fn check(check: Check) -> ProbeCheck {
    let status = match check.verdict {
        Verdict::Passed => CheckStatus::Passed,
        Verdict::Warned => CheckStatus::Warned,
        Verdict::Failed => CheckStatus::Failed,
        Verdict::Skipped => CheckStatus::Skipped,
    };
    ProbeCheck { name: check.name.to_owned(), status, detail: check.detail, elapsed_ms: check.elapsed_ms }
}

fn canary(canary: &Canary) -> CanaryResult {
    let [head, middle, tail] = canary.seen;
    CanaryResult { prompt_tokens: canary.prompt_tokens, reported_tokens: canary.reported_tokens, head, middle, tail }
}
