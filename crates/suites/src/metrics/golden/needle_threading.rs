//! Needle Threading.

use serde_json::json;

use super::{Computed, GoldenError, GoldenRow, python_random};
use crate::metrics::needle_threading;
use crate::metrics::python_random::PythonRandom;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let text = row.prediction.as_str().unwrap_or_default();
    match row.metric.as_str() {
        "readme_literal_eval_prefix" => {
            let answer = row.reference.as_str().ok_or_else(|| row.bad())?;
            Ok(match needle_threading::readme_literal_prefix(text, answer) {
                Some(correct) => Computed::Value(json!({ "correct": correct })),
                None => Computed::Crash(json!({ "correct": false })),
            })
        }
        "third_party_contains_all" => {
            let answers: Vec<String> = row.reference().ok_or_else(|| row.bad())?;
            Ok(Computed::Value(json!(needle_threading::contains_all(text, &answers))))
        }
        "haystack_uuid_stream" => {
            python_random::stream(row, PythonRandom::raw_uuid).map(Computed::Value).ok_or_else(|| row.bad())
        }
        _ => Err(row.unknown()),
    }
}
