//! `/api/openapi.json`.

use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::program;

/// The description of the program API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Longboard", description = "The JSON API of Longboard. Send a team's token as a bearer token; problems are RFC 9457 documents."),
    paths(
        crate::pages::board::board,
        program::boards,
        program::suites,
        program::tasks,
        program::endpoints,
        program::register,
        program::endpoint,
        program::probe,
        program::runs,
        program::submit,
        program::run,
        program::samples,
        program::cancel,
        program::resume
    ),
    components(schemas(longboard_protocol::board::Board, longboard_protocol::api::ModelReport, longboard_protocol::api::SampleReport, longboard_protocol::api::MethodsReport, longboard_protocol::api::MethodReport)),
    security(("team token" = [])),
    modifiers(&Token)
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("team token", scheme);
    }
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/api/openapi.json", get().to(openapi));
}

async fn openapi() -> HttpResponse {
    HttpResponse::Ok().json(Document::openapi())
}
