//! Document collections of official retrieval data: a file of documents beside the file of queries.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::card::Side;
use crate::dataset::{Folder, Record, RecordError, Subset};
use crate::item::Item;
use crate::length::Length;
use crate::retrieval::{Content, Document, Judged};
use crate::truncation;

/// Most documents of a collection. Their names are held while it is read.
pub const MOST_DOCUMENTS: usize = 1_000_000;

/// Most bytes of a document's name.
const NAME_BYTES: usize = 512;

/// What a line of a file of documents holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A document that queries search.
    Document(Document),
    /// What a query shows and no query searches, e.g. a picture.
    Aside(Document),
    /// The name of a document without content, which is left out.
    Empty(String),
}

impl Entry {
    /// A text, left out where it holds nothing.
    #[must_use]
    pub fn text(id: String, text: Option<String>) -> Self {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => Self::Document(Document { id, content: Content::Text(text) }),
            None => Self::Empty(id),
        }
    }
}

/// The reader of the documents that a benchmark's queries search.
pub trait Collection: Sync {
    /// The files with the documents, as paths in the folder of the data file; none where each line of the data set stands for
    /// its own document.
    ///
    /// # Errors
    /// [`RecordError`] where there is none.
    fn files(&self, subset: &Subset, folder: &dyn Folder) -> Result<Vec<String>, RecordError>;

    /// Reads one line; nothing where it belongs to another data set.
    ///
    /// # Errors
    /// [`RecordError`] names the field and what is wrong with it.
    fn read(&self, subset: &Subset, line: &str, folder: &dyn Folder) -> Result<Vec<Entry>, RecordError>;

    /// Whether a document with the same content as a relevant one is relevant too.
    fn copies_count(&self) -> bool {
        false
    }
}

/// Names of the documents of a collection, without their contents.
#[derive(Debug, Default)]
pub struct Names {
    searched: BTreeMap<String, [u8; 32]>,
    asides: BTreeSet<String>,
    empty: BTreeSet<String>,
    /// Documents by content; filled where copies count.
    copies: BTreeMap<[u8; 32], Vec<String>>,
    copies_count: bool,
}

impl Names {
    /// Of no document yet.
    #[must_use]
    pub fn new(collection: &dyn Collection) -> Self {
        Self { copies_count: collection.copies_count(), ..Self::default() }
    }

    /// Notes an entry; false where the same document stood before.
    ///
    /// # Errors
    /// [`RecordError`] about a name that stands for two documents, and about too many documents.
    pub fn add(&mut self, entry: &Entry) -> Result<bool, RecordError> {
        let (Entry::Document(Document { id, .. }) | Entry::Aside(Document { id, .. }) | Entry::Empty(id)) = entry;
        let twice = || RecordError::new("id", format!("`{id}` names two documents"));
        if let Entry::Document(document) = entry {
            let digest = digest(&document.content);
            if let Some(known) = self.searched.get(id) {
                return if *known == digest { Ok(false) } else { Err(twice()) };
            }
        }
        if self.searched.contains_key(id) || self.asides.contains(id) || self.empty.contains(id) {
            return Err(twice());
        }
        if self.searched.len() + self.asides.len() + self.empty.len() >= MOST_DOCUMENTS {
            return Err(RecordError::new("line", format!("more than {MOST_DOCUMENTS} documents")));
        }
        match entry {
            Entry::Document(document) => {
                let digest = digest(&document.content);
                if self.copies_count {
                    self.copies.entry(digest).or_default().push(id.clone());
                }
                let _ = self.searched.insert(id.clone(), digest);
            }
            Entry::Aside(_) => drop(self.asides.insert(id.clone())),
            Entry::Empty(_) => drop(self.empty.insert(id.clone())),
        }
        Ok(true)
    }

    /// Documents that are searched.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.searched.len()
    }

    /// A query with what the collection knows: how many documents it searches, copies of relevant ones, and none without
    /// content. `None` where no relevant document is left.
    ///
    /// # Errors
    /// [`RecordError`] about a document that the collection does not hold.
    pub fn settled(&self, mut record: Record) -> Result<Option<Record>, RecordError> {
        let unreadable = |error: serde_json::Error| RecordError::new("qrels", error.to_string());
        let mut judged = Judged::deserialize(&record.gold).map_err(unreadable)?;
        for relevant in &mut judged.relevant {
            self.hold(&record.id, "qrels", relevant.keys())?;
            relevant.retain(|name, _| self.searched.contains_key(name));
            self.add_copies(relevant);
        }
        if !judged.relevant.first().is_some_and(|first| first.values().any(|grade| *grade > 0)) {
            return Ok(None);
        }
        let mut candidates = candidates(&record.gold);
        if let Some(candidates) = &mut candidates {
            self.hold(&record.id, "top_ranked", candidates.iter())?;
            candidates.retain(|name| self.searched.contains_key(name));
        }
        let searched = candidates.as_ref().map_or(self.searched.len(), Vec::len);
        let Some(gold) = record.gold.as_object_mut() else { return Ok(None) };
        gold.insert("relevant".to_owned(), json!(judged.relevant));
        gold.insert("documents".to_owned(), json!(searched));
        if let Some(candidates) = candidates {
            gold.insert(CANDIDATES.to_owned(), json!(candidates));
        }
        Ok(Some(record))
    }

    fn hold<'a>(
        &self,
        query: &str,
        field: &str,
        mut names: impl Iterator<Item = &'a String>,
    ) -> Result<(), RecordError> {
        let unknown = names.find(|name| !self.searched.contains_key(*name) && !self.empty.contains(*name));
        let refusal = |name| {
            let reason = format!("query {query} names document `{name}`, which stands in no file of documents");
            RecordError::new(field, reason)
        };
        unknown.map_or(Ok(()), |name| Err(refusal(name)))
    }

    fn add_copies(&self, relevant: &mut BTreeMap<String, u32>) {
        if !self.copies_count {
            return;
        }
        let same = |name: &String| self.copies.get(self.searched.get(name)?);
        let copies: Vec<(String, u32)> = relevant
            .iter()
            .flat_map(|(name, grade)| same(name).into_iter().flatten().map(|copy| (copy.clone(), *grade)))
            .collect();
        for (copy, grade) in copies {
            relevant.entry(copy).or_insert(grade);
        }
    }
}

fn digest(content: &Content) -> [u8; 32] {
    match content {
        Content::Text(text) => Sha256::digest(text).into(),
        Content::Picture(picture) => Sha256::digest(picture).into(),
    }
}

/// Key of a gold under which the only documents stand that a query searches.
pub const CANDIDATES: &str = "candidates";

fn candidates(gold: &Value) -> Option<Vec<String>> {
    listed(gold, CANDIDATES)
}

/// The names that a gold lists under a key.
fn listed(gold: &Value, key: &str) -> Option<Vec<String>> {
    let names = gold.get(key)?.as_array()?;
    Some(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

/// The documents that an official query searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stock {
    /// The whole collection, so many documents.
    Whole(u32),
    /// These of them.
    Named(Vec<String>),
}

impl Stock {
    /// What a record searches.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let documents = record.gold.get("documents").and_then(Value::as_u64).unwrap_or(0);
        candidates(&record.gold).map_or_else(|| Self::Whole(u32::try_from(documents).unwrap_or(u32::MAX)), Self::Named)
    }
}

/// Names of the pictures that are an item's queries; `None` where its queries are texts.
#[must_use]
pub fn asides(item: &Item) -> Option<Vec<String>> {
    listed(&item.gold, ASIDES)
}

/// Key of a gold under which the names of an item's queries stand that are pictures.
pub const ASIDES: &str = "asides";

/// The document on which a query's record stands: the relevant one of the best grade, of equals the first by name.
#[must_use]
pub fn shown(record: &Record) -> Option<String> {
    let judged = Judged::deserialize(&record.gold).ok()?;
    let best = judged.relevant.first()?.iter().max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0)));
    best.map(|(name, _)| name.clone())
}

/// A document as embedders of a window see it: text is cut on the right, as encoders cut (LongEmbed, LoCoV1).
#[must_use]
pub fn cut(document: Document, length: Length) -> Document {
    let content = match document.content {
        Content::Text(text) => Content::Text(truncation::cut(&text, length.tokens(), Side::Right).text),
        picture @ Content::Picture(_) => picture,
    };
    Document { content, ..document }
}

/// Takes a name: a text, or a whole number as some files write it.
///
/// # Errors
/// [`RecordError`] when it is absent, too long, or holds control characters.
pub fn name(fields: &Map<String, Value>, field: &str) -> Result<String, RecordError> {
    let name = fields.get(field).ok_or_else(|| RecordError::new(field, "missing"))?;
    named(name)
        .ok_or_else(|| RecordError::new(field, format!("expected a name of 1 to {NAME_BYTES} bytes in one line")))
}

/// The name that a value is; `None` where it is none.
#[must_use]
pub fn named(value: &Value) -> Option<String> {
    let name = match value {
        Value::String(name) => name.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    let fine = (1..=NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
    fine.then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Codes;

    impl Collection for Codes {
        fn files(&self, _: &Subset, _: &dyn Folder) -> Result<Vec<String>, RecordError> {
            Ok(Vec::new())
        }

        fn read(&self, _: &Subset, _: &str, _: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
            Ok(Vec::new())
        }

        fn copies_count(&self) -> bool {
            true
        }
    }

    fn entry(id: &str, text: &str) -> Entry {
        Entry::text(id.to_owned(), Some(text.to_owned()))
    }

    fn query(mut gold: Value) -> Record {
        gold["documents"] = json!(0);
        Record {
            id: "q".to_owned(),
            subset: "s".to_owned(),
            document: String::new(),
            question: "Who?".to_owned(),
            references: Vec::new(),
            gold,
            official_length: None,
            evidence: Vec::new(),
        }
    }

    #[test]
    fn a_name_stands_for_one_document() {
        let mut names = Names::new(&Codes);
        assert_eq!(names.add(&entry("a", "x")), Ok(true));
        assert_eq!(names.add(&entry("a", "x")), Ok(false));
        assert_eq!(names.add(&entry("b", " ")), Ok(true));
        for bad in [entry("a", "y"), entry("a", ""), entry("b", "y")] {
            assert!(names.add(&bad).unwrap_err().reason.contains("two documents"), "{bad:?}");
        }
        assert_eq!(names.documents(), 1);
    }

    #[test]
    fn what_is_relevant_has_to_be_there() {
        let mut names = Names::new(&Codes);
        for entry in [entry("a", "x"), entry("b", "y"), entry("c", "x"), entry("n", "")] {
            names.add(&entry).unwrap();
        }
        let settled = |gold| names.settled(query(gold));
        let found = settled(json!({"relevant": [{"a": 1, "n": 1}]})).unwrap().unwrap();
        assert_eq!(
            found.gold,
            json!({"relevant": [{"a": 1, "c": 1}], "documents": 3}),
            "copies count, what is empty not"
        );
        assert_eq!((Stock::of(&found), shown(&found)), (Stock::Whole(3), Some("a".to_owned())));
        assert_eq!(settled(json!({"relevant": [{"n": 1}]})), Ok(None));
        let unknown = settled(json!({"relevant": [{"z": 1}]})).unwrap_err().to_string();
        assert_eq!(unknown, "qrels: query q names document `z`, which stands in no file of documents");
        let some = settled(json!({"relevant": [{"b": 2}], "candidates": ["b", "n"]})).unwrap().unwrap();
        assert_eq!(Stock::of(&some), Stock::Named(vec!["b".to_owned()]));
        assert!(settled(json!({"relevant": [{"b": 1}], "candidates": ["z"]})).unwrap_err().field == "top_ranked");
        assert!(settled(json!({"relevant": "b"})).is_err());
    }

    proptest! {
        #[test]
        fn names_are_read_or_refused(text in "\\PC{0,20}|[\\x00-\\x7f]{0,20}", number: u64) {
            prop_assert_eq!(named(&json!(number)), Some(number.to_string()));
            let found = named(&json!(text));
            prop_assert_eq!(found.is_some(), !text.is_empty() && !text.chars().any(char::is_control));
        }
    }
}
