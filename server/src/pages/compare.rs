//! Two models side by side, on the same items.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::Longboard;
use longboard_app::compare::{Comparison, Paired};
use serde::Deserialize;

use crate::charts::{CurvePoint, Series, curve};
use crate::pages::page;
use crate::refusal::{ApiError, PageError};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/compare.json", get().to(json)).route("/compare", get().to(compare));
}

#[derive(Deserialize)]
struct Pair {
    #[serde(default)]
    a: String,
    #[serde(default)]
    b: String,
    #[serde(default)]
    suite: String,
}

#[derive(Template)]
#[template(path = "compare/compare.html")]
struct ComparePage {
    pair: Pair,
    suites: Vec<(String, String)>,
    models: Vec<String>,
    complaint: Option<String>,
    shown: Option<Shown>,
}

struct Shown {
    comparison: Comparison,
    verdict: String,
    curve: String,
    lines: Vec<Line>,
}

struct Line {
    what: String,
    n: usize,
    a: String,
    b: String,
    difference: String,
    interval: String,
}

async fn json(pair: Query<Pair>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(longboard.compare(&pair.suite, &pair.a, &pair.b).await?))
}

async fn compare(pair: Query<Pair>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let pair = pair.into_inner();
    let store = longboard.store();
    let suites: Vec<(String, String)> =
        store.suites().await?.into_iter().map(|suite| (suite.slug, suite.title)).collect();
    let models = store.endpoints(None).await?.into_iter().map(|row| row.slug).collect();
    let (complaint, shown) = if pair.a.is_empty() || pair.b.is_empty() {
        (None, None)
    } else {
        match longboard.compare(&pair.suite, &pair.a, &pair.b).await {
            Ok(comparison) => (None, Some(shown(comparison))),
            Err(error) => (Some(error.to_string()), None),
        }
    };
    page(&ComparePage { pair, suites, models, complaint, shown })
}

fn shown(comparison: Comparison) -> Shown {
    let points = |score: fn(&Paired) -> f64| {
        let point = |part: &Paired| CurvePoint {
            length: part.name.clone(),
            tokens: part.length_tokens.unwrap_or_default(),
            score: score(part),
            ci95: None,
        };
        comparison.by_length.iter().map(point).collect::<Vec<_>>()
    };
    let series = [
        Series { name: comparison.a.clone(), points: points(|part| part.a) },
        Series { name: comparison.b.clone(), points: points(|part| part.b) },
    ];
    let lines = std::iter::once(&comparison.overall).chain(&comparison.by_length).chain(&comparison.by_task);
    Shown {
        verdict: verdict(&comparison),
        curve: if comparison.by_length.len() > 1 { curve(&series) } else { String::new() },
        lines: lines.map(line).collect(),
        comparison,
    }
}

fn verdict(comparison: &Comparison) -> String {
    let Some([low, high]) = comparison.overall.ci95 else {
        return "Too few common items to say which one is better.".to_owned();
    };
    let ahead = |name: &str| format!("{name} is ahead: the 95 % interval of the difference leaves out 0.");
    if low > 0.0 {
        ahead(&comparison.a)
    } else if high < 0.0 {
        ahead(&comparison.b)
    } else {
        "No difference that is certain at 95 %.".to_owned()
    }
}

fn line(part: &Paired) -> Line {
    Line {
        what: part.name.clone(),
        n: part.n,
        a: format!("{:.1}", part.a),
        b: format!("{:.1}", part.b),
        difference: format!("{:+.1}", part.a - part.b),
        interval: part.ci95.map_or_else(|| "–".to_owned(), |[low, high]| format!("{low:+.1} to {high:+.1}")),
    }
}
