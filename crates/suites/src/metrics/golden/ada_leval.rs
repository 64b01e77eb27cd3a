//! Ada-LEval.

use serde_json::json;

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::ada_leval;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let prediction: String = row.prediction().ok_or_else(|| row.bad())?;
    match row.metric.as_str() {
        "bestanswer_accuracy" => {
            let choices = row.extra.get("num_choice").and_then(serde_json::Value::as_u64);
            let choices = choices.and_then(|choices| usize::try_from(choices).ok());
            let value = row.reference::<String>().zip(choices);
            row.computed(
                value.map(|(answer, choices)| json!(100.0 * ada_leval::best_answer(&prediction, &answer, choices))),
            )
        }
        "tsort_accuracy" => {
            let answer: Vec<u64> = row.reference().ok_or_else(|| row.bad())?;
            Ok(match ada_leval::text_sort(&prediction, &answer) {
                Some(score) => Computed::Value(json!(100.0 * score)),
                None => Computed::Crash(json!(0.0)),
            })
        }
        _ => Err(row.unknown()),
    }
}
