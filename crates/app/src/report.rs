//! What the public sees of runs, samples, models and tasks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_protocol::api::{
    CutReport, EndpointReport, MeteredReport, ModelReport, RunEventReport, RunReport, RunSummary, SampleReport,
    SuiteReport, TaskReport,
};
use longboard_store::EndpointKind;
use longboard_store::answer::Answer;
use longboard_store::board::CutCell;
use longboard_store::endpoint::Endpoint;
use longboard_store::run::Run;
use longboard_store::task::{Suite, Task as TaskRow};
use longboard_suites::length::Length;
use longboard_suites::predictions::imported_task;
use longboard_suites::task::Task;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::board::CellStatistics;
use crate::{AppError, Longboard};

/// Events shown of a run.
const EVENTS: u64 = 50;

/// Runs shown of a model.
const RUNS: u64 = 50;

impl Longboard {
    /// A run by id.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn run(&self, id: Uuid) -> Result<Run, AppError> {
        self.store.run(id).await?.ok_or_else(|| AppError::no("run", id))
    }

    /// A model by slug.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn model(&self, slug: &str) -> Result<Endpoint, AppError> {
        let found = self.store.endpoint_by_slug(slug).await?;
        found.filter(|row| row.kind != EndpointKind::Judge).ok_or_else(|| AppError::no("model", slug))
    }

    /// A task by slug, newest or of a version.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn task(&self, slug: &str, version: Option<i32>) -> Result<TaskRow, AppError> {
        self.store.task(slug, version).await?.ok_or_else(|| AppError::no("task", slug))
    }

    /// Everything about a run.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn run_report(&self, run: &Run) -> Result<RunReport, AppError> {
        let model = self.store.endpoint(run.endpoint_id).await?.map(|endpoint| endpoint.slug).unwrap_or_default();
        let cells = self.run_cells(run).await?;
        let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
        for (outcome, count) in cells.values().flat_map(BTreeMap::values).flat_map(|cell| &cell.outcomes) {
            *outcomes.entry(outcome.clone()).or_default() += count;
        }
        let mut shards: BTreeMap<String, u32> = BTreeMap::new();
        for shard in self.store.shards_of(run.id).await? {
            *shards.entry(shard.state.slug().to_owned()).or_default() += 1;
        }
        let events = self.store.events(run.id, EVENTS).await?;
        let event = |event: longboard_store::run::RunEvent| RunEventReport {
            at: event.at,
            kind: event.kind,
            detail: event.detail,
        };
        Ok(RunReport {
            id: run.id,
            model,
            suite: run.suite_slug.clone(),
            state: run.state.slug().to_owned(),
            counts: run.counts,
            tasks: run.tasks.0.iter().map(|task| format!("{}@{}", task.slug, task.version)).collect(),
            lengths: run.lengths.0.iter().map(ToString::to_string).collect(),
            samples: run.samples.cast_unsigned(),
            seed: run.seed,
            done: outcomes.values().map(|count| u64::from(*count)).sum(),
            total: u64::from(run.total.cast_unsigned()),
            outcomes,
            cells,
            cuts: self.store.cuts(run.id).await?.into_iter().map(cut_report).collect(),
            buckets: self.official_buckets(run).await?,
            shards,
            causes: self.store.causes(run.id).await?.into_iter().collect(),
            events: events.into_iter().map(event).collect(),
            submitted_by: run.submitted_by.clone(),
            created_at: run.created_at,
            started_at: run.started_at,
            closed_at: run.closed_at,
        })
    }

    async fn run_cells(
        &self,
        run: &Run,
    ) -> Result<BTreeMap<String, BTreeMap<String, longboard_protocol::board::Cell>>, AppError> {
        let mut cells: BTreeMap<String, BTreeMap<String, _>> = BTreeMap::new();
        let expected = self.expected_samples(run).await?;
        for ((_, task, tokens), sums) in self.store.cells(&[run.id]).await? {
            let Ok(length) = Length::new(tokens.cast_unsigned()) else { continue };
            let expected = expected.get(&task).copied().unwrap_or(run.samples.cast_unsigned());
            let statistics = CellStatistics::of_sums(expected, sums);
            cells.entry(task).or_default().insert(length.to_string(), statistics.cell());
        }
        Ok(cells)
    }

    /// A sample by its number; `references` are those of the rebuilt item.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn answer(&self, run: &Run, number: u32) -> Result<Answer, AppError> {
        let found = self.store.answer(run.id, i32::try_from(number).unwrap_or(i32::MAX)).await?;
        found.ok_or_else(|| AppError::NotFound(format!("sample {number} of this run yet")))
    }

    /// A model and its runs.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn model_report(&self, row: &Endpoint) -> Result<ModelReport, AppError> {
        let team = self.store.team(row.team_id).await?.map(|team| team.slug).unwrap_or_default();
        let runs = self.store.runs_of_endpoint(row.id, RUNS).await?;
        Ok(ModelReport {
            slug: row.slug.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            kind: row.kind.slug().to_owned(),
            team,
            context_limit_tokens: row.context_limit_tokens.map(i32::cast_unsigned),
            truncates: row.truncates,
            token_ratio: row.token_ratio,
            runs: runs.iter().map(|run| summary(run, &row.slug)).collect(),
        })
    }

    /// A task version and its declared facts.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn task_report(&self, row: &TaskRow) -> Result<TaskReport, AppError> {
        let versions = self.store.task_versions(&row.slug).await?;
        Ok(TaskReport {
            slug: row.slug.clone(),
            version: row.version.cast_unsigned(),
            title: row.title.clone(),
            family: row.family.clone(),
            params: row.params.clone(),
            card: card(row),
            versions: versions.iter().map(|row| row.version.cast_unsigned()).collect(),
            corpus: row.corpus_slug.clone(),
            published_at: row.published_at,
        })
    }
}

fn card(row: &TaskRow) -> Value {
    if let Some(known) = imported_task(&row.slug).filter(|_| row.imported()) {
        return json!({"language": known.language.code(), "metric": known.metric, "samples": known.samples, "citation": known.citation});
    }
    Task::new(row.definition()).ok().and_then(|task| serde_json::to_value(task.card()).ok()).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn cut_report(cell: CutCell) -> CutReport {
    let mean = |sum: f64, n: i64| (n > 0).then(|| sum / n as f64);
    CutReport {
        task: cell.task_slug,
        length: Length::new(cell.length_tokens.cast_unsigned()).map(|length| length.to_string()).unwrap_or_default(),
        n: cell.n.cast_unsigned(),
        cut: cell.cut.cast_unsigned(),
        tokens_removed: mean(cell.removed as f64, cell.cut).unwrap_or_default(),
        evidence_left: cell.evidence_left.and_then(|sum| mean(sum, cell.evidence_n)),
        score_of_whole: cell.whole_sum.and_then(|sum| mean(100.0 * sum, cell.n - cell.cut)),
    }
}

/// A run in a list.
#[must_use]
pub fn summary(run: &Run, model: &str) -> RunSummary {
    RunSummary {
        id: run.id,
        model: model.to_owned(),
        suite: run.suite_slug.clone(),
        state: run.state.slug().to_owned(),
        counts: run.counts,
        total: u64::from(run.total.cast_unsigned()),
        created_at: run.created_at,
        closed_at: run.closed_at,
    }
}

/// A suite for programs.
#[must_use]
pub fn suite_report(suite: &Suite) -> SuiteReport {
    SuiteReport {
        slug: suite.slug.clone(),
        title: suite.title.clone(),
        description: suite.description.clone(),
        tasks: suite.tasks.0.clone(),
        lengths: suite.lengths.0.iter().map(ToString::to_string).collect(),
        samples: suite.samples.cast_unsigned(),
        imported: suite.imported,
    }
}

/// An endpoint for its team.
#[must_use]
pub fn endpoint_report(row: &Endpoint) -> EndpointReport {
    EndpointReport {
        slug: row.slug.clone(),
        name: row.name.clone(),
        kind: row.kind.slug().to_owned(),
        base_url: row.base_url.clone(),
        model: row.model.clone(),
        probe: row.probe_state.slug().to_owned(),
        probe_report: row.probe_report.clone(),
        probed_at: row.probed_at,
        truncates: row.truncates,
        has_secret: row.secret_ciphertext.is_some(),
    }
}

/// A stored answer with the references of its item.
#[must_use]
pub fn sample_report(run: &Run, answer: &Answer, references: Vec<String>) -> SampleReport {
    let unsigned = |value: Option<i32>| value.map(i32::cast_unsigned);
    SampleReport {
        run: run.id,
        number: answer.number.cast_unsigned(),
        task: answer.task_slug.clone(),
        task_version: answer.task_version.cast_unsigned(),
        length: Length::new(answer.length_tokens.cast_unsigned()).map(|length| length.to_string()).unwrap_or_default(),
        seed: run.seed,
        index: answer.item_index.cast_unsigned(),
        repetition: answer.repetition.cast_unsigned(),
        outcome: answer.outcome.clone(),
        score: answer.score.map(|score| 100.0 * score),
        strict: answer.strict.map(|score| 100.0 * score),
        extracted: answer.extracted.clone(),
        answer: answer.body.clone(),
        references: answer.reference.clone().map_or(references, |reference| vec![reference]),
        prompt_tokens: answer.prompt_tokens.cast_unsigned(),
        tokens_removed: unsigned(answer.tokens_removed),
        evidence_left: answer.evidence_left,
        prompt_digest: answer.prompt_digest.clone(),
        reported_prompt_tokens: unsigned(answer.reported_prompt_tokens),
        reported_completion_tokens: unsigned(answer.reported_completion_tokens),
        finish_reason: answer.finish_reason.clone(),
        first_token_ms: unsigned(answer.first_token_ms),
        latency_ms: unsigned(answer.latency_ms),
        attempts: answer.attempts.cast_unsigned(),
        retry_causes: answer.retry_causes.0.clone(),
        cause: answer.cause.clone(),
        detail: answer.detail.clone(),
        cost: answer.cost(),
        metered: metered(answer),
    }
}

fn metered(answer: &Answer) -> Option<MeteredReport> {
    let unsigned = |tokens: Option<i64>| tokens.map_or(0, |tokens| u64::try_from(tokens).unwrap_or(0));
    Some(MeteredReport {
        calls: answer.calls?.cast_unsigned(),
        prompt_tokens: unsigned(answer.sent_tokens),
        completion_tokens: unsigned(answer.written_tokens),
        reports: answer.reports.clone().unwrap_or_default().0,
    })
}

/// A moment as pages write it.
#[must_use]
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
