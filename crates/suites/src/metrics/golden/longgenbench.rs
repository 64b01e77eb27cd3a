//! LongGenBench with many questions in one answer.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longgenbench;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let text = row.prediction.as_str().ok_or_else(|| row.bad())?;
    let reference = || row.reference.as_str().ok_or_else(|| row.bad());
    let value = match row.metric.as_str() {
        "gsm8k_answer_match" => {
            let index = row.extra.get("q_index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
            json!(longgenbench::gsm8k_answer_match(text, reference()?, index.ok_or_else(|| row.bad())?))
        }
        "mmlu_letter_match" => json!(longgenbench::mmlu_letter_match(text, reference()?)),
        "gsm8k_response_split" => {
            let references: Vec<String> = row.reference().ok_or_else(|| row.bad())?;
            let split = longgenbench::gsm8k_response_split(text, &references);
            json!({ "answers": split.answers, "num_q": split.scored, "correct": split.right })
        }
        _ => return Err(row.unknown()),
    };
    Ok(Computed::Value(value))
}
