//! LooGLE.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::loogle;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "bleu1_bleu4" => texts(row).map(|(answer, right)| json!(loogle::bleu1_bleu4(answer, right))),
        "rouge1_rouge2_rougeL_recall" => return recalls(row),
        "cloze_exact_partial" => cloze(row),
        "reorder_deviation" => reorder(row),
        "reorder_max_deviation" => row.prediction().map(|items| deviations(Some(loogle::max_deviation(items)))),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn texts(row: &GoldenRow) -> Option<(&str, &str)> {
    Some((row.prediction.as_str()?, row.reference.as_str()?))
}

fn recalls(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let (answer, right) = texts(row).ok_or_else(|| row.bad())?;
    let value = json!(loogle::rouge_recalls(answer, right).unwrap_or_default());
    Ok(if loogle::rouge_recalls(answer, right).is_none() { Computed::Crash(value) } else { Computed::Value(value) })
}

fn cloze(row: &GoldenRow) -> Option<Value> {
    let filled = loogle::cloze(row.prediction.as_str()?, &row.reference()?);
    Some(json!({"exact": [filled.exact, filled.total], "partial": [filled.partial, filled.total]}))
}

fn reorder(row: &GoldenRow) -> Option<Value> {
    let (order, right): (Vec<String>, Vec<String>) = (row.prediction()?, row.reference()?);
    Some(deviations(loogle::deviation(&order, &right)))
}

fn deviations(found: Option<loogle::Deviation>) -> Value {
    match found {
        Some(found) => json!({"lsd": found.lsd, "lmd": found.lmd, "sd": found.sd, "sdd": found.sdd}),
        None => json!({"lsd": null, "lmd": null, "sd": null, "sdd": null}),
    }
}
