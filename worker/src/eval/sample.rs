//! One sample: build, send, score, name the outcome.

use std::sync::Arc;

use anyhow::Context;
use longboard_endpoint::client::OpenAiClient;
use longboard_endpoint::model::{CallError, ChatModel, Reply};
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::outcome::{Evidence, Outcome, classify};
use longboard_suites::task::{ItemRequest, Task};

use super::record::Record;
use crate::request::{Eyes, pictures, request};

/// Which sample.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub task: &'static Task,
    pub length: Length,
    pub index: u32,
}

/// What all samples of a run share.
pub(super) struct Bench {
    pub client: Arc<OpenAiClient>,
    pub seed: u64,
    pub context_limit: Option<u32>,
    pub token_ratio: Option<f64>,
    pub eyes: Eyes,
}

impl Bench {
    /// Runs one sample to its end. Failures of the endpoint are outcomes, not errors.
    pub async fn run(self: Arc<Self>, sample: Sample) -> anyhow::Result<Record> {
        let seed = self.seed;
        let built = tokio::task::spawn_blocking(move || {
            let Sample { task, length, index } = sample;
            task.item(&ItemRequest::new(seed, index, length)).map(|item| {
                let drawn = pictures(task, &item);
                (item, drawn)
            })
        });
        let (mut item, pictures) = built.await.context("building a sample stopped")??;
        let record = Record::begun(sample.task, &item);
        if let Some(limit) = self.context_limit.filter(|&limit| item.prompt_tokens + item.output_tokens > limit) {
            let needed = item.prompt_tokens + item.output_tokens;
            return Ok(record.ended(Outcome::OverLength, format!("needs {needed} tokens, the limit is {limit}")));
        }
        if !pictures.is_empty() {
            match self.eyes.failure(&self.client, seed).await {
                Ok(None) => {}
                Ok(Some((cause, detail))) => {
                    return Ok(record.ended(Outcome::EndpointError, format!("{cause}: {detail}")));
                }
                Err(error) => return Ok(record.failed(&error)),
            }
        }
        let request = request(&mut item, pictures);
        match self.client.complete(request).await {
            Ok(reply) => {
                let ratio = self.token_ratio;
                let scored = tokio::task::spawn_blocking(move || record.answered(sample.task, &item, reply, ratio));
                scored.await.context("scoring a sample stopped")
            }
            Err(error) => Ok(record.failed(&error)),
        }
    }
}

impl Record {
    fn begun(task: &Task, item: &Item) -> Self {
        Self {
            task: item.task.clone(),
            version: task.definition().version,
            length: item.length,
            index: item.index,
            prompt_digest: item.prompt_digest(),
            prompt_tokens: item.prompt_tokens,
            prediction: String::new(),
            references: item.references.clone(),
            outcome: Outcome::EndpointError,
            score: None,
            strict: None,
            depth_percent: item.depth_percent,
            finish_reason: None,
            reported_prompt_tokens: None,
            first_token_ms: None,
            latency_ms: None,
            attempts: 0,
            cause: None,
        }
    }

    fn ended(self, outcome: Outcome, cause: String) -> Self {
        Self { outcome, cause: Some(cause), ..self }
    }

    fn failed(self, error: &CallError) -> Self {
        let outcome = match error {
            CallError::TimedOut { .. } => Outcome::Timeout,
            CallError::Failed { cause, .. } if cause == "context_exceeded" => Outcome::OverLength,
            _ => Outcome::EndpointError,
        };
        Self { attempts: error.attempts(), ..self.ended(outcome, format!("{}: {error}", error.cause())) }
    }

    fn answered(self, task: &Task, item: &Item, reply: Reply, token_ratio: Option<f64>) -> Self {
        let scored = task.score(item, &reply.text);
        let evidence = Evidence {
            finish_reason: reply.finish_reason.as_deref(),
            prompt_tokens: item.prompt_tokens,
            reported_prompt_tokens: reply.prompt_tokens,
            token_ratio,
        };
        Self {
            outcome: classify(&reply.text, &scored, evidence),
            score: Some(scored.score),
            strict: scored.strict,
            prediction: reply.text,
            finish_reason: reply.finish_reason,
            reported_prompt_tokens: reply.prompt_tokens,
            first_token_ms: reply.first_token_ms,
            latency_ms: Some(reply.latency_ms),
            attempts: reply.attempts,
            ..self
        }
    }
}
