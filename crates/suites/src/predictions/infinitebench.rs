//! InfiniteBench's files: `id`, `prediction` (or `pred`), `ground_truth` (or `label`), called `preds_<task>.jsonl`.

use std::collections::HashSet;

use super::{Import, ImportError, ImportedTask, RefusedLine, ScoredPrediction, either, numbered, object};
use crate::length::Length;
use crate::metrics::infinitebench;
pub(super) use crate::metrics::infinitebench::TASKS;
use crate::suite::Suite;
use serde_json::Value;

/// Reads and scores an InfiniteBench file. A bad line is refused and named, the rest goes on.
///
/// # Errors
/// [`ImportError`] when no line is usable.
pub fn import_infinitebench(task: &'static ImportedTask, model: &str, text: &str) -> Result<Import, ImportError> {
    let mut import = Import { task, model: model.to_owned(), rows: Vec::new(), official: None, refused: Vec::new() };
    let mut ids = HashSet::new();
    for (line, content) in numbered(text) {
        let scored = scored_line(task, model, line, content).and_then(|row| {
            let id = row.id.clone();
            if ids.insert(id.clone()) { Ok(row) } else { Err(format!("id {id} occurs before: keep one line per id")) }
        });
        match scored {
            Ok(row) => import.rows.push(row),
            Err(reason) => import.refused.push(RefusedLine { line, reason }),
        }
    }
    import.official = percent(&import.rows);
    import.checked()
}

/// Mean score in percent; `None` without rows.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn percent(rows: &[ScoredPrediction]) -> Option<f64> {
    let sum: f64 = rows.iter().map(|row| row.score).sum();
    (!rows.is_empty()).then(|| 100.0 * sum / rows.len() as f64)
}

fn scored_line(task: &ImportedTask, model: &str, line: usize, content: &str) -> Result<ScoredPrediction, String> {
    let fields = object(content)?;
    let prediction = either(&fields, ["prediction", "pred"])
        .and_then(Value::as_str)
        .ok_or("no text under `prediction` (or `pred`): add the model's answer")?;
    let label =
        either(&fields, ["ground_truth", "label"]).ok_or("no `ground_truth` (or `label`): add the reference")?;
    let id = match fields.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => format!("line-{line}"),
    };
    let score = infinitebench::score(task.name, prediction, label, model).flatten();
    Ok(ScoredPrediction {
        id,
        prediction: prediction.to_owned(),
        reference: label.as_str().map_or_else(|| label.to_string(), ToOwned::to_owned),
        score: score.unwrap_or(0.0),
        extracted: infinitebench::extracted(task.name, prediction),
        well_formed: score.is_some(),
    })
}

/// The suite of the twelve imported tasks, in the paper's order.
#[must_use]
pub fn infinitebench_suite() -> Suite {
    Suite {
        slug: "infinitebench".to_owned(),
        title: "InfiniteBench".to_owned(),
        description: "Twelve tasks of 100k tokens and more, scored from uploaded prediction files.".to_owned(),
        tasks: TASKS.iter().map(|task| task.slug.to_owned()).collect(),
        lengths: Length::new(128 * 1024).into_iter().collect(),
        samples: TASKS.iter().map(|task| task.samples).max().unwrap_or_default(),
        imported: true,
    }
}

/// Known differences between the published table and the published files.
pub(super) const fn notes() -> &'static [&'static str] {
    &[
        "Code.Debug of YaRN-Mistral: the published file scores 15.48, the published table says < 5%.",
        "En.Sum of YaRN-Mistral: the published file scores 9.06, the published table says 9.09.",
        "Zh.QA of YaRN-Mistral: the published file is not valid JSON lines; the official scorer stops at it.",
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::task_of_file;

    #[test]
    fn bad_lines_are_named_and_the_rest_goes_on() {
        let text = "{\"id\":0,\"prediction\":\"The key is 417.\",\"ground_truth\":\"417\"}\n\nnonsense\n{\"id\":1,\"pred\":\"5\",\"label\":[\"6\"]}\n{\"id\":1,\"pred\":\"6\",\"label\":[\"6\"]}\n{\"id\":2,\"label\":\"6\"}\n";
        let import = import_infinitebench(task_of_file("a/preds_passkey.jsonl").unwrap(), "m", text).unwrap();
        assert_eq!(import.rows.iter().map(|row| row.score).collect::<Vec<_>>(), [1.0, 0.0]);
        assert_eq!(import.refused.iter().map(|line| line.line).collect::<Vec<_>>(), [3, 5, 6]);
        assert_eq!(import.official, Some(50.0));
        assert_eq!(import.rows.first().map(|row| row.extracted.as_str()), Some("417"));
    }

    #[test]
    fn unusable_files_are_reported() {
        let task = task_of_file("preds_passkey.jsonl").unwrap();
        assert!(matches!(import_infinitebench(task, "m", "{} {}"), Err(ImportError::Unparsable { line: 1, .. })));
        assert_eq!(import_infinitebench(task, "m", "\n"), Err(ImportError::Empty));
        assert!(matches!(task_of_file("passkey.jsonl"), Err(ImportError::UnknownTask(_))));
    }

    #[test]
    fn the_suite_lists_the_twelve_tasks() {
        let suite = infinitebench_suite();
        assert_eq!(suite.tasks.len(), 12);
        assert_eq!(suite.lengths.iter().map(ToString::to_string).collect::<Vec<_>>(), ["128k"]);
        assert!(suite.imported);
    }
}
