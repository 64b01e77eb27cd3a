//! FollowIR as mteb reads it: `corpus.jsonl`, `queries.jsonl`, `instruction.jsonl`, judgements in files that begin with
//! `qrel`, and `top_ranked.jsonl` with the documents that each query ranks.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::STOPPED;
use crate::collection::{self, CANDIDATES, Collection, Entry};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official_search::{self, Grades};
use crate::families::searched;
use crate::item::Item;
use crate::metrics::followir::SUFFIXES;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of `queries.jsonl`: `_id`, `text`. A record is a query with its original and its changed instruction.
pub(super) struct Files;

/// The file of queries.
const QUERIES: &str = "queries.jsonl";

static SUBSETS: [Subset; 3] = [
    Subset { name: "robust04", title: "FollowIR Robust04" },
    Subset { name: "news21", title: "FollowIR News21" },
    Subset { name: "core17", title: "FollowIR Core17" },
];

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        official_search::in_folder(&SUBSETS, file_name, QUERIES)
    }

    fn read_beside(
        &self,
        subset: &Subset,
        _: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let name = collection::name(&fields, "_id")?;
        let (original, changed) = SUFFIXES;
        let Some(base) = name.strip_suffix(original) else {
            let ends = format!("`{name}` ends with neither `{original}` nor `{changed}`");
            // The changed query is read with the original one.
            return if name.ends_with(changed) { Ok(Vec::new()) } else { Err(RecordError::new("_id", ends)) };
        };
        let sides = [name.clone(), format!("{base}{changed}")].map(|name| Side::read(&fields, &name, folder));
        let [before, after] = sides;
        let (before, after) = (before?, after?);
        let stopped: Vec<String> =
            before.relevant.keys().filter(|name| !after.relevant.contains_key(*name)).cloned().collect();
        if stopped.is_empty() {
            // p-MRR leaves out what no change of the instruction excludes.
            return Ok(Vec::new());
        }
        let mut gold = official_search::gold(vec![before.relevant, after.relevant]);
        let added = [
            ("further", json!([after.text])),
            (STOPPED, json!(stopped)),
            ("by_precision", json!(subset.name != "news21")),
        ];
        searched::add(&mut gold, &added);
        let candidates: BTreeSet<String> = before.ranked.into_iter().chain(after.ranked).collect();
        if !candidates.is_empty() {
            searched::add(&mut gold, &[(CANDIDATES, json!(candidates))]);
        }
        Ok(vec![official_search::record(subset, base.to_owned(), before.text, gold)?])
    }

    fn collection(&self) -> Option<&'static dyn Collection> {
        Some(&Self)
    }

    fn params(&self, _: &Subset) -> Value {
        json!({ "source": "official" })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut item = official_search::item(task, request, record)?;
        let stopped = item.gold.get(STOPPED).and_then(Value::as_array).into_iter().flatten();
        item.references = stopped.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        Ok(item)
    }
}

/// A query with one of its instructions.
struct Side {
    /// Query, space, instruction.
    text: String,
    relevant: Grades,
    /// What is ranked; everything where it is empty.
    ranked: Vec<String>,
}

impl Side {
    /// From the files beside the queries, or from the line itself, under the query's name.
    fn read(fields: &Map<String, Value>, name: &str, folder: &dyn Folder) -> Result<Self, RecordError> {
        if let Some(inline) = fields.get("sides") {
            let missing = || RecordError::new("sides", format!("`{name}` is missing"));
            let side = inline.get(name).and_then(Value::as_object).ok_or_else(missing)?;
            return Ok(Self {
                text: with(&dataset::text(fields, "text")?, &dataset::text(side, "instruction")?),
                relevant: above(official_search::inline_grades(side, "qrels")?.unwrap_or_default()),
                ranked: official_search::names(side, "corpus-ids")?,
            });
        }
        let query = one(folder, QUERIES, "_id", name)?;
        let instruction = one(folder, "instruction.jsonl", "query-id", name)?;
        Ok(Self {
            text: with(&dataset::text(&query, "text")?, &dataset::text(&instruction, "instruction")?),
            relevant: above(judged(folder, name)?),
            ranked: ranked(folder, name)?,
        })
    }
}

fn with(query: &str, instruction: &str) -> String {
    format!("{query} {instruction}")
}

fn above(grades: Grades) -> Grades {
    grades.into_iter().filter(|(_, grade)| *grade > 0).collect()
}

/// The one row of a query.
fn one(folder: &dyn Folder, path: &str, field: &str, name: &str) -> Result<Map<String, Value>, RecordError> {
    let groups = folder.groups(path, field)?;
    match groups.get(name).map(Vec::as_slice) {
        Some([row]) => Ok(row.clone()),
        found => {
            let reason = format!("{} rows of query {name}, 1 is expected", found.map_or(0, <[_]>::len));
            Err(RecordError::new(path, reason))
        }
    }
}

/// Grades in all files of judgements but that of their differences.
fn judged(folder: &dyn Folder, name: &str) -> Result<Grades, RecordError> {
    let own = folder.names("").into_iter().filter(|file| file.starts_with("qrel"));
    let below = folder.names("qrels").into_iter().map(|file| format!("qrels/{file}"));
    let mut grades = Grades::new();
    for path in own.chain(below).filter(|file| file.ends_with(".jsonl") && !file.contains("diff")) {
        let groups = folder.groups(&path, "query-id")?;
        for row in groups.get(name).into_iter().flatten() {
            let grade = row.get("score").and_then(official_search::grade_of);
            let grade = grade.ok_or_else(|| RecordError::new(&path, format!("query {name}: `score` is no grade")))?;
            grades.insert(collection::name(row, "corpus-id")?, grade);
        }
    }
    if grades.is_empty() {
        return Err(RecordError::new("qrels", format!("query {name} has no judgement")));
    }
    Ok(grades)
}

/// Documents that a query ranks: one row with all of them, or a row for each.
fn ranked(folder: &dyn Folder, name: &str) -> Result<Vec<String>, RecordError> {
    const FILE: &str = "top_ranked.jsonl";
    if !folder.names("").iter().any(|file| file == FILE) {
        return Ok(Vec::new());
    }
    let groups = folder.groups(FILE, "query-id")?;
    let mut found = Vec::new();
    for row in groups.get(name).into_iter().flatten() {
        found.extend(official_search::names(
            row,
            if row.contains_key("corpus-ids") { "corpus-ids" } else { "corpus-id" },
        )?);
    }
    if found.is_empty() { Err(RecordError::new(FILE, format!("query {name} ranks nothing"))) } else { Ok(found) }
}

impl Collection for Files {
    fn files(&self, _: &Subset, _: &dyn Folder) -> Result<Vec<String>, RecordError> {
        Ok(vec!["corpus.jsonl".to_owned()])
    }

    fn read(&self, _: &Subset, line: &str, _: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
        let fields = dataset::object(line)?;
        let name = collection::name(&fields, "_id")?;
        let part = |field: &str| match fields.get(field) {
            Some(Value::String(text)) => Ok(text.as_str()),
            None | Some(Value::Null) => Ok(""),
            Some(_) => Err(RecordError::new(field, "expected a text or null")),
        };
        let text = format!("{} {}", part("title")?, part("text")?).trim().to_owned();
        Ok(vec![Entry::text(name, Some(text))])
    }
}
