//! Battles of a judged board, and one battle with every verdict.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::battle::{Battle, Heard};
use longboard_app::store::judging::Verdict;
use longboard_app::suites::judging::Label;
use longboard_app::suites::length::Length;
use longboard_app::{AppError, Longboard};
use serde::Deserialize;
use uuid::Uuid;

use crate::charts::figure;
use crate::pages::page;
use crate::refusal::{ApiError, PageError};

/// Battles of one page.
const LINES: usize = 200;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/boards/{board}/battles", get().to(battles))
        .route("/battles/{id}.json", get().to(json))
        .route("/battles/{id}", get().to(battle));
}

#[derive(Deserialize)]
struct Choice {
    judge: Option<String>,
    entry: Option<String>,
    only: Option<String>,
}

#[derive(Template)]
#[template(path = "ratings/battles.html")]
struct BattlesPage {
    board: String,
    judges: Vec<(String, bool)>,
    entries: Vec<(String, bool)>,
    only: String,
    lines: Vec<Line>,
    more: usize,
}

#[derive(Default)]
struct Line {
    id: Uuid,
    item: String,
    first: String,
    second: String,
    wins: u32,
    ties: u32,
    losses: u32,
    invalid: u32,
    waiting: u32,
    /// By judge: the entries it preferred, in whatever order.
    preferred: BTreeMap<String, BTreeSet<String>>,
}

async fn battles(
    board: Path<String>,
    choice: Query<Choice>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, PageError> {
    let store = longboard.store();
    let row = store.rating_board(&board).await?;
    let suite =
        row.and_then(|row| row.suite_slug).ok_or_else(|| AppError::NotFound(format!("judged board `{board}`")))?;
    let verdicts = store.verdicts_of_suite(&suite).await?;
    let wanted = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (judge, entry) = (wanted(&choice.judge), wanted(&choice.entry));
    let names = |all: BTreeSet<String>, chosen: &Option<String>| {
        all.into_iter()
            .map(|name| {
                let own = Some(&name) == chosen.as_ref();
                (name, own)
            })
            .collect()
    };
    let judges = verdicts.iter().map(|verdict| verdict.judge_slug.clone()).collect();
    let entries = verdicts.iter().map(|verdict| verdict.first_entry.clone()).collect();
    let only = choice.only.clone().unwrap_or_default();
    let mut lines = lines(&verdicts, judge.as_deref(), entry.as_deref());
    lines.retain(|line| match only.as_str() {
        "split" => line.preferred.values().flatten().collect::<BTreeSet<_>>().len() > 1,
        "flips" => line.preferred.values().any(|preferred| preferred.len() > 1),
        _ => true,
    });
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    page(&BattlesPage {
        board: board.into_inner(),
        judges: names(judges, &judge),
        entries: names(entries, &entry),
        only,
        lines,
        more,
    })
}

fn lines(verdicts: &[Verdict], judge: Option<&str>, entry: Option<&str>) -> Vec<Line> {
    let mut lines: BTreeMap<Uuid, Line> = BTreeMap::new();
    for verdict in verdicts {
        let Some(second) = verdict.second_entry.as_deref() else { continue };
        let sides = [verdict.first_entry.as_str(), second];
        if judge.is_some_and(|judge| judge != verdict.judge_slug) || entry.is_some_and(|entry| !sides.contains(&entry))
        {
            continue;
        }
        let line = lines.entry(verdict.battle_id).or_insert_with(|| started(verdict, sides));
        count(line, verdict, second);
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    lines.sort_by(|left, right| left.item.cmp(&right.item).then_with(|| left.first.cmp(&right.first)));
    lines
}

fn started(verdict: &Verdict, mut sides: [&str; 2]) -> Line {
    sides.sort_unstable();
    let [first, second] = sides.map(ToOwned::to_owned);
    let length =
        Length::new(verdict.length_tokens.cast_unsigned()).map(|length| length.to_string()).unwrap_or_default();
    let item = format!("{} at {length}, item {}", verdict.task_slug, verdict.item_index);
    Line { id: verdict.battle_id, item, first, second, ..Line::default() }
}

fn count(line: &mut Line, verdict: &Verdict, second: &str) {
    let winner = match verdict.label.as_deref().and_then(Label::parse) {
        None => return line.waiting += 1,
        Some(Label::Invalid) => return line.invalid += 1,
        Some(Label::Tie) => return line.ties += 1,
        Some(Label::First) => verdict.first_entry.as_str(),
        Some(Label::Second) => second,
    };
    if winner == line.first {
        line.wins += 1;
    } else {
        line.losses += 1;
    }
    line.preferred.entry(verdict.judge_slug.clone()).or_default().insert(winner.to_owned());
}

#[derive(Template)]
#[template(path = "ratings/battle.html")]
struct BattlePage {
    battle: Battle,
    judges: Vec<JudgeVerdicts>,
}

struct JudgeVerdicts {
    slug: String,
    flipped: bool,
    heard: Vec<Heard>,
}

impl BattlePage {
    fn percent(&self, score: &f64) -> String {
        format!("{:.1}", 100.0 * score)
    }

    fn chance(&self, propensity: &f64) -> String {
        figure(*propensity)
    }
}

async fn battle(id: Path<Uuid>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let battle = longboard.battle(*id).await?;
    let mut judges: Vec<JudgeVerdicts> = Vec::new();
    for heard in battle.verdicts.iter().cloned() {
        match judges.iter_mut().find(|own| own.slug == heard.judge) {
            Some(own) => own.heard.push(heard),
            None => judges.push(JudgeVerdicts { slug: heard.judge.clone(), flipped: false, heard: vec![heard] }),
        }
    }
    for judge in &mut judges {
        let winners: BTreeSet<&String> = judge.heard.iter().filter_map(|heard| heard.winner.as_ref()).collect();
        judge.flipped = winners.len() > 1;
    }
    page(&BattlePage { battle, judges })
}

async fn json(id: Path<Uuid>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(longboard.battle(*id).await?))
}
