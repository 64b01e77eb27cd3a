//! The JSON API of programs, e.g. of a team's continuous integration.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query, ServiceConfig, get, post};
use chrono::Utc;
use longboard_app::endpoint::Registration;
use longboard_app::report::{endpoint_report, sample_report, suite_report, summary};
use longboard_app::run::RunRequest;
use longboard_app::store::EndpointCall;
use longboard_app::store::answer::SampleFilter;
use longboard_app::suites::length::Length;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::{
    BoardLink, EndpointReport, NewEndpoint, NewRun, RunReport, RunSummary, SamplePage, SuiteReport, TaskReport,
};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::caller::ApiCaller;
use crate::refusal::{ApiError, Problem};

type Reply<T> = Result<Json<T>, ApiError>;

/// Samples of one page.
const PAGE: u64 = 100;

/// Everything below `/api/v1` but the worker API.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/api/v1/suites", get().to(suites))
        .route("/api/v1/tasks", get().to(tasks))
        .route("/boards.json", get().to(boards))
        .route("/tasks.json", get().to(tasks))
        .route("/api/v1/endpoints", get().to(endpoints))
        .route("/api/v1/endpoints", post().to(register))
        .route("/api/v1/endpoints/{slug}", get().to(endpoint))
        .route("/api/v1/endpoints/{slug}/probe", post().to(probe))
        .route("/api/v1/runs", get().to(runs))
        .route("/api/v1/runs", post().to(submit))
        .route("/api/v1/runs/{id}", get().to(run))
        .route("/api/v1/runs/{id}/samples", get().to(samples))
        .route("/api/v1/runs/{id}/cancel", post().to(cancel))
        .route("/api/v1/runs/{id}/resume", post().to(resume));
}

/// Lists the suites.
#[utoipa::path(get, path = "/api/v1/suites", tag = "catalogue", security(()), responses((status = 200, body = Vec<SuiteReport>)))]
pub(crate) async fn suites(longboard: Data<Longboard>) -> Reply<Vec<SuiteReport>> {
    Ok(Json(longboard.store().suites().await?.iter().map(suite_report).collect()))
}

/// Lists the boards: of scores in the order of their suites, then of ratings, newest first.
#[utoipa::path(get, path = "/boards.json", tag = "boards", security(()), responses((status = 200, body = Vec<BoardLink>)))]
pub(crate) async fn boards(longboard: Data<Longboard>) -> Reply<Vec<BoardLink>> {
    let scores = longboard.store().suites().await?.into_iter().map(|suite| BoardLink {
        kind: "scores".to_owned(),
        suite: Some(suite.slug.clone()),
        slug: suite.slug,
        title: suite.title,
    });
    let ratings = longboard.store().rating_boards().await?.into_iter().map(|board| BoardLink {
        slug: board.slug,
        title: board.title,
        kind: "ratings".to_owned(),
        suite: board.suite_slug,
    });
    Ok(Json(scores.chain(ratings).collect()))
}

/// Lists the newest version of each task.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "catalogue", security(()), responses((status = 200, body = Vec<TaskReport>)))]
pub(crate) async fn tasks(longboard: Data<Longboard>) -> Reply<Vec<TaskReport>> {
    let mut reports = Vec::new();
    for row in longboard.store().tasks().await? {
        reports.push(longboard.task_report(&row).await?);
    }
    Ok(Json(reports))
}

/// Lists the team's endpoints.
#[utoipa::path(get, path = "/api/v1/endpoints", tag = "endpoints", responses((status = 200, body = Vec<EndpointReport>), (status = 401, body = Problem)))]
pub(crate) async fn endpoints(caller: ApiCaller, longboard: Data<Longboard>) -> Reply<Vec<EndpointReport>> {
    let rows = longboard.store().endpoints(Some(caller.0.team().id)).await?;
    Ok(Json(rows.iter().map(endpoint_report).collect()))
}

/// Registers an endpoint and queues its probe.
#[utoipa::path(post, path = "/api/v1/endpoints", tag = "endpoints", request_body = NewEndpoint,
    responses((status = 201, body = EndpointReport), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn register(
    caller: ApiCaller,
    form: Json<NewEndpoint>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, ApiError> {
    let form = form.into_inner();
    let registration = Registration {
        api: call(&form.api)?,
        secret: form.secret.map(SecretString::from),
        name: form.name,
        description: form.description,
        base_url: form.base_url,
        model: form.model,
        max_concurrency: form.max_concurrency,
        context_limit_tokens: form.context_limit_tokens,
        first_byte_timeout_s: form.first_byte_timeout_s,
        family: form.family,
        query_prefix: form.query_prefix,
        document_prefix: form.document_prefix,
    };
    let row = longboard.register_endpoint(&caller.0, registration, rand::random(), Utc::now()).await?;
    Ok(HttpResponse::Created().json(endpoint_report(&row)))
}

/// The call by name.
pub(crate) fn call(name: &str) -> Result<EndpointCall, AppError> {
    match name {
        "chat" => Ok(EndpointCall::Chat),
        "completions" => Ok(EndpointCall::Completions),
        "embeddings" => Ok(EndpointCall::Embeddings),
        "rerank" => Ok(EndpointCall::Rerank),
        "true_false" => Ok(EndpointCall::TrueFalse),
        other => {
            let known = "api is `chat`, `completions`, `embeddings`, `rerank` or `true_false`";
            Err(AppError::Invalid(format!("{known}, not `{other}`")))
        }
    }
}

/// One endpoint of the team.
#[utoipa::path(get, path = "/api/v1/endpoints/{slug}", tag = "endpoints", params(("slug" = String, Path)),
    responses((status = 200, body = EndpointReport), (status = 404, body = Problem)))]
pub(crate) async fn endpoint(
    caller: ApiCaller,
    slug: Path<String>,
    longboard: Data<Longboard>,
) -> Reply<EndpointReport> {
    Ok(Json(endpoint_report(&longboard.own_endpoint(&caller.0, &slug).await?)))
}

/// Queues another probe.
#[utoipa::path(post, path = "/api/v1/endpoints/{slug}/probe", tag = "endpoints", params(("slug" = String, Path)),
    responses((status = 202), (status = 404, body = Problem)))]
pub(crate) async fn probe(
    caller: ApiCaller,
    slug: Path<String>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, ApiError> {
    longboard.probe_again(&caller.0, &slug, Utc::now()).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Lists the team's newest runs.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", responses((status = 200, body = Vec<RunSummary>)))]
pub(crate) async fn runs(caller: ApiCaller, longboard: Data<Longboard>) -> Reply<Vec<RunSummary>> {
    let team = caller.0.team().id;
    let models = longboard.store().endpoints(Some(team)).await?;
    let name = |id: Uuid| models.iter().find(|row| row.id == id).map_or("", |row| row.slug.as_str());
    let runs = longboard.store().runs_of_team(team, PAGE).await?;
    Ok(Json(runs.iter().map(|run| summary(run, name(run.endpoint_id))).collect()))
}

/// Submits a run.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", request_body = NewRun,
    responses((status = 201, body = RunReport), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn submit(
    caller: ApiCaller,
    form: Json<NewRun>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, ApiError> {
    let form = form.into_inner();
    let read = |text: String| text.parse::<Length>().map_err(|error| AppError::Invalid(error.to_string()));
    let lengths = form.lengths.map(|lengths| lengths.into_iter().map(read).collect::<Result<_, _>>()).transpose()?;
    let request = RunRequest {
        endpoint: form.endpoint,
        suite: form.suite,
        lengths,
        samples: form.samples,
        budget_tokens: form.budget_tokens,
        strategy: form.strategy,
    };
    let run = longboard.submit_run(&caller.0, request, Utc::now()).await?;
    Ok(HttpResponse::Created().json(longboard.run_report(&run).await?))
}

/// A run and where it stands.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", security(()), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunReport), (status = 404, body = Problem)))]
pub(crate) async fn run(id: Path<Uuid>, longboard: Data<Longboard>) -> Reply<RunReport> {
    let run = longboard.run(*id).await?;
    Ok(Json(longboard.run_report(&run).await?))
}

/// Which samples.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SampleQuery {
    /// Only this task.
    task: Option<String>,
    /// Only this length, e.g. `4k`.
    length: Option<String>,
    /// Only this outcome.
    outcome: Option<String>,
    /// Samples to leave out.
    #[serde(default)]
    offset: u64,
}

/// Samples of a run, 100 at a time, without their references.
#[utoipa::path(get, path = "/api/v1/runs/{id}/samples", tag = "runs", security(()), params(("id" = Uuid, Path), SampleQuery),
    responses((status = 200, body = SamplePage), (status = 404, body = Problem)))]
pub(crate) async fn samples(
    id: Path<Uuid>,
    query: Query<SampleQuery>,
    longboard: Data<Longboard>,
) -> Reply<SamplePage> {
    let run = longboard.run(*id).await?;
    let length = query.length.as_deref().map(str::parse::<Length>).transpose();
    let length = length.map_err(|error| AppError::Invalid(error.to_string()))?;
    let filter = SampleFilter {
        task: query.task.clone(),
        length_tokens: length.map(|length| length.tokens().cast_signed()),
        outcome: query.outcome.clone(),
    };
    let (rows, total) = longboard.store().answers(run.id, &filter, query.offset, PAGE).await?;
    let samples = rows.iter().map(|row| sample_report(&run, row, Vec::new())).collect();
    Ok(Json(SamplePage { total, offset: query.offset, samples }))
}

/// Stops a run.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", tag = "runs", params(("id" = Uuid, Path)),
    responses((status = 200, body = RunReport), (status = 404, body = Problem)))]
pub(crate) async fn cancel(caller: ApiCaller, id: Path<Uuid>, longboard: Data<Longboard>) -> Reply<RunReport> {
    let run = longboard.cancel_run(&caller.0, &longboard.run(*id).await?, Utc::now()).await?;
    Ok(Json(longboard.run_report(&run).await?))
}

/// Queues what is missing of a cancelled or incomplete run.
#[utoipa::path(post, path = "/api/v1/runs/{id}/resume", tag = "runs", params(("id" = Uuid, Path)),
    responses((status = 200, body = RunReport), (status = 404, body = Problem)))]
pub(crate) async fn resume(caller: ApiCaller, id: Path<Uuid>, longboard: Data<Longboard>) -> Reply<RunReport> {
    let run = longboard.resume_run(&caller.0, &longboard.run(*id).await?, Utc::now()).await?;
    Ok(Json(longboard.run_report(&run).await?))
}
