//! L-Eval.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::leval;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let answer = row.prediction.as_str().ok_or_else(|| row.bad())?;
    let reference = || row.reference.as_str().ok_or_else(|| row.bad());
    let value = match row.metric.as_str() {
        "em_score" => json!(leval::em_score(answer, reference()?)),
        "process_output_mc" => json!(options(row, answer)),
        "process_gt_mc" => json!(leval::right_options(answer)),
        "process_math" => json!(leval::number(answer)),
        "process_code" => {
            let gold = reference()?;
            json!({"pred": leval::code_answer(answer, gold), "gt": leval::code_gold(gold)})
        }
        "process_judge" => {
            let gold = leval::loyalty_and_fact(answer).ok_or_else(|| row.bad())?;
            json!({"pred": gold.each_ref().map(|part| leval::truth(part)), "gt": gold})
        }
        _ => return Err(row.unknown()),
    };
    Ok(Computed::Value(value))
}

fn options(row: &GoldenRow, answer: &str) -> String {
    let several = row.extra.get("task").and_then(Value::as_str) == Some("coursera");
    if several { leval::several_options(answer) } else { leval::single_option(answer) }
}
