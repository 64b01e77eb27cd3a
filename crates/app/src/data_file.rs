//! A data file on disk: read as a stream, line by line, never as a whole.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use longboard_store::StoreError;
use longboard_suites::dataset::{Dataset, Record, Subset};
use longboard_suites::task::{Family, TaskDefinition};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::AppError;
use crate::dataset::Progress;

/// Longest line, i.e. largest document with its questions.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

/// Refused lines that are named; more are only counted.
const NAMED_LINES: usize = 20;

/// A line that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Line number, from 1.
    pub line: usize,
    /// Field and what is wrong with it.
    pub reason: String,
}

/// A file that is not stored.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The name does not say which data set it is.
    #[error("`{name}` names no data set of {family}; call the file after one of: {known}")]
    UnknownSubset {
        /// The file's name.
        name: String,
        /// The family.
        family: String,
        /// What there is.
        known: String,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// Lines that are no records: nothing is stored.
    #[error("{count} of {total} lines are no records of this format; nothing is stored")]
    BadLines {
        /// The first of them.
        named: Vec<BadLine>,
        /// How many.
        count: usize,
        /// Lines in the file.
        total: usize,
    },
    /// Nothing in it.
    #[error("the file is empty: one JSON object per line is expected")]
    Empty,
    /// The file changed between the two readings.
    #[error("the file changed while it was read; import it again")]
    Changed,
    /// The rest.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for DatasetError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// What a reading found.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub sha256: String,
    pub records: i32,
    pub bytes: i64,
}

/// A file with its reader.
#[derive(Clone)]
pub(crate) struct DataFile {
    pub family: &'static dyn Family,
    pub dataset: &'static dyn Dataset,
    pub subset: &'static Subset,
    pub name: String,
    path: PathBuf,
    progress: Progress,
}

impl DataFile {
    pub fn new(
        family: &'static dyn Family,
        dataset: &'static dyn Dataset,
        path: PathBuf,
        progress: Progress,
    ) -> Result<Self, DatasetError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let subset = dataset.subset_of(&name).ok_or_else(|| DatasetError::UnknownSubset {
            name: name.clone(),
            family: family.slug().to_owned(),
            known: dataset.subsets().iter().map(|subset| subset.name).collect::<Vec<_>>().join(", "),
        })?;
        Ok(Self { family, dataset, subset, name, path, progress })
    }

    /// The task that stands on this file, as version 1.
    pub fn definition(&self, sha256: &str) -> TaskDefinition {
        let slug = format!("{}_{}_data", self.family.slug(), self.subset.name.replace(['.', '/', ' '], "_"));
        let params = self.dataset.params(self.subset);
        let title = format!("{}, official data", self.subset.title);
        let slug = slug.to_lowercase();
        TaskDefinition {
            data: Some(sha256.to_owned()),
            ..TaskDefinition::generated(self.family.slug(), &slug, &title, params)
        }
    }

    /// Licence and terms of the file.
    pub fn terms(&self) -> String {
        let params = match self.dataset.params(self.subset) {
            Value::Object(params) => params,
            _ => serde_json::Map::new(),
        };
        self.family.card(&params).importable.unwrap_or("not stated").to_owned()
    }

    /// Reads the whole file and keeps nothing. CPU-bound.
    pub fn check(&self) -> Result<Facts, DatasetError> {
        self.read(&mut |_| true)
    }

    /// Reads the whole file and hands over each record until `take` wants no more.
    pub fn read(&self, take: &mut dyn FnMut(Record) -> bool) -> Result<Facts, DatasetError> {
        let unreadable = |error| DatasetError::Unreadable { path: self.path.display().to_string(), error };
        let mut lines = BufReader::new(File::open(&self.path).map_err(unreadable)?);
        let mut hasher = Sha256::new();
        let mut bad = BadLines::default();
        let (mut records, mut bytes, mut buffer) = (0_i32, 0_i64, Vec::new());
        for number in 1.. {
            buffer.clear();
            let length = lines.by_ref().take(LINE_BYTES + 1).read_until(b'\n', &mut buffer).map_err(unreadable)?;
            if length == 0 {
                return bad.or(Facts { sha256: hex::encode(hasher.finalize()), records, bytes });
            }
            hasher.update(&buffer);
            bytes += i64::try_from(length).unwrap_or(i64::MAX);
            (self.progress)(length as u64);
            if buffer.len() as u64 > LINE_BYTES {
                return Err(bad.ending(number, format!("line: longer than {} MiB", LINE_BYTES >> 20)));
            }
            match self.line(number, &buffer) {
                Ok(found) => {
                    records = records.saturating_add(i32::try_from(found.len()).unwrap_or(i32::MAX));
                    if !found.into_iter().all(&mut *take) {
                        break;
                    }
                }
                Err(reason) => bad.add(number, reason),
            }
            bad.total = number;
        }
        Err(DatasetError::Changed)
    }

    fn line(&self, number: usize, bytes: &[u8]) -> Result<Vec<Record>, String> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("line: not UTF-8 from byte {} on; convert the file", error.valid_up_to()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        self.dataset.read(self.subset, number, text).map_err(|error| error.to_string())
    }
}

/// Lines that are no records.
#[derive(Default)]
struct BadLines {
    named: Vec<BadLine>,
    count: usize,
    total: usize,
}

impl BadLines {
    fn add(&mut self, line: usize, reason: String) {
        self.count += 1;
        if self.named.len() < NAMED_LINES {
            self.named.push(BadLine { line, reason });
        }
    }

    fn ending(mut self, line: usize, reason: String) -> DatasetError {
        self.add(line, reason);
        DatasetError::BadLines { named: self.named, count: self.count, total: line }
    }

    /// The facts, unless there is something wrong with the file.
    fn or(self, facts: Facts) -> Result<Facts, DatasetError> {
        match (self.count, facts.records) {
            (0, 0) => Err(DatasetError::Empty),
            (0, _) => Ok(facts),
            (count, _) => Err(DatasetError::BadLines { named: self.named, count, total: self.total }),
        }
    }
}
