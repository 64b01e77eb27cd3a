//! Boards of ratings: votes from judges or from a file, seen in several ways.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use longboard_protocol::board::{Cell, EffectiveLength};
use longboard_stats::correlation::spearman;
use longboard_stats::rating::{ModelFlag, Rating, RatingOptions, rate};
use longboard_stats::tie::Ties;
use longboard_stats::vote::{Ballot, VoteLog, Winner};
use longboard_store::judging::Verdict;
use longboard_store::rating_board::{Ballot as BallotRow, RatingBoard as BoardRow};
use longboard_store::{RatingSource, Store};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::AppError;
use crate::jury::{Absolute, HumanShare, JudgePair, JudgeSummary, absolute, alpha, calibrated, pairs, summaries};
use crate::standing::winner;

/// Seed of all draws behind a board, so that everybody computes the same.
const SEED: u64 = 2026;

/// Ridge on the order effects of single judges, on the summed loss.
const RIDGE: f64 = 0.5;

/// Share of ties above which the headline models them.
const MANY_TIES: f64 = 0.1;

/// A board of ratings, `/boards/{slug}.json`. The stable fields are those of a board of scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingBoard {
    /// Slug in the path.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Digest of the content.
    pub snapshot: String,
    /// When it was computed.
    pub published_at: DateTime<Utc>,
    /// Suite whose answers are judged.
    pub suite: Option<String>,
    /// `judging` or `votes`.
    pub source: String,
    /// Slug of the view that `rows` show.
    pub headline: String,
    /// Best first; without a finite rating last.
    pub rows: Vec<RatingRow>,
    /// The same votes seen in several ways.
    pub views: Vec<RatingView>,
    /// Judges with what is known about them.
    pub judges: Vec<JudgeSummary>,
    /// Absolute ratings by the same judges.
    pub absolute: Vec<Absolute>,
    /// Rank correlation of the mean absolute rating with the headline's rating; null below three entries with both.
    #[serde(default)]
    pub absolute_correlation: Option<f64>,
    /// Krippendorff's alpha over the judges.
    pub alpha: Option<f64>,
    /// Agreement of every two judges.
    #[serde(default)]
    pub pairs: Vec<JudgePair>,
    /// Shares of points calibrated by people's labels.
    pub calibrated: Vec<HumanShare>,
    /// Comparisons without a readable verdict.
    pub invalid: u64,
    /// Comparisons that wait for a judge.
    pub undecided: u64,
    /// Remarks about the data.
    pub notes: Vec<String>,
}

impl RatingBoard {
    /// A judge's discrimination, where the board weighs judges.
    #[must_use]
    pub fn gamma(&self, judge: &str) -> Option<f64> {
        let aware = self.views.iter().find_map(|view| view.rating.judge_aware.as_ref())?;
        aware.judges.iter().find(|known| known.judge == judge).map(|known| known.gamma)
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingRow {
    /// Slug or name.
    pub entry: String,
    /// Always `rating`.
    pub kind: String,
    /// Expected share of wins against the other rated entries, 0..100, ties as half; null without a finite rating.
    pub score: Option<f64>,
    /// `score` at both ends of the interval of the rating, the others held where they are.
    pub ci95: Option<[f64; 2]>,
    /// Whether the rating is finite.
    pub complete: bool,
    /// Best and worst rank, all true at once with 95 %.
    pub rank: Option<[u32; 2]>,
    /// Ratings have none.
    pub effective_length: EffectiveLength,
    /// Ratings have none.
    pub by_length: BTreeMap<String, Cell>,
    /// 1000 + (400/ln 10)·θ.
    pub elo: Option<f64>,
    /// Its 95 % interval.
    pub ci95_elo: Option<[f64; 2]>,
    /// Warnings.
    pub flags: Vec<String>,
}

/// One way to see the votes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingView {
    /// Name in the query.
    pub slug: String,
    /// Title of the tab.
    pub title: String,
    /// What it does, in a sentence.
    pub what: String,
    /// The numbers.
    pub rating: Rating,
}

/// What a board is computed from.
#[derive(Debug, Default)]
struct Material {
    log: VoteLog,
    judges: Vec<JudgeSummary>,
    absolute: Vec<Absolute>,
    alpha: Option<f64>,
    pairs: Vec<JudgePair>,
    calibrated: Vec<HumanShare>,
    invalid: u64,
    undecided: u64,
    has_lengths: bool,
    has_judges: bool,
}

/// The newest snapshot of a board of ratings; a fresh one when the data has changed since.
///
/// # Errors
/// [`AppError::NotFound`] without the board.
pub async fn current_rating_board(
    store: &Store,
    slug: &str,
    now: DateTime<Utc>,
) -> Result<(RatingBoard, i64), AppError> {
    let row = store.rating_board(slug).await?.ok_or_else(|| AppError::NotFound(format!("board `{slug}`")))?;
    if let Some((board, version)) = store.latest_snapshot_of::<RatingBoard>(slug).await?
        && version == row.data_version
    {
        return Ok((board, version));
    }
    let material = match row.source {
        RatingSource::Votes => of_votes(&store.ballots(slug).await?)?,
        RatingSource::Judging => of_verdicts(store, row.suite_slug.as_deref().unwrap_or_default()).await?,
    };
    let (version, described) = (row.data_version, row.clone());
    let board =
        tokio::task::spawn_blocking(move || compute(&described, material, now)).await.map_err(AppError::stopped)?;
    store.add_snapshot_of(slug, &board.snapshot, board.published_at, &board, version).await?;
    Ok((board, version))
}

fn of_votes(ballots: &[BallotRow]) -> Result<Material, AppError> {
    let mut material = Material::default();
    for row in ballots {
        let winner = match row.winner.as_str() {
            "first" => Winner::First,
            "second" => Winner::Second,
            _ => Winner::Tie,
        };
        let lengths = row.first_length.zip(row.second_length).map(|(first, second)| [first, second]);
        material.has_lengths |= lengths.is_some();
        let ballot = Ballot {
            first: &row.first_entry,
            second: &row.second_entry,
            winner,
            question: &row.question,
            judge: &row.judge,
            weight: row.weight,
            lengths,
        };
        material.log.push(&ballot).map_err(|error| AppError::Invalid(error.to_string()))?;
    }
    material.has_judges = material.log.judges().len() > 1;
    Ok(material)
}

async fn of_verdicts(store: &Store, suite: &str) -> Result<Material, AppError> {
    let verdicts = store.verdicts_of_suite(suite).await?;
    let lengths = store.answer_lengths_of_suite(suite).await?;
    let judges = store.judges().await?;
    let mut material = Material { has_lengths: true, ..Material::default() };
    for verdict in verdicts.iter().filter(|verdict| verdict.labeller.is_empty()) {
        count(&mut material, verdict, &lengths)?;
    }
    material.has_judges = material.log.judges().len() > 1;
    material.judges = summaries(&judges, &verdicts);
    material.absolute = absolute(&verdicts);
    material.alpha = alpha(&verdicts);
    material.pairs = pairs(&verdicts);
    material.calibrated = calibrated(&verdicts);
    Ok(material)
}

fn count(material: &mut Material, verdict: &Verdict, lengths: &HashMap<i64, i64>) -> Result<(), AppError> {
    if verdict.decided_at.is_none() {
        material.undecided += 1;
        return Ok(());
    }
    let Some(winner) = winner(verdict) else {
        let unread = verdict.second_answer.is_some() && verdict.label.as_deref() == Some("invalid");
        material.invalid += u64::from(unread);
        return Ok(());
    };
    #[expect(clippy::cast_precision_loss, reason = "lengths of answers")]
    let length = |answer: i64| lengths.get(&answer).map(|length| *length as f64);
    let both = length(verdict.first_answer).zip(verdict.second_answer.and_then(length));
    let ballot = Ballot {
        first: &verdict.first_entry,
        second: verdict.second_entry.as_deref().unwrap_or_default(),
        winner,
        question: &format!("{}/{}/{}", verdict.task_slug, verdict.length_tokens, verdict.item_index),
        judge: &verdict.judge_slug,
        weight: 1.0,
        lengths: both.map(|(first, second)| [first, second]),
    };
    material.log.push(&ballot).map_err(|error| AppError::Invalid(error.to_string()))
}

/// The views of the votes; a view that cannot be computed is a note instead.
fn compute(row: &BoardRow, material: Material, now: DateTime<Utc>) -> RatingBoard {
    let mut notes = row.remarks.0.clone();
    let mut views = Vec::new();
    for (slug, title, what, options) in planned(&material) {
        match rate(&material.log, &options) {
            Ok(rating) => {
                views.push(RatingView {
                    slug: slug.to_owned(),
                    title: title.to_owned(),
                    what: what.to_owned(),
                    rating,
                });
            }
            Err(error) => notes.push(format!("{title}: {error}")),
        }
    }
    let headline = headline(row.source, &views);
    let rows = views.iter().find(|view| view.slug == headline).map(|view| rows(&view.rating)).unwrap_or_default();
    let absolute_correlation = correlation(&material.absolute, &rows);
    let mut board = RatingBoard {
        slug: row.slug.clone(),
        title: row.title.clone(),
        snapshot: String::new(),
        published_at: now,
        suite: row.suite_slug.clone(),
        source: row.source.slug().to_owned(),
        headline,
        rows,
        views,
        judges: material.judges,
        absolute: material.absolute,
        absolute_correlation,
        alpha: material.alpha,
        pairs: material.pairs,
        calibrated: material.calibrated,
        invalid: material.invalid,
        undecided: material.undecided,
        notes,
    };
    board.snapshot = digest(&board);
    board
}

/// Rank correlation over the entries that have both a rating and absolute ratings; the judges' means are averaged.
fn correlation(absolute: &[Absolute], rows: &[RatingRow]) -> Option<f64> {
    let mean = |entry: &str| {
        let scores: Vec<f64> = absolute.iter().filter(|row| row.entry == entry).map(|row| row.score).collect();
        #[expect(clippy::cast_precision_loss, reason = "a count of judges")]
        let count = scores.len() as f64;
        (count > 0.0).then(|| scores.iter().sum::<f64>() / count)
    };
    let both: (Vec<f64>, Vec<f64>) = rows.iter().filter_map(|row| row.elo.zip(mean(&row.entry))).unzip();
    spearman(&both.0, &both.1).ok().flatten()
}

type Planned = (&'static str, &'static str, &'static str, RatingOptions);

fn planned(material: &Material) -> Vec<Planned> {
    let base = RatingOptions { ties: Ties::HalfWin, order_effect: false, seed: SEED, ..RatingOptions::default() };
    let davidson = RatingOptions { ties: Ties::Davidson, ..base.clone() };
    let mut views: Vec<Planned> = vec![
        ("half-win", "Raw", "A tie is half a win for each side; nothing is corrected for.", base.clone()),
        ("davidson", "Ties modelled", "Davidson 1970: ties have a parameter of their own.", davidson.clone()),
        (
            "rao-kupper",
            "Ties by threshold",
            "Rao and Kupper 1967: a tie is a difference below a threshold.",
            RatingOptions { ties: Ties::RaoKupper, ..base.clone() },
        ),
        (
            "order",
            "Order corrected",
            "Davidson's ties with an advantage of the answer shown first.",
            RatingOptions { order_effect: true, ..davidson.clone() },
        ),
    ];
    if material.has_lengths {
        views.push((
            "length",
            "Length corrected",
            "As order corrected, and what longer answers gain by being longer is taken out.",
            RatingOptions { order_effect: true, control_length: true, ..davidson.clone() },
        ));
    }
    if material.has_judges {
        views.push((
            "judges",
            "Judges weighed",
            "Every judge has a discrimination of its own; a consistent judge counts more, be it right or wrong.",
            // A judge that always names one place has no finite order effect without a ridge.
            RatingOptions { order_effect: true, judge_aware: true, ridge: RIDGE, ..davidson },
        ));
    }
    views
}

/// A file shows its votes as they are; judges are known to prefer a place, so their board is corrected for it.
fn headline(source: RatingSource, views: &[RatingView]) -> String {
    let ties = views.first().map_or(0.0, |view| {
        let counts = &view.rating.counts;
        #[expect(clippy::cast_precision_loss, reason = "counts of votes")]
        let share = counts.ties as f64 / counts.votes.max(1) as f64;
        share
    });
    let wanted = match source {
        RatingSource::Judging => "order",
        RatingSource::Votes if ties > MANY_TIES => "davidson",
        RatingSource::Votes => "half-win",
    };
    let found = views.iter().find(|view| view.slug == wanted).or_else(|| views.first());
    found.map(|view| view.slug.clone()).unwrap_or_default()
}

/// The entries of a view.
#[must_use]
pub fn rows(rating: &Rating) -> Vec<RatingRow> {
    rating
        .models
        .iter()
        .map(|model| {
            let share = |elo: f64| expected_share(rating, &model.model, elo);
            RatingRow {
                entry: model.model.clone(),
                kind: "rating".to_owned(),
                score: model.elo.and_then(share),
                ci95: model.ci95_elo.and_then(|[low, high]| Some([share(low)?, share(high)?])),
                complete: model.elo.is_some(),
                rank: model.elo.map(|_| model.rank),
                effective_length: EffectiveLength::default(),
                by_length: BTreeMap::new(),
                elo: model.elo,
                ci95_elo: model.ci95_elo,
                flags: model.flags.iter().map(|flag| flag_slug(*flag)).collect(),
            }
        })
        .collect()
}

/// Expected share of wins at `elo` against the other rated models, in percent; `None` without others.
fn expected_share(rating: &Rating, own: &str, elo: f64) -> Option<f64> {
    let others: Vec<f64> =
        rating.models.iter().filter(|model| model.model != own).filter_map(|model| model.elo).collect();
    let count = f64::from(u32::try_from(others.len()).ok().filter(|count| *count > 0)?);
    let sum: f64 = others.iter().map(|other| 1.0 / (1.0 + 10_f64.powf((other - elo) / 400.0))).sum();
    Some(100.0 * sum / count)
}

/// A flag as JSON and pages write it.
fn flag_slug(flag: ModelFlag) -> String {
    serde_json::to_value(flag).ok().and_then(|value| value.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn digest(board: &RatingBoard) -> String {
    let content = RatingBoard { published_at: DateTime::UNIX_EPOCH, ..board.clone() };
    hex::encode(Sha256::digest(serde_json::to_string(&content).unwrap_or_default()))
}
