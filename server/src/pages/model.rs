//! A model: how far its context reaches, by length, depth and outcome.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::report::moment;
use longboard_app::store::answer::Timing;
use longboard_app::store::run::Run;
use longboard_app::suites::length::Length;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::{ModelReport, RunReport};
use longboard_protocol::board::BoardRow;
use serde::Deserialize;

use crate::charts::{CurvePoint, HeatCell, Series, curve, heatmap, outcome_bar};
use crate::pages::page;
use crate::refusal::{ApiError, PageError};
use crate::shelf::Shelf;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/models/{slug}.json", get().to(json)).route("/models/{slug}", get().to(model));
}

#[derive(Deserialize)]
struct Choice {
    suite: Option<String>,
}

#[derive(Template)]
#[template(path = "models/model.html")]
struct ModelPage {
    model: ModelReport,
    /// Slug of the policy of a reference model.
    policy: Option<String>,
    limit: String,
    boards: Vec<BoardLine>,
    /// The newest run of the chosen suite.
    shown: Option<Shown>,
    runs: Vec<(String, String, String, String, bool)>,
}

struct BoardLine {
    slug: String,
    title: String,
    score: String,
    interval: String,
    rank: String,
    reach: String,
    certified: String,
    chosen: bool,
}

struct Shown {
    run: RunReport,
    curve: String,
    points: Vec<CurvePoint>,
    heatmap: String,
    outcomes: String,
    latency: Vec<LatencyLine>,
}

struct LatencyLine {
    length: String,
    n: usize,
    first_token: String,
    median: String,
    p95: String,
}

async fn json(slug: Path<String>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    let row = longboard.model(&slug).await?;
    Ok(HttpResponse::Ok().json(longboard.model_report(&row).await?))
}

async fn model(
    slug: Path<String>,
    choice: Query<Choice>,
    longboard: Data<Longboard>,
    shelf: Data<Shelf>,
) -> Result<HttpResponse, PageError> {
    let row = longboard.model(&slug).await?;
    let model = longboard.model_report(&row).await?;
    let runs = longboard.store().runs_of_endpoint(row.id, 50).await?;
    let wanted = |run: &&Run| choice.suite.as_ref().is_none_or(|suite| *suite == run.suite_slug);
    let rows = shelf.rows(&slug);
    let shown = match runs.iter().find(wanted) {
        Some(run) => {
            let id = run.id.to_string();
            let row = rows.iter().map(|(_, row)| row).find(|row| row.run.as_ref() == Some(&id));
            Some(shown(&longboard, run, row).await?)
        }
        None => None,
    };
    let chosen = shown.as_ref().map(|shown| shown.run.suite.clone()).unwrap_or_default();
    let boards = rows.into_iter().map(|(edition, row)| line(&edition.board.slug, &edition.title, &row, &chosen));
    page(&ModelPage {
        policy: row.method.as_ref().map(|method| method.0.spec.policy.clone()),
        limit: model.context_limit_tokens.map_or_else(|| "not declared".to_owned(), |limit| format!("{limit} tokens")),
        boards: boards.collect(),
        shown,
        runs: runs.iter().map(listed).collect(),
        model,
    })
}

fn listed(run: &Run) -> (String, String, String, String, bool) {
    (run.id.to_string(), moment(run.created_at), run.suite_slug.clone(), run.state.slug().to_owned(), run.counts)
}

fn line(slug: &str, title: &str, row: &BoardRow, chosen: &str) -> BoardLine {
    let dash = || "–".to_owned();
    BoardLine {
        slug: slug.to_owned(),
        title: title.to_owned(),
        score: row.score.map_or_else(dash, |score| format!("{score:.1}")),
        interval: row.ci95.map_or_else(dash, |[low, high]| format!("{low:.1}–{high:.1}")),
        rank: row.rank.map_or_else(
            dash,
            |[best, worst]| {
                if best == worst { best.to_string() } else { format!("{best}–{worst}") }
            },
        ),
        reach: row.effective_length.point.clone().unwrap_or_else(dash),
        certified: row.effective_length.certified.clone().unwrap_or_else(dash),
        chosen: slug == chosen,
    }
}

async fn shown(longboard: &Longboard, run: &Run, row: Option<&BoardRow>) -> Result<Shown, AppError> {
    let report = longboard.run_report(run).await?;
    let cells = longboard.store().depth_cells(run.id).await?.into_iter().filter_map(|cell| {
        let length = Length::new(cell.length_tokens.cast_unsigned()).ok()?;
        Some(HeatCell {
            depth_percent: cell.depth_percent.cast_unsigned(),
            tokens: length.tokens(),
            length: length.to_string(),
            score: 100.0 * cell.score,
            n: u32::try_from(cell.n).unwrap_or(u32::MAX),
        })
    });
    let points = points(run, &report, row);
    let series = [Series { name: report.model.clone(), points: points.clone() }];
    Ok(Shown {
        curve: if run.lengths.0.len() > 1 { curve(&series) } else { String::new() },
        points,
        heatmap: heatmap(&cells.collect::<Vec<_>>()),
        outcomes: outcome_bar(&report.outcomes),
        latency: latency(&longboard.store().timings(run.id).await?),
        run: report,
    })
}

/// Mean over the tasks at each length, where all have answers; with intervals where the run stands on its board.
fn points(run: &Run, report: &RunReport, row: Option<&BoardRow>) -> Vec<CurvePoint> {
    let point = |length: &Length| {
        let name = length.to_string();
        let scores: Option<Vec<f64>> =
            run.tasks.0.iter().map(|task| report.cells.get(&task.slug)?.get(&name)?.score).collect();
        let scores = scores.filter(|scores| !scores.is_empty())?;
        #[expect(clippy::cast_precision_loss, reason = "a handful of tasks")]
        let score = scores.iter().sum::<f64>() / scores.len() as f64;
        let ci95 = row.and_then(|row| row.by_length.get(&name)?.ci95);
        Some(CurvePoint { length: name, tokens: length.tokens(), score, ci95 })
    };
    run.lengths.0.iter().filter_map(point).collect()
}

fn latency(timings: &[Timing]) -> Vec<LatencyLine> {
    let mut by_length: BTreeMap<i32, (Vec<i32>, Vec<i32>)> = BTreeMap::new();
    for timing in timings {
        let (first, total) = by_length.entry(timing.length_tokens).or_default();
        first.extend(timing.first_token_ms);
        total.push(timing.latency_ms);
    }
    let line = |(tokens, (mut first, mut total)): (i32, (Vec<i32>, Vec<i32>))| {
        first.sort_unstable();
        total.sort_unstable();
        LatencyLine {
            length: Length::new(tokens.cast_unsigned()).map(|length| length.to_string()).unwrap_or_default(),
            n: total.len(),
            first_token: quantile(&first, 50),
            median: quantile(&total, 50),
            p95: quantile(&total, 95),
        }
    };
    by_length.into_iter().map(line).collect()
}

/// The nearest rank of a sorted list.
fn quantile(sorted: &[i32], percent: usize) -> String {
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).map_or_else(|| "–".to_owned(), |value| format!("{value} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks() {
        let sorted: Vec<i32> = (1..=20).collect();
        assert_eq!((quantile(&sorted, 50), quantile(&sorted, 95)), ("10 ms".to_owned(), "19 ms".to_owned()));
        assert_eq!((quantile(&[7], 95), quantile(&[], 50)), ("7 ms".to_owned(), "–".to_owned()));
    }
}
