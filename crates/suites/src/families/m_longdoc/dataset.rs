//! Records of documents with pages, in the form that Longboard asks for: the official files are not obtainable.
//!
//! A line is `{document_id, pages: [{n, text, tables, image_ref?}], question, answer, evidence_page, kind}`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::report::Kind;
use crate::card::Side;
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text};
use crate::families::official::{self, Frame};
use crate::item::{Item, Page};
use crate::task::{GenerateError, ItemRequest, Task};

/// The reader.
pub struct Documents;

static SUBSETS: [Subset; 2] = [
    Subset { name: "m_longdoc_text", title: "Questions about text" },
    Subset { name: "m_longdoc_table", title: "Questions about tables" },
];

/// Most pages of a document.
const MOST_PAGES: usize = 10_000;

impl Dataset for Documents {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        let kind = text(&fields, "kind")?;
        match Kind::find(&kind) {
            Some(Kind::Figure) => {
                let why = "questions about figures need their pictures, which are not stored: keep text and table";
                return Err(RecordError::new("kind", why));
            }
            Some(kind) if subset.name.ends_with(kind.slug()) => {}
            // One file may hold both.
            Some(_) => return Ok(Vec::new()),
            None => return Err(RecordError::new("kind", "expected text, table or figure")),
        }
        let pages = pages(fields.get("pages"))?;
        let evidence_page = fields.get("evidence_page").and_then(Value::as_u64);
        let evidence = pages.iter().find(|(number, _)| Some(*number) == evidence_page);
        let (number, evidence) =
            evidence.ok_or_else(|| RecordError::new("evidence_page", "expected the number of one of the pages"))?;
        let question = text(&fields, "question")?;
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: pages.iter().map(|(_, text)| text.as_str()).collect(),
            references: vec![text(&fields, "answer")?],
            gold: json!({
                "kind": kind,
                "question": question,
                "evidence_page": number,
                "pages": pages.len(),
                "document_id": text(&fields, "document_id")?,
            }),
            question,
            official_length: Some(pages.len() as u64),
            evidence: vec![evidence.clone()],
        }])
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "kind": subset.name.trim_start_matches("m_longdoc_") })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let frame = Frame {
            head: "Pages of a document follow. Read them; a question stands at the end.\n\n".to_owned(),
            tail: format!("\n\nQuestion: {}\nAnswer:", record.question),
            side: Side::Middle,
        };
        let mut item = official::item(task, request, record, &frame, official::answer(record))?;
        item.pages = found(&item, record.gold.get("evidence_page").and_then(Value::as_u64));
        Ok(item)
    }
}

/// Numbers and texts of pages; a page's tables stand after its text.
fn pages(field: Option<&Value>) -> Result<Vec<(u64, String)>, RecordError> {
    let wrong = |reason: &str| RecordError::new("pages", reason);
    let list = field.and_then(Value::as_array).filter(|list| (1..=MOST_PAGES).contains(&list.len()));
    let list = list.ok_or_else(|| wrong("expected a list of 1 to 10000 pages"))?;
    let mut seen = BTreeSet::new();
    let mut pages = Vec::with_capacity(list.len());
    for page in list {
        let number = page.get("n").and_then(Value::as_u64).filter(|number| *number <= u64::from(u32::MAX));
        let number = number.filter(|number| seen.insert(*number));
        let number = number.ok_or_else(|| wrong("expected a number of its own, n, for every page"))?;
        let text = page.get("text").and_then(Value::as_str).ok_or_else(|| wrong("expected a text for every page"))?;
        let mut written = format!("{}{text}\n\n", marker(number));
        for table in page.get("tables").and_then(Value::as_array).into_iter().flatten() {
            let table = table.as_str().ok_or_else(|| wrong("expected texts as tables"))?;
            written.push_str(table);
            written.push_str("\n\n");
        }
        pages.push((number, written));
    }
    Ok(pages)
}

fn marker(number: u64) -> String {
    format!("[Page {number}]\n")
}

/// Pages whose beginnings the cut has left.
fn found(item: &Item, evidence: Option<u64>) -> Vec<Page> {
    let (text, Some(document)) = (item.joined(), item.document.clone()) else { return Vec::new() };
    let body = text.get(document.clone()).unwrap_or_default();
    let mut pages: Vec<Page> = Vec::new();
    for (at, _) in body.match_indices("[Page ") {
        let rest = body.get(at + "[Page ".len()..).unwrap_or_default();
        let number = rest.split_once("]\n").and_then(|(digits, _)| digits.parse::<u32>().ok());
        let opens = at == 0 || body.get(..at).is_some_and(|before| before.ends_with('\n'));
        let Some(number) = number.filter(|_| opens) else { continue };
        let start = document.start + at;
        if let Some(last) = pages.last_mut() {
            last.bytes.end = start;
        }
        let bytes = start..document.end;
        pages.push(Page { number, bytes, evidence: evidence == Some(number.into()), picture: None });
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::length::Length;
    use crate::task::TaskDefinition;

    fn line(kind: &str, evidence_page: u32) -> String {
        let page = |n: u32| json!({ "n": n, "text": format!("Words of page {n}."), "tables": ["a | b\n1 | 2"] });
        json!({
            "document_id": "d", "pages": (3..8).map(page).collect::<Vec<_>>(), "question": "What is b?",
            "answer": "2", "evidence_page": evidence_page, "kind": kind,
        })
        .to_string()
    }

    #[test]
    fn a_record_becomes_an_item_with_its_pages() {
        let record = Documents.read(&SUBSETS[1], 1, &line("table", 5)).unwrap().remove(0);
        let definition = TaskDefinition {
            data: Some("00".repeat(32)),
            ..TaskDefinition::generated("m_longdoc", "imported", "Imported", Documents.params(&SUBSETS[1]))
        };
        let task = Task::new(definition).unwrap();
        let request = ItemRequest { record: Some(&record), ..ItemRequest::new(1, 0, Length::new(1024).unwrap()) };
        let item = task.item(&request).unwrap();
        let numbers: Vec<(u32, bool)> = item.pages.iter().map(|page| (page.number, page.evidence)).collect();
        assert_eq!(numbers, [(3, false), (4, false), (5, true), (6, false), (7, false)]);
        assert!(item.joined().get(item.pages[2].bytes.clone()).unwrap().starts_with("[Page 5]\nWords of page 5."));
        assert_eq!((task.score(&item, "2").score, task.score(&item, "3").score), (1.0, 0.0));
    }

    #[test]
    fn what_is_no_record_is_named() {
        let refused = |line: &str| Documents.read(&SUBSETS[0], 1, line).unwrap_err().field;
        assert_eq!(refused(&line("figure", 5)), "kind");
        assert_eq!(refused(&line("sound", 5)), "kind");
        assert_eq!(refused(&line("text", 9)), "evidence_page");
        assert_eq!(refused(&line("text", 5).replace("\"n\":4", "\"n\":3")), "pages");
        assert!(Documents.read(&SUBSETS[0], 1, &line("table", 5)).unwrap().is_empty());
    }
}
