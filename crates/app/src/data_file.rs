//! A data file on disk: read as a stream, piece by piece, never as a whole.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use longboard_store::StoreError;
use longboard_store::dataset::BesideFile;
use longboard_suites::collection::{self, Names};
use longboard_suites::dataset::{Dataset, Folder, Record, Subset};
use longboard_suites::retrieval::Document;
use longboard_suites::task::{Family, TaskDefinition};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::AppError;
use crate::collection as documents;
use crate::companion;
use crate::companion::Companions;
use crate::dataset::Progress;
use crate::piece::{Next, Pieces, Place};

/// Longest line or element, i.e. largest document with its questions.
pub(crate) const PIECE_BYTES: usize = 64 * 1024 * 1024;

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
    #[error(
        "`{name}` names no data set of {family}; call the file after one of them, or name it with --subset: {known}"
    )]
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
    #[error("{count} of {total} lines or elements are no records of this format; nothing is stored")]
    BadLines {
        /// The first of them.
        named: Vec<BadLine>,
        /// How many.
        count: usize,
        /// Lines or elements in the file.
        total: usize,
    },
    /// Nothing in it.
    #[error("the file is empty: one JSON object per line or a list of them is expected")]
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
    /// Of the file and what stands beside it.
    pub sha256: String,
    pub file_sha256: String,
    pub beside: Vec<BesideFile>,
    pub records: i32,
    pub bytes: i64,
    /// Lines or elements that hold something, but no record of this data set.
    pub skipped: usize,
}

/// What a reading hands over: documents first, then what stands on them.
pub(crate) enum Found {
    /// A document of the collection and its number.
    Document(i32, Document),
    /// A record that holds its document itself.
    Record(Record),
    /// A query and the document on which it stands.
    Query(Record, String),
}

/// The data set that a file holds by its name, or by that of its folder with it.
#[must_use]
pub fn subset_of(dataset: &dyn Dataset, path: &Path) -> Option<&'static Subset> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
    dataset.subset_of(name).or_else(|| dataset.subset_of(&format!("{}/{name}", folder?)))
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
        subset: Option<&str>,
        path: PathBuf,
        progress: Progress,
    ) -> Result<Self, DatasetError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let found = match subset {
            Some(asked) => dataset.subsets().iter().find(|subset| subset.name == asked),
            None => subset_of(dataset, &path),
        };
        let subset = found.ok_or_else(|| DatasetError::UnknownSubset {
            name: subset.unwrap_or(&name).to_owned(),
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

    /// Reads the whole file, its collection first, and hands over what is found until `take` wants no more.
    pub fn read(&self, take: &mut dyn FnMut(Found) -> bool) -> Result<Facts, DatasetError> {
        let (mut bad, folder) = (BadLines::default(), Companions::new(&self.path));
        let mut skipped = 0;
        let names = match self.dataset.collection() {
            Some(collection) => Some(documents::read(self, collection, &folder, (&mut bad, &mut skipped), take)?),
            None => None,
        };
        let mut queries = Queries { names, seen: BTreeSet::new() };
        let file = self.open(&folder).map_err(|error| self.unreadable(error))?;
        let reader = BufReader::new(Watched::new(file, self.progress.clone()));
        let table = self.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let mut pieces = match table {
            true => Pieces::rows(reader, PIECE_BYTES),
            false if self.dataset.keyed(self.subset) => Pieces::members(reader, PIECE_BYTES),
            false => Pieces::new(reader, PIECE_BYTES),
        };
        let (mut records, mut buffer) = (0_i32, Vec::new());
        loop {
            let place = match pieces.next(&mut buffer).map_err(|error| self.unreadable(error))? {
                Next::Piece(place) => place,
                Next::TooLong(place) => {
                    return Err(bad.ended(place, format!("line: longer than {} MiB", PIECE_BYTES >> 20)));
                }
                Next::Open(place) => {
                    return Err(bad.ended(place, "line: the file ends within a list or a quote".into()));
                }
                Next::End => {
                    let (file_sha256, bytes) = pieces.into_reader().into_inner().facts();
                    let beside = folder.used();
                    let sha256 = companion::digest(&file_sha256, &beside, queries.set(self.subset));
                    return bad.or(Facts { sha256, file_sha256, beside, records, bytes, skipped });
                }
            };
            bad.reached(place.number);
            match self.piece(place, &buffer, &folder).and_then(|found| queries.settled(found)) {
                Ok(found) => {
                    skipped += usize::from(found.is_empty() && !buffer.trim_ascii().is_empty());
                    records = records.saturating_add(i32::try_from(found.len()).unwrap_or(i32::MAX));
                    if !found.into_iter().all(&mut *take) {
                        return Err(DatasetError::Changed);
                    }
                }
                Err(reason) => bad.add(place, reason),
            }
        }
    }

    /// The lines of the file, or of the listing that a folder is.
    pub fn open(&self, folder: &Companions) -> std::io::Result<Box<dyn Read>> {
        match self.dataset.listing().filter(|_| self.path.is_dir()) {
            Some(under) => Ok(Box::new(Cursor::new(folder.names(under).join("\n")))),
            None => Ok(Box::new(File::open(&self.path)?)),
        }
    }

    fn unreadable(&self, error: std::io::Error) -> DatasetError {
        DatasetError::Unreadable { path: self.path.display().to_string(), error }
    }

    fn piece(&self, place: Place, bytes: &[u8], folder: &Companions) -> Result<Vec<Record>, String> {
        let text = Self::text(bytes)?;
        if text.is_empty() {
            return Ok(Vec::new());
        }
        self.dataset.read_beside(self.subset, place.number, text, folder).map_err(|error| error.to_string())
    }

    /// The text of a piece without its surroundings.
    pub fn text(bytes: &[u8]) -> Result<&str, String> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("line: not UTF-8 from byte {} on; convert the file", error.valid_up_to()))?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text).trim())
    }
}

/// What is known of the queries read so far; nothing where records hold their documents.
struct Queries {
    names: Option<Names>,
    seen: BTreeSet<String>,
}

impl Queries {
    /// The name of the data set, where the same files may hold several.
    fn set(&self, subset: &'static Subset) -> Option<&'static str> {
        self.names.as_ref().map(|_| subset.name)
    }

    fn settled(&mut self, records: Vec<Record>) -> Result<Vec<Found>, String> {
        let Some(names) = &self.names else { return Ok(records.into_iter().map(Found::Record).collect()) };
        let mut found = Vec::with_capacity(records.len());
        for record in records {
            if !self.seen.insert(record.id.clone()) {
                return Err(format!("id: query {} stands twice", record.id));
            }
            let Some(record) = names.settled(record).map_err(|error| error.to_string())? else { continue };
            let document = collection::shown(&record).ok_or("qrels: no relevant document")?;
            found.push(Found::Query(record, document));
        }
        Ok(found)
    }
}

/// A file whose bytes are counted and digested as they pass.
pub(crate) struct Watched {
    file: Box<dyn Read>,
    hasher: Sha256,
    bytes: i64,
    progress: Progress,
}

impl Watched {
    pub fn new(file: impl Read + 'static, progress: Progress) -> Self {
        Self { file: Box::new(file), hasher: Sha256::new(), bytes: 0, progress }
    }

    /// SHA-256 and length of what was read.
    pub fn facts(self) -> (String, i64) {
        (hex::encode(self.hasher.finalize()), self.bytes)
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        self.bytes += i64::try_from(length).unwrap_or(i64::MAX);
        (self.progress)(length as u64);
        Ok(length)
    }
}

/// Lines that are no records.
#[derive(Default)]
pub(crate) struct BadLines {
    named: Vec<BadLine>,
    count: usize,
    /// Pieces of files that were read to their end.
    behind: usize,
    total: usize,
}

impl BadLines {
    /// Notes how far a file was read.
    pub fn reached(&mut self, number: usize) {
        self.total = self.behind + number;
    }

    /// Goes on to the next file.
    pub fn turn(&mut self) {
        self.behind = self.total;
    }

    pub fn add(&mut self, place: Place, reason: String) {
        self.count += 1;
        if self.named.len() < NAMED_LINES {
            self.named.push(BadLine { line: place.line, reason });
        }
    }

    /// The end of a reading that cannot go on behind `place`.
    pub fn ended(&mut self, place: Place, reason: String) -> DatasetError {
        self.reached(place.number);
        self.add(place, reason);
        let Self { named, count, total, .. } = std::mem::take(self);
        DatasetError::BadLines { named, count, total }
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
