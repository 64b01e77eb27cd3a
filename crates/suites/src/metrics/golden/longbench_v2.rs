//! LongBench v2.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longbench_v2;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "extract_and_judge" => judged(row),
        "aggregate" => aggregate(row),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn judged(row: &GoldenRow) -> Option<Value> {
    let (answer, right) = (row.prediction.as_str()?, row.reference.as_str()?.chars().next()?);
    Some(json!({ "pred": longbench_v2::extract(answer), "judge": longbench_v2::judge(answer, right) }))
}

fn aggregate(row: &GoldenRow) -> Option<Value> {
    let samples: Vec<longbench_v2::Judged> = row.reference()?;
    let [plain, compensated] = [false, true].map(|compensated| longbench_v2::accuracy(&samples, compensated));
    Some(json!({ "plain": plain?, "compensated": compensated? }))
}
