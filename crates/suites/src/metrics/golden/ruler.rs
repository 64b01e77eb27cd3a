//! RULER.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow, python_random};
use crate::metrics::python_random::PythonRandom;
use crate::metrics::ruler;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "string_match_all" => ruler_match(row, ruler::string_match_all),
        "string_match_part" => ruler_match(row, ruler::string_match_part),
        "corpus_score" => ruler_corpus(row),
        "effective_length_published_row" => ruler_row(row),
        "uuid_v4_stream" => python_random::stream(row, PythonRandom::uuid_v4),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

type Match = fn(&str, &[String]) -> f64;

fn ruler_match(row: &GoldenRow, score: Match) -> Option<Value> {
    let references: Vec<String> = row.reference()?;
    Some(json!(ruler::corpus(&[score(row.prediction.as_str()?, &references)])))
}

fn ruler_corpus(row: &GoldenRow) -> Option<Value> {
    let (predictions, references): (Vec<String>, Vec<Vec<String>>) = (row.prediction()?, row.reference()?);
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
