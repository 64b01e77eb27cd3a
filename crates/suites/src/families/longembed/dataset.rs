//! LongEmbed's real sets as published: `corpus.jsonl`, `queries.jsonl` and `qrels.jsonl` in a folder for each.

use serde_json::{Value, json};

use crate::collection::{self, Collection, Entry};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official_search;
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of `queries.jsonl`: `qid`, `text`; relevant documents stand in `qrels.jsonl`, or in the line itself.
pub(super) struct Files;

static SUBSETS: [Subset; 4] = [
    Subset { name: "narrativeqa", title: "LongEmbed NarrativeQA" },
    Subset { name: "qmsum", title: "LongEmbed QMSum" },
    Subset { name: "2wikimqa", title: "LongEmbed 2WikiMultihopQA" },
    Subset { name: "summ_screen_fd", title: "LongEmbed SummScreenFD" },
];

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        official_search::in_folder(&SUBSETS, file_name, "queries.jsonl")
    }

    fn read_beside(
        &self,
        subset: &Subset,
        _: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let (id, query) = (collection::name(&fields, "qid")?, dataset::text(&fields, "text")?);
        let relevant = match official_search::inline_grades(&fields, "qrels")? {
            Some(relevant) => relevant,
            None => {
                let rows = folder.groups("qrels.jsonl", "qid")?;
                let names = rows.get(&id).into_iter().flatten().map(|row| collection::name(row, "doc_id"));
                official_search::relevant(names.collect::<Result<Vec<_>, _>>()?)
            }
        };
        if relevant.is_empty() {
            return Err(RecordError::new("qrels", format!("query {id} has no relevant document")));
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
        Ok(vec!["corpus.jsonl".to_owned()])
    }

    fn read(&self, _: &Subset, line: &str, _: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
        Ok(vec![official_search::entry(&dataset::object(line)?, "doc_id", "text")?])
    }
}
