//! SQuAD and HotpotQA as RULER reads them: SQuAD's one object with its articles under `data`, or one article a line, and
//! HotpotQA's list of questions.
//!
//! RULER fills the context with paragraphs of the whole file. A question here knows only its own article, so paragraphs of
//! the same article come first and documents of the chronicle fill the rest.

use serde_json::{Map, Value, json};

use super::{HEAD, TAIL_TOKENS, heading, tail};
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text};
use crate::families::book::{self, Book, Place, Section, Volume, plain};
use crate::families::{official, prose};
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world::World;

/// The reader.
pub struct Paragraphs;

static SUBSETS: [Subset; 2] =
    [Subset { name: "squad", title: "qa_1 (SQuAD)" }, Subset { name: "hotpotqa", title: "qa_2 (HotpotQA)" }];

impl Dataset for Paragraphs {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let lower = file_name.to_ascii_lowercase();
        SUBSETS.iter().find(|subset| lower.contains(subset.name.strip_suffix("qa").unwrap_or(subset.name)))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        match fields.get("data") {
            _ if subset.name != "squad" => hotpot(subset, &fields),
            None => article(subset, &line_number.to_string(), &fields),
            Some(_) => {
                let articles = list(&fields, "data")?.iter().zip(1..);
                let read =
                    |(value, number): (&Value, usize)| article(subset, &number.to_string(), inner(value, "data")?);
                let found: Vec<Vec<Record>> = articles.map(read).collect::<Result<_, _>>()?;
                Ok(found.into_iter().flatten().collect())
            }
        }
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "hops": if subset.name == "squad" { "one" } else { "two" } })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let mut sections: Vec<Section> = record.document.split("\n\n").map(|text| vec![plain(text)]).collect();
        let gold: Vec<String> = sections
            .iter()
            .flatten()
            .map(|statement| statement.text.clone())
            .filter(|text| record.evidence.contains(text))
            .collect();
        let room = book::room(task, request, HEAD, TAIL_TOKENS + crate::tokens::count(&record.question));
        let mut used = 0;
        // Evidence is never left out; of the others as many as fit.
        sections.retain(|section| {
            let text = section.iter().map(|statement| statement.text.as_str()).collect::<String>();
            let cost = crate::tokens::count(&text) + 8;
            let fits = gold.contains(&text) || used + cost <= room;
            used += if fits { cost } else { 0 };
            fits
        });
        let filler = Book::gather(World::new(request.seed), rng.next_u64(), room.saturating_sub(used), heading);
        sections.extend(filler.sections);
        rng.shuffle(&mut sections);
        let marked = |(section, sentences): (usize, &Section)| {
            let first = sentences.first()?;
            gold.contains(&first.text).then_some(Place { section, sentence: 0 })
        };
        let marks = sections.iter().enumerate().filter_map(marked).collect();
        let answer = official::answer(record);
        let volume = Volume { head: HEAD.to_owned(), heading, sections, marks, tail: tail(&record.question), answer };
        book::bind(task, request, volume)
    }
}

/// A paragraph without line ends, so that an empty line separates paragraphs.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a Vec<Value>, RecordError> {
    fields.get(name).and_then(Value::as_array).ok_or_else(|| RecordError::new(name, "expected a list"))
}

fn inner<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>, RecordError> {
    value.as_object().ok_or_else(|| RecordError::new(name, "expected a list of objects"))
}

/// The answerable questions of an article.
fn article(subset: &Subset, article: &str, fields: &Map<String, Value>) -> Result<Vec<Record>, RecordError> {
    let paragraphs: Vec<&Map<String, Value>> =
        list(fields, "paragraphs")?.iter().map(|value| inner(value, "paragraphs")).collect::<Result<_, _>>()?;
    let texts: Vec<String> = paragraphs
        .iter()
        .map(|paragraph| Ok(flat(&text(paragraph, "context")?)))
        .collect::<Result<_, RecordError>>()?;
    let mut records = Vec::new();
    for (paragraph, context) in paragraphs.iter().zip(&texts) {
        for question in list(paragraph, "qas")? {
            let fields = inner(question, "qas")?;
            let answers: Vec<String> = list(fields, "answers")?
                .iter()
                .map(|answer| text(inner(answer, "answers")?, "text"))
                .collect::<Result<_, _>>()?;
            if answers.iter().all(|answer| answer.trim().is_empty()) {
                continue;
            }
            records.push(Record {
                id: text(fields, "id").unwrap_or_else(|_| format!("{article}.{}", records.len() + 1)),
                subset: subset.name.to_owned(),
                document: texts.join("\n\n"),
                question: text(fields, "question")?,
                references: answers,
                gold: Value::Null,
                official_length: None,
                evidence: vec![context.clone()],
            });
        }
    }
    Ok(records)
}

/// A question with its paragraphs `[title, [sentence, …]]`.
fn hotpot(subset: &Subset, fields: &Map<String, Value>) -> Result<Vec<Record>, RecordError> {
    let bad = || RecordError::new("context", "expected a list of [title, [sentence, …]]");
    let paragraph = |value: &Value| -> Option<(String, String)> {
        let [title, sentences] = value.as_array()?.as_slice() else { return None };
        let sentences: Vec<&str> = sentences.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
        let title = title.as_str()?;
        Some((title.to_owned(), format!("{} {}", flat(title), flat(&sentences.concat()))))
    };
    let paragraphs: Vec<(String, String)> =
        list(fields, "context")?.iter().map(|value| paragraph(value).ok_or_else(bad)).collect::<Result<_, _>>()?;
    let supporting: Vec<&str> = fields
        .get("supporting_facts")
        .and_then(Value::as_array)
        .map(|facts| facts.iter().filter_map(|fact| fact.get(0)?.as_str()).collect())
        .unwrap_or_default();
    let evidence = paragraphs.iter().filter(|(title, _)| supporting.contains(&title.as_str()));
    Ok(vec![Record {
        id: text(fields, "_id")?,
        subset: subset.name.to_owned(),
        evidence: evidence.map(|(_, text)| text.clone()).collect(),
        document: paragraphs.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n\n"),
        question: text(fields, "question")?,
        references: vec![text(fields, "answer")?],
        gold: Value::Null,
        official_length: None,
    }])
}
