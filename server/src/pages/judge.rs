//! Judges: who they are, how healthy they are, what they said.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get};
use askama::Template;
use longboard_app::judge::health_report;
use longboard_app::jury::{Agreement, JudgeSummary};
use longboard_app::rating::RatingBoard;
use longboard_app::report::moment;
use longboard_app::stats::judge::Share;
use longboard_app::store::JudgeKind;
use longboard_app::store::judge::Judge;
use longboard_app::store::judging::Verdict;
use longboard_app::{AppError, Longboard};
use longboard_protocol::judging::HealthReport;
use serde_json::json;
use uuid::Uuid;

use crate::pages::page;
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

fn listed(judge: Judge) -> Listed {
    let report = health_report(&judge);
    let of = |(part, all): (u32, u32)| format!("{part} of {all}");
    Listed {
        kind: judge.kind.slug(),
        checked: judge.health_at.map_or("–".to_owned(), moment),
        right: report.as_ref().map_or("–".to_owned(), |report| of((report.right, report.plain))),
        moved: report.as_ref().map_or("–".to_owned(), |report| of(report.turned())),
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
    health: Option<HealthReport>,
    checked: String,
    boards: Vec<(String, JudgeLine)>,
    verdicts: Vec<VerdictLine>,
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
        health: health_report(&judge),
        checked: judge.health_at.map(moment).unwrap_or_default(),
        boards,
        verdicts: verdicts.into_iter().filter(|verdict| verdict.second_entry.is_some()).map(line).collect(),
        judge,
    })
}

fn boards(shelf: &Shelf, slug: &str) -> Vec<(String, JudgeLine)> {
    let line = |board: &RatingBoard| {
        let summary = board.judges.iter().find(|judge| judge.judge == slug)?;
        Some((board.slug.clone(), judge_line(board, summary)))
    };
    shelf.all_ratings().iter().filter_map(|edition| line(&edition.board)).collect()
}

/// A judge as a table writes it.
pub(crate) struct JudgeLine {
    pub slug: String,
    pub name: String,
    pub kind: String,
    pub family: String,
    pub verdicts: u64,
    pub gamma: String,
    pub flips: String,
    pub first: String,
    pub ties: String,
    pub cycles: String,
    pub with_facts: String,
    pub with_people: String,
    pub moved: String,
    pub flags: Vec<String>,
}

/// A judge's line on a board.
pub(super) fn judge_line(board: &RatingBoard, judge: &JudgeSummary) -> JudgeLine {
    JudgeLine {
        slug: judge.judge.clone(),
        name: judge.name.clone(),
        kind: judge.kind.clone(),
        family: judge.family.clone(),
        verdicts: judge.verdicts,
        gamma: board.gamma(&judge.judge).map_or("–".to_owned(), |gamma| format!("{gamma:.2}")),
        flips: share(judge.flips.as_ref()),
        first: share(judge.first_wins.as_ref()),
        ties: share(judge.ties.as_ref()),
        cycles: share(judge.cycles.as_ref()),
        with_facts: agreement(judge.with_facts.as_ref()),
        with_people: agreement(judge.with_people.as_ref()),
        moved: judge.health.as_ref().map_or("–".to_owned(), |report| {
            let (moved, all) = report.turned();
            format!("{moved} of {all}")
        }),
        flags: judge.flags.clone(),
    }
}

fn share(share: Option<&Share>) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.1}", 100.0 * share.value))
}

fn agreement(agreement: Option<&Agreement>) -> String {
    agreement.map_or("–".to_owned(), |found| {
        let kappa = found.kappa.map_or(String::new(), |kappa| format!(", κ {kappa:.2}"));
        format!("{:.0} %{kappa}", 100.0 * found.share.value)
    })
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
