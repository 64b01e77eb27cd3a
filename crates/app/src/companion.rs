//! What the records of a data file take from other files of its folder, and from nowhere else.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use longboard_suites::dataset::Companion;
use serde_json::Value;

/// Largest file that stands beside a data file.
const COMPANION_BYTES: u64 = 64 * 1024 * 1024;

/// What stands in other files of the folder and belongs into the records.
pub(crate) struct Beside<'a> {
    folder: &'a Path,
    companion: Option<Companion>,
    /// A companion that all records share, once it was read.
    shared: Option<Value>,
}

impl<'a> Beside<'a> {
    /// What belongs to the data file at `path`.
    pub fn new(companion: Option<Companion>, path: &'a Path) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self { folder, companion, shared: None }
    }

    /// The record with its companion in it; `None` where there is none or the field is filled already.
    pub fn put_into(&mut self, text: &str) -> Result<Option<String>, String> {
        let Some(companion) = self.companion.clone() else { return Ok(None) };
        let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else { return Ok(None) };
        let field = companion.field();
        if fields.contains_key(field) {
            return Ok(None);
        }
        let value = match companion {
            Companion::Named { by, .. } => match fields.get(by).and_then(Value::as_str) {
                Some(path) => Value::String(self.load(path).map_err(|reason| format!("{by}: {reason}"))?),
                None => return Ok(None),
            },
            Companion::Shared { ref prefix, .. } => self.shared(prefix)?,
        };
        fields.insert(field.to_owned(), value);
        Ok(Some(Value::Object(fields).to_string()))
    }

    fn shared(&mut self, prefix: &str) -> Result<Value, String> {
        if let Some(value) = &self.shared {
            return Ok(value.clone());
        }
        let file_name = &self.find(prefix).ok_or_else(|| format!("{prefix}….json is missing beside the file"))?;
        let text = self.load(file_name)?;
        let value: Value = serde_json::from_str(&text).map_err(|error| format!("{file_name}: not JSON ({error})"))?;
        self.shared = Some(value.clone());
        Ok(value)
    }

    /// The first file of the folder, by name, that begins with `prefix`.
    fn find(&self, prefix: &str) -> Option<String> {
        let names = std::fs::read_dir(self.folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter(|name| name.starts_with(prefix) && name.ends_with(".json")).min()
    }

    /// A text of the folder; a data file cannot make Longboard read anything else.
    fn load(&self, path: &str) -> Result<String, String> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(format!("`{path}` is no path within the folder of the file"));
        }
        let closed = |error: std::io::Error| format!("cannot open {path} beside the file: {error}");
        let real = self.folder.join(path).canonicalize().map_err(closed)?;
        if !real.starts_with(self.folder.canonicalize().map_err(closed)?) {
            return Err(format!("`{path}` leads out of the folder of the file"));
        }
        let (mut text, file) = (String::new(), File::open(real).map_err(closed)?);
        let length = file.take(COMPANION_BYTES + 1).read_to_string(&mut text);
        match length.map_err(|error| format!("cannot read {path} beside the file: {error}"))? {
            length if length as u64 > COMPANION_BYTES => {
                Err(format!("{path} is longer than {} MiB", COMPANION_BYTES >> 20))
            }
            _ => Ok(text),
        }
    }
}
