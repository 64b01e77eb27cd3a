//! LooGLE's official files: one document per line, its questions as a Python literal in a string.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::card::Side;
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text};
use crate::families::official::{self, Frame};
use crate::item::Item;
use crate::metrics::loogle;
use crate::metrics::python_literal::{Literal, literal};
use crate::task::{GenerateError, ItemRequest, Task};

/// The reader.
pub struct Documents;

static SUBSETS: [Subset; 5] = [
    Subset { name: "shortdep_qa", title: "Short dependency, questions" },
    Subset { name: "shortdep_cloze", title: "Short dependency, clozes" },
    Subset { name: "longdep_qa", title: "Long dependency, questions" },
    Subset { name: "longdep_reorder", title: "Long dependency, timelines" },
    Subset { name: "longdep_summarization", title: "Long dependency, summaries" },
];

/// `type` of timeline questions.
const TIMELINE: [&str; 2] = ["timeline_reorder", "时间线"];

impl Dataset for Documents {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let file = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        SUBSETS.iter().find(|subset| file.starts_with(subset.name))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        let document = text(&fields, "input")?;
        if subset.name == "longdep_summarization" {
            return Ok(vec![Record {
                id: line_number.to_string(),
                subset: subset.name.to_owned(),
                document,
                question: String::new(),
                references: vec![text(&fields, "output")?],
                gold: Value::Null,
                official_length: None,
                evidence: Vec::new(),
            }]);
        }
        let Some(Literal::List(pairs)) = literal(&text(&fields, "qa_pairs")?) else {
            return Err(RecordError::new("qa_pairs", "expected a Python list of questions in a text"));
        };
        let mut records = Vec::new();
        for (pair, number) in pairs.iter().zip(1..) {
            let timeline = pair.get("type").and_then(Literal::text).is_some_and(|kind| TIMELINE.contains(&kind));
            // One file holds both: timelines have a score of their own.
            if matches!(subset.name, "longdep_qa" | "longdep_reorder") && timeline != (subset.name == "longdep_reorder")
            {
                continue;
            }
            let record = record(subset, pair, format!("{line_number}.{number}"), &document)
                .map_err(|error| RecordError::new(&format!("qa_pairs[{number}].{}", error.field), error.reason));
            records.extend(record?);
        }
        Ok(records)
    }

    fn params(&self, subset: &Subset) -> Value {
        let kind = match subset.name {
            "shortdep_cloze" => "cloze",
            "longdep_qa" => "comprehension",
            "longdep_reorder" => "reorder",
            "longdep_summarization" => "summary",
            _ => "short_qa",
        };
        json!({ "task": kind })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let tail = match record.subset.as_str() {
            "longdep_summarization" => "\n\nWrite the abstract of the paper above.\nAbstract:".to_owned(),
            "shortdep_cloze" => format!(
                "\n\nIn the sentences that follow each mask stands for a person, a place or an organisation. Answer with nothing but an object in the form {{'<mask-0>': 'name', '<mask-1>': 'name'}}.\n{}\nAnswer:",
                record.question
            ),
            "longdep_reorder" => {
                format!(
                    "\n\nQuestion: {}\nAnswer with the numerals in order, separated by commas.\nAnswer:",
                    record.question
                )
            }
            _ => format!("\n\nQuestion: {}\nAnswer:", record.question),
        };
        let head = "Read the document below; a question about it follows.\n\n".to_owned();
        official::item(task, request, record, &Frame { head, tail, side: Side::Middle }, official::answer(record))
    }
}

/// The record of one question; none for a timeline whose answer is no list of numerals.
fn record(subset: &Subset, pair: &Literal, id: String, document: &str) -> Result<Option<Record>, RecordError> {
    let question = pair.get("Q").and_then(Literal::text).ok_or_else(|| RecordError::new("Q", "expected a text"))?;
    let answer = pair.get("A").ok_or_else(|| RecordError::new("A", "missing"))?;
    let mut gold = Value::Null;
    let references = match (subset.name, answer) {
        ("shortdep_cloze", Literal::Dictionary(masks)) => {
            let masks: Option<BTreeMap<&str, &str>> =
                masks.iter().map(|(mask, name)| Some((mask.text()?, name.text()?))).collect();
            let masks = masks.ok_or_else(|| RecordError::new("A", "expected masks and names"))?;
            gold = json!(masks);
            let pairs: Vec<String> = masks.iter().map(|(mask, name)| format!("'{mask}': '{name}'")).collect();
            vec![format!("{{{}}}", pairs.join(", "))]
        }
        ("shortdep_cloze", _) => return Err(RecordError::new("A", "expected a dictionary of masks")),
        ("longdep_reorder", Literal::Text(text)) => {
            let order = loogle::numerals(text);
            if order.is_empty() {
                return Ok(None);
            }
            order
        }
        (_, Literal::Text(text) | Literal::Number(text)) => vec![text.clone()],
        _ => return Err(RecordError::new("A", "expected a text")),
    };
    let evidence = match pair.get("S") {
        Some(Literal::Text(text)) => vec![text.clone()],
        Some(Literal::List(texts)) => texts.iter().filter_map(|text| text.text().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    Ok(Some(Record {
        id,
        subset: subset.name.to_owned(),
        document: document.to_owned(),
        question: question.to_owned(),
        references,
        gold,
        official_length: None,
        evidence,
    }))
}
