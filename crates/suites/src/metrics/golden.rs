//! Scores golden rows: inputs with the value that the upstream scorer gave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::python_random::PythonRandom;
use super::{infinitebench, longfact, needle_threading, needlebench, ruler};

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
}

const TOLERANCE: f64 = 1e-9;

/// Scores one line.
///
/// # Errors
/// [`GoldenError`] when the line is no golden row, or its metric is unknown.
pub fn score_line(line: &str) -> Result<GoldenResult, GoldenError> {
    let row: GoldenRow = serde_json::from_str(line).map_err(|error| GoldenError::Unreadable(error.to_string()))?;
    score_row(row)
}

/// Scores one row.
///
/// # Errors
/// As [`score_line`].
pub fn score_row(row: GoldenRow) -> Result<GoldenResult, GoldenError> {
    let metric = format!("{}.{}", row.benchmark, row.metric);
    let ours = compute(&row, &metric)?;
    let raises = row.expected.get("raises").is_some();
    let (ours, crashed) = match ours {
        Outcome::Value(value) => (value, false),
        Outcome::Crash(value) => (value, true),
    };
    let difference = if raises || crashed {
        if raises == crashed { 0.0 } else { f64::INFINITY }
    } else {
        distance(&ours, &row.expected)
    };
    let passed = difference <= tolerance(&metric);
    Ok(GoldenResult { metric, passed, difference, ours, expected: row.expected, raises })
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

enum Outcome {
    Value(Value),
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

fn compute(row: &GoldenRow, metric: &str) -> Result<Outcome, GoldenError> {
    let value = match row.benchmark.as_str() {
        "ruler" => ruler_value(row),
        "needlebench" => needlebench_value(row),
        "needle_threading" => return threading_value(row, metric),
        "infinitebench" => return infinitebench_value(row, metric),
        "longfact" => return longfact_value(row, metric),
        "python_random" => random_value(row),
        _ => return Err(GoldenError::Unknown(metric.to_owned())),
    };
    match value {
        Some(Some(value)) => Ok(Outcome::Value(value)),
        Some(None) => Err(GoldenError::BadInput(metric.to_owned())),
        None => Err(GoldenError::Unknown(metric.to_owned())),
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

fn ruler_value(row: &GoldenRow) -> Option<Option<Value>> {
    Some(match row.metric.as_str() {
        "string_match_all" => ruler_match(row, ruler::string_match_all),
        "string_match_part" => ruler_match(row, ruler::string_match_part),
        "corpus_score" => ruler_corpus(row),
        "effective_length_published_row" => ruler_row(row),
        "uuid_v4_stream" => stream(row, PythonRandom::uuid_v4),
        _ => return None,
    })
}

type Match = fn(&str, &[String]) -> f64;

fn ruler_match(row: &GoldenRow, score: Match) -> Option<Value> {
    let references: Vec<String> = read(&row.reference)?;
    Some(json!(ruler::corpus(&[score(row.prediction.as_str()?, &references)])))
}

fn ruler_corpus(row: &GoldenRow) -> Option<Value> {
    let (predictions, references): (Vec<String>, Vec<Vec<String>>) = (read(&row.prediction)?, read(&row.reference)?);
    let mean = |score: Match| {
        let scores: Vec<f64> =
            predictions.iter().zip(&references).map(|(prediction, references)| score(prediction, references)).collect();
        ruler::corpus(&scores)
    };
    Some(json!({"all": mean(ruler::string_match_all), "part": mean(ruler::string_match_part)}))
}

/// The printed columns are copied: they are published text, not something to compute.
fn ruler_row(row: &GoldenRow) -> Option<Value> {
    let scores: Vec<(&str, f64)> = ["4K", "8K", "16K", "32K", "64K", "128K"]
        .into_iter()
        .filter_map(|length| Some((length, row.reference.get(length)?.as_f64()?)))
        .collect();
    let threshold = row.extra.get("threshold")?.as_f64()?;
    let held = scores.iter().take_while(|(_, score)| *score > threshold).last().map(|(length, _)| *length);
    let averages = ruler::averages(&scores.iter().map(|(_, score)| *score).collect::<Vec<_>>());
    let mut value = row.expected.clone();
    let fields = value.as_object_mut()?;
    for (key, ours) in [
        ("computed_last_length_above_85.6_contiguous", json!(held)),
        ("avg", json!(averages.plain)),
        ("wavg_inc", json!(averages.increasing)),
        ("wavg_dec", json!(averages.decreasing)),
    ] {
        let _ = fields.insert(key.to_owned(), ours);
    }
    Some(value)
}

fn stream(row: &GoldenRow, next: fn(&mut PythonRandom) -> String) -> Option<Value> {
    let mut random = PythonRandom::new(row.reference.get("seed")?.as_u64()?);
    let count = row.reference.get("n")?.as_u64()?;
    Some((0..count).map(|_| next(&mut random)).collect())
}

fn needlebench_value(row: &GoldenRow) -> Option<Option<Value>> {
    let text = row.prediction.as_str().unwrap_or_default();
    let planted = |name: &str| row.reference.get(name).and_then(Value::as_str);
    let soft = |score: fn(&str, &str, &str) -> f64| Some(json!(score(text, planted("needle")?, planted("keyword")?)));
    Some(match row.metric.as_str() {
        "v1_single_soft" => soft(needlebench::single_v1_soft),
        "v1_single_soft_trim" => soft(needlebench::single_v1_soft_trim),
        "v2_single_keyword" => planted("keyword").map(|keyword| json!(needlebench::single_v2(text, keyword))),
        "v1_multi_reasoning_keywords" => {
            row.reference.as_str().map(|answer| json!(needlebench::multi_reasoning_v1(text, answer)))
        }
        "v2_atc_boxed" => row.reference.as_str().map(|answer| json!(100.0 * needlebench::boxed(text, answer))),
        "v1_atc_first_option" => row
            .extra
            .get("options")
            .and_then(Value::as_str)
            .map(|options| json!(needlebench::first_option(text, options))),
        "multi_retrieval_by_depth" => by_depth(row),
        "v1_atc_circular" => read::<Vec<String>>(&row.prediction)
            .zip(read::<Vec<String>>(&row.reference))
            .map(|(predictions, references)| json!(needlebench::circular(&predictions, &references))),
        _ => return None,
    })
}

fn by_depth(row: &GoldenRow) -> Option<Value> {
    let predictions: Vec<String> = read(&row.prediction)?;
    let gold: Vec<needlebench::PlantedKeywords> = read(&row.reference)?;
    let (depths, average) = needlebench::multi_retrieval_by_depth(&predictions, &gold);
    let mut fields: BTreeMap<String, f64> =
        depths.into_iter().map(|(depth, score)| (format!("Depth{depth}"), score)).collect();
    let _ = fields.insert("average_score".to_owned(), average);
    Some(json!(fields))
}

fn threading_value(row: &GoldenRow, metric: &str) -> Result<Outcome, GoldenError> {
    let bad = || GoldenError::BadInput(metric.to_owned());
    let text = row.prediction.as_str().unwrap_or_default();
    match row.metric.as_str() {
        "readme_literal_eval_prefix" => {
            let answer = row.reference.as_str().ok_or_else(bad)?;
            Ok(match needle_threading::readme_literal_prefix(text, answer) {
                Some(correct) => Outcome::Value(json!({ "correct": correct })),
                None => Outcome::Crash(json!({ "correct": false })),
            })
        }
        "third_party_contains_all" => {
            let answers: Vec<String> = read(&row.reference).ok_or_else(bad)?;
            Ok(Outcome::Value(json!(needle_threading::contains_all(text, &answers))))
        }
        "haystack_uuid_stream" => stream(row, PythonRandom::raw_uuid).map(Outcome::Value).ok_or_else(bad),
        _ => Err(GoldenError::Unknown(metric.to_owned())),
    }
}

fn infinitebench_value(row: &GoldenRow, metric: &str) -> Result<Outcome, GoldenError> {
    let text = row.prediction.as_str().ok_or_else(|| GoldenError::BadInput(metric.to_owned()))?;
    let model = row.extra.get("model_name").and_then(Value::as_str).unwrap_or_default();
    match infinitebench::score(&row.metric, text, &row.reference, model) {
        Some(Some(score)) => Ok(Outcome::Value(json!(score))),
        Some(None) => Ok(Outcome::Crash(json!(0.0))),
        None => Err(GoldenError::Unknown(metric.to_owned())),
    }
}

fn longfact_value(row: &GoldenRow, metric: &str) -> Result<Outcome, GoldenError> {
    let bad = || GoldenError::BadInput(metric.to_owned());
    let text = || row.prediction.as_str().ok_or_else(bad);
    let value = match row.metric.as_str() {
        "f1_at_k" => {
            let count = |name: &str| row.prediction.get(name).and_then(Value::as_i64).ok_or_else(bad);
            let k = row.extra.get("k").and_then(Value::as_i64).ok_or_else(bad)?;
            match longfact::f1_at_signed_k(count("supported")?, count("not_supported")?, k) {
                Some(score) => json!(score),
                None => return Ok(Outcome::Crash(Value::Null)),
            }
        }
        "extract_first_square_brackets" => json!(longfact::first_square_brackets(text()?)),
        "final_answer_label" => json!(longfact::final_label(text()?).map(longfact::Label::name)),
        "extract_first_code_block" => json!({
            "ignore_language": longfact::first_code_block(text()?, true),
            "strict": longfact::first_code_block(text()?, false),
        }),
        "round_to_sigfigs" => {
            let digits = row.extra.get("sigfigs").and_then(Value::as_i64).and_then(|digits| i32::try_from(digits).ok());
            json!(longfact::round_to_sigfigs(row.prediction.as_f64().ok_or_else(bad)?, digits.ok_or_else(bad)?))
        }
        _ => return Err(GoldenError::Unknown(metric.to_owned())),
    };
    Ok(Outcome::Value(value))
}

fn random_value(row: &GoldenRow) -> Option<Option<Value>> {
    let field = |name: &str| row.reference.get(name).and_then(Value::as_u64);
    let size = |name: &str| field(name).and_then(|value| usize::try_from(value).ok());
    let rows = row.expected.as_array().map_or(0, Vec::len);
    let Some(mut random) = field("seed").map(PythonRandom::new) else { return Some(None) };
    Some(match row.metric.as_str() {
        "getrandbits" => Some(bits(&mut random)),
        "random" => Some((0..rows).map(|_| random.random()).collect()),
        "randrange" => field("n").map(|bound| (0..rows).map(|_| random.randrange(bound)).collect()),
        "choice_index" => size("n").map(|count| {
            let items: Vec<usize> = (0..count).collect();
            (0..rows)
                .map(|_| random.choice(&items).copied())
                .collect::<Option<Vec<_>>>()
                .map_or(Value::Null, Value::from)
        }),
        "shuffle" => size("n").map(|count| {
            let mut items: Vec<usize> = (0..count).collect();
            random.shuffle(&mut items);
            abridged(&items, &row.expected)
        }),
        "sample" => size("n").zip(size("k")).map(|(count, k)| abridged(&random.sample(count, k), &row.expected)),
        "randint" => field("lo").zip(field("hi")).map(|(lo, hi)| (0..rows).map(|_| random.randint(lo, hi)).collect()),
        "choices_index" => size("n").zip(size("k")).map(|(count, k)| random.choices(count, k).into()),
        _ => return None,
    })
}

/// Long lists are given as the first twenty and a digest, or as a digest alone.
fn abridged(items: &[usize], expected: &Value) -> Value {
    if !expected.is_object() {
        return items.into();
    }
    let joined = format!("[{}]", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let mut fields = json!({"sha256": hex::encode(Sha256::digest(joined))});
    if expected.get("first20").is_some()
        && let Some(map) = fields.as_object_mut()
    {
        let _ = map.insert("first20".to_owned(), items.iter().take(20).copied().collect());
    }
    fields
}

fn bits(random: &mut PythonRandom) -> Value {
    let mut draw = |bits: u32, count: usize| (0..count).map(|_| random.getrandbits(bits)).collect::<Vec<u128>>();
    let small = |values: Vec<u128>| values.iter().filter_map(|value| u64::try_from(*value).ok()).collect::<Vec<_>>();
    let (words, wide, narrow) = (draw(32, 4), draw(128, 2), draw(7, 4));
    let wide: Vec<String> = wide.iter().map(ToString::to_string).collect();
    json!({"bits32": small(words), "bits128": wide, "bits7": small(narrow)})
}
