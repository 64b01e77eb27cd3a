//! L-Eval.

use serde_json::{Value, json};

use super::{Computed, Files, GoldenError, GoldenRow};
use crate::metrics::rouge::scored::{Stemmer, score};
use crate::metrics::{leval, token_f1};
use crate::predictions::leval::{LevalScore, leval_task_of_file, score_leval_file};

pub(super) fn compute(row: &GoldenRow, files: Files<'_>) -> Result<Computed, GoldenError> {
    let answer = row.prediction.as_str().ok_or_else(|| row.bad())?;
    let reference = || row.reference.as_str().ok_or_else(|| row.bad());
    let value = match row.metric.as_str() {
        "em_score" => json!(leval::em_score(answer, reference()?)),
        "prediction_file_score" => prediction_file(row, answer, files)?,
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
        "f1" => json!(token_f1::english(answer, reference()?).f),
        "rouge" => {
            let found = score(reference()?, answer, Stemmer::None);
            let [one, two, l] = [found.rouge1, found.rouge2, found.rouge_l]
                .map(|score| json!({"p": score.precision, "r": score.recall, "f": score.f}));
            json!({"rouge1": one, "rouge2": two, "rougeL": l})
        }
        _ => return Err(row.unknown()),
    };
    Ok(Computed::Value(value))
}

fn options(row: &GoldenRow, answer: &str) -> String {
    let several = row.extra.get("task").and_then(Value::as_str) == Some("coursera");
    if several { leval::several_options(answer) } else { leval::single_option(answer) }
}

fn prediction_file(row: &GoldenRow, path: &str, files: Files<'_>) -> Result<Value, GoldenError> {
    let text = files(path).ok_or_else(|| GoldenError::NoFile(path.to_owned()))?;
    let task = leval_task_of_file(path).ok_or_else(|| row.bad())?;
    Ok(match score_leval_file(task, &text).score.ok_or_else(|| row.bad())? {
        LevalScore::Mean(score) => json!({"score": score}),
        LevalScore::Topics { score, parts } => json!({"score": score, "parts": parts}),
        LevalScore::Rouge { f: [one, two, l], geometric_mean } => {
            json!({"rouge1": one, "rouge2": two, "rougeL": l, "geometric_mean": geometric_mean})
        }
    })
}
