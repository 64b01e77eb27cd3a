//! LongFact and SAFE.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longfact;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let text = || row.prediction.as_str().ok_or_else(|| row.bad());
    let value = match row.metric.as_str() {
        "f1_at_k" => {
            let count = |name: &str| row.prediction.get(name).and_then(Value::as_i64).ok_or_else(|| row.bad());
            let k = row.extra.get("k").and_then(Value::as_i64).ok_or_else(|| row.bad())?;
            match longfact::f1_at_signed_k(count("supported")?, count("not_supported")?, k) {
                Some(score) => json!(score),
                None => return Ok(Computed::Crash(Value::Null)),
            }
        }
        "extract_first_square_brackets" => json!(longfact::first_square_brackets(text()?)),
        "final_answer_label" => json!(longfact::final_label(text()?).map(longfact::Label::name)),
        "extract_first_code_block" => json!({
            "ignore_language": longfact::first_code_block(text()?, true),
            "strict": longfact::first_code_block(text()?, false),
        }),
        "round_to_sigfigs" => {
            let digits = row.extra.get("sigfigs").and_then(Value::as_i64).and_then(|digits| i32::try_from(digits).ok());
            json!(longfact::round_to_sigfigs(
                row.prediction.as_f64().ok_or_else(|| row.bad())?,
                digits.ok_or_else(|| row.bad())?
            ))
        }
        _ => return Err(row.unknown()),
    };
    Ok(Computed::Value(value))
}
