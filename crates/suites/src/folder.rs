//! The folder of a data file: what a reader may take from other files.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::collection::named;
use crate::dataset::RecordError;

/// Rows of a file of JSON lines by the name in one of their fields.
pub type Groups = BTreeMap<String, Vec<Map<String, Value>>>;

/// What stands beside a data file. Paths are relative to its folder and cannot lead out of it.
pub trait Folder {
    /// Name of the data file.
    fn file_name(&self) -> &str;

    /// Names of the files in a folder of this one (`""`: the data file's own), sorted.
    fn names(&self, under: &str) -> Vec<String>;

    /// The text of a file that one record, or few, name.
    ///
    /// # Errors
    /// [`RecordError`] about the path.
    fn text(&self, path: &str) -> Result<String, RecordError>;

    /// The JSON value of a file that all records share, parsed once; a file of lines (`.jsonl`) is the list of them.
    ///
    /// # Errors
    /// [`RecordError`] about the path.
    fn json(&self, path: &str) -> Result<Arc<Value>, RecordError>;

    /// The rows of a file of JSON lines by the name in `field`, grouped once.
    ///
    /// # Errors
    /// [`RecordError`] about the path, or about a row without that name.
    fn groups(&self, path: &str, field: &str) -> Result<Arc<Groups>, RecordError> {
        grouped(path, &self.text(path)?, field).map(Arc::new)
    }

    /// The bytes of a file that one record, or few, name.
    ///
    /// # Errors
    /// [`RecordError`] about the path.
    fn bytes(&self, path: &str) -> Result<Vec<u8>, RecordError> {
        self.text(path).map(String::into_bytes)
    }

    /// The first file beside the data file, by name, that begins and ends so.
    ///
    /// # Errors
    /// [`RecordError`] when there is none.
    fn find(&self, prefix: &str, suffix: &str) -> Result<String, RecordError> {
        let wanted = |name: &String| name.starts_with(prefix) && name.ends_with(suffix) && name != self.file_name();
        let missing = || RecordError::new(&format!("{prefix}…{suffix}"), "no such file stands beside the data file");
        self.names("").into_iter().find(wanted).ok_or_else(missing)
    }
}

/// Groups the JSON lines of `text` by the name in `field`.
///
/// # Errors
/// [`RecordError`] about the line that is no such row.
pub fn grouped(path: &str, text: &str, field: &str) -> Result<Groups, RecordError> {
    let mut groups = Groups::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let bad = |reason: &str| RecordError::new(path, format!("line {number}: {reason}"));
        let row: Map<String, Value> = serde_json::from_str(line).map_err(|error| bad(&error.to_string()))?;
        let name = row.get(field).and_then(named).ok_or_else(|| bad(&format!("`{field}` is no name")))?;
        groups.entry(name).or_default().push(row);
    }
    Ok(groups)
}

/// A data file without a folder: records must hold all they need.
pub struct NoFolder;

impl Folder for NoFolder {
    fn file_name(&self) -> &'static str {
        ""
    }

    fn names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn text(&self, path: &str) -> Result<String, RecordError> {
        Err(RecordError::new(path, "no such file stands beside the data file"))
    }

    fn json(&self, path: &str) -> Result<Arc<Value>, RecordError> {
        self.text(path).map(|_| Arc::default())
    }
}
