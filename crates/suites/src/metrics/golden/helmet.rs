//! HELMET.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::helmet;
use crate::metrics::ruler::round;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let answer = row.prediction.as_str().ok_or_else(|| row.bad())?;
    let value = match row.metric.as_str() {
        "default_post_process" => short_answer(row, answer),
        "parse_rankings" => Some(json!(helmet::parse_rankings(answer))),
        "rerank_metrics" => rerank(row, answer),
        "ruler_recall" => row.reference::<Vec<String>>().map(|values| json!(helmet::recall(answer, &values))),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn short_answer(row: &GoldenRow, answer: &str) -> Option<Value> {
    let prefix = row.extra.get("prefix").and_then(Value::as_str)?;
    let parsed = helmet::parse_output(answer, prefix);
    if row.extra.get("parsed_output").and_then(Value::as_str) != Some(parsed.as_str()) {
        return None;
    }
    let references: Vec<String> = row.reference()?;
    let found = helmet::short_answer(answer, &references, prefix);
    let twelve = |value: f64| json!(round(value, 12));
    Some(json!({
        "exact_match": found.exact_match,
        "f1": twelve(found.f1),
        "substring_exact_match": found.substring_exact_match,
        "rougeL_f1": twelve(found.rouge_l.f),
        "rougeL_recall": twelve(found.rouge_l.recall),
        "rougeLsum_f1": twelve(found.rouge_lsum.f),
        "rougeLsum_recall": twelve(found.rouge_lsum.recall),
    }))
}

fn rerank(row: &GoldenRow, answer: &str) -> Option<Value> {
    let grades: BTreeMap<String, u32> = row.reference()?;
    let scores = helmet::parse_rankings(answer);
    let order = helmet::order(&scores);
    let mut found = Map::new();
    let mut add = |name: String, value: f64| found.insert(name, json!(round(value, 5)));
    for cut in row.extra.get("k_values")?.as_array()? {
        let cut = usize::try_from(cut.as_u64()?).ok()?;
        let measures = helmet::measures(&order, &grades, cut);
        add(format!("NDCG@{cut}"), measures.ndcg);
        add(format!("MAP@{cut}"), measures.map);
        add(format!("Recall@{cut}"), measures.recall);
        add(format!("P@{cut}"), measures.precision);
    }
    add("MRR".to_owned(), helmet::reciprocal_rank(&order, &grades));
    Some(Value::Object(found))
}
