//! Prediction files: answers that a team produced elsewhere.
//!
//! Two formats, one JSON object per line. InfiniteBench's: `id`, `prediction` (or `pred`), `ground_truth` (or `label`),
//! in a file called `preds_<task>.jsonl`. Longboard's own: `task`, `length`, `index`, `prediction`, for generated tasks.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::length::Length;
use crate::metrics::infinitebench;
pub use crate::metrics::infinitebench::{ImportedTask, TASKS};
use crate::suite::Suite;

/// A scored InfiniteBench file.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The task.
    pub task: &'static ImportedTask,
    /// Model name; `gpt4` changes the rule of `math_calc`, as upstream.
    pub model: String,
    /// Scored answers in file order.
    pub rows: Vec<ScoredPrediction>,
    /// Lines that were not used, with the reason.
    pub refused: Vec<RefusedLine>,
}

impl Import {
    /// Mean score in percent; `None` without rows.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub fn percent(&self) -> Option<f64> {
        let sum: f64 = self.rows.iter().map(|row| row.score).sum();
        (!self.rows.is_empty()).then(|| 100.0 * sum / self.rows.len() as f64)
    }
}

/// One answer with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredPrediction {
    /// Identity within the task, the line number where the file gives none.
    pub id: String,
    /// The answer, unchanged.
    pub prediction: String,
    /// The label as JSON text, or the text itself.
    pub reference: String,
    /// 0..1.
    pub score: f64,
    /// What the metric read.
    pub extracted: String,
    /// False where the official scorer stops with an error, or nothing could be read.
    pub well_formed: bool,
}

/// A line that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub reason: String,
}

/// A file that cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The name does not say which task it is.
    #[error(
        "`{0}` names no task: call the file preds_<task>.jsonl with one of passkey, number_string, kv_retrieval, longbook_sum_eng, longbook_qa_eng, longbook_choice_eng, longdialogue_qa_eng, longbook_qa_chn, code_debug, code_run, math_calc, math_find"
    )]
    UnknownTask(String),
    /// No line could be read.
    #[error("no usable line in the file; line {line}: {reason}")]
    Unparsable {
        /// First refused line.
        line: usize,
        /// Why it was refused.
        reason: String,
    },
    /// Nothing in it.
    #[error("the file is empty: write one JSON object per line")]
    Empty,
}

/// The task that a file name like `preds_passkey.jsonl` stands for.
///
/// # Errors
/// [`ImportError::UnknownTask`] with the allowed names.
pub fn task_of_file(name: &str) -> Result<&'static ImportedTask, ImportError> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.strip_prefix("preds_")
        .and_then(|rest| rest.strip_suffix(".jsonl"))
        .and_then(infinitebench::task)
        .ok_or_else(|| ImportError::UnknownTask(name.to_owned()))
}

/// Reads and scores an InfiniteBench file. A bad line is refused and named, the rest goes on.
///
/// # Errors
/// [`ImportError`] when no line is usable.
pub fn import_infinitebench(task: &'static ImportedTask, model: &str, text: &str) -> Result<Import, ImportError> {
    let mut import = Import { task, model: model.to_owned(), rows: Vec::new(), refused: Vec::new() };
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
    match (import.rows.is_empty(), import.refused.first()) {
        (true, Some(first)) => Err(ImportError::Unparsable { line: first.line, reason: first.reason.clone() }),
        (true, None) => Err(ImportError::Empty),
        (false, _) => Ok(import),
    }
}

/// Lines that are not blank, counted from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').zip(1..).map(|(content, line)| (line, content.trim())).filter(|(_, content)| !content.is_empty())
}

fn object(content: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(content) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("not a JSON object: write one object per line".to_owned()),
        Err(error) => Err(format!("not JSON ({error}): write one object per line")),
    }
}

fn either<'a>(fields: &'a Map<String, Value>, names: [&str; 2]) -> Option<&'a Value> {
    names.iter().find_map(|name| fields.get(*name))
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

/// One answer to a generated item, Longboard's own format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// Task slug.
    pub task: String,
    /// Length bucket.
    pub length: Length,
    /// Item index.
    pub index: u32,
    /// The answer.
    pub prediction: String,
}

/// Reads Longboard's own format. A bad or repeated line is refused and named, the rest goes on.
#[must_use]
pub fn parse(text: &str) -> (Vec<Prediction>, Vec<RefusedLine>) {
    let (mut rows, mut refused, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (line, content) in numbered(text) {
        match prediction_line(content) {
            Ok(row) if seen.insert((row.task.clone(), row.length, row.index)) => rows.push(row),
            Ok(row) => {
                let reason = format!("{} {} {} occurs before: keep one line per item", row.task, row.length, row.index);
                refused.push(RefusedLine { line, reason });
            }
            Err(reason) => refused.push(RefusedLine { line, reason }),
        }
    }
    (rows, refused)
}

fn prediction_line(content: &str) -> Result<Prediction, String> {
    let fields = object(content)?;
    let known = ["task", "length", "index", "prediction"];
    if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("unknown field `{name}`: use task, length, index and prediction"));
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).ok_or(format!("no text under `{name}`: add it"));
    let index = fields.get("index").and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
    Ok(Prediction {
        task: text("task")?.to_owned(),
        length: text("length")?.parse().map_err(|error: crate::length::LengthError| error.to_string())?,
        index: index.ok_or("no whole number under `index`: give the item's index, from 0")?,
        prediction: text("prediction")?.to_owned(),
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
#[must_use]
pub fn notes() -> &'static [&'static str] {
    &[
        "Code.Debug of YaRN-Mistral: the published file scores 15.48, the published table says < 5%.",
        "En.Sum of YaRN-Mistral: the published file scores 9.06, the published table says 9.09.",
        "Zh.QA of YaRN-Mistral: the published file is not valid JSON lines; the official scorer stops at it.",
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_are_named_and_the_rest_goes_on() {
        let text = "{\"id\":0,\"prediction\":\"The key is 417.\",\"ground_truth\":\"417\"}\n\nnonsense\n{\"id\":1,\"pred\":\"5\",\"label\":[\"6\"]}\n{\"id\":1,\"pred\":\"6\",\"label\":[\"6\"]}\n{\"id\":2,\"label\":\"6\"}\n";
        let import = import_infinitebench(task_of_file("a/preds_passkey.jsonl").unwrap(), "m", text).unwrap();
        assert_eq!(import.rows.iter().map(|row| row.score).collect::<Vec<_>>(), [1.0, 0.0]);
        assert_eq!(import.refused.iter().map(|line| line.line).collect::<Vec<_>>(), [3, 5, 6]);
        assert_eq!(import.percent(), Some(50.0));
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
    fn own_format_is_strict() {
        let good = "{\"task\":\"vt\",\"length\":\"4k\",\"index\":3,\"prediction\":\"x\"}";
        let (rows, refused) = parse(&format!("{good}\n{good}\n{{\"task\":\"vt\",\"more\":1}}\n"));
        assert_eq!(rows.len(), 1);
        assert_eq!(refused.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 3]);
        assert!(refused.iter().any(|line| line.reason.contains("unknown field `more`")));
    }

    #[test]
    fn the_suite_lists_the_twelve_tasks() {
        let suite = infinitebench_suite();
        assert_eq!(suite.tasks.len(), 12);
        assert_eq!(suite.lengths.iter().map(ToString::to_string).collect::<Vec<_>>(), ["128k"]);
        assert!(suite.imported);
    }
}
