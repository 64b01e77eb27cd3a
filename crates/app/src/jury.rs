//! What verdicts show about their judges, and what people's labels show about the verdicts.

use std::collections::{BTreeMap, BTreeSet};

use longboard_protocol::judging::HealthReport;
use longboard_stats::agreement::{cohen, krippendorff};
use longboard_stats::interval::mean_interval;
use longboard_stats::judge::{Share, Verdict as Called, health};
use longboard_stats::prediction_powered::prediction_powered;
use longboard_stats::vote::Winner;
use longboard_store::judge::Judge;
use longboard_store::judging::Verdict;
use longboard_suites::judging::BuiltinJudge;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::judge::health_report;
use crate::standing::winner;

/// Human labels of one entry's battles below which they calibrate nothing.
const LABELS: usize = 100;

/// Position test below which a judge is flagged.
const BIASED: f64 = 0.01;

/// Share of planted instructions that may move a judge before it is flagged.
const MOVED: f64 = 0.05;

/// A judge on a board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeSummary {
    /// Slug.
    pub judge: String,
    /// Display name.
    pub name: String,
    /// `builtin`, `model` or `humans`.
    pub kind: String,
    /// Family of models.
    pub family: String,
    /// Version of the prompt.
    pub prompt_version: String,
    /// Comparisons with a verdict.
    pub verdicts: u64,
    /// Comparisons without a readable one.
    pub invalid: u64,
    /// Of the battles judged in both orders, those where the other answer won when the order changed.
    pub flips: Option<Share>,
    /// Of the decided verdicts, those for the answer shown first.
    pub first_wins: Option<Share>,
    /// Of all verdicts, the ties.
    pub ties: Option<Share>,
    /// Exact p of "the place does not matter".
    pub order_effect_p: Option<f64>,
    /// Of the triples decided on a question, those that go in a circle.
    pub cycles: Option<Share>,
    /// Agreement with the fact judge, the ground truth where there is one.
    pub with_facts: Option<Agreement>,
    /// Agreement with people.
    pub with_people: Option<Agreement>,
    /// Its last health check.
    pub health: Option<HealthReport>,
    /// What to know: `prefers a place`, `flips`, `can be talked round`, `often invalid`.
    pub flags: Vec<String>,
}

/// How far two judges say the same about the same battles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Share of equal verdicts.
    pub share: Share,
    /// Cohen's kappa; absent when both always say the same one thing.
    pub kappa: Option<f64>,
}

/// How far two judges agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgePair {
    /// The one whose slug comes first.
    pub one: String,
    /// The other.
    pub other: String,
    /// On the battles that both decided.
    pub agreement: Agreement,
}

/// Absolute ratings of one entry by one judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absolute {
    /// Entry.
    pub entry: String,
    /// Judge.
    pub judge: String,
    /// Answers rated.
    pub n: u64,
    /// Mean, 0..100.
    pub score: f64,
    /// 95 % interval; absent below two ratings.
    pub ci95: Option<[f64; 2]>,
}

/// Share of points of one entry, calibrated by people's labels (prediction-powered inference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HumanShare {
    /// Entry.
    pub entry: String,
    /// Battles that people labelled.
    pub labelled: u64,
    /// Battles that only judges saw.
    pub unlabelled: u64,
    /// Share of points, 0..100.
    pub share: f64,
    /// 95 % interval.
    pub ci95: [f64; 2],
    /// 95 % interval from the labels alone.
    pub human_only_ci95: [f64; 2],
    /// Weight of the judges.
    pub lambda: f64,
}

/// Summaries of all judges that have a verdict, by slug.
#[must_use]
pub fn summaries(judges: &[Judge], verdicts: &[Verdict]) -> Vec<JudgeSummary> {
    let facts = net(verdicts, BuiltinJudge::Fact.slug());
    let people = net(verdicts, crate::judge::HUMANS);
    judges
        .iter()
        .filter(|judge| verdicts.iter().any(|verdict| verdict.judge_slug == judge.slug && verdict.decided_at.is_some()))
        .map(|judge| summary(judge, verdicts, &facts, &people))
        .collect()
}

fn summary(judge: &Judge, verdicts: &[Verdict], facts: &Net, people: &Net) -> JudgeSummary {
    let own: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.judge_slug == judge.slug).collect();
    let called = called(&own);
    let found = health(&called).ok().and_then(|found| found.into_values().next());
    let mine = net(verdicts, &judge.slug);
    let report = health_report(judge);
    let unread = |verdict: &&&Verdict| verdict.second_answer.is_some() && verdict.label.as_deref() == Some("invalid");
    let invalid = count(own.iter().filter(unread).count());
    let mut summary = JudgeSummary {
        judge: judge.slug.clone(),
        name: judge.name.clone(),
        kind: judge.kind.slug().to_owned(),
        family: judge.family.clone(),
        prompt_version: judge.prompt_version.clone(),
        verdicts: count(called.len()),
        invalid,
        flips: found.as_ref().and_then(|found| found.flips),
        first_wins: found.as_ref().and_then(|found| found.first_wins),
        ties: found.as_ref().and_then(|found| found.ties),
        order_effect_p: found.as_ref().map(|found| found.order_effect_p),
        cycles: found.as_ref().and_then(|found| found.cycles),
        with_facts: (judge.slug != BuiltinJudge::Fact.slug()).then(|| agreement(&mine, facts)).flatten(),
        with_people: (judge.slug != crate::judge::HUMANS).then(|| agreement(&mine, people)).flatten(),
        health: report,
        flags: Vec::new(),
    };
    let too_often = found.is_some_and(|found| found.flips_too_often());
    summary.flags = flags(&summary, too_often);
    summary
}

fn flags(summary: &JudgeSummary, flips_too_often: bool) -> Vec<String> {
    let moved = summary.health.as_ref().is_some_and(|report| {
        let (moved, trials) = report.turned();
        f64::from(moved) > MOVED * f64::from(trials)
    });
    let asked = summary.verdicts + summary.invalid;
    [
        (summary.order_effect_p.is_some_and(|p| p < BIASED), "prefers a place"),
        (flips_too_often, "flips"),
        (moved, "can be talked round"),
        (summary.invalid * 20 > asked, "often invalid"),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, flag)| flag.to_owned())
    .collect()
}

/// Decided comparisons in the form the statistics take; questions and entries by number.
fn called(own: &[&Verdict]) -> Vec<Called> {
    let mut entries: BTreeMap<&str, u32> = BTreeMap::new();
    let mut questions: BTreeMap<(Uuid, &str, i32, i32), u32> = BTreeMap::new();
    let mut list = Vec::new();
    for verdict in own {
        let (Some(winner), Some(second)) = (winner(verdict), verdict.second_entry.as_deref()) else { continue };
        let next = u32::try_from(questions.len()).unwrap_or(u32::MAX);
        let key = (verdict.judging_id, verdict.task_slug.as_str(), verdict.length_tokens, verdict.item_index);
        let question = *questions.entry(key).or_insert(next);
        let mut place = |slug| {
            let next = u32::try_from(entries.len()).unwrap_or(u32::MAX);
            *entries.entry(slug).or_insert(next)
        };
        let (first, second) = (place(verdict.first_entry.as_str()), place(second));
        list.push(Called { question, judge: 0, first, second, winner });
    }
    list
}

/// What a judge says about each battle, all its orders and voices together: 1 for the entry that comes first by name,
/// −1 for the other, 0 for neither.
type Net = BTreeMap<Uuid, i8>;

fn net(verdicts: &[Verdict], judge: &str) -> Net {
    let points = points(verdicts.iter().filter(|verdict| verdict.judge_slug == judge));
    points.into_iter().map(|(battle, score)| (battle, if score > 0.5 { 1 } else { -i8::from(score < 0.5) })).collect()
}

/// Mean points of the entry that comes first by name in each battle.
fn points<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> BTreeMap<Uuid, f64> {
    let mut sums: BTreeMap<Uuid, (f64, f64)> = BTreeMap::new();
    for verdict in verdicts {
        let (Some(winner), Some(second)) = (winner(verdict), verdict.second_entry.as_ref()) else { continue };
        let winner = if verdict.first_entry <= *second { winner } else { winner.swapped() };
        let sum = sums.entry(verdict.battle_id).or_default();
        sum.0 += match winner {
            Winner::First => 1.0,
            Winner::Tie => 0.5,
            Winner::Second => 0.0,
        };
        sum.1 += 1.0;
    }
    sums.into_iter().map(|(battle, (sum, count))| (battle, sum / count)).collect()
}

/// Every two judges that decided a battle in common, by slug.
#[must_use]
pub fn pairs(verdicts: &[Verdict]) -> Vec<JudgePair> {
    let judges: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.judge_slug.as_str()).collect();
    let nets: Vec<(&str, Net)> = judges.into_iter().map(|judge| (judge, net(verdicts, judge))).collect();
    let mut pairs = Vec::new();
    for (place, (one, mine)) in nets.iter().enumerate() {
        for (other, theirs) in nets.iter().skip(place + 1) {
            if let Some(agreement) = agreement(mine, theirs) {
                pairs.push(JudgePair { one: (*one).to_owned(), other: (*other).to_owned(), agreement });
            }
        }
    }
    pairs
}

fn agreement(one: &Net, other: &Net) -> Option<Agreement> {
    let both: (Vec<i8>, Vec<i8>) = one.iter().filter_map(|(battle, mine)| Some((*mine, *other.get(battle)?))).unzip();
    let found = cohen(&both.0, &both.1).ok()?;
    Some(Agreement { share: found.agreement, kappa: found.kappa })
}

/// Krippendorff's alpha over all judges but people.
#[must_use]
pub fn alpha(verdicts: &[Verdict]) -> Option<f64> {
    let judges: BTreeSet<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.labeller.is_empty())
        .map(|verdict| verdict.judge_slug.as_str())
        .collect();
    let mut units: BTreeMap<Uuid, Vec<i8>> = BTreeMap::new();
    for judge in judges {
        for (battle, label) in net(verdicts, judge) {
            units.entry(battle).or_default().push(label);
        }
    }
    krippendorff(&units.into_values().collect::<Vec<_>>()).ok().flatten()
}

/// Mean absolute rating of each entry by each judge.
#[must_use]
pub fn absolute(verdicts: &[Verdict]) -> Vec<Absolute> {
    let mut ratings: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.second_answer.is_none()) {
        if let Some(rating) = verdict.rating {
            let key = (verdict.first_entry.clone(), verdict.judge_slug.clone());
            ratings.entry(key).or_default().push(100.0 * rating);
        }
    }
    ratings
        .into_iter()
        .map(|((entry, judge), list)| {
            let n = count(list.len());
            #[expect(clippy::cast_precision_loss, reason = "a count of ratings")]
            let score = list.iter().sum::<f64>() / n as f64;
            let ci95 = mean_interval(&list).ok().map(|estimate| estimate.ci95.map(|end| end.clamp(0.0, 100.0)));
            Absolute { entry, judge, n, score, ci95 }
        })
        .collect()
}

/// Shares of points calibrated by people, for entries with enough labels.
#[must_use]
pub fn calibrated(verdicts: &[Verdict]) -> Vec<HumanShare> {
    let human = points(verdicts.iter().filter(|verdict| !verdict.labeller.is_empty()));
    let machine = points(verdicts.iter().filter(|verdict| verdict.labeller.is_empty()));
    let mut sides: BTreeMap<Uuid, [&str; 2]> = BTreeMap::new();
    for verdict in verdicts {
        if let Some(second) = verdict.second_entry.as_deref() {
            let mut pair = [verdict.first_entry.as_str(), second];
            pair.sort_unstable();
            sides.insert(verdict.battle_id, pair);
        }
    }
    let entries: BTreeSet<&str> = sides.values().flatten().copied().collect();
    entries.into_iter().filter_map(|entry| share(entry, &sides, &human, &machine)).collect()
}

fn share(
    entry: &str,
    sides: &BTreeMap<Uuid, [&str; 2]>,
    human: &BTreeMap<Uuid, f64>,
    machine: &BTreeMap<Uuid, f64>,
) -> Option<HumanShare> {
    let (mut labels, mut beside, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
    for (battle, pair) in sides.iter().filter(|(_, pair)| pair.contains(&entry)) {
        let own = |points: f64| if pair.first() == Some(&entry) { points } else { 1.0 - points };
        match (human.get(battle), machine.get(battle)) {
            (Some(label), Some(points)) => {
                labels.push(own(*label));
                beside.push(own(*points));
            }
            (None, Some(points)) => elsewhere.push(own(*points)),
            (_, None) => {}
        }
    }
    if labels.len() < LABELS {
        return None;
    }
    let found = prediction_powered(&labels, &beside, &elsewhere).ok()?;
    let percent = |ends: [f64; 2]| ends.map(|end| (100.0 * end).clamp(0.0, 100.0));
    Some(HumanShare {
        entry: entry.to_owned(),
        labelled: count(labels.len()),
        unlabelled: count(elsewhere.len()),
        share: 100.0 * found.estimate.value,
        ci95: percent(found.estimate.ci95),
        human_only_ci95: percent(found.human_only.ci95),
        lambda: found.lambda,
    })
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
