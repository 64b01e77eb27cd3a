//! Administration: people, workers, the queue and the audit chain.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get, post};
use askama::Template;
use chrono::{DateTime, Utc};
use longboard_app::report::moment;
use longboard_app::store::account::{User, Worker};
use longboard_app::store::queue::{QueueDepth, Shard};
use longboard_app::store::{ShardKind, ShardState};
use longboard_app::suites::length::Length;
use longboard_app::{AppError, Longboard};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::caller::{Keeper, KeeperPosted};
use crate::pages::{page, see};
use crate::refusal::PageError;

type Reply = Result<HttpResponse, PageError>;

/// Lines of each list.
const LINES: u64 = 50;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/admin", get().to(admin))
        .route("/admin/users/{id}/maintainer", post().to(set_maintainer))
        .route("/admin/workers", post().to(create_worker))
        .route("/admin/workers/{id}/revoke", post().to(revoke_worker));
}

#[derive(Template)]
#[template(path = "admin/admin.html")]
struct AdminPage {
    own: Uuid,
    users: Vec<User>,
    workers: Vec<WorkerLine>,
    queue: QueueDepth,
    shards: Vec<ShardLine>,
    audit: Vec<(i64, String, String, String, String, String)>,
    chain: String,
    fresh_token: Option<String>,
    csrf: String,
}

struct WorkerLine {
    id: Uuid,
    name: String,
    labels: String,
    version: String,
    seen: String,
    live: bool,
}

struct ShardLine {
    run: Option<Uuid>,
    what: String,
    state: &'static str,
    attempts: String,
    cause: String,
    changed: String,
}

async fn admin(keeper: Keeper, longboard: Data<Longboard>) -> Reply {
    page(&admin_page(&longboard, keeper.proof.user().id, keeper.csrf, None).await?)
}

async fn admin_page(
    longboard: &Longboard,
    own: Uuid,
    csrf: String,
    fresh_token: Option<String>,
) -> Result<AdminPage, AppError> {
    let store = longboard.store();
    let states = [ShardState::Leased, ShardState::Dead, ShardState::Queued];
    let audit =
        store.audit(0, LINES).await?.into_iter().map(|link| {
            (link.sequence, moment(link.at), link.actor, link.action, link.subject, link.detail.to_string())
        });
    let chain = match store.broken_link().await? {
        None => "The chain is whole.".to_owned(),
        Some(link) => format!("The chain is broken at link {link}: the database was changed by other hands."),
    };
    Ok(AdminPage {
        own,
        users: store.users().await?,
        workers: store.workers().await?.into_iter().map(|worker| worker_line(worker, Utc::now())).collect(),
        queue: store.queue_depth().await?,
        shards: store.shards_in(&states, LINES).await?.into_iter().map(shard_line).collect(),
        audit: audit.collect(),
        chain,
        fresh_token,
        csrf,
    })
}

fn worker_line(worker: Worker, now: DateTime<Utc>) -> WorkerLine {
    let seen = worker.seen_at.map_or_else(
        || "never".to_owned(),
        |seen| format!("{} ({} s ago)", moment(seen), (now - seen).num_seconds().max(0)),
    );
    WorkerLine {
        id: worker.id,
        name: worker.name,
        labels: worker.labels,
        version: worker.version.unwrap_or_default(),
        seen,
        live: worker.revoked_at.is_none(),
    }
}

fn shard_line(shard: Shard) -> ShardLine {
    let length = Length::new(shard.length_tokens.cast_unsigned()).map(|length| length.to_string()).unwrap_or_default();
    ShardLine {
        run: shard.run_id,
        what: match shard.kind {
            ShardKind::Run => format!("{} at {length}", shard.task_slug),
            ShardKind::Judge => format!("judging {} at {length}", shard.task_slug),
            ShardKind::Probe | ShardKind::Health => shard.kind.slug().to_owned(),
        },
        state: shard.state.slug(),
        attempts: format!("{} leases, {} failures", shard.fence, shard.failures),
        cause: [shard.last_cause, shard.last_detail].into_iter().flatten().collect::<Vec<_>>().join(": "),
        changed: moment(shard.updated_at),
    }
}

async fn set_maintainer(form: KeeperPosted, id: Path<Uuid>, longboard: Data<Longboard>) -> Reply {
    longboard.set_maintainer(&form.proof, *id, form.fields.text("maintainer") == "yes", Utc::now()).await?;
    Ok(see("/admin"))
}

async fn create_worker(form: KeeperPosted, longboard: Data<Longboard>) -> Reply {
    let by = form.proof.user();
    let token = longboard.create_worker(&by.email, form.fields.text("name"), rand::random(), Utc::now()).await?;
    let csrf = form.fields.text("csrf").to_owned();
    page(&admin_page(&longboard, by.id, csrf, Some(token.expose_secret().to_owned())).await?)
}

async fn revoke_worker(form: KeeperPosted, id: Path<Uuid>, longboard: Data<Longboard>) -> Reply {
    longboard.revoke_worker(&form.proof, *id, Utc::now()).await?;
    Ok(see("/admin"))
}
