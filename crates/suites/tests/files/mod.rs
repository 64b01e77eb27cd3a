//! The files beside a data file, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use longboard_suites::dataset::{Folder, RecordError};
use serde_json::Value;

/// A folder in memory: the data file's name, and the others by path.
pub struct Files(pub &'static str, BTreeMap<&'static str, String>);

impl Files {
    pub fn new<const N: usize>(data: &'static str, files: [(&'static str, String); N]) -> Self {
        Self(data, files.into())
    }
}

impl Folder for Files {
    fn file_name(&self) -> &str {
        self.0
    }

    fn names(&self, under: &str) -> Vec<String> {
        let inside = |path: &&'static str| match (under, path.rsplit_once('/')) {
            ("", None) => Some((*path).to_owned()),
            (under, Some((folder, name))) if folder == under => Some(name.to_owned()),
            _ => None,
        };
        self.1.keys().filter_map(inside).collect()
    }

    fn text(&self, path: &str) -> Result<String, RecordError> {
        self.1.get(path).cloned().ok_or_else(|| RecordError::new(path, "no such file"))
    }

    fn json(&self, path: &str) -> Result<Arc<Value>, RecordError> {
        let text = self.text(path)?;
        let lines = || text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Ok(Arc::new(if path.ends_with(".jsonl") {
            Value::Array(lines())
        } else {
            serde_json::from_str(&text).unwrap()
        }))
    }
}
