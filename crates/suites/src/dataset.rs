//! Official data files: records read line by line, checked, and turned into items.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::collection::Collection;
pub use crate::folder::{Folder, NoFolder};
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task};

/// One question of an official data file, in the file's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Identity within the file: the file's own id, or `{line}` or `{line}.{question}`.
    pub id: String,
    /// Data set within the benchmark, e.g. `hotpotqa`.
    pub subset: String,
    /// The document.
    pub document: String,
    /// The question; empty where the task is the same for every document.
    pub question: String,
    /// Accepted answers.
    pub references: Vec<String>,
    /// What the metric needs beyond that; null where references suffice.
    #[serde(default)]
    pub gold: Value,
    /// Length in the benchmark's own unit, where the file states it.
    #[serde(default)]
    pub official_length: Option<u64>,
    /// Texts in the document on which the answer stands, where the file states them.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// A data set within a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subset {
    /// Name, e.g. `hotpotqa`.
    pub name: &'static str,
    /// Title for pages.
    pub title: &'static str,
}

/// The reader of one benchmark's official files.
pub trait Dataset: Sync {
    /// The data sets, in the benchmark's order.
    fn subsets(&self) -> &'static [Subset];

    /// The data set that a file of this name holds; `None` when the name does not say. Files are called
    /// `{data set}.jsonl` or `{data set}.json` unless the benchmark calls them otherwise.
    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let file = file_name.rsplit(['/', '\\']).next()?;
        let stem = file.strip_suffix(".jsonl").or_else(|| file.strip_suffix(".json"))?;
        self.subsets().iter().find(|subset| subset.name == stem)
    }

    /// Whether a file is one JSON object of named records. Each member then comes as a line of its own, an object that
    /// has it alone.
    fn keyed(&self, _subset: &Subset) -> bool {
        false
    }

    /// Reads one line, or one element of the list that a file is. It may hold several questions about one document.
    /// `line_number` is its number, from 1.
    ///
    /// # Errors
    /// [`RecordError`] names the field and what is wrong with it.
    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError>;

    /// The same where nothing stands beside the file.
    ///
    /// # Errors
    /// As [`Dataset::read_beside`].
    fn read(&self, subset: &Subset, line_number: usize, line: &str) -> Result<Vec<Record>, RecordError> {
        self.read_beside(subset, line_number, line, &NoFolder)
    }

    /// The folder whose file names are the lines, where a data set is a folder and no file.
    fn listing(&self) -> Option<&'static str> {
        None
    }

    /// The documents that its records search, where records are queries: they stand in files of their own.
    fn collection(&self) -> Option<&'static dyn Collection> {
        None
    }

    /// Official lengths from which the benchmark's next bucket of scores begins, rising; empty where it reports none.
    fn buckets(&self, _subset: &Subset) -> &'static [u64] {
        &[]
    }

    /// Family parameters of the task that stands on a data set.
    fn params(&self, subset: &Subset) -> Value;

    /// The item of a record: the official prompt, cut as the benchmark cuts to fit `request.length`.
    ///
    /// # Errors
    /// [`GenerateError::Unsatisfiable`] when not even the frame fits.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError>;
}

/// Records by item index. A document on which several stand is kept once.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// Documents.
    pub documents: Vec<String>,
    /// By item index: the place of the document, and the record without it.
    pub by_index: BTreeMap<u32, (usize, Record)>,
}

impl Records {
    /// The record of an item with its document; `None` where it is not here.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<Record> {
        let (place, record) = self.by_index.get(&index)?;
        Some(Record { document: self.documents.get(*place)?.clone(), ..record.clone() })
    }
}

/// A line that is no record of its format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RecordError {
    /// The field, or `line` where the line as a whole cannot be read.
    pub field: String,
    /// What is wrong and what is expected.
    pub reason: String,
}

impl RecordError {
    /// A complaint about a field.
    #[must_use]
    pub fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }
}

/// Reads a line as one JSON object.
///
/// # Errors
/// [`RecordError`] about `line`.
pub fn object(line: &str) -> Result<serde_json::Map<String, Value>, RecordError> {
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(RecordError::new("line", "expected one JSON object per line")),
        Err(error) => Err(RecordError::new("line", format!("not JSON ({error}): expected one object per line"))),
    }
}

/// Takes a text field.
///
/// # Errors
/// [`RecordError`] when it is absent or no text.
pub fn text(fields: &serde_json::Map<String, Value>, name: &str) -> Result<String, RecordError> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(RecordError::new(name, "expected a text")),
        None => Err(RecordError::new(name, "missing")),
    }
}

/// Takes a field that is a list of texts.
///
/// # Errors
/// [`RecordError`] when it is absent, no list, or holds something else.
pub fn texts(fields: &serde_json::Map<String, Value>, name: &str) -> Result<Vec<String>, RecordError> {
    let Some(Value::Array(list)) = fields.get(name) else {
        return Err(RecordError::new(name, "expected a list of texts"));
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    list.iter().map(text).collect::<Option<_>>().ok_or_else(|| RecordError::new(name, "expected a list of texts"))
}
