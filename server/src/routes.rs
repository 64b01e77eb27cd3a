//! The table of routes.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse, Responder};
use longboard_app::{AppError, Longboard};

use crate::refusal::{ApiError, PageError};
use crate::{api, asset, pages};

/// All routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(pages::routes)
        .configure(api::worker::routes)
        .configure(api::program::routes)
        .configure(api::document::routes)
        .configure(asset::routes)
        .route("/healthz", get().to(healthz))
        .route("/readyz", get().to(readyz))
        .route("/metrics", get().to(metrics))
        .default_service(actix_web::web::to(nowhere));
}

async fn healthz() -> impl Responder {
    "ok\n"
}

async fn readyz(longboard: Data<Longboard>) -> HttpResponse {
    match longboard.store().is_migrated().await {
        Ok(true) => HttpResponse::Ok().body("ready\n"),
        Ok(false) => {
            HttpResponse::ServiceUnavailable().body("the schema is not this version's; run longboard migrate\n")
        }
        Err(_) => HttpResponse::ServiceUnavailable().body("the database does not answer\n"),
    }
}

/// What scaling and alarms look at, as Prometheus reads it.
async fn metrics(longboard: Data<Longboard>) -> HttpResponse {
    let Ok(depth) = longboard.store().queue_depth().await else {
        return HttpResponse::ServiceUnavailable().body("the database does not answer\n");
    };
    let gauge =
        |name: &str, help: &str, value: u64| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    let body = [
        gauge("longboard_queue_depth", "Shards that wait for a worker.", depth.queued),
        gauge("longboard_shards_leased", "Shards that workers carry out.", depth.leased),
        gauge("longboard_shards_dead", "Shards that gave up.", depth.dead),
    ];
    HttpResponse::build(StatusCode::OK).content_type("text/plain; version=0.0.4").body(body.concat())
}

async fn nowhere(request: HttpRequest) -> Result<HttpResponse, actix_web::Error> {
    let nothing = || AppError::NotFound("such page".to_owned());
    if request.path().starts_with("/api/") {
        return Err(ApiError(nothing()).into());
    }
    Err(PageError::Refused(nothing()).into())
}
