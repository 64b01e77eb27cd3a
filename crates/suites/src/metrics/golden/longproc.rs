//! LongProc.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longproc::{self, ProcedureScore, Test};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let answer = row.prediction.as_str().ok_or_else(|| row.bad())?;
    let reference = || row.reference.as_str().ok_or_else(|| row.bad());
    let field = |name: &str| row.reference.get(name).and_then(Value::as_str).ok_or_else(|| row.bad());
    let score = match row.metric.as_str() {
        "html_to_tsv" => {
            let score = longproc::html_to_tsv(answer, reference()?);
            return Ok(Computed::Value(json!({
                "f1": score.f1,
                "precision": score.precision,
                "recall": score.recall,
                "extraction_rate": f64::from(score.extracted),
            })));
        }
        "path_traversal" => longproc::path_traversal(answer, reference()?),
        "tom_tracking" => longproc::tom_tracking(answer, reference()?),
        "travel_planning" => longproc::travel_planning(
            answer,
            field("ground_truth_cities")?,
            field("ground_truth_durations")?,
            field("reference_output")?,
        ),
        "countdown" => {
            let numbers: Option<Vec<i64>> =
                row.reference.get("nums").and_then(|list| list.as_array()?.iter().map(Value::as_i64).collect());
            let target = row.reference.get("target").and_then(Value::as_i64);
            let (Some(numbers), Some(target)) = (numbers, target) else { return Err(row.bad()) };
            let (score, crashes) = longproc::countdown(answer, &numbers, target, field("reference_output")?);
            if crashes {
                return Ok(Computed::Crash(json(score)));
            }
            score
        }
        "pseudo_to_code" => return pseudo_to_code(row, answer),
        _ => return Err(row.unknown()),
    };
    Ok(Computed::Value(json(score)))
}

/// A row without a program needs no run. Others are scored by what the program printed, which `extra.outputs` holds test
/// by test (null after a crash or a timeout; null for the list where it does not compile); without it they are skipped.
fn pseudo_to_code(row: &GoldenRow, answer: &str) -> Result<Computed, GoldenError> {
    let tests: Option<Vec<Test>> =
        row.reference.get("testcases").and_then(|tests| serde_json::from_value(tests.clone()).ok());
    let tests = tests.ok_or_else(|| row.bad())?;
    let printed = row.extra.get("outputs");
    if printed.is_none() && longproc::program(answer).is_some() {
        return Err(GoldenError::Unknown(format!("{} of a program that was not run", row.slug())));
    }
    let printed: Option<Vec<Option<String>>> = printed.and_then(|list| serde_json::from_value(list.clone()).ok());
    Ok(Computed::Value(json(longproc::pseudo_to_code(answer, printed.as_deref(), &tests))))
}

fn json(score: ProcedureScore) -> Value {
    json!({
        "accuracy": score.accuracy,
        "partial_accuracy": score.partial,
        "extraction_rate": f64::from(score.extracted),
    })
}
