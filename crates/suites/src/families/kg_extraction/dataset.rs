//! The annotated abstracts of What's In Your Field, `human_annotations.jsonl`: one abstract a line.
//!
//! Upstream shows three abstracts and asks about the sentences of the others one by one. The first three lines of the file
//! are the examples: their sentences stand before each question, and they become no records. A line that stands in no
//! file comes without examples. Of the official prompt the parts are kept: schema, examples, sentence, cue.

use serde_json::{Map, Value, json};

use super::{head, written};
use crate::card::Side;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::item::Item;
use crate::metrics::kg_for_science::{Phrases, tagged};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the annotations.
pub(super) struct Annotations;

static SUBSETS: [Subset; 1] = [Subset { name: "human_annotations", title: "Annotated sentences of abstracts" }];

/// Abstracts at the head of the file that are examples.
const EXAMPLES: usize = 3;

impl Dataset for Annotations {
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
        let sentences = sentences(&fields)?;
        if line_number <= EXAMPLES && !folder.file_name().is_empty() {
            return Ok(Vec::new());
        }
        let document = examples(folder)?;
        let record = |(number, (question, phrases)): (usize, (String, Phrases))| Record {
            id: format!("{line_number}.{number}"),
            subset: subset.name.to_owned(),
            document: document.clone(),
            question,
            references: vec![written(&phrases)],
            gold: json!({ "phrases": phrases }),
            official_length: None,
            evidence: Vec::new(),
        };
        Ok((1..).zip(sentences).map(record).collect())
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let tail = format!("\nSentence: {}\nExtractions:", record.question);
        let frame = Frame { head: head(), tail, side: Side::Right };
        official::item(task, request, record, &frame, official::answer(record))
    }
}

/// Title and sentences of an abstract with their phrases. Sentences are split at ". ", as upstream splits them.
fn sentences(fields: &Map<String, Value>) -> Result<Vec<(String, Phrases)>, RecordError> {
    let title = dataset::text(fields, "tagged_title")?;
    let body = dataset::text(fields, "tagged_abstract")?;
    let texts = std::iter::once(title.as_str()).chain(body.split(". ")).filter(|text| !text.trim().is_empty());
    Ok(texts.map(|text| (plain(text), tagged(text))).collect())
}

/// A sentence without its tags.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        plain.push_str(before);
        let name = tag.trim_start_matches('/');
        match tag.split_once('>').filter(|_| name.starts_with(|scalar: char| scalar.is_ascii_alphabetic())) {
            Some((_, after)) => rest = after,
            None => {
                plain.push('<');
                rest = tag;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The annotated sentences of the first abstracts of the file itself; nothing where it stands in no folder.
fn examples(folder: &dyn Folder) -> Result<String, RecordError> {
    if folder.file_name().is_empty() {
        return Ok(String::new());
    }
    let file = folder.json(folder.file_name())?;
    let abstracts = file.as_array().into_iter().flatten().filter_map(Value::as_object).take(EXAMPLES);
    let mut text = String::new();
    for fields in abstracts {
        for (sentence, phrases) in sentences(fields)? {
            text.push_str(&format!("Sentence: {sentence}\nExtractions: {}\n\n", written(&phrases)));
        }
    }
    Ok(text)
}
