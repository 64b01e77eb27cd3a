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
    let mut names = Names::new(collection);
    let mut asides = 0;
    let refused = |reason: String| DatasetError::App(AppError::Invalid(reason));
    let paths = collection.files(file.subset, folder).map_err(|error| refused(error.to_string()))?;
    let own = paths.is_empty().then(String::new);
    for path in paths.into_iter().chain(own) {
        let opened: Box<dyn Read> = if path.is_empty() {
            file.open(folder).map_err(|error| DatasetError::Unreadable { path: file.name.clone(), error })?
        } else {
            Box::new(folder.open(&path).map_err(refused)?)
        };
        let told = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let mut pieces = Pieces::new(BufReader::new(Watched::new(opened, Arc::new(|_| ()))), PIECE_BYTES);
        let mut buffer = Vec::new();
        loop {
            let unreadable = |error| DatasetError::Unreadable { path: path.clone(), error };
            let place = match pieces.next(&mut buffer).map_err(unreadable)? {
                Next::Piece(place) => place,
                Next::TooLong(place) => {
                    return Err(bad.ended(place, format!("{told}line: longer than {} MiB", PIECE_BYTES >> 20)));
                }
                Next::Open(place) => return Err(bad.ended(place, format!("{told}line: the file ends within a list"))),
                Next::End => break,
            };
            bad.reached(place.number);
            let entries = match fresh(file, collection, folder, &mut names, &buffer) {
                Ok(entries) => entries,
                Err(reason) => {
                    bad.add(place, format!("{told}{reason}"));
                    continue;
                }
            };
            for entry in entries {
                let (number, document) = match entry {
                    Entry::Document(document) => (names.documents() - 1, document),
                    Entry::Aside(document) => {
                        asides += 1;
                        (MOST_DOCUMENTS + asides, document)
                    }
                    Entry::Empty(_) => {
                        *dropped += 1;
                        continue;
                    }
                };
                if !take(Found::Document(i32::try_from(number).unwrap_or(i32::MAX), document)) {
                    return Err(DatasetError::Changed);
                }
            }
        }
        bad.turn();
        if !path.is_empty() {
            folder.took(&path, pieces.into_reader().into_inner().facts()).map_err(refused)?;
        }
    }
    Ok(names)
}

/// The entries of a piece that stood nowhere before.
fn fresh(
    file: &DataFile,
    collection: &dyn Collection,
    folder: &Companions,
    names: &mut Names,
    bytes: &[u8],
) -> Result<Vec<Entry>, String> {
    let text = DataFile::text(bytes)?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut fresh = Vec::new();
    for entry in collection.read(file.subset, text, folder).map_err(|error| error.to_string())? {
        if names.add(&entry).map_err(|error| error.to_string())? {
            fresh.push(entry);
        }
    }
    Ok(fresh)
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
