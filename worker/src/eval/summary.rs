//! The end of an evaluation: scores by task and length, outcomes by length.

use std::collections::BTreeMap;
use std::fmt::Write;

use longboard_suites::length::Length;
use longboard_suites::outcome::Outcome;
use serde_json::{Value, json};

use super::Configuration;
use super::record::Record;

/// Mean score in percent and number of the samples that `select` takes; a sample without an answer scores 0, one that
/// is over the endpoint's declared length does not count.
fn mean<'a>(records: impl Iterator<Item = &'a Record>) -> Option<f64> {
    let scores: Vec<f64> = records
        .filter(|record| record.outcome != Outcome::OverLength)
        .map(|record| record.score.unwrap_or(0.0))
        .collect();
    if scores.is_empty() { None } else { Some(100.0 * scores.iter().sum::<f64>() / scores.len() as f64) }
}

fn cell(score: Option<f64>) -> String {
    score.map_or_else(|| "—".to_owned(), |score| format!("{score:.1}"))
}

fn of_cell<'a>(records: &'a [Record], task: &'a str, length: Length) -> impl Iterator<Item = &'a Record> {
    records.iter().filter(move |record| record.length == length && record.task == task)
}

/// Plain mean over tasks, as on boards.
fn by_length(configuration: &Configuration, records: &[Record], length: Length) -> Option<f64> {
    let cells: Vec<f64> = configuration.tasks.iter().filter_map(|task| mean(of_cell(records, task, length))).collect();
    if cells.len() < configuration.tasks.len() { None } else { Some(cells.iter().sum::<f64>() / cells.len() as f64) }
}

fn outcomes(records: &[Record], length: Length) -> BTreeMap<Outcome, usize> {
    let mut counts = BTreeMap::new();
    for record in records.iter().filter(|record| record.length == length) {
        *counts.entry(record.outcome).or_default() += 1;
    }
    counts
}

/// A table for the terminal.
pub(super) fn table(configuration: &Configuration, records: &[Record]) -> String {
    let mut out = String::new();
    let mut row = |name: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>8}")).collect();
        let _ = writeln!(out, "{name:<34}{cells}");
    };
    let lengths = &configuration.lengths;
    row("score, 0 to 100", lengths.iter().map(ToString::to_string).collect());
    for task in &configuration.tasks {
        row(task, lengths.iter().map(|&length| cell(mean(of_cell(records, task, length)))).collect());
    }
    row("mean over tasks", lengths.iter().map(|&length| cell(by_length(configuration, records, length))).collect());
    for outcome in Outcome::ALL {
        let counts: Vec<usize> =
            lengths.iter().map(|&length| outcomes(records, length).get(&outcome).copied().unwrap_or(0)).collect();
        if counts.iter().any(|&count| count > 0) {
            row(outcome.title(), counts.iter().map(ToString::to_string).collect());
        }
    }
    out
}

/// The same as data.
pub(super) fn document(configuration: &Configuration, records: &[Record]) -> Value {
    let by_length: BTreeMap<String, Value> = configuration
        .lengths
        .iter()
        .map(|&length| {
            let n = records.iter().filter(|record| record.length == length).count();
            let tasks: BTreeMap<&str, Option<f64>> =
                configuration.tasks.iter().map(|task| (task.as_str(), mean(of_cell(records, task, length)))).collect();
            let score = by_length(configuration, records, length);
            (
                length.to_string(),
                json!({ "score": score, "n": n, "by_task": tasks, "outcomes": outcomes(records, length) }),
            )
        })
        .collect();
    json!({ "configuration": configuration, "by_length": by_length })
}
