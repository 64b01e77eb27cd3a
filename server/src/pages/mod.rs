//! Pages: each file holds handlers beside the structs that they fill.

mod account;
mod admin;
mod admin_judging;
mod admin_suite;
mod admin_task;
mod battle;
pub mod board;
mod board_view;
pub mod boards;
mod compare;
mod dial;
pub mod error;
mod judge;
mod leaf;
mod method;
mod methodology;
mod methods;
mod model;
mod predictions;
mod ranking;
pub(crate) mod rating;
mod run;
mod sample;
mod score;
mod strategies;
mod submit;
mod suite;
mod task;
mod tasks;
mod team;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::ServiceConfig;
use askama::Template;

use crate::refusal::PageError;

/// All pages.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(board::routes)
        .configure(battle::routes)
        .configure(judge::routes)
        .configure(boards::routes)
        .configure(account::routes)
        .configure(team::routes)
        .configure(submit::routes)
        .configure(run::routes)
        .configure(sample::routes)
        .configure(ranking::routes)
        .configure(leaf::routes)
        .configure(score::routes)
        .configure(model::routes)
        .configure(task::routes)
        .configure(tasks::routes)
        .configure(suite::routes)
        .configure(compare::routes)
        .configure(methods::routes)
        .configure(strategies::routes)
        .configure(method::routes)
        .configure(methodology::routes)
        .configure(predictions::routes)
        .configure(admin::routes)
        .configure(admin_task::routes)
        .configure(admin_suite::routes)
        .configure(admin_judging::routes);
}

/// A page made for this request.
pub(crate) fn page(template: &impl Template) -> Result<HttpResponse, PageError> {
    let html = template.render().map_err(PageError::Template)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html))
}

/// After a form: the page that shows what it did.
pub(crate) fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}
