//! Prediction files: answers that a team produced elsewhere, one JSON object per line.
//!
//! Three formats: InfiniteBench's, L-Eval's, and Longboard's own for generated tasks.

use serde_json::{Map, Value};

mod infinitebench;
pub mod leval;
mod longboard;

pub use infinitebench::{
    Import, ImportError, ImportedTask, ScoredPrediction, TASKS, import_infinitebench, infinitebench_suite, notes,
    task_of_file,
};
pub use longboard::{Prediction, parse};

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
