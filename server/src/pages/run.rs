//! A run: progress as it happens, scores so far, causes, cancelling and resuming.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Bytes, Data, Path, Query, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use futures_util::stream;
use longboard_app::report::{moment, sample_report};
use longboard_app::store::RunState;
use longboard_app::store::answer::SampleFilter;
use longboard_app::suites::length::Length;
use longboard_app::suites::outcome::Outcome;
use longboard_app::{AppError, Bell, Longboard};
use longboard_protocol::api::{CutReport, RunReport};
use longboard_protocol::bucket::{Bucket, BucketReport};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::caller::{Posted, Visitor};
use crate::charts::outcome_bar;
use crate::pages::{page, see};
use crate::refusal::{ApiError, PageError};

type Reply = Result<HttpResponse, PageError>;

/// Samples listed at a time.
const PAGE: u64 = 100;

/// How often a live page is told at most, and at least.
const FASTEST: Duration = Duration::from_millis(300);
const SLOWEST: Duration = Duration::from_secs(10);

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/runs/{id}.json", get().to(json))
        .route("/runs/{id}/events", get().to(events))
        .route("/runs/{id}/samples", get().to(samples))
        .route("/runs/{id}/cancel", post().to(cancel))
        .route("/runs/{id}/resume", post().to(resume))
        .route("/runs/{id}", get().to(run));
}

#[derive(Template)]
#[template(path = "runs/run.html")]
struct RunPage {
    run: RunReport,
    open: bool,
    resumable: bool,
    times: [String; 3],
    outcome_bar: String,
    rows: Vec<(String, Vec<CellShown>)>,
    cuts: Vec<CutShown>,
    buckets: Vec<BucketShown>,
    causes: Vec<(String, u64)>,
    events: Vec<(String, String, String)>,
    /// Present for members of the run's team.
    csrf: Option<String>,
}

struct CutShown {
    task: String,
    length: String,
    share: String,
    removed: String,
    evidence: String,
    score: String,
}

impl CutShown {
    fn new(cut: &CutReport) -> Self {
        let dash = || "–".to_owned();
        Self {
            task: cut.task.clone(),
            length: cut.length.clone(),
            share: format!("{} of {}", cut.cut, cut.n),
            removed: if cut.cut == 0 { dash() } else { format!("{:.0}", cut.tokens_removed) },
            evidence: cut.evidence_left.map_or_else(dash, |left| format!("{:.0} %", 100.0 * left)),
            score: cut.score_of_whole.map_or_else(dash, |score| format!("{score:.1} (n = {})", cut.n - cut.cut)),
        }
    }
}

/// A bucket of official lengths.
struct BucketShown {
    task: String,
    length: String,
    bounds: String,
    score: String,
    interval: String,
    n: u32,
}

impl BucketShown {
    fn all(report: &BucketReport) -> Vec<Self> {
        let shown = |bucket: &Bucket| Self {
            task: report.task.clone(),
            length: report.length.clone(),
            bounds: match bucket.below {
                Some(below) => format!("{} to {} {}", bucket.from, below - 1, report.unit),
                None => format!("{} {} and more", bucket.from, report.unit),
            },
            score: format!("{:.1}", bucket.score),
            interval: bucket.ci95.map(|[low, high]| format!("95 % interval {low:.1} to {high:.1}")).unwrap_or_default(),
            n: bucket.n,
        };
        report.buckets.iter().map(shown).collect()
    }
}

struct CellShown {
    score: String,
    hint: String,
    link: String,
    tint: u8,
}

async fn run(visitor: Visitor, id: Path<Uuid>, longboard: Data<Longboard>) -> Reply {
    let row = longboard.run(*id).await?;
    let csrf = match visitor.0 {
        Some(person) => longboard.member_of(&person.user, row.team_id).await.ok().map(|_| person.csrf),
        None => None,
    };
    let report = longboard.run_report(&row).await?;
    let open = row.state == RunState::Open;
    let when = |at: Option<chrono::DateTime<Utc>>| at.map_or_else(|| "–".to_owned(), moment);
    page(&RunPage {
        open,
        resumable: matches!(row.state, RunState::Cancelled | RunState::Incomplete),
        times: [moment(row.created_at), when(row.started_at), when(row.closed_at)],
        outcome_bar: outcome_bar(&report.outcomes),
        rows: rows(&report),
        cuts: report.cuts.iter().map(CutShown::new).collect(),
        buckets: report.buckets.iter().flat_map(BucketShown::all).collect(),
        causes: report.causes.iter().map(|(cause, count)| (cause.clone(), *count)).collect(),
        events: report
            .events
            .iter()
            .map(|event| (moment(event.at), event.kind.clone(), event.detail.clone()))
            .collect(),
        run: report,
        csrf,
    })
}

fn rows(report: &RunReport) -> Vec<(String, Vec<CellShown>)> {
    let tasks = report.tasks.iter().filter_map(|task| task.split_once('@'));
    let row = |(slug, _): (&str, &str)| {
        let cells = report.lengths.iter().map(|length| {
            let cell = report.cells.get(slug).and_then(|row| row.get(length));
            let score = cell.and_then(|cell| cell.score);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10")]
            let tint = score.map_or(0, |score| (score / 10.0).round().clamp(0.0, 10.0) as u8);
            CellShown {
                score: score.map_or_else(|| "–".to_owned(), |score| format!("{score:.1}")),
                hint: format!("{} of {} samples", cell.map_or(0, |cell| cell.n), report.samples),
                link: format!("/runs/{}/samples?task={slug}&length={length}", report.id),
                tint,
            }
        });
        (slug.to_owned(), cells.collect())
    };
    tasks.map(row).collect()
}

async fn json(id: Path<Uuid>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    let row = longboard.run(*id).await?;
    Ok(HttpResponse::Ok().json(longboard.run_report(&row).await?))
}

async fn cancel(form: Posted, id: Path<Uuid>, longboard: Data<Longboard>) -> Reply {
    let row = longboard.run(*id).await?;
    let member = longboard.member_of(&form.person.user, row.team_id).await?;
    longboard.cancel_run(&member, &row, Utc::now()).await?;
    Ok(see(&format!("/runs/{id}")))
}

async fn resume(form: Posted, id: Path<Uuid>, longboard: Data<Longboard>) -> Reply {
    let row = longboard.run(*id).await?;
    let member = longboard.member_of(&form.person.user, row.team_id).await?;
    longboard.resume_run(&member, &row, Utc::now()).await?;
    Ok(see(&format!("/runs/{id}")))
}

/// Pages that follow a run at the same time; more of them reload by hand.
static FOLLOWERS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(512)));

/// Progress as server-sent events; ends with the run.
async fn events(id: Path<Uuid>, longboard: Data<Longboard>) -> Reply {
    let id = *id;
    longboard.run(id).await?;
    let Ok(place) = Arc::clone(&FOLLOWERS).try_acquire_owned() else {
        return Ok(HttpResponse::ServiceUnavailable().body("too many pages follow runs; reload by hand\n"));
    };
    let place = Arc::new(place);
    let follow = stream::unfold(Some((longboard, true)), move |state| {
        let _place = Arc::clone(&place);
        async move {
            let (longboard, first) = state?;
            if !first {
                let mut listener = longboard.listen();
                tokio::time::sleep(FASTEST).await;
                let _ = tokio::time::timeout(SLOWEST, listener.hear(|bell| bell == Bell::Run(id))).await;
            }
            let (event, open) = progress(&longboard, id).await.ok()?;
            Some((Ok::<Bytes, Infallible>(Bytes::from(event)), open.then_some((longboard, false))))
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(follow))
}

async fn progress(longboard: &Longboard, id: Uuid) -> Result<(String, bool), AppError> {
    let run = longboard.run(id).await?;
    let progress = longboard.store().progress(&run).await?;
    let open = run.state == RunState::Open;
    let data = json!({"done": progress.done, "total": progress.total, "state": run.state.slug()});
    let name = if open { "progress" } else { "closed" };
    Ok((format!("event: {name}\ndata: {data}\n\n"), open))
}

#[derive(Deserialize)]
struct SampleQuery {
    #[serde(default)]
    task: String,
    #[serde(default)]
    length: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    offset: u64,
}

#[derive(Template)]
#[template(path = "runs/samples.html")]
struct SamplesPage {
    run: Uuid,
    model: String,
    query: SampleQuery,
    tasks: Vec<String>,
    lengths: Vec<String>,
    outcomes: Vec<(&'static str, &'static str)>,
    total: u64,
    rows: Vec<SampleLine>,
    before: Option<String>,
    after: Option<String>,
}

struct SampleLine {
    number: u32,
    task: String,
    length: String,
    index: u32,
    outcome: String,
    score: String,
    extracted: String,
    latency: String,
}

async fn samples(id: Path<Uuid>, query: Query<SampleQuery>, longboard: Data<Longboard>) -> Reply {
    let (run, query) = (longboard.run(*id).await?, query.into_inner());
    let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = SampleFilter {
        task: named(&query.task),
        length_tokens: query.length.parse::<Length>().ok().map(|length| length.tokens().cast_signed()),
        outcome: named(&query.outcome),
    };
    let (answers, total) = longboard.store().answers(run.id, &filter, query.offset, PAGE).await?;
    let model = longboard.store().endpoint(run.endpoint_id).await?.map(|row| row.slug).unwrap_or_default();
    let rows = answers.iter().map(|answer| {
        let sample = sample_report(&run, answer, Vec::new());
        SampleLine {
            number: sample.number,
            task: sample.task,
            length: sample.length,
            index: sample.index,
            outcome: sample.outcome,
            score: sample.score.map_or_else(|| "–".to_owned(), |score| format!("{score:.1}")),
            extracted: sample.extracted.chars().take(60).collect(),
            latency: sample.latency_ms.map_or_else(|| "–".to_owned(), |latency| format!("{latency} ms")),
        }
    });
    let link = |offset: u64| {
        let mut link = url::form_urlencoded::Serializer::new(format!("/runs/{}/samples?", run.id));
        link.append_pair("task", &query.task).append_pair("length", &query.length);
        link.append_pair("outcome", &query.outcome).append_pair("offset", &offset.to_string()).finish()
    };
    page(&SamplesPage {
        run: run.id,
        model,
        tasks: run.tasks.0.iter().map(|task| task.slug.clone()).collect(),
        lengths: run.lengths.0.iter().map(ToString::to_string).collect(),
        outcomes: Outcome::ALL.map(|outcome| (outcome.slug(), outcome.title())).to_vec(),
        total,
        rows: rows.collect(),
        before: (query.offset > 0).then(|| link(query.offset.saturating_sub(PAGE))),
        after: (query.offset + PAGE < total).then(|| link(query.offset + PAGE)),
        query,
    })
}
