//! Submitting: an endpoint first, then a run.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use longboard_app::account::SignedIn;
use longboard_app::endpoint::Registration;
use longboard_app::run::{RunRequest, planned_tokens};
use longboard_app::store::EndpointKind;
use longboard_app::strategy::cards;
use longboard_app::suites::length::Length;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::StrategyCard;
use secrecy::SecretString;

use crate::api::program::call;
use crate::caller::{Person, Posted};
use crate::form::Fields;
use crate::pages::{page, see};
use crate::refusal::{PageError, complaint};

type Reply = Result<HttpResponse, PageError>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/submit", get().to(form))
        .route("/submit/endpoint", post().to(register))
        .route("/submit/run", post().to(submit));
}

#[derive(Template)]
#[template(path = "submit/submit.html")]
struct SubmitPage {
    complaint: Option<String>,
    teams: Vec<(String, String)>,
    endpoints: Vec<Choice>,
    suites: Vec<SuiteChoice>,
    strategies: Vec<StrategyCard>,
    /// What was filled in last time.
    filled: Fields,
    csrf: String,
}

struct Choice {
    team: String,
    slug: String,
    name: String,
    probe: &'static str,
}

struct SuiteChoice {
    slug: String,
    title: String,
    description: String,
    lengths: Vec<String>,
    samples: i32,
    tasks: usize,
    tokens: String,
}

impl SubmitPage {
    fn filled(&self, name: &str) -> &str {
        self.filled.text(name)
    }
}

async fn form(person: Person, longboard: Data<Longboard>) -> Reply {
    page(&submit_page(&longboard, person.0, None, Fields::default()).await?)
}

async fn submit_page(
    longboard: &Longboard,
    person: SignedIn,
    complaint: Option<String>,
    filled: Fields,
) -> Result<SubmitPage, AppError> {
    let store = longboard.store();
    let (mut teams, mut endpoints) = (Vec::new(), Vec::new());
    for (team, _) in store.teams_of(person.user.id).await? {
        for row in store.endpoints(Some(team.id)).await? {
            if row.kind != EndpointKind::Predictions && row.plain_id.is_none() && row.retired_at.is_none() {
                let probe = row.probe_state.title();
                endpoints.push(Choice { team: team.slug.clone(), slug: row.slug, name: row.name, probe });
            }
        }
        teams.push((team.slug, team.name));
    }
    let suites = store.suites().await?.into_iter().filter(|suite| !suite.imported).map(|suite| SuiteChoice {
        tokens: millions(planned_tokens(&suite.lengths.0, suite.samples.cast_unsigned(), suite.tasks.0.len())),
        slug: suite.slug,
        title: suite.title,
        description: suite.description,
        lengths: suite.lengths.0.iter().map(ToString::to_string).collect(),
        samples: suite.samples,
        tasks: suite.tasks.0.len(),
    });
    let (suites, strategies) = (suites.collect(), cards());
    Ok(SubmitPage { complaint, teams, endpoints, suites, strategies, filled, csrf: person.csrf })
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn millions(tokens: u64) -> String {
    format!("{:.1} M", tokens as f64 / 1e6)
}

async fn register(posted: Posted, longboard: Data<Longboard>) -> Reply {
    let Posted { person, fields } = posted;
    let registered = async {
        let member = longboard.member(&person.user, fields.text("team")).await?;
        let row = longboard.register_endpoint(&member, registration(&fields)?, rand::random(), Utc::now()).await?;
        Ok::<_, AppError>(format!("/teams/{}/endpoints/{}", member.team().slug, row.slug))
    };
    match registered.await {
        Ok(path) => Ok(see(&path)),
        Err(error) => page(&submit_page(&longboard, person, Some(complaint(error)?), fields).await?),
    }
}

/// What the form of an endpoint says.
pub(super) fn registration(fields: &Fields) -> Result<Registration, AppError> {
    let text = |name: &str| fields.text(name).to_owned();
    let secret = fields.raw("secret");
    Ok(Registration {
        name: text("name"),
        description: text("description"),
        base_url: text("base_url"),
        model: text("model"),
        api: call(fields.text("api"))?,
        secret: (!secret.trim().is_empty()).then(|| SecretString::from(secret.trim().to_owned())),
        max_concurrency: fields.required("max_concurrency", "requests in flight")?,
        context_limit_tokens: fields.optional("context_limit_tokens", "context limit")?,
        first_byte_timeout_s: fields.required("first_byte_timeout_s", "longest wait for the first byte")?,
        family: text("family"),
        query_prefix: fields.raw("query_prefix").to_owned(),
        document_prefix: fields.raw("document_prefix").to_owned(),
    })
}

/// The strategy of a run with its settings, as the API takes it.
fn strategy(fields: &Fields) -> Result<String, AppError> {
    let (slug, settings) = (fields.text("strategy"), fields.text("strategy_settings"));
    match (slug, settings) {
        ("", "") => Ok(String::new()),
        ("", _) => Err(AppError::Invalid("settings need a strategy; choose one, or leave them empty".to_owned())),
        _ => Ok(format!("{slug} {settings}")),
    }
}

async fn submit(posted: Posted, longboard: Data<Longboard>) -> Reply {
    let Posted { person, fields } = posted;
    let submitted = async {
        let (team, endpoint) = fields
            .text("endpoint")
            .split_once('/')
            .ok_or_else(|| AppError::Invalid("choose an endpoint; register one first".to_owned()))?;
        let member = longboard.member(&person.user, team).await?;
        let lengths: Result<Vec<Length>, _> = fields.all("lengths").map(str::parse).collect();
        let lengths = lengths.map_err(|error| AppError::Invalid(error.to_string()))?;
        let request = RunRequest {
            endpoint: endpoint.to_owned(),
            suite: fields.text("suite").to_owned(),
            lengths: (!lengths.is_empty()).then_some(lengths),
            samples: fields.optional("samples", "samples per cell")?,
            budget_tokens: fields.optional("budget_tokens", "token budget")?,
            strategy: Some(strategy(&fields)?),
        };
        longboard.submit_run(&member, request, Utc::now()).await
    };
    match submitted.await {
        Ok(run) => Ok(see(&format!("/runs/{}", run.id))),
        Err(error) => page(&submit_page(&longboard, person, Some(complaint(error)?), fields).await?),
    }
}
