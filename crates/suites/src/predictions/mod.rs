//! Prediction files: answers that a team produced elsewhere, one JSON object per line.
//!
//! Four formats: InfiniteBench's, L-Eval's, LongBench's, and Longboard's own for generated tasks.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::card::Language;
use crate::suite::Suite;

mod infinitebench;
pub mod leval;
mod longbench;
mod longboard;

pub use infinitebench::{import_infinitebench, infinitebench_suite};
pub use longbench::longbench_e;
pub use longboard::{Prediction, parse};

/// A task whose answers are imported from prediction files instead of being generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImportedTask {
    /// Task slug on boards, e.g. `infinitebench_passkey`.
    pub slug: &'static str,
    /// Name in upstream file names, e.g. `passkey`.
    pub name: &'static str,
    /// Title, as in the paper's table.
    pub title: &'static str,
    /// Metric slug.
    pub metric: &'static str,
    /// Language.
    pub language: Language,
    /// Samples of the full task, counted in the published data.
    pub samples: u32,
    /// Slug of its suite.
    pub suite: &'static str,
    /// Paper and code version.
    pub citation: &'static str,
}

/// All tasks that come from prediction files, benchmark by benchmark.
pub fn imported_tasks() -> impl Iterator<Item = &'static ImportedTask> {
    infinitebench::TASKS.iter().chain(&leval::TASKS).chain(&longbench::TASKS)
}

/// The task with this slug.
#[must_use]
pub fn imported_task(slug: &str) -> Option<&'static ImportedTask> {
    imported_tasks().find(|task| task.slug == slug)
}

/// The suites that prediction files fill.
#[must_use]
pub fn imported_suites() -> [Suite; 3] {
    [infinitebench_suite(), leval::suite(), longbench::suite()]
}

/// What to know about the published numbers of a suite of predictions.
#[must_use]
pub fn notes(suite: &str) -> &'static [&'static str] {
    if suite == "infinitebench" { infinitebench::notes() } else { &[] }
}

/// A scored file.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The task.
    pub task: &'static ImportedTask,
    /// Model name.
    pub model: String,
    /// Scored answers in file order.
    pub rows: Vec<ScoredPrediction>,
    /// The number that the official script prints, in percent; `None` without rows.
    pub official: Option<f64>,
    /// Lines that were not used, with the reason.
    pub refused: Vec<RefusedLine>,
}

impl Import {
    /// The import, unless no line is usable.
    fn checked(self) -> Result<Self, ImportError> {
        match (self.rows.is_empty(), self.refused.first()) {
            (true, Some(first)) => Err(ImportError::Unparsable { line: first.line, reason: first.reason.clone() }),
            (true, None) => Err(ImportError::Empty),
            (false, _) => Ok(self),
        }
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

/// A file that cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The name does not say which task it is.
    #[error("`{0}` names no task: call the file {known}", known = file_names())]
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

fn file_names() -> String {
    let names = |tasks: &[ImportedTask]| tasks.iter().map(|task| task.name).collect::<Vec<_>>().join(", ");
    format!(
        "preds_<task>.jsonl with one of {} (InfiniteBench), <task>.pred.jsonl with one of {} (L-Eval), or <data set>.jsonl with one of {} (LongBench)",
        names(&infinitebench::TASKS),
        names(&leval::TASKS),
        names(&longbench::TASKS)
    )
}

/// The task of a prediction file, by its name: `preds_passkey.jsonl`, `tpo.pred.jsonl`, `hotpotqa.jsonl`.
///
/// # Errors
/// [`ImportError::UnknownTask`] with the allowed names.
pub fn task_of_file(name: &str) -> Result<&'static ImportedTask, ImportError> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let named = |tasks: &'static [ImportedTask], stem: Option<&str>| {
        stem.and_then(|stem| tasks.iter().find(|task| task.name.eq_ignore_ascii_case(stem)))
    };
    let stem = file.strip_suffix(".jsonl");
    named(&infinitebench::TASKS, stem.and_then(|stem| stem.strip_prefix("preds_")))
        .or_else(|| named(&leval::TASKS, stem.and_then(|stem| stem.strip_suffix(".pred"))))
        .or_else(|| named(&longbench::TASKS, stem))
        .ok_or_else(|| ImportError::UnknownTask(name.to_owned()))
}

/// Reads and scores a prediction file of `task`. A bad line is refused and named, the rest goes on.
///
/// # Errors
/// [`ImportError`] when no line is usable.
pub fn import_file(task: &'static ImportedTask, model: &str, text: &str) -> Result<Import, ImportError> {
    if longbench::TASKS.contains(task) {
        return longbench::import(task, model, text).checked();
    }
    match leval::LEVAL_TASKS.iter().zip(&leval::TASKS).find(|(_, known)| *known == task) {
        Some((scored, _)) => leval::import(task, scored, model, text).checked(),
        None => import_infinitebench(task, model, text),
    }
}

/// A line that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub reason: String,
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
