//! LongMemEval.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longmemeval as metric;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "retrieval_at_k" => retrieval(row, metric::retrieval_at_k),
        "retrieval_turn_to_session_at_k" => retrieval(row, metric::retrieval_turn_to_session_at_k),
        "judge_label" => row.prediction::<String>().map(|reply| json!(metric::judge_label(&reply))),
        "judge_prompt" => prompt(row),
        "aggregate" => row.reference::<Vec<metric::Judged>>().map(|answers| json!(metric::aggregate(&answers))),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

type Rate = fn(&[usize], &[String], &[String], usize) -> metric::Retrieval;

fn retrieval(row: &GoldenRow, rate: Rate) -> Option<Value> {
    let list = |value: Option<&Value>| Vec::<String>::deserialize(value?).ok();
    let rankings = Vec::<usize>::deserialize(row.prediction.get("rankings")?).ok()?;
    let correct = list(row.reference.get("correct_docs"))?;
    let corpus = list(row.reference.get("corpus_ids"))?;
    let k = usize::try_from(row.extra.get("k")?.as_u64()?).ok()?;
    Some(json!(rate(&rankings, &correct, &corpus, k)))
}

fn prompt(row: &GoldenRow) -> Option<Value> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let abstention = row.extra.get("abstention")?.as_bool()?;
    let rendered = metric::judge_prompt(
        &text(&row.extra, "question_type")?,
        abstention,
        &text(&row.reference, "question")?,
        &text(&row.reference, "answer")?,
        &row.prediction::<String>()?,
    )?;
    Some(json!({"sha256": hex::encode(Sha256::digest(&rendered)), "chars": rendered.chars().count()}))
}
