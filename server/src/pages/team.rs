//! A team: its models, runs, members and API tokens.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use longboard_app::report::moment;
use longboard_app::store::EndpointKind;
use longboard_app::store::endpoint::Endpoint;
use longboard_app::team::Member;
use longboard_app::{AppError, Longboard};
use longboard_protocol::worker::{CheckStatus, ProbeReport};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::caller::{Person, Posted};
use crate::pages::submit::registration;
use crate::pages::{page, see};
use crate::refusal::PageError;

type Reply = Result<HttpResponse, PageError>;

/// Runs shown.
const RUNS: u64 = 30;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/teams/{team}", get().to(team))
        .route("/teams/{team}/members", post().to(add_member))
        .route("/teams/{team}/members/{user}/remove", post().to(remove_member))
        .route("/teams/{team}/tokens", post().to(create_token))
        .route("/teams/{team}/tokens/{token}/revoke", post().to(revoke_token))
        .route("/teams/{team}/endpoints/{slug}", get().to(endpoint))
        .route("/teams/{team}/endpoints/{slug}/probe", post().to(probe))
        .route("/teams/{team}/endpoints/{slug}/change", post().to(change))
        .route("/teams/{team}/endpoints/{slug}/retire", post().to(retire));
}

#[derive(Template)]
#[template(path = "teams/team.html")]
struct TeamPage {
    slug: String,
    name: String,
    owner: bool,
    endpoints: Vec<EndpointLine>,
    runs: Vec<RunLine>,
    members: Vec<MemberLine>,
    tokens: Vec<TokenLine>,
    /// Shown once.
    fresh_token: Option<String>,
    csrf: String,
}

struct EndpointLine {
    slug: String,
    name: String,
    kind: &'static str,
    probe: &'static str,
    flags: &'static str,
    retired: bool,
}

struct RunLine {
    id: Uuid,
    model: String,
    suite: String,
    state: &'static str,
    created_at: String,
}

struct MemberLine {
    user: Uuid,
    name: String,
    email: String,
    role: &'static str,
}

struct TokenLine {
    id: Uuid,
    name: String,
    prefix: String,
    created_at: String,
    used_at: String,
    live: bool,
}

async fn team(person: Person, slug: Path<String>, longboard: Data<Longboard>) -> Reply {
    let member = longboard.member(&person.0.user, &slug).await?;
    page(&team_page(&longboard, &member, person.0.csrf, None).await?)
}

async fn team_page(
    longboard: &Longboard,
    member: &Member,
    csrf: String,
    fresh_token: Option<String>,
) -> Result<TeamPage, AppError> {
    let (store, team) = (longboard.store(), member.team());
    let endpoints = store.endpoints(Some(team.id)).await?;
    let model = |id: Uuid| endpoints.iter().find(|row| row.id == id).map(|row| row.slug.clone()).unwrap_or_default();
    let runs = store.runs_of_team(team.id, RUNS).await?.into_iter().map(|run| RunLine {
        id: run.id,
        model: model(run.endpoint_id),
        suite: run.suite_slug,
        state: run.state.slug(),
        created_at: moment(run.created_at),
    });
    let members = store.members(team.id).await?.into_iter().map(|(membership, user)| MemberLine {
        user: user.id,
        name: user.name,
        email: user.email,
        role: membership.role.slug(),
    });
    let tokens = store.api_tokens(team.id).await?.into_iter().map(|token| TokenLine {
        id: token.id,
        name: token.name,
        prefix: token.prefix,
        created_at: moment(token.created_at),
        used_at: token.used_at.map_or_else(|| "never".to_owned(), moment),
        live: token.revoked_at.is_none(),
    });
    Ok(TeamPage {
        slug: team.slug.clone(),
        name: team.name.clone(),
        owner: member.is_owner(),
        runs: runs.collect(),
        members: members.collect(),
        tokens: tokens.collect(),
        endpoints: endpoints.iter().map(line).collect(),
        fresh_token,
        csrf,
    })
}

fn line(row: &Endpoint) -> EndpointLine {
    EndpointLine {
        slug: row.slug.clone(),
        name: row.name.clone(),
        kind: row.kind.slug(),
        probe: row.probe_state.title(),
        flags: if row.truncates { "truncates" } else { "" },
        retired: row.retired_at.is_some(),
    }
}

async fn add_member(form: Posted, slug: Path<String>, longboard: Data<Longboard>) -> Reply {
    let member = longboard.member(&form.person.user, &slug).await?;
    let owner = form.fields.text("role") == "owner";
    longboard.add_member(&member, form.fields.text("email"), owner, Utc::now()).await?;
    Ok(see(&format!("/teams/{slug}")))
}

async fn remove_member(form: Posted, path: Path<(String, Uuid)>, longboard: Data<Longboard>) -> Reply {
    let (slug, user) = path.into_inner();
    let member = longboard.member(&form.person.user, &slug).await?;
    longboard.remove_member(&member, user, Utc::now()).await?;
    Ok(see(if user == form.person.user.id { "/account".to_owned() } else { format!("/teams/{slug}") }.as_str()))
}

async fn create_token(form: Posted, slug: Path<String>, longboard: Data<Longboard>) -> Reply {
    let member = longboard.member(&form.person.user, &slug).await?;
    let token = longboard.create_api_token(&member, form.fields.text("name"), rand::random(), Utc::now()).await?;
    let token = Some(token.expose_secret().to_owned());
    page(&team_page(&longboard, &member, form.person.csrf, token).await?)
}

async fn revoke_token(form: Posted, path: Path<(String, Uuid)>, longboard: Data<Longboard>) -> Reply {
    let (slug, token) = path.into_inner();
    let member = longboard.member(&form.person.user, &slug).await?;
    longboard.revoke_api_token(&member, token, Utc::now()).await?;
    Ok(see(&format!("/teams/{slug}")))
}

#[derive(Template)]
#[template(path = "teams/endpoint.html")]
struct EndpointPage {
    team: String,
    slug: String,
    name: String,
    base_url: String,
    /// There is an address to probe: neither prediction files nor a method.
    addressed: bool,
    model: String,
    api: &'static str,
    secret: &'static str,
    limits: String,
    probe: &'static str,
    probed_at: String,
    checks: Vec<CheckLine>,
    canaries: Vec<CanaryLine>,
    truncates: bool,
    waiting: bool,
    usable: bool,
    retired: bool,
    /// What the form for changes begins with; absent for baselines and predictions.
    change: Option<Change>,
    csrf: String,
}

struct Change {
    description: String,
    max_concurrency: i32,
    context_limit_tokens: String,
    first_byte_timeout_s: i64,
    family: String,
    query_prefix: String,
    document_prefix: String,
}

struct CheckLine {
    name: String,
    status: &'static str,
    detail: String,
    elapsed: String,
}

struct CanaryLine {
    tokens: u32,
    reported: String,
    seen: [&'static str; 3],
}

async fn endpoint(person: Person, path: Path<(String, String)>, longboard: Data<Longboard>) -> Reply {
    let (team, slug) = path.into_inner();
    let member = longboard.member(&person.0.user, &team).await?;
    let row = longboard.own_endpoint(&member, &slug).await?;
    page(&endpoint_page(team, &row, person.0.csrf))
}

fn endpoint_page(team: String, row: &Endpoint, csrf: String) -> EndpointPage {
    let report: Option<ProbeReport> = row.probe_report.clone().and_then(|report| serde_json::from_value(report).ok());
    let (checks, canaries) = report.map_or_else(Default::default, |report| {
        let canaries: Vec<CanaryLine> = report
            .canaries
            .iter()
            .map(|canary| CanaryLine {
                tokens: canary.prompt_tokens,
                reported: canary.reported_tokens.map_or_else(|| "–".to_owned(), |tokens| tokens.to_string()),
                seen: [canary.head, canary.middle, canary.tail].map(|seen| if seen { "seen" } else { "lost" }),
            })
            .collect();
        (report.checks.into_iter().map(check).collect::<Vec<_>>(), canaries)
    });
    let limit = row.context_limit_tokens.map_or_else(|| "not declared".to_owned(), |limit| format!("{limit} tokens"));
    EndpointPage {
        team,
        slug: row.slug.clone(),
        name: row.name.clone(),
        base_url: row.base_url.clone(),
        addressed: !row.base_url.is_empty(),
        model: row.model.clone(),
        api: row.api.slug(),
        secret: if row.secret_ciphertext.is_some() { "stored, never shown" } else { "none" },
        limits: format!("{} requests in flight, context limit {limit}", row.max_concurrency),
        probe: row.probe_state.title(),
        probed_at: row.probed_at.map(moment).unwrap_or_default(),
        checks,
        canaries,
        truncates: row.truncates,
        waiting: row.probe_state == longboard_app::store::ProbeState::Pending,
        usable: row.kind != EndpointKind::Predictions && row.retired_at.is_none(),
        retired: row.retired_at.is_some(),
        change: (row.kind == EndpointKind::Endpoint && row.plain_id.is_none() && row.retired_at.is_none()).then(|| {
            Change {
                description: row.description.clone(),
                max_concurrency: row.max_concurrency,
                context_limit_tokens: row.context_limit_tokens.map(|limit| limit.to_string()).unwrap_or_default(),
                first_byte_timeout_s: row.first_byte_timeout_ms / 1000,
                family: row.family.clone().unwrap_or_default(),
                query_prefix: row.query_prefix.clone(),
                document_prefix: row.document_prefix.clone(),
            }
        }),
        csrf,
    }
}

fn check(check: longboard_protocol::worker::ProbeCheck) -> CheckLine {
    CheckLine {
        status: match check.status {
            CheckStatus::Passed => "passed",
            CheckStatus::Warned => "warned",
            CheckStatus::Failed => "failed",
            CheckStatus::Skipped => "skipped",
        },
        name: check.name,
        detail: check.detail,
        elapsed: if check.elapsed_ms == 0 { String::new() } else { format!("{} ms", check.elapsed_ms) },
    }
}

async fn probe(form: Posted, path: Path<(String, String)>, longboard: Data<Longboard>) -> Reply {
    let (team, slug) = path.into_inner();
    let member = longboard.member(&form.person.user, &team).await?;
    longboard.probe_again(&member, &slug, Utc::now()).await?;
    Ok(see(&format!("/teams/{team}/endpoints/{slug}")))
}

async fn change(form: Posted, path: Path<(String, String)>, longboard: Data<Longboard>) -> Reply {
    let (team, slug) = path.into_inner();
    let member = longboard.member(&form.person.user, &team).await?;
    let registration = registration(&form.fields)?;
    longboard.change_endpoint(&member, &slug, registration, rand::random(), Utc::now()).await?;
    Ok(see(&format!("/teams/{team}/endpoints/{slug}")))
}

async fn retire(form: Posted, path: Path<(String, String)>, longboard: Data<Longboard>) -> Reply {
    let (team, slug) = path.into_inner();
    let member = longboard.member(&form.person.user, &team).await?;
    longboard.retire_endpoint(&member, &slug, Utc::now()).await?;
    Ok(see(&format!("/teams/{team}")))
}
