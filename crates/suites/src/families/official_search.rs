//! Official retrieval data: queries as records, their items, and what chance gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::card::{Protocol, Side};
use crate::collection::{self, Entry};
use crate::dataset::{Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::families::{prose, searched};
use crate::item::Item;
use crate::retrieval::Judged;
use crate::task::{GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, choice};

/// Grades of documents by name.
pub type Grades = BTreeMap<String, u32>;

/// Where the items of a retrieval family come from.
pub const SOURCE: Parameter = Parameter {
    name: "source",
    help: "Made from a seed, or records of the benchmark's own files",
    kind: ParameterKind::Choice { options: &["made", "official"], default: "made" },
};

/// How official records are sent and cut; `made` is what holds for made items.
pub fn protocol(params: &Params, made: Protocol) -> Protocol {
    if is_official(params) {
        Protocol { truncation: Side::Right, truncation_unit: "o200k_base tokens; officially the model's own", ..made }
    } else {
        made
    }
}

/// Whether items are records of official files.
pub fn is_official(params: &Params) -> bool {
    choice(params, "source") == "official"
}

/// Refuses to make an item of a task whose items are imported.
pub fn made(task: &Task, request: &ItemRequest<'_>) -> Result<(), GenerateError> {
    if is_official(&task.definition().params) {
        let reason = "official records are imported, not made: use the parameter source = made";
        return Err(prose::unsatisfiable(task, request, reason));
    }
    Ok(())
}

/// The data set in whose folder a file called `file` stands; folders are called after the data set, or begin with it.
pub fn in_folder(subsets: &'static [Subset], file_name: &str, file: &str) -> Option<&'static Subset> {
    let mut parts = file_name.rsplit(['/', '\\']);
    let (name, folder) = (parts.next()?, parts.next()?);
    let of = |subset: &&Subset| {
        let rest = folder.to_lowercase();
        rest.strip_prefix(&subset.name.to_lowercase()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    (name == file).then(|| subsets.iter().find(of)).flatten()
}

/// A query as a record. Further queries of the same item stand in `gold` under `further`.
pub fn record(subset: &Subset, id: String, query: String, gold: Value) -> Result<Record, RecordError> {
    if query.trim().is_empty() {
        return Err(RecordError::new("query", "empty"));
    }
    Ok(Record {
        id,
        subset: subset.name.to_owned(),
        document: String::new(),
        question: query,
        references: Vec::new(),
        gold,
        official_length: None,
        evidence: Vec::new(),
    })
}

/// Gold of a query.
pub fn gold(relevant: Vec<Grades>) -> Value {
    json!({ "documents": 0, "relevant": relevant })
}

/// Grades that a line holds itself under `field`, as an object of names.
pub fn inline_grades(fields: &Map<String, Value>, field: &str) -> Result<Option<Grades>, RecordError> {
    let Some(value) = fields.get(field) else { return Ok(None) };
    let bad = || RecordError::new(field, "expected an object of document names with grades from 0 to 100");
    let rows = value.as_object().ok_or_else(bad)?;
    let graded = |(name, grade): (&String, &Value)| Some((name.clone(), grade_of(grade)?));
    rows.iter().map(graded).collect::<Option<_>>().map(Some).ok_or_else(bad)
}

/// A grade of relevance.
pub fn grade_of(value: &Value) -> Option<u32> {
    let grade = value.as_u64().or_else(|| value.as_i64().map(|grade| u64::try_from(grade).unwrap_or(0)))?;
    u32::try_from(grade).ok().filter(|grade| *grade <= 100)
}

/// Grade 1 for each of `names`.
pub fn relevant(names: impl IntoIterator<Item = String>) -> Grades {
    names.into_iter().map(|name| (name, 1)).collect()
}

/// A list of names, or one name.
pub fn names(fields: &Map<String, Value>, field: &str) -> Result<Vec<String>, RecordError> {
    let bad = || RecordError::new(field, "expected a list of document names");
    match fields.get(field) {
        Some(Value::Array(list)) => list.iter().map(collection::named).collect::<Option<_>>().ok_or_else(bad),
        Some(name) => collection::named(name).map(|name| vec![name]).ok_or_else(bad),
        None => Err(RecordError::new(field, "missing")),
    }
}

/// A document whose text is `null` or blank where it has none.
pub fn entry(fields: &Map<String, Value>, id: &str, text: &str) -> Result<Entry, RecordError> {
    let name = collection::name(fields, id)?;
    match fields.get(text) {
        Some(Value::String(text)) => Ok(Entry::text(name, Some(text.clone()))),
        Some(Value::Null) => Ok(Entry::text(name, None)),
        Some(_) => Err(RecordError::new(text, "expected a text or null")),
        None => Err(RecordError::new(text, "missing")),
    }
}

/// The item of a query: it, the other queries of its record, and the document on which the record stands, cut on the right.
pub fn item(task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
    let further = record.gold.get("further").and_then(Value::as_array).into_iter().flatten();
    let further = further.filter_map(|query| query.as_str().map(str::to_owned));
    let queries: Vec<String> = std::iter::once(record.question.clone()).chain(further).collect();
    let frame = Frame { head: queries.concat(), tail: String::new(), side: Side::Right };
    let mut item = official::item(task, request, record, &frame, official::answer(record))?;
    searched::split(&mut item, queries);
    item.document = None;
    let first = Judged::of(&item).relevant.into_iter().next().unwrap_or_default();
    item.references = first.into_iter().filter(|(_, grade)| *grade > 0).map(|(name, _)| name).collect();
    Ok(item)
}

/// Relevant documents of an item's first query, and how many documents it searches.
pub fn pool_of(item: &Item) -> (Grades, u32) {
    let judged = Judged::of(item);
    (judged.relevant.into_iter().next().unwrap_or_default(), judged.documents.max(1))
}

/// Expected NDCG at `cut` of a random order of what an item searches.
pub fn ndcg_by_chance(item: &Item, cut: u32) -> f64 {
    let (relevant, documents) = pool_of(item);
    let mut grades: Vec<u32> = relevant.into_values().collect();
    grades.sort_unstable_by(|one, other| other.cmp(one));
    let discount = |rank: u32| 1.0 / (f64::from(rank) + 1.0).log2();
    let ideal: f64 = grades.iter().zip(1..=cut).map(|(grade, rank)| f64::from(*grade) * discount(rank)).sum();
    if ideal <= 0.0 {
        return 0.0;
    }
    let mean = grades.iter().map(|grade| f64::from(*grade)).sum::<f64>() / f64::from(documents);
    let gain: f64 = (1..=documents.min(cut)).map(|rank| mean * discount(rank)).sum();
    (gain / ideal).min(1.0)
}
