//! Methods of the reference model side by side: score against cost at one length.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use longboard_app::method::CostAxis;
use longboard_app::run::REFERENCE_SUITE;
use longboard_app::suites::length::Length;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::{MethodDifference, MethodRow, MethodsReport};
use longboard_protocol::method::MethodCost;
use serde::Deserialize;
use uuid::Uuid;

use crate::caller::{KeeperPosted, Visitor};
use crate::charts::{ParetoPoint, figure, pareto};
use crate::pages::{page, see};
use crate::refusal::{ApiError, PageError};

const MEBI: f64 = 1024.0 * 1024.0;
const GIGA: f64 = 1e9;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/methods.json", get().to(json))
        .route("/methods/runs", post().to(request_runs))
        .route("/methods", get().to(methods));
}

#[derive(Deserialize)]
struct Choice {
    suite: Option<String>,
    length: Option<String>,
    cost: Option<String>,
    /// How many runs a maintainer has just queued.
    queued: Option<u32>,
}

impl Choice {
    async fn report(&self, longboard: &Longboard) -> Result<(MethodsReport, CostAxis), AppError> {
        let chosen = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let length = chosen(&self.length).map(|length| length.parse::<Length>()).transpose();
        let length = length.map_err(|error| AppError::Invalid(error.to_string()))?;
        let axis = chosen(&self.cost).map_or(Ok(CostAxis::default()), |cost| cost.parse())?;
        Ok((longboard.methods_report(chosen(&self.suite).as_deref(), length, axis).await?, axis))
    }
}

#[derive(Template)]
#[template(path = "methods/list.html")]
struct MethodsPage {
    suites: Vec<(String, String)>,
    suite: String,
    lengths: Vec<String>,
    length: Option<String>,
    costs: Vec<(&'static str, &'static str)>,
    cost: &'static str,
    chart: String,
    rows: Vec<Line>,
    /// Titles on the front, best first.
    front: Vec<String>,
    query: String,
    queued: Option<u32>,
    /// Present for maintainers.
    csrf: Option<String>,
}

struct Line {
    number: usize,
    policy: String,
    title: String,
    settings: String,
    model: String,
    run: Option<Uuid>,
    /// Why there is no result.
    remark: &'static str,
    front: bool,
    result: Option<ResultLine>,
}

/// A result as a table writes it.
pub(crate) struct ResultLine {
    pub samples: String,
    pub score: String,
    pub interval: String,
    pub difference: String,
    pub difference_interval: String,
    pub cost: Option<CostLine>,
}

/// A cost as a table writes it, in the units of its headers.
pub(crate) struct CostLine {
    pub kept: String,
    pub most_kept: String,
    pub cache_mib: String,
    pub selection_ms: String,
    pub attention_ms: String,
    pub gflop: String,
    pub read_mib: String,
}

async fn json(choice: Query<Choice>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(choice.report(&longboard).await?.0))
}

async fn methods(
    visitor: Visitor,
    choice: Query<Choice>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, PageError> {
    let (report, axis) = choice.report(&longboard).await?;
    let suites = longboard.store().suites().await?.into_iter().filter(|suite| !suite.imported);
    let mut lengths = report.lengths.clone();
    lengths.extend(report.length.clone().filter(|length| !report.lengths.contains(length)));
    let length = report.length.as_ref().map(|length| format!("&length={length}")).unwrap_or_default();
    let on_front = report.methods.iter().filter(|row| row.front).map(|row| row.title.clone());
    page(&MethodsPage {
        suites: suites.map(|suite| (suite.slug, suite.title)).collect(),
        lengths,
        length: report.length.clone(),
        costs: CostAxis::ALL.map(|axis| (axis.slug(), words(axis))).to_vec(),
        cost: axis.slug(),
        chart: pareto(words(axis), &points(&report.methods, axis)),
        front: on_front.collect(),
        rows: report.methods.iter().enumerate().map(line).collect(),
        query: format!("suite={}{length}&cost={}", report.suite, axis.slug()),
        queued: choice.queued,
        csrf: visitor.0.filter(|person| person.maintainer().is_some()).map(|person| person.csrf),
        suite: report.suite,
    })
}

async fn request_runs(form: KeeperPosted, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let runs = longboard.request_reference_runs(&form.proof, Utc::now()).await?;
    Ok(see(&format!("/methods?suite={REFERENCE_SUITE}&queued={}", runs.len())))
}

/// A cost with its unit.
const fn words(axis: CostAxis) -> &'static str {
    match axis {
        CostAxis::AttentionFlops => "attention, GFLOP per sample",
        CostAxis::AttentionMs => "attention, ms per sample",
        CostAxis::AttentionBytes => "keys and values read, MiB per sample",
        CostAxis::KeptTokens => "kept tokens per head",
        CostAxis::CacheBytes => "cache, MiB",
    }
}

/// Of the axis' figure in the unit of [`words`].
const fn unit(axis: CostAxis) -> f64 {
    match axis {
        CostAxis::AttentionFlops => GIGA,
        CostAxis::AttentionBytes | CostAxis::CacheBytes => MEBI,
        CostAxis::AttentionMs | CostAxis::KeptTokens => 1.0,
    }
}

fn points(methods: &[MethodRow], axis: CostAxis) -> Vec<ParetoPoint> {
    let point = |(place, row): (usize, &MethodRow)| {
        let result = row.result.as_ref()?;
        Some(ParetoPoint {
            number: place + 1,
            name: row.title.clone(),
            cost: axis.of(result.cost.as_ref()?) / unit(axis),
            score: result.score,
            ci95: result.ci95,
            front: row.front,
        })
    };
    methods.iter().enumerate().filter_map(point).collect()
}

fn line((place, row): (usize, &MethodRow)) -> Line {
    Line {
        number: place + 1,
        policy: row.policy.clone(),
        title: row.title.clone(),
        settings: row.settings.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", "),
        model: row.model.clone(),
        run: row.run,
        remark: remark(row.state.as_deref()),
        front: row.front,
        result: row.result.as_ref().map(ResultLine::new),
    }
}

fn remark(state: Option<&str>) -> &'static str {
    match state {
        None => "not run yet",
        Some("open") => "its run has not come so far yet",
        Some(_) => "its run has no answers of every task at this length",
    }
}

impl ResultLine {
    pub(crate) fn new(result: &longboard_protocol::api::MethodResult) -> Self {
        let [low, high] = result.ci95;
        let complete = result.n >= result.expected;
        let (difference, difference_interval) = beside_dense(result.difference.as_ref());
        Self {
            samples: if complete { result.n.to_string() } else { format!("{} of {}", result.n, result.expected) },
            score: format!("{:.1}", result.score),
            interval: format!("{low:.1}–{high:.1}"),
            difference,
            difference_interval,
            cost: result.cost.as_ref().map(CostLine::new),
        }
    }
}

/// The difference and its interval in words.
fn beside_dense(difference: Option<&MethodDifference>) -> (String, String) {
    let Some(difference) = difference else { return ("–".to_owned(), "–".to_owned()) };
    let interval = match difference.ci95 {
        Some([low, high]) if low == high => format!("equal on all {}", difference.n),
        Some([low, high]) => format!("{low:+.1} to {high:+.1}"),
        None if difference.paired => "one item only".to_owned(),
        None => "not paired".to_owned(),
    };
    (format!("{:+.1}", difference.value), interval)
}

impl CostLine {
    fn new(cost: &MethodCost) -> Self {
        let mebi = |axis: CostAxis| figure(axis.of(cost) / MEBI);
        Self {
            kept: format!("{:.0}", cost.kept_tokens),
            most_kept: format!("{:.0}", cost.max_kept_tokens),
            cache_mib: mebi(CostAxis::CacheBytes),
            selection_ms: figure(cost.selection_ms),
            attention_ms: figure(cost.attention_ms),
            gflop: figure(cost.attention_flops / GIGA),
            read_mib: mebi(CostAxis::AttentionBytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use longboard_protocol::api::MethodResult;

    use super::*;

    #[test]
    fn absent_values_are_dashes_and_costs_carry_their_unit() {
        let cost = MethodCost {
            cache_bytes: 3 * 1024 * 1024,
            attention_flops: 2.5e9,
            kept_tokens: 1024.4,
            ..MethodCost::default()
        };
        let result =
            MethodResult { n: 3, expected: 8, score: 50.0, ci95: [20.0, 80.0], difference: None, cost: Some(cost) };
        let line = ResultLine::new(&result);
        assert_eq!((line.difference.as_str(), line.difference_interval.as_str()), ("–", "–"));
        assert_eq!(line.samples, "3 of 8");
        let shown = line.cost.unwrap();
        assert_eq!((shown.cache_mib.as_str(), shown.gflop.as_str(), shown.kept.as_str()), ("3.00", "2.50", "1024"));
        let row = MethodRow {
            policy: "quest".to_owned(),
            title: "Quest".to_owned(),
            model: "reference-quest".to_owned(),
            settings: [("budget".to_owned(), 512.0)].into(),
            run: None,
            state: None,
            result: Some(result),
            front: true,
        };
        assert_eq!(line_of(&row).settings, "budget 512");
        let points = points(&[MethodRow { result: None, ..row.clone() }, row], CostAxis::AttentionFlops);
        assert_eq!((points.len(), points[0].number, points[0].cost), (1, 2, 2.5));
    }

    fn line_of(row: &MethodRow) -> Line {
        line((0, row))
    }

    #[test]
    fn differences_say_what_they_rest_on() {
        let beside = |ci95, paired| beside_dense(Some(&MethodDifference { value: -2.5, ci95, n: 9, paired })).1;
        assert_eq!(beside(Some([-5.0, 0.0]), true), "-5.0 to +0.0");
        assert_eq!(beside(Some([0.0, 0.0]), true), "equal on all 9");
        assert_eq!(beside(None, false), "not paired");
    }
}
