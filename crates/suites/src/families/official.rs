//! Items of official records: the document between a head and a tail, cut where the benchmark cuts.

use std::ops::Range;

use serde_json::{Value, json};

use crate::card::Side;
use crate::dataset::Record;
use crate::families::prose;
use crate::item::{Cut, Item};
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};
use crate::tokens;
use crate::truncation::{self, Kept};

/// What stands around a record's document.
pub struct Frame {
    /// Before it.
    pub head: String,
    /// After it.
    pub tail: String,
    /// The end that is cut.
    pub side: Side,
}

/// The answer of a record. Its gold is never null: what a generator knows of its own items does not hold for it.
pub fn answer(record: &Record) -> Answer {
    let gold = if record.gold.is_null() { json!({ "record": record.id }) } else { record.gold.clone() };
    Answer { references: record.references.clone(), gold, ..Answer::default() }
}

/// The document of the smallest item.
const LEAST: u32 = 16;

/// Writes the item of a record.
pub fn item(
    task: &Task,
    request: &ItemRequest<'_>,
    record: &Record,
    frame: &Frame,
    answer: Answer,
) -> Result<Item, GenerateError> {
    let limit = request.length.tokens().saturating_sub(answer.output_tokens.unwrap_or(task.card().output_tokens));
    let around = tokens::count(&frame.head) + tokens::count(&frame.tail);
    let Some(mut budget) = limit.checked_sub(around).filter(|budget| *budget >= LEAST) else {
        let reason = format!(
            "question, frame and answer leave less than {LEAST} tokens for the document: choose a longer window"
        );
        return Err(prose::unsatisfiable(task, request, reason));
    };
    loop {
        let kept = truncation::cut(&record.document, budget, frame.side);
        let mut prompt = Prompt::default();
        prompt.push(&frame.head);
        prompt.begin_document();
        prompt.push(&kept.text);
        // A record that ends with its own question is not divided.
        if !frame.tail.trim().is_empty() {
            prompt.end_document();
        }
        prompt.push(&frame.tail);
        let excess = prompt.tokens().saturating_sub(limit);
        if excess == 0 || budget <= LEAST {
            let cut = Cut {
                tokens_before: kept.tokens_before + around,
                tokens_removed: kept.tokens_removed,
                evidence_left: evidence_left(record, &kept),
            };
            return Ok(Item { cut: Some(cut), ..prompt.finish(task, request, answer) });
        }
        budget = budget.saturating_sub(excess).max(LEAST);
    }
}

/// Share of the evidence that the cut left whole; of a text that occurs several times one occurrence is enough.
fn evidence_left(record: &Record, kept: &Kept) -> Option<f64> {
    let found = record.evidence.iter().filter(|text| !text.is_empty() && record.document.contains(text.as_str()));
    let texts: Vec<&String> = found.collect();
    let whole = texts.iter().filter(|text| {
        let mut places = record.document.match_indices(text.as_str());
        places.any(|(start, text)| kept.holds(&(start..start + text.len())))
    });
    (!texts.is_empty()).then(|| whole.count() as f64 / texts.len() as f64)
}

/// The item of a record whose filled prompt is cut in the middle as a whole: half of the window is kept from either
/// end, whatever stands there. `parts` follow each other with nothing between; of three the middle one is the document.
pub fn cut_whole(
    task: &Task,
    request: &ItemRequest<'_>,
    record: &Record,
    parts: &[&str],
    answer: Answer,
) -> Result<Item, GenerateError> {
    let whole = Record {
        id: record.id.clone(),
        subset: record.subset.clone(),
        document: parts.concat(),
        question: String::new(),
        references: Vec::new(),
        gold: Value::Null,
        official_length: None,
        evidence: record.evidence.clone(),
    };
    let frame = Frame { head: String::new(), tail: String::new(), side: Side::Middle };
    let mut item = item(task, request, &whole, &frame, answer)?;
    item.document = match *parts {
        [head, _, tail] => between(&item.joined(), head, tail),
        _ => None,
    };
    Ok(item)
}

/// Bytes of `text` between `head` and `tail`, `None` where the cut took a piece of either.
fn between(text: &str, head: &str, tail: &str) -> Option<Range<usize>> {
    let document = text.strip_prefix(head)?.strip_suffix(tail)?;
    Some(head.len()..head.len() + document.len())
}

/// The item of a record that is sent as it is or not at all.
pub fn whole(
    task: &Task,
    request: &ItemRequest<'_>,
    record: &Record,
    mut prompt: Prompt,
    answer: Answer,
) -> Result<Item, GenerateError> {
    let needed = prompt.tokens().saturating_add(answer.output_tokens.unwrap_or(task.card().output_tokens));
    if needed > request.length.tokens() {
        return Err(prose::unsatisfiable(task, request, format!("record {} needs {needed} tokens uncut", record.id)));
    }
    let tokens_before = prompt.tokens();
    let mut item = prompt.finish(task, request, answer);
    item.cut = Some(Cut { tokens_before, tokens_removed: 0, evidence_left: Some(1.0) });
    Ok(item)
}
