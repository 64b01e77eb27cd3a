//! The table of routes.

use actix_web::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use longboard_app::Longboard;

use crate::pages::boards::BoardsPage;
use crate::pages::error::ErrorPage;
use crate::shelf::{Body, Shelf};

const STYLE: &str = include_str!("../../static/longboard.css");

/// All routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/", get().to(boards))
        .route("/boards/{slug}.json", get().to(board_json))
        .route("/boards/{slug}.csv", get().to(board_csv))
        .route("/boards/{slug}", get().to(board_page))
        .route("/static/longboard.css", get().to(style))
        .route("/healthz", get().to(healthz))
        .route("/readyz", get().to(readyz))
        .configure(crate::api::worker::routes)
        .configure(crate::api::program::routes)
        .configure(crate::api::document::routes)
        .default_service(actix_web::web::to(nowhere));
}

async fn boards(longboard: Data<Longboard>, shelf: Data<Shelf>) -> HttpResponse {
    match longboard.store().suites().await {
        Ok(suites) => page(&BoardsPage::new(&suites, &shelf), StatusCode::OK),
        Err(error) => failure(&error),
    }
}

async fn board_page(request: HttpRequest, slug: Path<String>, shelf: Data<Shelf>) -> HttpResponse {
    edition(&request, &slug, &shelf, "text/html; charset=utf-8", |edition| &edition.html)
}

async fn board_json(request: HttpRequest, slug: Path<String>, shelf: Data<Shelf>) -> HttpResponse {
    edition(&request, &slug, &shelf, "application/json", |edition| &edition.json)
}

async fn board_csv(request: HttpRequest, slug: Path<String>, shelf: Data<Shelf>) -> HttpResponse {
    edition(&request, &slug, &shelf, "text/csv; charset=utf-8", |edition| &edition.csv)
}

fn edition(
    request: &HttpRequest,
    slug: &str,
    shelf: &Shelf,
    content_type: &str,
    body: impl Fn(&crate::shelf::Edition) -> &Body,
) -> HttpResponse {
    let Some(edition) = shelf.get(slug) else { return missing(&format!("There is no board `{slug}`.")) };
    let wanted = |name, text: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(text))
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((ETAG, edition.etag.as_str()))
        .insert_header((CACHE_CONTROL, "public, no-cache"))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((header::CONTENT_TYPE, content_type));
    if wanted(IF_NONE_MATCH, &edition.etag) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    if wanted(ACCEPT_ENCODING, "gzip") {
        return response.insert_header((CONTENT_ENCODING, "gzip")).body(body(&edition).gzip.clone());
    }
    response.body(body(&edition).plain.clone())
}

async fn style() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((CACHE_CONTROL, "max-age=3600"))
        .body(STYLE)
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

async fn nowhere() -> HttpResponse {
    missing("There is no such page.")
}

fn missing(what: &str) -> HttpResponse {
    page(&ErrorPage { title: "Not found", what, todo: "Go to the list of boards." }, StatusCode::NOT_FOUND)
}

fn failure(error: &longboard_app::StoreError) -> HttpResponse {
    tracing::error!(%error, "a page failed");
    let what = "The database does not answer.";
    page(
        &ErrorPage { title: "Something failed", what, todo: "Try again in a minute." },
        StatusCode::INTERNAL_SERVER_ERROR,
    )
}

fn page(template: &impl Template, status: StatusCode) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            tracing::error!(%error, "a template failed");
            HttpResponse::InternalServerError().body("the page cannot be rendered\n")
        }
    }
}
