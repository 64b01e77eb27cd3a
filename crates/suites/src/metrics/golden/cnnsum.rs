//! CNNSum.

use serde_json::json;

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::cnnsum;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "rouge_l_f" => row
            .prediction
            .as_str()
            .zip(row.reference.as_str())
            .map(|(prediction, reference)| json!(cnnsum::rouge_l_f(prediction, reference))),
        "subset_score" => {
            row.prediction().zip(row.reference()).map(|(predictions, references): (Vec<String>, Vec<String>)| {
                json!(cnnsum::subset_score(&predictions, &references))
            })
        }
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}
