//! Judges: who they are, how healthy they are, what they said.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get};
use askama::Template;
use longboard_app::report::moment;
use longboard_app::store::JudgeKind;
use longboard_app::store::judge::Judge;
use longboard_app::store::judging::Verdict;
use longboard_app::{AppError, Longboard};
use longboard_protocol::judging::HealthReport;
use serde_json::json;
use uuid::Uuid;

use crate::pages::page;
use crate::pages::rating::{JudgeLine, judge_line};
use crate::refusal::{ApiError, PageError};
use crate::shelf::Shelf;

/// Verdicts of the page.
const LINES: u64 = 50;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/judges", get().to(judges))
        .route("/judges/{slug}.json", get().to(json_judge))
        .route("/judges/{slug}", get().to(judge));
}

#[derive(Template)]
#[template(path = "judges/list.html")]
struct JudgesPage {
    judges: Vec<Listed>,
}

struct Listed {
    slug: String,
    name: String,
    kind: &'static str,
    family: String,
    prompt_version: String,
    checked: String,
    right: String,
    moved: String,
    retired: bool,
}

async fn judges(longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let judges = longboard.store().judges().await?;
    page(&JudgesPage { judges: judges.into_iter().map(listed).collect() })
}

/// A stored report; `None` for one of another version.
pub(super) fn report(judge: &Judge) -> Option<HealthReport> {
    serde_json::from_value(judge.health.clone()?).ok()
}

fn listed(judge: Judge) -> Listed {
    let report = report(&judge);
    let count = |part: u32, of: u32| format!("{part} of {of}");
    Listed {
        kind: judge.kind.slug(),
        checked: judge.health_at.map_or("–".to_owned(), moment),
        right: report.as_ref().map_or("–".to_owned(), |report| count(report.right, report.plain)),
        moved: report.as_ref().map_or("–".to_owned(), |report| {
            let sum = report.injections.iter().fold((0, 0), |(moved, all), one| (moved + one.moved, all + one.trials));
            count(sum.0, sum.1)
        }),
        retired: judge.retired_at.is_some(),
        slug: judge.slug,
        name: judge.name,
        family: judge.family,
        prompt_version: judge.prompt_version,
    }
}

#[derive(Template)]
#[template(path = "judges/judge.html")]
struct JudgePage {
    judge: Judge,
    about: &'static str,
    flags: Vec<&'static str>,
    enrolled: String,
    health: Option<Checked>,
    checked: String,
    boards: Vec<(String, JudgeLine)>,
    verdicts: Vec<VerdictLine>,
}

struct Checked {
    report: HealthReport,
}

struct VerdictLine {
    battle: Uuid,
    task: String,
    first: String,
    second: String,
    label: String,
    when: String,
}

async fn judge(slug: Path<String>, longboard: Data<Longboard>, shelf: Data<Shelf>) -> Result<HttpResponse, PageError> {
    let found = longboard.store().judge(&slug).await?;
    let judge = found.ok_or_else(|| AppError::NotFound(format!("judge `{slug}`")))?;
    let verdicts = longboard.store().verdicts_of_judge(&judge.slug, LINES).await?;
    let boards = boards(&shelf, &judge.slug);
    let flags = flags(&boards);
    let about = match judge.kind {
        JudgeKind::Builtin if judge.slug == "fact-judge" => {
            "A function, no model: it checks what an answer says against the facts the text was written from, and serves as ground truth for the others."
        }
        JudgeKind::Builtin => "A function, no model: it compares the words of an answer with the reference.",
        JudgeKind::Model => "A model behind an endpoint that a maintainer enrolled.",
        JudgeKind::Humans => {
            "People who see two answers without knowing whose they are. Their labels measure the other judges."
        }
    };
    page(&JudgePage {
        about,
        flags,
        enrolled: moment(judge.enrolled_at),
        health: report(&judge).map(|report| Checked { report }),
        checked: judge.health_at.map(moment).unwrap_or_default(),
        boards,
        verdicts: verdicts.into_iter().filter(|verdict| verdict.second_entry.is_some()).map(line).collect(),
        judge,
    })
}

fn boards(shelf: &Shelf, slug: &str) -> Vec<(String, JudgeLine)> {
    let mut found = Vec::new();
    for edition in shelf.all_ratings() {
        let aware = edition.board.views.iter().find_map(|view| view.rating.judge_aware.as_ref());
        let gamma = aware.and_then(|jury| jury.judges.iter().find(|judge| judge.judge == slug));
        let gamma = gamma.map_or("–".to_owned(), |judge| format!("{:.2}", judge.gamma));
        if let Some(summary) = edition.board.judges.iter().find(|judge| judge.judge == slug) {
            found.push((edition.board.slug.clone(), judge_line(summary, gamma)));
        }
    }
    found
}

/// What to know, in sentences.
fn flags(boards: &[(String, JudgeLine)]) -> Vec<&'static str> {
    let has = |flag: &str| boards.iter().any(|(_, line)| line.flags.iter().any(|own| own == flag));
    [
        ("prefers a place", "This judge prefers a place: the order of the answers decides more than chance allows."),
        (
            "flips",
            "This judge flips: in more than a quarter of the battles the other answer wins when the order changes.",
        ),
        ("can be talked round", "This judge can be talked round: planted instructions turn its verdicts."),
        ("often invalid", "This judge often gives no readable verdict."),
    ]
    .into_iter()
    .filter(|(flag, _)| has(flag))
    .map(|(_, words)| words)
    .collect()
}

fn line(verdict: Verdict) -> VerdictLine {
    VerdictLine {
        battle: verdict.battle_id,
        task: format!("{}, item {}", verdict.task_slug, verdict.item_index),
        first: verdict.first_entry,
        second: verdict.second_entry.unwrap_or_default(),
        label: verdict.label.unwrap_or_default(),
        when: verdict.decided_at.map(moment).unwrap_or_default(),
    }
}

async fn json_judge(
    slug: Path<String>,
    longboard: Data<Longboard>,
    shelf: Data<Shelf>,
) -> Result<HttpResponse, ApiError> {
    let found = longboard.store().judge(&slug).await?;
    let judge = found.ok_or_else(|| AppError::NotFound(format!("judge `{slug}`")))?;
    let boards: Vec<_> = shelf
        .all_ratings()
        .iter()
        .filter_map(|edition| {
            let summary = edition.board.judges.iter().find(|summary| summary.judge == judge.slug)?;
            Some(json!({"board": edition.board.slug, "summary": summary}))
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "judge": judge.slug,
        "name": judge.name,
        "kind": judge.kind.slug(),
        "family": judge.family,
        "prompt_version": judge.prompt_version,
        "health": judge.health,
        "health_at": judge.health_at,
        "boards": boards,
    })))
}
