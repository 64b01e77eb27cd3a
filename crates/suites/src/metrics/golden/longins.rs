//! LongIns.

use serde_json::json;

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longins;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    if row.metric != "error_index_f1" {
        return Err(row.unknown());
    }
    let inputs = row.prediction::<String>().zip(row.reference::<Vec<u64>>());
    row.computed(inputs.map(|(prediction, errors)| json!(longins::error_index_f1(&prediction, &errors))))
}
