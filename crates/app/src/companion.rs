//! What the records of a data file take from other files of its folder, and from nowhere else.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::string::FromUtf8Error;
use std::sync::Arc;

use longboard_store::dataset::BesideFile;
use longboard_suites::dataset::{Folder, RecordError};
use longboard_suites::folder::{Groups, grouped};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Largest file that stands beside a data file.
const COMPANION_BYTES: u64 = 64 * 1024 * 1024;

/// The folder of a data file during one reading. What was taken from it is remembered.
pub(crate) struct Companions {
    folder: PathBuf,
    file_name: String,
    used: RefCell<BTreeMap<String, (String, i64)>>,
    shared: RefCell<BTreeMap<String, Arc<Value>>>,
    groups: RefCell<BTreeMap<(String, String), Arc<Groups>>>,
}

/// Digest of a data set: the data file's own where nothing stands beside it, else that of all digests, one a line, the
/// data file's first and the others in the order of their paths, and the name of the set where the same files hold several.
pub(crate) fn digest(file: &str, beside: &[BesideFile], set: Option<&str>) -> String {
    if beside.is_empty() && set.is_none() {
        return file.to_owned();
    }
    let mut hasher = Sha256::new();
    for sha256 in std::iter::once(file).chain(beside.iter().map(|file| file.sha256.as_str())).chain(set) {
        hasher.update(sha256);
        hasher.update("\n");
    }
    hex::encode(hasher.finalize())
}

impl Companions {
    /// The folder of the data file at `path`, or the folder itself that a data set is.
    pub fn new(path: &Path) -> Self {
        if path.is_dir() {
            return Self::within(path.to_owned(), String::new());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::within(folder.to_owned(), file_name)
    }

    fn within(folder: PathBuf, file_name: String) -> Self {
        Self { folder, file_name, used: RefCell::default(), shared: RefCell::default(), groups: RefCell::default() }
    }

    /// The files from which records took something, by path.
    pub fn used(&self) -> Vec<BesideFile> {
        let file = |(path, (sha256, bytes)): (&String, &(String, i64))| BesideFile {
            path: path.clone(),
            sha256: sha256.clone(),
            bytes: *bytes,
        };
        self.used.borrow().iter().filter(|(path, _)| **path != self.file_name).map(file).collect()
    }

    /// Where a path leads; a data file cannot make Longboard read anything outside of its folder.
    fn inside(&self, path: &str) -> Result<PathBuf, String> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(format!("`{path}` is no path within the folder of the file"));
        }
        let closed = |error: std::io::Error| format!("cannot open {path} beside the file: {error}");
        let real = self.folder.join(path).canonicalize().map_err(closed)?;
        if !real.starts_with(self.folder.canonicalize().map_err(closed)?) {
            return Err(format!("`{path}` leads out of the folder of the file"));
        }
        Ok(real)
    }

    /// A file beside the data file, to be read as a stream; what was read is told to [`Companions::took`].
    pub fn open(&self, path: &str) -> Result<File, String> {
        let real = self.inside(path)?;
        File::open(real).map_err(|error| format!("cannot open {path} beside the file: {error}"))
    }

    /// Remembers digest and size of what was taken from a file.
    pub fn took(&self, path: &str, known: (String, i64)) -> Result<(), String> {
        match self.used.borrow_mut().insert(path.to_owned(), known.clone()) {
            Some(before) if before != known => Err(format!("{path} changed while it was read")),
            _ => Ok(()),
        }
    }

    fn load(&self, path: &str) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let length = self.open(path)?.take(COMPANION_BYTES + 1).read_to_end(&mut bytes);
        let length = length.map_err(|error| format!("cannot read {path} beside the file: {error}"))?;
        if length as u64 > COMPANION_BYTES {
            return Err(format!("{path} is longer than {} MiB", COMPANION_BYTES >> 20));
        }
        self.took(path, (hex::encode(Sha256::digest(&bytes)), i64::try_from(length).unwrap_or(i64::MAX)))?;
        Ok(bytes)
    }
}

impl Folder for Companions {
    fn file_name(&self) -> &str {
        &self.file_name
    }

    fn names(&self, under: &str) -> Vec<String> {
        let Ok(folder) = self.inside(under) else { return Vec::new() };
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn text(&self, path: &str) -> Result<String, RecordError> {
        let unreadable = |error: FromUtf8Error| format!("cannot read {path} beside the file: {error}");
        let text = self.load(path).and_then(|bytes| String::from_utf8(bytes).map_err(unreadable));
        text.map_err(|reason| RecordError::new(path, reason))
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, RecordError> {
        self.load(path).map_err(|reason| RecordError::new(path, reason))
    }

    fn groups(&self, path: &str, field: &str) -> Result<Arc<Groups>, RecordError> {
        let key = (path.to_owned(), field.to_owned());
        if let Some(groups) = self.groups.borrow().get(&key) {
            return Ok(Arc::clone(groups));
        }
        let groups = Arc::new(grouped(path, &self.text(path)?, field)?);
        self.groups.borrow_mut().insert(key, Arc::clone(&groups));
        Ok(groups)
    }

    fn json(&self, path: &str) -> Result<Arc<Value>, RecordError> {
        if let Some(value) = self.shared.borrow().get(path) {
            return Ok(Arc::clone(value));
        }
        let text = self.text(path)?;
        let bad =
            |place: String, error: serde_json::Error| RecordError::new(path, format!("{place}not JSON ({error})"));
        let value = if path.ends_with(".jsonl") {
            let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
            let values = lines.map(|(line, number)| {
                serde_json::from_str(line).map_err(|error| bad(format!("line {number}: "), error))
            });
            Value::Array(values.collect::<Result<_, _>>()?)
        } else {
            serde_json::from_str(&text).map_err(|error| bad(String::new(), error))?
        };
        let value = Arc::new(value);
        self.shared.borrow_mut().insert(path.to_owned(), Arc::clone(&value));
        Ok(value)
    }
}
