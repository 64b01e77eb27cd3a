//! InfiniteBench.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::infinitebench;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let text = row.prediction.as_str().ok_or_else(|| row.bad())?;
    let model = row.extra.get("model_name").and_then(Value::as_str).unwrap_or_default();
    match infinitebench::score(&row.metric, text, &row.reference, model) {
        Some(Some(score)) => Ok(Computed::Value(json!(score))),
        Some(None) => Ok(Computed::Crash(json!(0.0))),
        None => Err(row.unknown()),
    }
}
