//! Style and script: compiled in, named by their digest, so that browsers keep them for good.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{ServiceConfig, get};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../static/longboard.css");
const SCRIPT: &str = include_str!("../../static/longboard.js");

/// Path of the style sheet.
pub(crate) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path("longboard.css", STYLE));

/// Path of the script.
pub(crate) static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path("longboard.js", SCRIPT));

fn path(name: &str, text: &str) -> String {
    let digest: String = hex::encode(Sha256::digest(text)).chars().take(12).collect();
    format!("/static/{digest}/{name}")
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route(&STYLE_PATH, get().to(style)).route(&SCRIPT_PATH, get().to(script));
}

async fn style() -> HttpResponse {
    body("text/css; charset=utf-8", STYLE)
}

async fn script() -> HttpResponse {
    body("text/javascript; charset=utf-8", SCRIPT)
}

fn body(content_type: &str, text: &'static str) -> HttpResponse {
    let keep = (CACHE_CONTROL, "public, max-age=31536000, immutable");
    HttpResponse::Ok().content_type(content_type).insert_header(keep).body(text)
}
