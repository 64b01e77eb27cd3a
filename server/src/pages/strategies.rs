//! Strategies around endpoints: what each gained and cost, beside asking as it is.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::Longboard;
use longboard_protocol::api::{StrategiesReport, StrategyCard, StrategyCost, StrategyRow};
use serde::Deserialize;

use crate::pages::page;
use crate::refusal::{ApiError, PageError};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/strategies.json", get().to(json)).route("/strategies", get().to(strategies));
}

#[derive(Deserialize)]
struct Choice {
    suite: Option<String>,
}

#[derive(Template)]
#[template(path = "strategies/list.html")]
struct StrategiesPage {
    known: Vec<StrategyCard>,
    suites: Vec<String>,
    suite: Option<String>,
    lines: Vec<Line>,
}

struct Line {
    row: StrategyRow,
    score: String,
    plain_score: String,
    gain: String,
    interval: String,
    calls: String,
    sent: String,
    /// Sent tokens over those of the model asked as it is.
    share: String,
    written: String,
    latency: String,
}

async fn json(choice: Query<Choice>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(longboard.strategies_report(choice.suite.as_deref()).await?))
}

async fn strategies(choice: Query<Choice>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let suite = choice.into_inner().suite.filter(|suite| !suite.is_empty());
    let StrategiesReport { known, suites, suite, rows } = longboard.strategies_report(suite.as_deref()).await?;
    page(&StrategiesPage { known, suites, suite, lines: rows.into_iter().map(line).collect() })
}

fn line(row: StrategyRow) -> Line {
    let StrategyCost { calls, sent_tokens, written_tokens, latency_ms } = row.cost;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let share = row.plain_cost.filter(|plain| plain.sent_tokens > 0.0).map(|plain| sent_tokens / plain.sent_tokens);
    Line {
        score: format!("{:.1}", row.score),
        plain_score: or_dash(row.plain_score.map(|score| format!("{score:.1}"))),
        gain: or_dash(row.gain.as_ref().map(|gain| format!("{:+.1}", gain.value))),
        interval: or_dash(
            row.gain.as_ref().and_then(|gain| gain.ci95).map(|[low, high]| format!("{low:+.1} to {high:+.1}")),
        ),
        calls: format!("{calls:.1}"),
        sent: format!("{sent_tokens:.0}"),
        share: or_dash(share.map(|share| format!("{share:.2}"))),
        written: or_dash(written_tokens.map(|tokens| format!("{tokens:.0}"))),
        latency: or_dash(latency_ms.map(|ms| format!("{ms:.0}"))),
        row,
    }
}
