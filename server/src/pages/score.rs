//! Scores from 1 to 5: what a panel of judges makes of a suite's answers.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get};
use askama::Template;
use longboard_app::Longboard;
use longboard_app::panel::{AnswerScores, ScoreReport, ScoreRow};

use crate::pages::page;
use crate::refusal::{ApiError, PageError};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/suites/{slug}/scores.json", get().to(json)).route("/suites/{slug}/scores", get().to(scores));
}

#[derive(Template)]
#[template(path = "suites/scores.html")]
struct ScoresPage {
    suite: String,
    title: String,
    rows: Vec<Row>,
}

struct Row {
    entry: String,
    mean: String,
    interval: String,
    spread: String,
    answers: usize,
    scores: usize,
    unread: usize,
    pending: usize,
    /// Each judge's mean, and how far its samples of one answer are apart.
    judges: Vec<(String, String)>,
}

async fn json(slug: Path<String>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(longboard.score_report(&slug).await?))
}

async fn scores(slug: Path<String>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let ScoreReport { suite, title, rows } = longboard.score_report(&slug).await?;
    page(&ScoresPage { suite, title, rows: rows.into_iter().map(row).collect() })
}

fn row(row: ScoreRow) -> Row {
    let ScoreRow { entry, pending, unread, panel } = row;
    let none = || "–".to_owned();
    let shown = |number: f64| format!("{number:.2}");
    let judges = panel.iter().flat_map(|panel| &panel.judges).map(|judge| {
        let apart = judge.sample_sd.map_or(String::new(), |sd| format!(" ± {sd:.2}"));
        (judge.judge.clone(), format!("{:.2}{apart}", judge.mean))
    });
    Row {
        judges: judges.collect(),
        mean: panel.as_ref().map_or_else(none, |panel| shown(panel.mean)),
        interval: panel
            .as_ref()
            .and_then(|panel| panel.ci95)
            .map_or_else(none, |[low, high]| format!("{low:.2} to {high:.2}")),
        spread: panel.as_ref().map_or_else(none, |panel| shown(panel.spread)),
        answers: panel.as_ref().map_or(0, |panel| panel.answers),
        scores: panel.as_ref().map_or(0, |panel| panel.scores),
        entry,
        unread,
        pending,
    }
}

/// The scores of one answer on its sample's page.
pub(super) struct ScoresView {
    pub summary: String,
    /// Judge, and its scores in order.
    pub judges: Vec<(String, String)>,
}

/// Scores as a sample's page shows them.
pub(super) fn view(scores: AnswerScores) -> ScoresView {
    let summary = scores.panel.map_or_else(
        || "No score yet.".to_owned(),
        |panel| {
            format!(
                "Mean {:.2} of {} scores from 1 to 5; judges are {:.2} apart.",
                panel.mean, panel.scores, panel.spread
            )
        },
    );
    let one = |score: &Option<u8>| score.map_or_else(|| "–".to_owned(), |score| score.to_string());
    let judges = scores.judges.into_iter().map(|judge| {
        let list: Vec<String> = judge.scores.iter().map(one).collect();
        (judge.judge, list.join(", "))
    });
    ScoresView { summary, judges: judges.collect() }
}
