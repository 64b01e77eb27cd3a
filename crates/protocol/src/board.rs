//! `/boards/{slug}.json`: an immutable snapshot of a board.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A published snapshot. Scores are 0..100; a value that does not exist is null, never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Board {
    /// Slug in the path.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Digest of the snapshot's content, also its ETag.
    pub snapshot: String,
    /// When it was computed, UTC.
    pub published_at: DateTime<Utc>,
    /// Suite the board shows.
    pub suite: String,
    /// What the columns are.
    pub columns: Columns,
    /// Length buckets of the suite, short to long, e.g. `1k`.
    pub lengths: Vec<String>,
    /// Tasks of the suite, in its order.
    pub tasks: Vec<BoardTask>,
    /// Rows, best first; incomplete rows last.
    pub rows: Vec<BoardRow>,
    /// Remarks about the data, e.g. differences from a published table.
    pub notes: Vec<String>,
    /// Scores along the dials of families of which the suite holds several tasks.
    #[serde(default)]
    pub dials: Vec<DialCurve>,
    /// Distance in standard errors of the difference beyond which two entries count as different; null without ranks.
    #[serde(default)]
    pub rank_critical: Option<f64>,
}

/// Axis shown as columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// One column per length bucket.
    Lengths,
    /// One column per task.
    Tasks,
}

/// A task as a board names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BoardTask {
    /// Slug.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Family slug.
    pub family: String,
    /// Languages, e.g. `en`.
    pub languages: Vec<String>,
    /// Metric slug, with its form (`official` or `strict`).
    pub metric: String,
    /// Where the task stands among those of its family that differ in one number only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial: Option<DialPoint>,
}

/// A task's place on its family's dial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DialPoint {
    /// What the dial counts, e.g. `documents that hold the fact`.
    pub title: String,
    /// How many.
    pub value: u32,
}

/// Scores along a dial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DialCurve {
    /// What the dial counts.
    pub title: String,
    /// Family whose tasks lie on it.
    pub family: String,
    /// One line per entry, in the board's order.
    pub lines: Vec<DialLine>,
}

/// One entry along a dial, over all lengths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DialLine {
    /// Slug of the model.
    pub entry: String,
    /// Display name.
    pub name: String,
    /// From low to high values; places without samples are absent.
    pub points: Vec<DialScore>,
    /// Logits per doubling, with its 95 % interval; null where no finite slope fits best.
    pub slope: Option<Slope>,
}

/// A score at a place of a dial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DialScore {
    /// Place.
    pub value: u32,
    /// Mean of all samples, 0..100.
    pub score: f64,
    /// Samples.
    pub n: u32,
    /// 95 % interval of `score`.
    pub ci95: Option<[f64; 2]>,
}

/// How a score changes along a dial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Slope {
    /// Logits per doubling.
    pub per_doubling: f64,
    /// 95 % interval.
    pub ci95: [f64; 2],
}

/// One entry of a board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BoardRow {
    /// Slug of the model.
    pub entry: String,
    /// Display name.
    pub name: String,
    /// `endpoint`, `baseline` or `predictions`.
    pub kind: String,
    /// Team slug.
    pub team: String,
    /// Mean over length buckets, null unless every cell of the suite is complete.
    pub score: Option<f64>,
    /// 95 % interval of `score`.
    pub ci95: Option<[f64; 2]>,
    /// Whether every cell has all its samples.
    pub complete: bool,
    /// Best and worst rank that the data allow, true for all entries at once with 95 %.
    pub rank: Option<[u32; 2]>,
    /// Chance of being the best, 0..1, from draws around the scores with their covariance.
    #[serde(default)]
    pub p_best: Option<f64>,
    /// More samples per cell that would separate this entry from the next row, if scores and noise stay as they are; 0 when
    /// they are separate, null when no number would.
    #[serde(default)]
    pub more_to_separate: Option<u64>,
    /// Other means over lengths, null where `score` is.
    #[serde(default)]
    pub aggregates: Option<Aggregates>,
    /// How far the context really reaches.
    pub effective_length: EffectiveLength,
    /// Per length bucket.
    pub by_length: BTreeMap<String, Cell>,
    /// Per task.
    pub by_task: BTreeMap<String, Cell>,
    /// Per task, then per length bucket.
    pub cells: BTreeMap<String, BTreeMap<String, Cell>>,
    /// Warnings, e.g. `truncates`.
    pub flags: Vec<String>,
    /// Run the numbers come from.
    pub run: Option<String>,
}

/// Effective context length, at 0.85 of the entry's own short-context score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EffectiveLength {
    /// Largest length up to which every bucket holds the threshold.
    pub point: Option<String>,
    /// Largest length for which that is certain at 95 %, tested from short to long.
    pub certified: Option<String>,
    /// Largest length that holds the threshold, whatever happens before.
    #[serde(default)]
    pub largest: Option<String>,
    /// The first length that is not certified; null when all are.
    #[serde(default)]
    pub next: Option<NextLength>,
}

/// What certifying one more length would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextLength {
    /// Length, e.g. `16k`.
    pub length: String,
    /// More samples per cell, if scores and noise stay as they are; null when the measured score is below the threshold.
    pub more_items: Option<u64>,
}

/// Means over lengths with other weights than the score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Aggregates {
    /// Weights 1, 2, 3, … from short to long (RULER).
    pub increasing: Interval,
    /// Weights …, 3, 2, 1 (RULER).
    pub decreasing: Interval,
    /// Area under the curve over log₂ length, divided by its width.
    pub area: Interval,
}

/// A score with its interval, 0..100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Interval {
    /// Score.
    pub score: f64,
    /// 95 % interval.
    pub ci95: [f64; 2],
}

/// A cell: a score with what it rests on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cell {
    /// 0..100, null without samples.
    pub score: Option<f64>,
    /// Samples that ended.
    pub n: u32,
    /// Samples the suite asks for.
    pub expected: u32,
    /// 95 % interval.
    pub ci95: Option<[f64; 2]>,
    /// Samples per outcome; they add up to `n`.
    pub outcomes: BTreeMap<String, u32>,
    /// The samples whose prompt was not cut; null where none was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
}

/// Samples from whose prompt nothing was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Whole {
    /// 0..100, null without such samples.
    pub score: Option<f64>,
    /// How many.
    pub n: u32,
}
