//! How numbers come about.

use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use askama::Template;
use longboard_app::stats::formula::{FORMULAS, Formula, VERSION};
use longboard_app::suites::outcome::Outcome;
use serde_json::json;

use crate::pages::page;
use crate::refusal::PageError;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/methodology", get().to(methodology)).route("/methodology.json", get().to(methodology_json));
}

#[derive(Template)]
#[template(path = "about/methodology.html")]
struct MethodologyPage {
    outcomes: Vec<(&'static str, &'static str)>,
    formulas: &'static [Formula],
    version: &'static str,
}

async fn methodology() -> Result<HttpResponse, PageError> {
    page(&MethodologyPage {
        outcomes: Outcome::ALL.map(|outcome| (outcome.title(), meaning(outcome))).to_vec(),
        formulas: FORMULAS,
        version: VERSION,
    })
}

async fn methodology_json() -> HttpResponse {
    let outcomes = Outcome::ALL.map(|outcome| json!({"slug": outcome.slug(), "meaning": meaning(outcome)}));
    HttpResponse::Ok().json(json!({"outcomes": outcomes, "formulas": FORMULAS, "version": VERSION}))
}

const fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Correct => "full score",
        Outcome::Partial => "some of the score",
        Outcome::Wrong => "an answer of the right form that is wrong",
        Outcome::Format => "no answer could be read in the text",
        Outcome::TruncatedInput => "wrong, and the endpoint counted far fewer tokens than it was sent",
        Outcome::CutOffOutput => "not full score, and the answer ended at the output budget",
        Outcome::Refused => "the model declined, or its filter did",
        Outcome::OverLength => "longer than the endpoint's declared limit; nothing was sent",
        Outcome::Timeout => "a deadline passed",
        Outcome::EndpointError => "the endpoint failed for good",
    }
}
