//! ARLED.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::arled;
use crate::metrics::rouge::Prf;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    if row.metric != "rouge_whitespace" {
        return Err(row.unknown());
    }
    let (Some(prediction), Some(reference)) = (row.prediction.as_str(), row.reference.as_str()) else {
        return Err(row.bad());
    };
    let prf = |prf: Prf| json!({"p": prf.precision, "r": prf.recall, "f": prf.f});
    Ok(match arled::rouge_whitespace(prediction, reference) {
        Some(scores) => Computed::Value(json!({
            "rouge-1": prf(scores.rouge1),
            "rouge-2": prf(scores.rouge2),
            "rouge-l": prf(scores.rouge_l),
        })),
        None => Computed::Crash(Value::from(0.0)),
    })
}
