//! LongProc.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longproc::{self, ProcedureScore, Test};
use crate::program::{Program, Ran};

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

/// A row without a program needs no run. Others are scored by what the program printed, which [`with_outputs`] adds.
fn pseudo_to_code(row: &GoldenRow, answer: &str) -> Result<Computed, GoldenError> {
    let tests = tests(row).ok_or_else(|| row.bad())?;
    let printed = row.extra.get(OUTPUTS);
    if printed.is_none() && longproc::program(answer).is_some() {
        return Err(GoldenError::NotRun(row.slug()));
    }
    let printed: Option<Vec<Option<String>>> = printed.and_then(|list| serde_json::from_value(list.clone()).ok());
    Ok(Computed::Value(json(longproc::pseudo_to_code(answer, printed.as_deref(), &tests))))
}

/// Field of `extra` for what a program printed, test by test: null after a crash or a timeout, and null instead of the
/// list where it does not compile.
const OUTPUTS: &str = "outputs";

fn tests(row: &GoldenRow) -> Option<Vec<Test>> {
    serde_json::from_value(row.reference.get("testcases")?.clone()).ok()
}

/// The program of a golden line; `None` where nothing is to be run.
#[must_use]
pub fn golden_program(line: &str) -> Option<Program> {
    let row: GoldenRow = serde_json::from_str(line).ok()?;
    if row.slug() != "longproc.pseudo_to_code" || row.extra.get(OUTPUTS).is_some() {
        return None;
    }
    Some(Program { code: longproc::program(row.prediction.as_str()?)?, tests: tests(&row)? })
}

/// A golden line with what its program did.
///
/// # Errors
/// [`GoldenError::Unreadable`] when the line is no golden row.
pub fn with_outputs(line: &str, ran: &Ran) -> Result<String, GoldenError> {
    let unreadable = |error: serde_json::Error| GoldenError::Unreadable(error.to_string());
    let mut row: Value = serde_json::from_str(line).map_err(unreadable)?;
    let extra = row.as_object_mut().map(|fields| fields.entry("extra").or_insert_with(|| json!({})));
    if let Some(Value::Object(extra)) = extra {
        extra.insert(OUTPUTS.to_owned(), json!(ran.outputs()));
    }
    Ok(row.to_string())
}

fn json(score: ProcedureScore) -> Value {
    json!({
        "accuracy": score.accuracy,
        "partial_accuracy": score.partial,
        "extraction_rate": f64::from(score.extracted),
    })
}
