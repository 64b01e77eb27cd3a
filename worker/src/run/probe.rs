//! A probe shard: the checklist of an endpoint, with canaries as long as it says it can read.

use std::time::Duration;

use longboard_endpoint::client::{ClientError, OpenAiClient};
use longboard_endpoint::model::{CallError, ChatModel, ChatRequest, Reply};
use longboard_endpoint::probe::{Canary, CanaryPrompt, Check, Findings, Verdict, probe};
use longboard_protocol::worker::{CanaryResult, CheckStatus, ProbeCheck, ProbeReport};
use longboard_suites::haystack::HaystackError;
use tokio::time::{Instant, timeout_at};

use super::lease::Failure;
use super::shard::End;
use crate::canary;

/// Lengths of the canaries in canonical tokens.
const LENGTHS: [u32; 6] = [1024, 4 * 1024, 16 * 1024, 32 * 1024, 64 * 1024, 128 * 1024];

/// Tokens of each length that stay free for the answer and the endpoint's own frame, so that a canary as long as the
/// declared limit fits.
const ROOM: u32 = 64;

/// Longest duration of a probe.
const DEADLINE: Duration = Duration::from_secs(300);

/// Probes an endpoint. An address that may not be reached is a finding as well.
pub(super) async fn report(client: Result<OpenAiClient, ClientError>, seed: u64, context_limit: Option<u32>) -> End {
    let client = match client {
        Ok(client) => client,
        Err(error) => return End::Probed(Box::new(unusable(&error))),
    };
    let prompts = match tokio::task::spawn_blocking(move || prompts(seed, context_limit)).await {
        Ok(Ok(prompts)) => prompts,
        Ok(Err(error)) => return End::Failed(Failure::retryable("worker_error", error)),
        Err(error) => return End::Failed(Failure::retryable("worker_error", error)),
    };
    let timed = Timed { model: &client, until: Instant::now() + DEADLINE };
    End::Probed(Box::new(converted(probe(&timed, prompts).await)))
}

/// The canaries, short to long; the first one stands whatever the limit.
fn prompts(seed: u64, context_limit: Option<u32>) -> Result<Vec<CanaryPrompt>, HaystackError> {
    let limit = context_limit.unwrap_or(u32::MAX);
    LENGTHS
        .into_iter()
        .enumerate()
        .take_while(|&(number, length)| number == 0 || length <= limit)
        .map(|(_, length)| canary::prompt(seed, length - ROOM))
        .collect()
}

/// A model until a moment: later calls time out at once, so that what was found before stays.
struct Timed<'a, M> {
    model: &'a M,
    until: Instant,
}

impl<M: ChatModel> ChatModel for Timed<'_, M> {
    async fn complete(&self, request: ChatRequest) -> Result<Reply, CallError> {
        match timeout_at(self.until, self.model.complete(request)).await {
            Ok(ended) => ended,
            Err(_) => Err(CallError::TimedOut { stage: "total", attempts: 1 }),
        }
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
