//! HELMET's data files of two categories: `test_k{n}_dep{m}.jsonl` (json_kv) and `test_reranking_data_k{n}_dep{m}.jsonl`.
//!
//! Prompts are upstream's (`data.py` of princeton-nlp/HELMET, MIT), the answer's prefix at the end of the user's turn. Two
//! worked examples stand in each. Upstream draws those of the ranking by a seed of its data library; here they are drawn
//! by a stream of the question's id.

use serde_json::{Map, Value, json};

use crate::card::Side;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::families::prose;
use crate::item::{Cut, Item};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

/// json_kv.
pub struct Pairs;

/// Re-ranking.
pub struct Rankings;

static PAIRS: [Subset; 1] = [Subset { name: "json_kv", title: "HELMET json_kv" }];
static RANKINGS: [Subset; 1] = [Subset { name: "msmarco_rerank", title: "HELMET MS MARCO re-ranking" }];

/// Worked examples.
const SHOTS: usize = 2;

/// Between passages in a record's document.
const BETWEEN: &str = "\n\u{1e}\n";

fn named(subsets: &'static [Subset], file_name: &str, prefix: &str) -> Option<&'static Subset> {
    let file = file_name.rsplit(['/', '\\']).next()?;
    let subset = subsets.first()?;
    (file.ends_with(".jsonl") && (file.starts_with(prefix) || file.starts_with(subset.name))).then_some(subset)
}

impl Dataset for Pairs {
    fn subsets(&self) -> &'static [Subset] {
        &PAIRS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        named(&PAIRS, file_name, "test_k")
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let question = dataset::text(&fields, "question")?;
        let answer = match fields.get("answer") {
            Some(Value::Array(_)) => dataset::texts(&fields, "answer")?,
            _ => vec![dataset::text(&fields, "answer")?],
        };
        if answer.is_empty() {
            return Err(RecordError::new("answer", "is empty"));
        }
        let evidence = answer.iter().map(|value| format!("\"{question}\": \"{value}\"")).collect();
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: dataset::text(&fields, "context")?,
            gold: json!({ "demos": shots(&fields)? }),
            question,
            references: answer,
            official_length: fields.get("num_kvs").and_then(Value::as_u64),
            evidence,
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let demos = record.gold.get("demos").and_then(Value::as_str).unwrap_or_default();
        let tail = format!(
            "\n\nExtract the value corresponding to the specified key in the JSON object below.\n\n{demos}Key: {}\nCorresponding value:",
            record.question
        );
        let frame = Frame { head: String::new(), tail, side: Side::Right };
        official::item(task, request, record, &frame, official::answer(record))
    }
}

/// The first worked examples, as they stand in the prompt.
fn shots(fields: &Map<String, Value>) -> Result<String, RecordError> {
    let refuse = || RecordError::new("demos", "expected a list of pairs of a key and its value");
    let list = fields.get("demos").and_then(Value::as_array).ok_or_else(refuse)?;
    let pair = |pair: &Value| match pair.as_array()?.as_slice() {
        [Value::String(key), Value::String(value)] => Some(format!("Key: {key}\nCorresponding value: {value}\n\n")),
        _ => None,
    };
    list.iter().take(SHOTS).map(pair).collect::<Option<String>>().ok_or_else(refuse)
}

/// A graded passage.
struct Passage {
    id: String,
    told: String,
    label: u32,
}

impl Dataset for Rankings {
    fn subsets(&self) -> &'static [Subset] {
        &RANKINGS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        named(&RANKINGS, file_name, "test_reranking_data_")
    }

    /// Worked examples are other queries of `test_reranking_data_k10_….jsonl` beside the file, or under `demos`.
    fn read_beside(
        &self,
        subset: &Subset,
        _: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let id = identity(&fields)?;
        let passages = passages(&fields)?;
        let demos = match fields.get("demos") {
            Some(Value::Array(demos)) => drawn(demos, &id)?,
            Some(_) => return Err(RecordError::new("demos", "expected a list of queries with their passages")),
            None => {
                let wanted = |name: &String| name.starts_with("test_reranking_data_k10_") && name.ends_with(".jsonl");
                let missing = || RecordError::new("demos", "no test_reranking_data_k10_….jsonl stands beside the file");
                let name = folder.names("").into_iter().find(wanted).ok_or_else(missing)?;
                let shared = folder.json(&name)?;
                drawn(shared.as_array().map(Vec::as_slice).unwrap_or_default(), &id)?
            }
        };
        let grades: Map<String, Value> =
            passages.iter().map(|passage| (passage.id.clone(), json!(passage.label))).collect();
        let ids: Vec<&str> = passages.iter().map(|passage| passage.id.as_str()).collect();
        Ok(vec![Record {
            id,
            subset: subset.name.to_owned(),
            document: passages.iter().map(|passage| passage.told.as_str()).collect::<Vec<_>>().join(BETWEEN),
            question: dataset::text(&fields, "query")?,
            references: vec![ranked(&passages)],
            gold: json!({ "grades": grades, "ids": ids, "passages": ids.len(), "demos": demos }),
            official_length: u64::try_from(passages.len()).ok(),
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    /// Passages from the first on, as many whole ones as fit. Those left out keep their grades, as upstream.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let tail = format!("Query: {}\nRanking:", record.question);
        let mut prompt = Prompt::default();
        prompt.push(RANK);
        prompt.push(record.gold.get("demos").and_then(Value::as_str).unwrap_or_default());
        prompt.begin_document();
        let left = limit.checked_sub(prompt.tokens() + prompt.count(&tail) + 2);
        let mut left =
            left.ok_or_else(|| prose::unsatisfiable(task, request, "query and worked examples are longer"))?;
        let (mut tokens_removed, mut full) = (0, false);
        for passage in record.document.split(BETWEEN) {
            let block = format!("{passage}\n\n");
            let cost = prompt.count(&block) + 1;
            full |= cost > left;
            if full {
                tokens_removed += cost;
            } else {
                left -= cost;
                prompt.push(&block);
            }
        }
        prompt.end_document();
        prompt.push(&tail);
        let mut gold = record.gold.clone();
        if let Value::Object(fields) = &mut gold {
            fields.remove("demos");
        }
        let mut item = prompt.finish(task, request, Answer { gold, ..official::answer(record) });
        item.cut =
            Some(Cut { tokens_before: item.prompt_tokens + tokens_removed, tokens_removed, evidence_left: None });
        Ok(item)
    }
}

const RANK: &str = "You are provided with a list of documents, each indicated by their ID. Rank each document based on their relevance to the question in descending order from most relelvant to least relevant texts. Include all documents in the rankings. Write your answer using the unique IDs, with the following format:\nRanking: ID3 > ID1 > ID2\n\n";

fn identity(fields: &Map<String, Value>) -> Result<String, RecordError> {
    match fields.get("qid") {
        Some(Value::Number(id)) => Ok(id.to_string()),
        _ => dataset::text(fields, "qid"),
    }
}

fn passages(fields: &Map<String, Value>) -> Result<Vec<Passage>, RecordError> {
    let list = fields.get("ctxs").and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| RecordError::new("ctxs", "expected a list of passages"))?;
    let read = |(place, passage): (usize, &Value)| {
        let at = |error: RecordError| RecordError::new(&format!("ctxs[{place}].{}", error.field), error.reason);
        let Value::Object(fields) = passage else {
            return Err(RecordError::new(&format!("ctxs[{place}]"), "expected an object"));
        };
        let id = dataset::text(fields, "id").map_err(at)?;
        let text = dataset::text(fields, "text").map_err(at)?;
        let label = fields.get("label").and_then(Value::as_u64).and_then(|label| u32::try_from(label).ok());
        let label = label.filter(|label| *label <= 100);
        let told = match fields.get("title").and_then(Value::as_str) {
            Some(title) => format!("[ID: {id}] Document (Title: {title}): {text}"),
            None => format!("[ID: {id}] Document: {text}"),
        };
        let label = label.ok_or_else(|| at(RecordError::new("label", "expected a grade, 0 to 100")))?;
        Ok(Passage { id, told, label })
    };
    list.iter().enumerate().map(read).collect()
}

/// The passages best first; equal ones stay in their order.
fn ranked(passages: &[Passage]) -> String {
    let mut order: Vec<&Passage> = passages.iter().collect();
    order.sort_by_key(|passage| std::cmp::Reverse(passage.label));
    order.iter().map(|passage| passage.id.as_str()).collect::<Vec<_>>().join(" > ")
}

/// Worked examples about other queries, each query once.
fn drawn(demos: &[Value], id: &str) -> Result<String, RecordError> {
    let mut order: Vec<usize> = (0..demos.len()).collect();
    Rng::from_path(&[Rng::name(id)]).shuffle(&mut order);
    let (mut told, mut known) = (String::new(), vec![id.to_owned()]);
    for place in order {
        if known.len() > SHOTS {
            break;
        }
        let at = |error: RecordError| RecordError::new(&format!("demos[{place}].{}", error.field), error.reason);
        let Some(Value::Object(fields)) = demos.get(place) else {
            return Err(at(RecordError::new("qid", "expected an object")));
        };
        let own = identity(fields).map_err(at)?;
        if known.contains(&own) {
            continue;
        }
        let (passages, query) = (passages(fields).map_err(at)?, dataset::text(fields, "query").map_err(at)?);
        for passage in &passages {
            told.push_str(&passage.told);
            told.push_str("\n\n");
        }
        told.push_str(&format!("Query: {query}\nRanking: {}\n\n", ranked(&passages)));
        known.push(own);
    }
    Ok(told)
}
