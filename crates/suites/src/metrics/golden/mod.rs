//! Scores golden rows: inputs with the value that the upstream scorer gave.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

mod ada_leval;
mod arled;
mod cnnsum;
mod helmet;
mod holobench;
mod infinitebench;
mod l_citeeval;
mod leval;
mod long_tail;
mod longbench;
mod longbench_v2;
mod longfact;
mod longgenbench;
mod longgenbench_sgt;
mod longiclbench;
mod longins;
mod longmemeval;
mod longproc;
mod loogle;
mod m4le;
mod mrcr;
mod needle_threading;
mod needlebench;
mod needlebench_generator;
mod nolima;
mod python_random;
mod retrieval;
mod ruler;
mod structure;

/// One golden line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GoldenRow {
    /// Benchmark, e.g. `ruler`.
    pub benchmark: String,
    /// Metric within it.
    pub metric: String,
    /// Answer or answers.
    #[serde(default)]
    pub prediction: Value,
    /// Reference as the metric reads it.
    #[serde(default)]
    pub reference: Value,
    /// Further inputs.
    #[serde(default)]
    pub extra: Value,
    /// Upstream's value, or `{"raises": name}`.
    pub expected: Value,
    /// The whole line, for metrics that depend on the order of keys; empty where the row was not read from one.
    #[serde(skip)]
    pub line: String,
}

impl GoldenRow {
    fn slug(&self) -> String {
        format!("{}.{}", self.benchmark, self.metric)
    }

    fn unknown(&self) -> GoldenError {
        GoldenError::Unknown(self.slug())
    }

    fn bad(&self) -> GoldenError {
        GoldenError::BadInput(self.slug())
    }

    /// The value, or that the row could not be read.
    fn computed(&self, value: Option<Value>) -> Result<Computed, GoldenError> {
        value.map(Computed::Value).ok_or_else(|| self.bad())
    }

    fn prediction<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(&self.prediction).ok()
    }

    fn reference<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(&self.reference).ok()
    }
}

/// The verdict on one row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoldenResult {
    /// `benchmark.metric`.
    pub metric: String,
    /// Whether ours equals upstream's within the tolerance.
    pub passed: bool,
    /// Largest absolute difference between numbers; infinite when the shapes differ.
    pub difference: f64,
    /// Our value.
    pub ours: Value,
    /// Upstream's value.
    pub expected: Value,
    /// True when upstream crashes here and ours is the documented value.
    pub raises: bool,
}

/// Counts of one metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GoldenSummary {
    /// Rows that agree.
    pub passed: u64,
    /// Rows scored.
    pub total: u64,
    /// Largest difference seen.
    pub worst: f64,
    /// Rows on which upstream crashes.
    pub raises: u64,
}

/// A golden line that was not scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GoldenError {
    /// Not a golden row.
    #[error(
        "not a golden row ({0}): each line must be one JSON object with benchmark, metric, prediction, reference, extra and expected"
    )]
    Unreadable(String),
    /// A metric that Longboard does not have: skipped and counted by name.
    #[error("metric `{0}` is not implemented; `longboard-worker metrics` lists those that are")]
    Unknown(String),
    /// Inputs that the metric cannot read.
    #[error("metric `{0}` cannot read this row's prediction or reference")]
    BadInput(String),
    /// A row whose program was not run: add what it prints with [`with_outputs`].
    #[error("metric `{0}` needs what a program prints; `longboard-worker score --sandbox` compiles and runs it")]
    NotRun(String),
    /// A row about a file that is not at hand.
    #[error("this row scores the file {0}, which was not found: put it beside the golden file or in the data folder")]
    NoFile(String),
}

pub use longproc::{golden_program, with_outputs};

/// Finds the text of a file that a row names by its relative path.
pub type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

const TOLERANCE: f64 = 1e-9;

/// Scores one line.
///
/// # Errors
/// [`GoldenError`] when the line is no golden row, or its metric is unknown.
pub fn score_line(line: &str) -> Result<GoldenResult, GoldenError> {
    score_line_with(line, &|_| None)
}

/// Scores one line, which may name a file to be scored.
///
/// # Errors
/// [`GoldenError`] as [`score_line`], and when the file is not found.
pub fn score_line_with(line: &str, files: Files<'_>) -> Result<GoldenResult, GoldenError> {
    let row: GoldenRow = serde_json::from_str(line).map_err(|error| GoldenError::Unreadable(error.to_string()))?;
    let row = GoldenRow { line: line.to_owned(), ..row };
    let ours = compute(&row, files)?;
    Ok(judged(row, ours))
}

/// Scores one row.
///
/// # Errors
/// As [`score_line`].
pub fn score_row(row: GoldenRow) -> Result<GoldenResult, GoldenError> {
    let ours = compute(&row, &|_| None)?;
    Ok(judged(row, ours))
}

fn judged(row: GoldenRow, ours: Computed) -> GoldenResult {
    let metric = row.slug();
    let raises = row.expected.get("raises").is_some();
    let (ours, crashed) = match ours {
        Computed::Value(value) => (value, false),
        Computed::Crash(value) => (value, true),
    };
    let difference = if raises || crashed {
        if raises == crashed { 0.0 } else { f64::INFINITY }
    } else {
        distance(&ours, &row.expected)
    };
    let passed = difference <= tolerance(&metric);
    GoldenResult { metric, passed, difference, ours, expected: row.expected, raises }
}

/// Adds results up per metric.
#[must_use]
pub fn summarise<'a>(results: impl IntoIterator<Item = &'a GoldenResult>) -> BTreeMap<String, GoldenSummary> {
    let mut summaries: BTreeMap<String, GoldenSummary> = BTreeMap::new();
    for result in results {
        let summary = summaries.entry(result.metric.clone()).or_default();
        summary.total += 1;
        summary.passed += u64::from(result.passed);
        summary.raises += u64::from(result.raises);
        summary.worst = summary.worst.max(result.difference);
    }
    summaries
}

/// Half a unit of the last printed digit where upstream rounds, plus the usual tolerance.
fn tolerance(metric: &str) -> f64 {
    match metric {
        "ruler.effective_length_published_row" => 0.5e-4 + TOLERANCE,
        "needlebench.multi_retrieval_by_depth" | "needlebench.v1_atc_circular" => 0.5e-9 + TOLERANCE,
        _ => TOLERANCE,
    }
}

/// What ours gives for a row.
enum Computed {
    /// A value to compare.
    Value(Value),
    /// The documented value where upstream raises.
    Crash(Value),
}

/// Largest difference of numbers at the same place; keys that only one side has make it infinite.
fn distance(ours: &Value, expected: &Value) -> f64 {
    match (ours, expected) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs(),
            _ => f64::INFINITY,
        },
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).map(|(a, b)| distance(a, b)).fold(0.0, f64::max)
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            a.iter().map(|(key, a)| b.get(key).map_or(f64::INFINITY, |b| distance(a, b))).fold(0.0, f64::max)
        }
        _ if ours == expected => 0.0,
        _ => f64::INFINITY,
    }
}

fn compute(row: &GoldenRow, files: Files<'_>) -> Result<Computed, GoldenError> {
    match row.benchmark.as_str() {
        "arled" => arled::compute(row),
        "cnnsum" => cnnsum::compute(row),
        "helmet" => helmet::compute(row),
        "ada_leval" => ada_leval::compute(row),
        "holobench" => holobench::compute(row),
        "infinitebench" => infinitebench::compute(row),
        "l_citeeval" => l_citeeval::compute(row),
        "leval" => leval::compute(row, files),
        "long_tail" => long_tail::compute(row),
        "longbench" => longbench::compute(row),
        "longbench_v2" => longbench_v2::compute(row),
        "longfact" => longfact::compute(row),
        "loogle" => loogle::compute(row),
        "m4le" => m4le::compute(row),
        "nolima" => nolima::compute(row),
        "longgenbench" => longgenbench::compute(row),
        "longgenbench_sgt" => longgenbench_sgt::compute(row),
        "longproc" => longproc::compute(row),
        "longiclbench" => longiclbench::compute(row),
        "longins" => longins::compute(row),
        "longmemeval" => longmemeval::compute(row),
        "mrcr" => mrcr::compute(row),
        "needle_threading" => needle_threading::compute(row),
        "needlebench" => needlebench::compute(row),
        "needlebench_generator" => needlebench_generator::compute(row),
        "python_random" => python_random::compute(row),
        "ruler" => ruler::compute(row),
        "longembed" | "locov1" | "followir" | "sea_codesearch" | "coliee_legal" | "long_clip" => {
            retrieval::compute(row)
        }
        "topicseg" | "sener" | "newswire_headlines" | "kg_for_science" => structure::compute(row),
        _ => Err(row.unknown()),
    }
}
