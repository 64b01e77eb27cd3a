//! Collections of documents beside a data file: read as a stream, checked against what queries say, and given out.

use std::io::{BufReader, Read};
use std::sync::Arc;

use longboard_protocol::worker::{CollectedDocument, CollectedPart, DocumentsReply, DocumentsRequest, Picked};
use longboard_store::collection::Wanted;
use longboard_suites::collection::{Collection, Entry, MOST_DOCUMENTS, Names};
use longboard_suites::retrieval::{Content, Document};
use uuid::Uuid;

use crate::companion::Companions;
use crate::data_file::{BadLines, DataFile, DatasetError, Found, PIECE_BYTES, Watched};
use crate::fleet::FleetMember;
use crate::piece::{Next, Pieces};
use crate::{AppError, Longboard};

/// Bytes of documents that go into one reply, unless one alone is longer.
const REPLY_BYTES: usize = 16 * 1024 * 1024;

/// Most documents of one reply.
const REPLY_DOCUMENTS: usize = 256;

/// Reads all files of a collection, hands over each document, and gives their names.
pub(crate) fn read(
    file: &DataFile,
    collection: &dyn Collection,
    folder: &Companions,
    (bad, dropped): (&mut BadLines, &mut usize),
    take: &mut dyn FnMut(Found) -> bool,
) -> Result<Names, DatasetError> {
    let paths = collection.files(file.subset, folder).map_err(|error| refused(error.to_string()))?;
    let names = Names::new(collection);
    let mut reading = Reading { file, collection, folder, bad, dropped, take, names, asides: 0 };
    for path in &paths {
        let opened = folder.open(path).map_err(refused)?;
        let facts = reading.lines(opened, path, &format!("{path}: "))?;
        folder.took(path, facts).map_err(refused)?;
    }
    if paths.is_empty() {
        let unreadable = |error| DatasetError::Unreadable { path: file.name.clone(), error };
        reading.lines(file.open(folder).map_err(unreadable)?, &file.name, "")?;
    }
    Ok(reading.names)
}

fn refused(reason: String) -> DatasetError {
    DatasetError::App(AppError::Invalid(reason))
}

/// A collection that is being read.
struct Reading<'a> {
    file: &'a DataFile,
    collection: &'a dyn Collection,
    folder: &'a Companions,
    bad: &'a mut BadLines,
    /// Documents without content.
    dropped: &'a mut usize,
    take: &'a mut dyn FnMut(Found) -> bool,
    names: Names,
    asides: usize,
}

impl Reading<'_> {
    /// Reads the lines of one file, whose complaints begin with `told`; gives its SHA-256 and length.
    fn lines(&mut self, file: impl Read + 'static, path: &str, told: &str) -> Result<(String, i64), DatasetError> {
        let mut pieces = Pieces::new(BufReader::new(Watched::new(file, Arc::new(|_| ()))), PIECE_BYTES);
        let mut buffer = Vec::new();
        loop {
            let unreadable = |error| DatasetError::Unreadable { path: path.to_owned(), error };
            match pieces.next(&mut buffer).map_err(unreadable)? {
                Next::Piece(place) => {
                    self.bad.reached(place.number);
                    match self.fresh(&buffer) {
                        Ok(entries) => entries.into_iter().try_for_each(|entry| self.hand_over(entry))?,
                        Err(reason) => self.bad.add(place, format!("{told}{reason}")),
                    }
                }
                Next::TooLong(place) => {
                    return Err(self.bad.ended(place, format!("{told}line: longer than {} MiB", PIECE_BYTES >> 20)));
                }
                Next::Open(place) => {
                    return Err(self.bad.ended(place, format!("{told}line: the file ends within a list")));
                }
                Next::End => break,
            }
        }
        self.bad.turn();
        Ok(pieces.into_reader().into_inner().facts())
    }

    /// The entries of a piece that stood nowhere before.
    fn fresh(&mut self, bytes: &[u8]) -> Result<Vec<(usize, Entry)>, String> {
        let text = DataFile::text(bytes)?;
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut fresh = Vec::new();
        for entry in self.collection.read(self.file.subset, text, self.folder).map_err(|error| error.to_string())? {
            if self.names.add(&entry).map_err(|error| error.to_string())? {
                fresh.push((self.names.documents(), entry));
            }
        }
        Ok(fresh)
    }

    /// A document with its number: those that are searched from 0 on, the others behind all that may be.
    fn hand_over(&mut self, (documents, entry): (usize, Entry)) -> Result<(), DatasetError> {
        let (number, document) = match entry {
            Entry::Document(document) => (documents - 1, document),
            Entry::Aside(document) => {
                self.asides += 1;
                (MOST_DOCUMENTS + self.asides, document)
            }
            Entry::Empty(_) => {
                *self.dropped += 1;
                return Ok(());
            }
        };
        let taken = (self.take)(Found::Document(i32::try_from(number).unwrap_or(i32::MAX), document));
        if taken { Ok(()) } else { Err(DatasetError::Changed) }
    }
}

impl Longboard {
    /// Documents that the items of a leased shard search: the first of those that are picked, and at least one.
    ///
    /// # Errors
    /// [`longboard_store::StoreError::LeaseLost`]; [`AppError::Invalid`] where the shard's task stands on no collection.
    pub async fn shard_documents(
        &self,
        by: &FleetMember,
        shard: Uuid,
        request: DocumentsRequest,
    ) -> Result<DocumentsReply, AppError> {
        let shard = self.store.leased(shard, by.worker().id, request.fence).await?;
        let row = self.task(&shard.task_slug, Some(shard.task_version)).await?;
        let none = || AppError::Invalid(format!("{} stands on no data file", row.slug));
        let sha256 = row.data_sha256.clone().ok_or_else(none)?;
        let wanted = match request.picked {
            Picked::From { first, count } => Wanted::From(first, count.min(REPLY_DOCUMENTS as u32)),
            Picked::Named { mut names } => {
                names.truncate(REPLY_DOCUMENTS);
                Wanted::Named(names)
            }
        };
        let found = self.store.collected(&sha256, &wanted, REPLY_BYTES).await?;
        Ok(DocumentsReply { documents: found.into_iter().map(sent).collect() })
    }
}

fn sent(Document { id, content }: Document) -> CollectedDocument {
    let part = match content {
        Content::Text(text) => CollectedPart::Text(text),
        Content::Picture(bytes) => CollectedPart::Picture(hex::encode(bytes)),
    };
    CollectedDocument { id, part }
}
