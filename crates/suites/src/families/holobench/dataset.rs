//! HoloBench's data: queries with the tables that stand beside them.
//!
//! `queries.jsonl` holds the queries of all databases, each with its `db_id` (the split it comes from); the folder
//! `{db_id}` beside it holds a file `{table}.jsonl` for each table. Rows are taken by the official rules without their
//! bugs, see [`metric::fill_context`]; tables take turns in the order of their names.

use serde_json::{Value, json};

use super::tables::shown;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::{official, prose};
use crate::item::{Cut, Item};
use crate::metrics::holobench::{self as metric, Entry, Placement, Setting};
use crate::prompt::{Answer, Prompt};
use crate::sql;
use crate::task::{GenerateError, ItemRequest, Task, choice, integer};

/// Reader of the queries.
pub(super) struct Queries;

static SUBSETS: [Subset; 1] = [Subset { name: "queries", title: "HoloBench queries" }];

/// Tables of a database by name.
type Tables = Vec<(String, Vec<Entry>)>;

impl Dataset for Queries {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let (database, written) = (dataset::text(&fields, "db_id")?, dataset::text(&fields, "query")?);
        let query = sql::Query::parse(&written).map_err(|error| RecordError::new("query", error.to_string()))?;
        let (tables, document) = match fields.get("tables") {
            Some(inline) => (tables_of(inline)?, inline.to_string()),
            None => beside(&database, folder)?,
        };
        let whole: Vec<sql::Table> =
            tables.iter().map(|(name, rows)| metric::table(name, &rows.iter().collect::<Vec<_>>())).collect();
        query.evaluate(&whole).map_err(|error| RecordError::new("query", format!("over `{database}`: {error}")))?;
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document,
            question: dataset::text(&fields, "question")?,
            references: Vec::new(),
            gold: json!({ "sql": query.to_string(), "database": database }),
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    /// The largest context that fits the window, and the answer that its rows give.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let refuse = |reason: String| prose::unsatisfiable(task, request, reason);
        let written = record.gold.get("sql").and_then(Value::as_str).unwrap_or_default();
        let query = sql::Query::parse(written).map_err(|error| refuse(error.to_string()))?;
        let tables = serde_json::from_str(&record.document).ok().and_then(|value| tables_of(&value).ok());
        let tables = tables.ok_or_else(|| refuse(format!("the tables of record {} cannot be read", record.id)))?;
        let params = &task.definition().params;
        let mut setting = Setting {
            size: i64::from(request.length.tokens()),
            density: integer(params, "density") as f64 / 100.0,
            amount: i64::try_from(integer(params, "amount")).unwrap_or(i64::MAX),
            placement: Placement::named(choice(params, "position")).unwrap_or(Placement::Uniform),
        };
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        loop {
            let loaded = metric::fill_context(&query, &tables, setting).map_err(|error| refuse(error.to_string()))?;
            let mut prompt = Prompt::default();
            prompt.push(HEAD);
            prompt.begin_document();
            prompt.push(&loaded.sentences.join("\n"));
            prompt.end_document();
            prompt.push(&tail(&record.question));
            let excess = prompt.tokens().saturating_sub(limit);
            if excess == 0 {
                return Ok(finished(task, request, record, prompt, &loaded));
            }
            setting.size -= i64::from(excess.max(8));
            if setting.size <= 0 {
                return Err(refuse("the question alone is longer than the window".to_owned()));
            }
        }
    }
}

fn finished(
    task: &Task,
    request: &ItemRequest<'_>,
    record: &Record,
    mut prompt: Prompt,
    loaded: &metric::Loaded,
) -> Item {
    let rows: Vec<Vec<String>> = loaded.gold.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let references = rows.iter().map(|row: &Vec<String>| row.join(" | ")).collect();
    let mut gold = official::answer(record).gold;
    if let Value::Object(fields) = &mut gold {
        fields.insert("rows".to_owned(), json!(rows));
    }
    let tokens_before = prompt.tokens();
    let mut item = prompt.finish(task, request, Answer { references, gold, ..Answer::default() });
    item.cut = Some(Cut { tokens_before, tokens_removed: 0, evidence_left: None });
    item
}

/// What stands before the sentences. The slots are those of `experiment_prompt.txt` in their order, the words our own.
const HEAD: &str = "Sentences follow that tell the rows of some tables. Read them all; then comes a question that they answer. Work out the answer from the sentences alone. Where they support a part of it, give that part.\n\nSentences:\n";

fn tail(question: &str) -> String {
    format!(
        "\n\nQuestion: {question}\n\nFirst reason in a few sentences. Then begin a new line with Answer: and below it write one line for each row of the answer, with | between its cells; where there is none, write No answer."
    )
}

/// The tables of a database from its folder, and as JSON.
fn beside(database: &str, folder: &dyn Folder) -> Result<(Tables, String), RecordError> {
    let mut read = Vec::new();
    for name in folder.names(database) {
        let Some(table) = name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".json")) else { continue };
        let rows = folder.json(&format!("{database}/{name}"))?;
        read.push(json!([table, *rows]));
    }
    if read.is_empty() {
        let reason = format!("no folder `{database}` with files of tables stands beside the file");
        return Err(RecordError::new("db_id", reason));
    }
    let value = Value::Array(read);
    Ok((tables_of(&value)?, value.to_string()))
}

/// Reads pairs of a table's name and its rows.
fn tables_of(value: &Value) -> Result<Tables, RecordError> {
    let refuse = || RecordError::new("tables", "expected pairs of a name and a list of rows");
    let list = value.as_array().ok_or_else(refuse)?;
    let table = |pair: &Value| {
        let [Value::String(name), Value::Array(rows)] = pair.as_array().ok_or_else(refuse)?.as_slice() else {
            return Err(refuse());
        };
        let rows = rows.iter().enumerate().map(|(place, row)| {
            entry(row).map_err(|error| RecordError::new(&format!("{name}[{place}].{}", error.field), error.reason))
        });
        Ok((name.clone(), rows.collect::<Result<_, _>>()?))
    };
    list.iter().map(table).collect()
}

/// A row: its sentence, and its cells as an object or as the text of one.
fn entry(row: &Value) -> Result<Entry, RecordError> {
    let refuse = || RecordError::new("table_row", "expected an object of cells that are texts, numbers or null");
    let Value::Object(fields) = row else { return Err(RecordError::new("row", "expected an object")) };
    let sentence = dataset::text(fields, "verbalized_text")?;
    let cells: Value = match fields.get("table_row") {
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| refuse())?,
        Some(other) => other.clone(),
        None => return Err(RecordError::new("table_row", "missing")),
    };
    let Value::Object(cells) = cells else { return Err(refuse()) };
    let cell = |(name, value): (String, Value)| Some((name, sql::Value::from_json(&value)?));
    Ok(Entry { sentence, row: cells.into_iter().map(cell).collect::<Option<_>>().ok_or_else(refuse)? })
}
