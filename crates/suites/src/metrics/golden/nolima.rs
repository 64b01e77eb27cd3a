//! NoLiMa.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::nolima;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let matched = |hit: &dyn Fn(&str, &[String]) -> bool| {
        let references: Vec<String> = row.reference()?;
        Some(json!(f64::from(hit(row.prediction.as_str()?, &references))))
    };
    let value = match row.metric.as_str() {
        "EM" => matched(&nolima::exact),
        "contains" => matched(&nolima::contains),
        "lastline_EM" => matched(&|answer, references| nolima::exact(nolima::last_line(answer), references)),
        "lastline_contains" => matched(&|answer, references| nolima::contains(nolima::last_line(answer), references)),
        "effective_length_published_row" => effective_length(row),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

/// The printed columns are copied: they are published text, not something to compute.
fn effective_length(row: &GoldenRow) -> Option<Value> {
    let base = row.reference.get("base")?.as_f64()?;
    let table = row.reference.get("scores")?;
    let scores: Vec<(&str, f64)> = ["1K", "2K", "4K", "8K", "16K", "32K"]
        .into_iter()
        .filter_map(|length| Some((length, table.get(length)?.as_f64()?)))
        .collect();
    let mut value = row.expected.clone();
    let fields = value.as_object_mut()?;
    let _ = fields.insert("computed".to_owned(), json!(nolima::effective_length(base, &scores)));
    let _ = fields.insert("threshold_exact".to_owned(), json!(nolima::KEPT * base));
    Some(value)
}
