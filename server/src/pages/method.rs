//! A method: what it is, where it differs from its paper, what was tested, and how it does beside dense attention.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::method::DENSE;
use longboard_app::suites::length::Length;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::{MethodLength, MethodReport, MethodResult};
use longboard_protocol::method::MethodParameter;
use serde::Deserialize;

use crate::charts::{CurvePoint, Series, curve};
use crate::pages::error::ErrorPage;
use crate::pages::methods::ResultLine;
use crate::pages::page;
use crate::refusal::{ApiError, PageError};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/methods/{policy}.json", get().to(json)).route("/methods/{policy}", get().to(method));
}

#[derive(Deserialize)]
struct Choice {
    suite: Option<String>,
}

impl Choice {
    fn suite(&self) -> Option<&str> {
        self.suite.as_deref().filter(|suite| !suite.is_empty())
    }
}

#[derive(Template)]
#[template(path = "methods/method.html")]
struct MethodPage {
    report: MethodReport,
    suites: Vec<(String, String)>,
    parameters: Vec<ParameterLine>,
    dense: bool,
    curve: String,
    lines: Vec<LengthLine>,
}

struct ParameterLine {
    name: String,
    help: String,
    default: String,
    here: String,
    changed: bool,
}

struct LengthLine {
    length: String,
    result: Option<ResultLine>,
    dense_score: String,
    /// Of dense attention's, e.g. `0.12`.
    flop_ratio: String,
    kept_ratio: String,
}

async fn json(
    policy: Path<String>,
    choice: Query<Choice>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(longboard.method_report(&policy, choice.suite()).await?))
}

async fn method(
    policy: Path<String>,
    choice: Query<Choice>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, PageError> {
    let report = match longboard.method_report(&policy, choice.suite()).await {
        Err(AppError::NotFound(what)) => return missing(&what),
        report => report?,
    };
    let suites = longboard.store().suites().await?.into_iter().filter(|suite| !suite.imported);
    page(&MethodPage {
        suites: suites.map(|suite| (suite.slug, suite.title)).collect(),
        parameters: report.card.parameters.iter().map(|parameter| parameter_line(parameter, &report)).collect(),
        dense: *policy == DENSE,
        curve: accuracy(&report),
        lines: report.lengths.iter().map(length_line).collect(),
        report,
    })
}

fn missing(what: &str) -> Result<HttpResponse, PageError> {
    let what = format!("There is no {what}.");
    let page = ErrorPage { title: "Not Found", what: &what, todo: "Go to the list of methods.", back: "/methods" };
    let html = page.render().map_err(PageError::Template)?;
    Ok(HttpResponse::NotFound()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html))
}

fn parameter_line(parameter: &MethodParameter, report: &MethodReport) -> ParameterLine {
    let here = report.settings.get(&parameter.name).copied().unwrap_or(parameter.default);
    ParameterLine {
        name: parameter.name.clone(),
        help: parameter.help.clone(),
        default: parameter.default.to_string(),
        here: here.to_string(),
        changed: here.total_cmp(&parameter.default).is_ne(),
    }
}

/// Score over length, with dense attention as the second line.
fn accuracy(report: &MethodReport) -> String {
    let points = |pick: fn(&MethodLength) -> Option<&MethodResult>| {
        let point = |at: &MethodLength| {
            let result = pick(at)?;
            let tokens = at.length.parse::<Length>().ok()?.tokens();
            Some(CurvePoint { length: at.length.clone(), tokens, score: result.score, ci95: Some(result.ci95) })
        };
        report.lengths.iter().filter_map(point).collect::<Vec<_>>()
    };
    let mut series = vec![Series { name: report.card.title.clone(), points: points(|at| at.result.as_ref()) }];
    if report.card.slug != DENSE {
        series.push(Series { name: "dense attention".to_owned(), points: points(|at| at.dense.as_ref()) });
    }
    curve(&series)
}

fn length_line(at: &MethodLength) -> LengthLine {
    let ratio = |figure: fn(&MethodResult) -> Option<f64>| {
        let of = |result: &Option<MethodResult>| result.as_ref().and_then(figure);
        match (of(&at.result), of(&at.dense)) {
            (Some(own), Some(dense)) if dense > 0.0 => format!("× {:.2}", own / dense),
            _ => "–".to_owned(),
        }
    };
    LengthLine {
        length: at.length.clone(),
        result: at.result.as_ref().map(ResultLine::new),
        dense_score: at.dense.as_ref().map_or_else(|| "–".to_owned(), |dense| format!("{:.1}", dense.score)),
        flop_ratio: ratio(|result| Some(result.cost.as_ref()?.attention_flops)),
        kept_ratio: ratio(|result| Some(result.cost.as_ref()?.kept_tokens)),
    }
}

#[cfg(test)]
mod tests {
    use longboard_protocol::method::MethodCost;

    use super::*;

    fn result(flops: f64) -> MethodResult {
        let cost = MethodCost { attention_flops: flops, ..MethodCost::default() };
        MethodResult { n: 4, expected: 4, score: 75.0, ci95: [50.0, 90.0], difference: None, cost: Some(cost) }
    }

    #[test]
    fn ratios_need_both_and_a_positive_dense() {
        let at = |own, dense| MethodLength { length: "8k".to_owned(), result: own, dense };
        let line = length_line(&at(Some(result(12.0)), Some(result(100.0))));
        assert_eq!((line.flop_ratio.as_str(), line.kept_ratio.as_str()), ("× 0.12", "–"), "dense kept nothing");
        assert_eq!(length_line(&at(Some(result(12.0)), None)).flop_ratio, "–");
        let missing = length_line(&at(None, Some(result(1.0))));
        assert!(missing.result.is_none() && missing.dense_score == "75.0");
    }
}
