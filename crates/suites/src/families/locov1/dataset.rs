//! LoCoV1 as published: the queries and the documents of all twelve tasks in a file each, here `queries.jsonl` and
//! `documents.jsonl`. The loader's rules hold: passages without text are left out, and queries that only they answer.

use serde_json::{Map, Value, json};

use crate::collection::{self, Collection, Entry};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official_search;
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of `queries.jsonl`: `qid`, `query`, `answer_pids`, `dataset`.
pub(super) struct Files;

const fn subset(name: &'static str, title: &'static str) -> Subset {
    Subset { name, title }
}

static SUBSETS: [Subset; 12] = [
    subset("summ_screen_fd", "LoCoV1 SummScreenFD"),
    subset("gov_report", "LoCoV1 GovReport"),
    subset("qmsum", "LoCoV1 QMSum"),
    subset("qasper_title", "LoCoV1 Qasper by title"),
    subset("qasper_abstract", "LoCoV1 Qasper by abstract"),
    subset("multifieldqa", "LoCoV1 MultiFieldQA"),
    subset("2wikimqa", "LoCoV1 2WikiMultihopQA"),
    subset("passage_retrieval", "LoCoV1 PassageRetrieval"),
    subset("legal_case_reports", "LoCoV1 LegalCaseReports"),
    subset("courtlistener_HTML", "LoCoV1 CourtListener HTML"),
    subset("courtlistener_Plain_Text", "LoCoV1 CourtListener plain text"),
    subset("stackoverflow", "LoCoV1 StackOverflow"),
];

fn is_of(fields: &Map<String, Value>, subset: &Subset) -> Result<bool, RecordError> {
    Ok(dataset::text(fields, "dataset")? == subset.name)
}

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        official_search::in_folder(&SUBSETS, file_name, "queries.jsonl")
    }

    fn read_beside(&self, subset: &Subset, _: usize, line: &str, _: &dyn Folder) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        if !is_of(&fields, subset)? {
            return Ok(Vec::new());
        }
        let (id, query) = (collection::name(&fields, "qid")?, dataset::text(&fields, "query")?);
        let relevant = official_search::relevant(official_search::names(&fields, "answer_pids")?);
        if relevant.is_empty() {
            return Err(RecordError::new("answer_pids", format!("query {id} has no relevant document")));
        }
        let mut gold = official_search::gold(vec![relevant]);
        if let Some(fields) = gold.as_object_mut() {
            fields.insert(ITSELF.to_owned(), json!(id));
        }
        Ok(vec![official_search::record(subset, id, query, gold)?])
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

/// Key of a gold under which the name stands that is left out of the ranking.
pub(super) const ITSELF: &str = "itself";

impl Collection for Files {
    fn files(&self, _: &Subset, _: &dyn Folder) -> Result<Vec<String>, RecordError> {
        Ok(vec!["documents.jsonl".to_owned()])
    }

    fn read(&self, subset: &Subset, line: &str, _: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
        let fields = dataset::object(line)?;
        if !is_of(&fields, subset)? {
            return Ok(Vec::new());
        }
        Ok(vec![official_search::entry(&fields, "pid", "passage")?])
    }
}
