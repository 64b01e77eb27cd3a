//! Recording answers: every one is checked against its rebuilt prompt and scored here, so no worker can forge a score.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_endpoint::model::cleaned;
use longboard_protocol::worker::{
    Answer as Posted, AnswersReply, AnswersRequest, Completion, Exchange, Metered, RefusedAnswer,
};
use longboard_store::answer::Answer;
use longboard_store::queue::Shard;
use longboard_store::run::Run;
use longboard_store::{Causes, EndpointKind, StoreError};
use longboard_suites::item::{Item, Scored};
use longboard_suites::length::Length;
use longboard_suites::outcome::{Evidence, Outcome, classify};
use longboard_suites::program::Ran;
use uuid::Uuid;

use crate::fleet::FleetMember;
use crate::sample::Press;
use crate::{AppError, Bell, Longboard};

/// Answers of one batch.
const BATCH: usize = 256;

impl Longboard {
    /// Stores a batch under a lease. Posting it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when the shard is somebody else's; [`AppError::Invalid`] for a batch that is too big.
    pub async fn record_answers(
        &self,
        by: &FleetMember,
        shard: Uuid,
        request: AnswersRequest,
        now: DateTime<Utc>,
    ) -> Result<AnswersReply, AppError> {
        if request.answers.len() > BATCH {
            return Err(AppError::Invalid(format!("a batch holds at most {BATCH} answers; send smaller ones")));
        }
        let shard = self.store.leased(shard, by.worker().id, request.fence).await?;
        let context = self.context(&shard, by, now).await?;
        let posted = request.answers.len();
        let examined = tokio::task::spawn_blocking(move || context.examine(request.answers));
        let (answers, refused) = examined.await.map_err(AppError::stopped)?;
        let accepted = answers.len();
        let owner = by.worker().id;
        let stored = self.store.record_answers(shard.id, owner, request.fence, answers, self.lease, now).await?;
        if let Some(run) = shard.run_id {
            self.ring(Bell::Run(run));
        }
        for refusal in &refused {
            tracing::warn!(shard = %shard.id, index = refusal.index, reason = refusal.reason, "an answer is refused");
        }
        debug_assert_eq!(posted, accepted + refused.len());
        let stored = u32::try_from(stored).unwrap_or(u32::MAX);
        let duplicates = u32::try_from(accepted).unwrap_or(u32::MAX).saturating_sub(stored);
        Ok(AnswersReply { stored, duplicates, refused })
    }

    async fn context(&self, shard: &Shard, by: &FleetMember, now: DateTime<Utc>) -> Result<Context, AppError> {
        let run = shard.run_id.ok_or_else(|| AppError::Invalid("a probe has no answers".to_owned()))?;
        let run = self.store.run(run).await?.ok_or(StoreError::LeaseLost)?;
        let version = Some(shard.task_version);
        let task = self.store.task(&shard.task_slug, version).await?;
        let task = task.ok_or_else(|| AppError::no("task", &shard.task_slug))?;
        let length = Length::new(shard.length_tokens.cast_unsigned())
            .map_err(|error| AppError::Store(StoreError::Corrupt(error.to_string())))?;
        let first = shard.first_index.cast_unsigned();
        let indices = first..first + shard.item_count.cast_unsigned();
        let press = self.press(&task, length, run.seed, indices).await?;
        let endpoint = self.store.endpoint(run.endpoint_id).await?;
        let token_ratio = endpoint.as_ref().and_then(|endpoint| endpoint.token_ratio);
        let takes_cost = endpoint.is_some_and(|endpoint| endpoint.kind == EndpointKind::Reference);
        Ok(Context {
            shard: shard.clone(),
            first_number: first_number(&run, shard),
            press,
            token_ratio,
            takes_cost,
            worker: by.worker().id,
            now,
        })
    }
}

/// Number of the first sample of a shard's cell within its run: samples are numbered by length, task, index, repetition.
fn first_number(run: &Run, shard: &Shard) -> i32 {
    let length = run.lengths.0.iter().position(|length| length.tokens().cast_signed() == shard.length_tokens);
    let task = run.tasks.0.iter().position(|task| task.slug == shard.task_slug);
    let cell = length.unwrap_or(0) * run.tasks.0.len() + task.unwrap_or(0);
    let before = cell as u64 * u64::from(run.samples.cast_unsigned()) * u64::from(shard.repetitions.cast_unsigned());
    i32::try_from(before + 1).unwrap_or(i32::MAX)
}

/// What all answers of a batch share.
struct Context {
    shard: Shard,
    first_number: i32,
    press: Press,
    token_ratio: Option<f64>,
    /// Costs are the reference model's own; what others claim is ignored.
    takes_cost: bool,
    worker: Uuid,
    now: DateTime<Utc>,
}

impl Context {
    fn examine(&self, posted: Vec<Posted>) -> (Vec<Answer>, Vec<RefusedAnswer>) {
        let mut items: BTreeMap<u32, Result<(Item, String), String>> = BTreeMap::new();
        let (mut accepted, mut refused) = (Vec::with_capacity(posted.len()), Vec::new());
        for answer in posted {
            let (index, repetition) = (answer.index, answer.repetition);
            match self.accept(answer, &mut items) {
                Ok(row) => accepted.push(row),
                Err(reason) => refused.push(RefusedAnswer { index, repetition, reason }),
            }
        }
        (accepted, refused)
    }

    fn accept(
        &self,
        posted: Posted,
        items: &mut BTreeMap<u32, Result<(Item, String), String>>,
    ) -> Result<Answer, String> {
        let first = self.shard.first_index.cast_unsigned();
        let inside = (first..first + self.shard.item_count.cast_unsigned()).contains(&posted.index);
        if !inside || posted.repetition >= self.shard.repetitions.cast_unsigned() {
            return Err("outside the shard".to_owned());
        }
        let built = items.entry(posted.index).or_insert_with(|| {
            let item = self.press.item(posted.index).map_err(|error| error.to_string())?;
            let digest = item.prompt_digest();
            Ok((item, digest))
        });
        if let Exchange::Unmade { .. } = posted.result {
            let Err(reason) = built else { return Err("this server makes the item: update the worker".to_owned()) };
            return Ok(self.unmade(posted.index, posted.repetition, reason));
        }
        let (item, digest) = built.as_ref().map_err(Clone::clone)?;
        if !digest.eq_ignore_ascii_case(&posted.prompt_digest) {
            return Err("prompt digest differs: the worker builds other prompts than this server; update it".to_owned());
        }
        self.row(item, digest, posted)
    }

    fn blank(&self, index: u32, repetition: u32) -> Answer {
        let shard = &self.shard;
        let (index, repetition) = (index.cast_signed(), repetition.cast_signed());
        Answer {
            run_id: shard.run_id.unwrap_or_default(),
            shard_id: Some(shard.id),
            number: self.first_number + index * shard.repetitions + repetition,
            repetition,
            worker_id: Some(self.worker),
            ..Answer::blank(&shard.task_slug, shard.task_version, shard.length_tokens, index, self.now)
        }
    }

    /// A record that this server cannot make into an item either.
    fn unmade(&self, index: u32, repetition: u32, reason: &str) -> Answer {
        Answer {
            outcome: Outcome::OverLength.slug().to_owned(),
            cause: Some("record_does_not_fit".to_owned()),
            detail: Some(cleaned(reason)),
            ..self.blank(index, repetition)
        }
    }

    fn row(&self, item: &Item, digest: &str, posted: Posted) -> Result<Answer, String> {
        let blank = Answer {
            prompt_digest: digest.to_owned(),
            prompt_tokens: item.prompt_tokens.cast_signed(),
            depth_percent: item.depth_percent.map(i32::from),
            tokens_removed: item.cut.map(|cut| signed(cut.tokens_removed)),
            evidence_left: item.cut.and_then(|cut| cut.evidence_left),
            ..self.blank(posted.index, posted.repetition)
        };
        Ok(match posted.result {
            Exchange::Completed(completion) => return self.completed(blank, item, completion),
            Exchange::OverLength { needed_tokens, limit_tokens } => Answer {
                outcome: Outcome::OverLength.slug().to_owned(),
                detail: Some(format!("needs {needed_tokens} tokens, the endpoint takes {limit_tokens}")),
                ..blank
            },
            Exchange::Unmade { reason } => self.unmade(posted.index, posted.repetition, &reason),
            Exchange::TimedOut { stage, attempts } => Answer {
                outcome: Outcome::Timeout.slug().to_owned(),
                cause: Some(named(&stage)),
                attempts: signed(attempts),
                ..blank
            },
            Exchange::Failed { cause, detail, attempts } => Answer {
                // The endpoint's own limit, found out by sending.
                outcome: if cause == "context_exceeded" { Outcome::OverLength } else { Outcome::EndpointError }
                    .slug()
                    .to_owned(),
                cause: Some(named(&cause)),
                detail: Some(cleaned(&detail)),
                attempts: signed(attempts),
                ..blank
            },
        })
    }

    /// The score. A program counts only with what it did, since the server runs none.
    fn scored(&self, item: &Item, completion: &Completion) -> Result<Scored, String> {
        let task = &self.press.task;
        if task.program(item, &completion.text).is_none() {
            return Ok(task.score(item, &completion.text));
        }
        let run =
            completion.program.as_ref().ok_or("the program in the answer was not run: use a worker with --sandbox")?;
        let ran = if run.compiles { Ran::Printed(run.outputs.clone()) } else { Ran::NotCompiled };
        Ok(task.score_program(item, &completion.text, &ran))
    }

    fn completed(&self, blank: Answer, item: &Item, completion: Completion) -> Result<Answer, String> {
        let scored = self.scored(item, &completion)?;
        let evidence = Evidence {
            finish_reason: completion.finish_reason.as_deref(),
            prompt_tokens: item.prompt_tokens,
            reported_prompt_tokens: completion.reported_prompt_tokens,
            token_ratio: self.token_ratio,
        };
        let outcome = classify(&completion.text, &scored, evidence);
        let cost = completion.cost.filter(|cost| self.takes_cost && cost.is_plausible());
        let answer = Answer {
            body: storable(&completion.text),
            outcome: outcome.slug().to_owned(),
            score: Some(scored.score),
            strict: scored.strict,
            extracted: storable(&scored.extracted),
            finish_reason: completion.finish_reason.as_deref().map(named),
            reported_prompt_tokens: completion.reported_prompt_tokens.map(signed),
            reported_completion_tokens: completion.reported_completion_tokens.map(signed),
            first_token_ms: completion.first_token_ms.map(signed),
            latency_ms: Some(signed(completion.latency_ms)),
            attempts: signed(completion.attempts),
            retry_causes: Causes(completion.retry_causes.iter().take(20).map(|cause| named(cause)).collect()),
            ..blank
        };
        let answer = match cost {
            Some(cost) => answer.with_cost(&cost),
            None => answer,
        };
        Ok(match completion.metered.map(|metered| bounded(*metered)) {
            Some(metered) => answer.with_metered(metered),
            None => answer,
        })
    }
}

/// What a page can show of what a worker counted.
fn bounded(metered: Metered) -> Metered {
    const REPORTS: usize = 20;
    let reports = metered.reports.into_iter().filter(|(_, value)| value.is_finite()).take(REPORTS);
    Metered { reports: reports.map(|(name, value)| (named(&name), value)).collect(), ..metered }
}

/// PostgreSQL has no text with U+0000. The score was taken before.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A name from outside: one short line.
fn named(text: &str) -> String {
    cleaned(text).chars().take(60).collect()
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
