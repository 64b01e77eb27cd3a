//! Runs: submitting, cancelling, resuming, closing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_protocol::worker::REFERENCE_LABEL;
use longboard_store::endpoint::Endpoint;
use longboard_store::queue::Shard;
use longboard_store::run::{NewRun, Run};
use longboard_store::task::Suite;
use longboard_store::{EndpointKind, LengthList, ProbeState, RunState, ShardState, TaskVersions};
use longboard_suites::length::Length;
use longboard_suites::program::SANDBOX_LABEL;
use longboard_suites::suite::{Planned, plan};
use longboard_suites::task::Task;
use serde_json::json;
use uuid::Uuid;

use crate::account::Maintainer;
use crate::strategy::divisible;
use crate::team::Member;
use crate::{AppError, Bell, Longboard};

/// Runs of one team at the same time.
pub(crate) const OPEN_RUNS: u64 = 4;

/// Runs of the operator's team at the same time.
pub(crate) const OPERATOR_RUNS: u64 = 100;

/// Slug of the suite that shows what the reference model claims to do.
pub const REFERENCE_SUITE: &str = "reference";

/// Season seed of a new instance: every item of a season follows from it.
pub const SEASON_SEED: i64 = 2026;

/// Most samples per (task, length).
const SAMPLES: u32 = 500;

/// What a team asks for. Absent values are the suite's.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// Endpoint slug.
    pub endpoint: String,
    /// Suite slug.
    pub suite: String,
    /// Some of the suite's lengths.
    pub lengths: Option<Vec<Length>>,
    /// Samples per (task, length).
    pub samples: Option<u32>,
    /// Most prompt tokens the run may send in all.
    pub budget_tokens: Option<u64>,
    /// What is done around the endpoint; its rows stand beside those of the endpoint itself.
    pub strategy: Option<String>,
}

impl Longboard {
    /// Submits a run: freezes the newest task versions and queues its shards. They wait while the endpoint's probe does.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names what to change; [`AppError::Store`] when too many runs are open.
    pub async fn submit_run(&self, by: &Member, request: RunRequest, now: DateTime<Utc>) -> Result<Run, AppError> {
        let endpoint = self.own_endpoint(by, &request.endpoint).await?;
        self.usable(&endpoint).await?;
        let endpoint = self.under_strategy(endpoint, request.strategy.as_deref(), now).await?;
        let run = self.queue_run(&endpoint, request, &by.user().name, OPEN_RUNS, now).await?;
        let detail = json!({"endpoint": endpoint.slug, "suite": run.suite_slug, "samples": run.total});
        self.note(&by.user().email, "submit_run", run.id, detail, now).await?;
        Ok(run)
    }

    /// Queues a run of one of the operator's own contestants: a baseline, or a method of the reference model.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a contestant; as [`Longboard::submit_run`].
    pub async fn run_builtin(&self, actor: &str, request: RunRequest, now: DateTime<Utc>) -> Result<Run, AppError> {
        let found = self.store.endpoint_by_slug(&request.endpoint).await?;
        let own = |row: &Endpoint| matches!(row.kind, EndpointKind::Baseline | EndpointKind::Reference);
        let endpoint = found.filter(own).ok_or_else(|| AppError::no("built-in contestant", &request.endpoint))?;
        self.usable(&endpoint).await?;
        let endpoint = self.under_strategy(endpoint, request.strategy.as_deref(), now).await?;
        let run = self.queue_run(&endpoint, request, actor, OPERATOR_RUNS, now).await?;
        let detail = json!({"endpoint": endpoint.slug, "suite": run.suite_slug, "samples": run.total});
        self.note(actor, "submit_run", run.id, detail, now).await?;
        Ok(run)
    }

    async fn usable(&self, endpoint: &Endpoint) -> Result<(), AppError> {
        let refuse = |text: &str| Err(AppError::Invalid(text.to_owned()));
        if endpoint.retired_at.is_some() {
            return refuse("this endpoint is retired; register it again under another name");
        }
        if endpoint.kind == EndpointKind::Predictions {
            return refuse("these are prediction files; upload more of them instead");
        }
        if endpoint.probe_state == ProbeState::Failed {
            return refuse("the endpoint's last probe failed; look at its checklist, repair it and probe again");
        }
        let plain = self.plain(endpoint).await?;
        self.reachable(plain.as_ref().unwrap_or(endpoint))
    }

    /// Methods and built-in judges need no address; what has one must have one that the policy allows.
    pub(crate) fn reachable(&self, endpoint: &Endpoint) -> Result<(), AppError> {
        let builtin_judge = endpoint.kind == EndpointKind::Judge && endpoint.base_url.is_empty();
        if endpoint.method.is_none() && !builtin_judge {
            self.policy.check_url(&endpoint.base_url)?;
        }
        Ok(())
    }

    pub(crate) async fn queue_run(
        &self,
        endpoint: &Endpoint,
        request: RunRequest,
        by: &str,
        open_limit: u64,
        now: DateTime<Utc>,
    ) -> Result<Run, AppError> {
        let suite = self.store.suite(&request.suite).await?.ok_or_else(|| AppError::no("suite", &request.suite))?;
        if suite.imported {
            return Err(AppError::Invalid(format!("{} is filled by prediction files; upload them", suite.title)));
        }
        let lengths = chosen(&suite, request.lengths)?;
        let samples = request.samples.unwrap_or(suite.samples.cast_unsigned());
        if !(1..=SAMPLES).contains(&samples) {
            return Err(AppError::Invalid(format!("samples per cell is a whole number from 1 to {SAMPLES}")));
        }
        let mut versions = Vec::with_capacity(suite.tasks.0.len());
        let mut available = Vec::with_capacity(suite.tasks.0.len());
        let mut task_requires = BTreeMap::new();
        for slug in &suite.tasks.0 {
            let row = self.store.task(slug, None).await?.ok_or_else(|| AppError::no("task", slug))?;
            let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
            buildable(&task, &lengths)?;
            takes(endpoint, &task)?;
            if endpoint.strategy.is_some() {
                divisible(&task)?;
            }
            let (items, whole) = (self.available_items(&row).await?, task.retrieval().is_some());
            available.push(Planned { task: slug.clone(), items, whole });
            if task.needs_sandbox() {
                task_requires.insert(slug.clone(), SANDBOX_LABEL.to_owned());
            }
            versions.push(row.reference());
        }
        if endpoint.method.is_some()
            && let Some(task) = task_requires.keys().next()
        {
            return Err(AppError::Invalid(format!(
                "{task} asks for programs, which methods of the reference model do not write"
            )));
        }
        let planned = planned_tokens(&lengths, samples, versions.len());
        if let Some(budget) = request.budget_tokens.filter(|budget| *budget < planned) {
            return Err(AppError::Invalid(format!(
                "the run would send up to {planned} tokens, more than your budget of {budget}; choose fewer samples or lengths"
            )));
        }
        let slices = plan(&available, &lengths, samples);
        let new = NewRun {
            endpoint_id: endpoint.id,
            team_id: endpoint.team_id,
            suite_slug: suite.slug.clone(),
            seed: SEASON_SEED,
            samples: samples.cast_signed(),
            tasks: TaskVersions(versions),
            // The reference model shows what it can at lengths that a CPU affords; its row is marked as incomplete.
            counts: endpoint.kind == EndpointKind::Reference
                || lengths == suite.lengths.0 && samples >= suite.samples.cast_unsigned(),
            lengths: LengthList(lengths),
            submitted_by: by.to_owned(),
            requires: if endpoint.method.is_some() { REFERENCE_LABEL.to_owned() } else { String::new() },
            task_requires,
        };
        let run = self.store.submit_run(new, &slices, open_limit, now).await?;
        self.store.raise_data_version(&suite.slug).await?;
        self.ring(Bell::Queue);
        Ok(run)
    }

    /// Queues a run of the `reference` suite for every method that has none open, and returns them.
    ///
    /// # Errors
    /// [`AppError::Store`] when too many runs are open.
    pub async fn request_reference_runs(&self, by: &Maintainer, now: DateTime<Utc>) -> Result<Vec<Run>, AppError> {
        self.run_methods(&by.user().email, &by.user().name, &RunRequest::default(), now).await
    }

    /// The same as an operator: `actor` is who the audit names, `submitter` who the runs' pages name, and `scope` which of
    /// the suite's lengths and samples are run.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for lengths the suite has not; [`AppError::Store`] when too many runs are open.
    pub async fn run_methods(
        &self,
        actor: &str,
        submitter: &str,
        scope: &RunRequest,
        now: DateTime<Utc>,
    ) -> Result<Vec<Run>, AppError> {
        let open = self.store.runs_in(&[RunState::Open], 1000).await?;
        let mut queued = Vec::new();
        for endpoint in self.store.methods().await? {
            if open.iter().any(|run| run.endpoint_id == endpoint.id && run.suite_slug == REFERENCE_SUITE) {
                continue;
            }
            let request = RunRequest { suite: REFERENCE_SUITE.to_owned(), ..scope.clone() };
            queued.push(self.queue_run(&endpoint, request, submitter, OPERATOR_RUNS, now).await?);
        }
        self.note(actor, "run_methods", REFERENCE_SUITE, json!({"runs": queued.len()}), now).await?;
        Ok(queued)
    }

    /// Stops a run. What its workers have done is kept.
    ///
    /// # Errors
    /// [`AppError::Store`] when it is not open.
    pub async fn cancel_run(&self, by: &Member, run: &Run, now: DateTime<Utc>) -> Result<Run, AppError> {
        let run = self.store.cancel_run(own(by, run)?, &by.user().name, now).await?;
        self.note(&by.user().email, "cancel_run", run.id, json!({}), now).await?;
        self.changed(&run).await?;
        Ok(run)
    }

    /// Queues what is missing of a cancelled or incomplete run.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when its endpoint cannot be used; [`AppError::Store`] when it is open or done.
    pub async fn resume_run(&self, by: &Member, run: &Run, now: DateTime<Utc>) -> Result<Run, AppError> {
        let id = own(by, run)?;
        let endpoint = self.store.endpoint(run.endpoint_id).await?;
        self.usable(&endpoint.ok_or_else(|| AppError::NotFound("endpoint of this run".to_owned()))?).await?;
        let run = self.store.resume_run(id, &by.user().name, now).await?;
        self.note(&by.user().email, "resume_run", run.id, json!({}), now).await?;
        self.changed(&run).await?;
        self.ring(Bell::Queue);
        Ok(run)
    }

    /// Takes expired leases back and closes runs that are over. Called now and then by every server.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<(), AppError> {
        for shard in self.store.reap(now).await? {
            self.gave_up(&shard, now).await?;
        }
        for run in self.store.runs_in(&[RunState::Open], 1000).await? {
            self.close_if_over(run.id, now).await?;
        }
        self.advance_judgings(now).await
    }

    /// After an attempt at a shard ended early: tells the run's people, and closes the run when that was the last.
    pub(crate) async fn gave_up(&self, shard: &Shard, now: DateTime<Utc>) -> Result<(), AppError> {
        self.ring(Bell::Queue);
        let Some(run) = shard.run_id else { return Ok(()) };
        let kind = if shard.state == ShardState::Dead { "shard_dead" } else { "shard_retried" };
        let length = Length::new(shard.length_tokens.cast_unsigned()).map(|length| length.to_string());
        let detail = format!(
            "{} at {}: {} ({})",
            shard.task_slug,
            length.unwrap_or_default(),
            shard.last_cause.as_deref().unwrap_or("unknown"),
            shard.last_detail.as_deref().unwrap_or_default()
        );
        self.store.add_event(run, kind, &detail, now).await?;
        self.ring(Bell::Run(run));
        if shard.state == ShardState::Dead {
            self.close_if_over(run, now).await?;
        }
        Ok(())
    }

    pub(crate) async fn close_if_over(&self, run: Uuid, now: DateTime<Utc>) -> Result<(), AppError> {
        if let Some(run) = self.store.close_run(run, now).await? {
            self.changed(&run).await?;
        }
        Ok(())
    }

    /// The run shows otherwise on its page and its board.
    pub(crate) async fn changed(&self, run: &Run) -> Result<(), AppError> {
        self.store.raise_data_version(&run.suite_slug).await?;
        self.ring(Bell::Run(run.id));
        Ok(())
    }
}

fn own(by: &Member, run: &Run) -> Result<Uuid, AppError> {
    if run.team_id == by.team().id { Ok(run.id) } else { Err(AppError::no("run of your team", run.id)) }
}

/// Most prompt tokens of a run.
#[must_use]
pub fn planned_tokens(lengths: &[Length], samples: u32, tasks: usize) -> u64 {
    let per_sample: u64 = lengths.iter().map(|length| u64::from(length.tokens())).sum();
    per_sample * u64::from(samples) * tasks as u64
}

fn chosen(suite: &Suite, asked: Option<Vec<Length>>) -> Result<Vec<Length>, AppError> {
    let Some(asked) = asked else { return Ok(suite.lengths.0.clone()) };
    let list = |lengths: &[Length]| lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Some(other) = asked.iter().find(|length| !suite.lengths.0.contains(length)) {
        let known = list(&suite.lengths.0);
        return Err(AppError::Invalid(format!("{} has no length {other}; it has {known}", suite.title)));
    }
    let lengths: Vec<Length> = suite.lengths.0.iter().copied().filter(|length| asked.contains(length)).collect();
    if lengths.is_empty() { Err(AppError::Invalid("choose at least one length".to_owned())) } else { Ok(lengths) }
}

/// Rankings come from embedders and rerankers, text from all others.
fn takes(endpoint: &Endpoint, task: &Task) -> Result<(), AppError> {
    let (slug, name, title) = (task.slug(), &endpoint.name, endpoint.api.title());
    match (task.retrieval().is_some(), endpoint.api.ranks()) {
        (true, false) => Err(AppError::Invalid(format!(
            "`{slug}` ranks documents: it takes an embedder or a reranker, and {name} is a {title}"
        ))),
        (false, true) => Err(AppError::Invalid(format!(
            "`{slug}` asks for text, and {name} is a {title}; choose a suite of retrieval tasks"
        ))),
        _ => Ok(()),
    }
}

fn buildable(task: &Task, lengths: &[Length]) -> Result<(), AppError> {
    let shortest = task.min_tokens();
    match lengths.iter().find(|length| length.tokens() < shortest) {
        Some(length) => Err(AppError::Invalid(format!(
            "`{}` cannot be built at {length}: it needs {shortest} tokens; choose longer lengths",
            task.slug()
        ))),
        None => Ok(()),
    }
}
