//! Statute retrieval as Paraformer's loader hands it on: `queries.jsonl` with `id`, `content` and the article ids in `result`,
//! `articles.jsonl` with `id` and `sentences`.
//!
//! COLIEE gives its statutes and queries, as text and XML, to those who sign its agreement; nothing of it is here.

use serde_json::{Value, json};

use crate::collection::{self, Collection, Entry};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official_search;
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of `queries.jsonl` and of `articles.jsonl` beside it.
pub(super) struct Files;

static SUBSETS: [Subset; 2] = [
    Subset { name: "coliee_en", title: "COLIEE statutes in English" },
    Subset { name: "coliee_ja", title: "COLIEE statutes in Japanese" },
];

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        official_search::in_folder(&SUBSETS, file_name, "queries.jsonl")
    }

    fn read_beside(&self, subset: &Subset, _: usize, line: &str, _: &dyn Folder) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let (id, query) = (collection::name(&fields, "id")?, dataset::text(&fields, "content")?);
        let relevant = official_search::relevant(official_search::names(&fields, "result")?);
        if relevant.is_empty() {
            return Err(RecordError::new("result", format!("query {id} names no article")));
        }
        Ok(vec![official_search::record(subset, id, query, official_search::gold(vec![relevant]))?])
    }

    fn collection(&self) -> Option<&'static dyn Collection> {
        Some(&Self)
    }

    fn params(&self, _: &Subset) -> Value {
        json!({ "source": "official" })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        official_search::item(task, request, record)
    }
}

impl Collection for Files {
    fn files(&self, _: &Subset, _: &dyn Folder) -> Result<Vec<String>, RecordError> {
        Ok(vec!["articles.jsonl".to_owned()])
    }

    fn read(&self, _: &Subset, line: &str, _: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
        let fields = dataset::object(line)?;
        let sentences = dataset::texts(&fields, "sentences")?;
        Ok(vec![Entry::text(collection::name(&fields, "id")?, Some(sentences.join("\n")))])
    }
}
