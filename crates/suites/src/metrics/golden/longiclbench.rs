//! LongICLBench.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longiclbench as metric;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "banking77_accuracy" => accuracy(row, "example_text", metric::banking77_label, str::to_lowercase),
        "goemotion_accuracy" => accuracy(row, "example_text", metric::goemotion_label, str::to_lowercase),
        "discovery_accuracy" => accuracy(row, "sentence2", metric::discovery_label, metric::plain_connective),
        "tacred_f1" => tacred(row),
        "dialogre_f1" => dialogre(row),
        "fewnerd_f1" => fewnerd(row),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn accuracy(
    row: &GoldenRow,
    query: &str,
    read: fn(&str, &str) -> String,
    plain: impl Fn(&str) -> String,
) -> Option<Value> {
    let found = read(&row.prediction::<String>()?, row.extra.get(query)?.as_str()?);
    Some(json!({"correct": found == plain(&row.reference::<String>()?), "pred": found}))
}

fn tacred(row: &GoldenRow) -> Option<Value> {
    let (answers, labels): (Vec<String>, Vec<String>) = (row.prediction()?, row.reference()?);
    let sentence = row.extra.get("sentence")?.as_str()?;
    let found: Vec<String> = answers.iter().map(|answer| metric::tacred_label(answer, sentence)).collect();
    let counts = metric::tacred_counts(&found, &labels);
    Some(json!({
        "preds": found,
        "total_pred": counts.predicted,
        "total_correct": counts.correct,
        "total_label": counts.labels,
        "precision": counts.precision(),
        "recall": counts.recall(),
        "f1": counts.f1(),
    }))
}

fn dialogre(row: &GoldenRow) -> Option<Value> {
    let counts = metric::dialogre_counts(&row.prediction::<Vec<String>>()?, &row.reference::<Vec<String>>()?);
    Some(json!({
        "f1_x100": 100.0 * counts.f1(),
        "total_label": counts.labels,
        "total_pred": counts.predicted,
        "total_correct": counts.correct,
    }))
}

/// A division by zero inside the group is shown as upstream's exception; the metric itself counts it as 0.
fn fewnerd(row: &GoldenRow) -> Option<Value> {
    let (answers, labels): (Vec<String>, Vec<BTreeMap<String, String>>) = (row.prediction()?, row.reference()?);
    let sentences: Vec<String> = Vec::deserialize(row.extra.get("sentences")?).ok()?;
    let found: Vec<BTreeMap<String, String>> =
        answers.iter().zip(&sentences).map(|(answer, sentence)| metric::fewnerd_entities(answer, sentence)).collect();
    let counts = metric::fewnerd_counts(&found, &labels);
    let f1 = counts.f1_unsmoothed().map_or_else(|| json!({"raises": "ZeroDivisionError"}), |f1| json!(f1));
    Some(json!({"parsed": found, "precision": counts.precision(), "recall": counts.recall(), "f1": f1}))
}
