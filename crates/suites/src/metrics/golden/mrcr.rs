//! MRCR.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::mrcr;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    if row.metric != "sequence_match_ratio" {
        return Err(row.unknown());
    }
    row.computed(ratio(row))
}

fn ratio(row: &GoldenRow) -> Option<Value> {
    let prefix = row.extra.get("random_string_to_prepend")?.as_str()?;
    Some(json!(mrcr::sequence_match_ratio(row.prediction.as_str()?, row.reference.as_str()?, prefix)))
}
