//! SeNER's data files: one document a line, `text` as a list of words and `entity` as lists of start, end (exclusive),
//! words and type. Spans become spans over runs of letters and digits, as answers are read. Nothing is cut.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official;
use crate::item::Item;
use crate::metrics::sener::word_count;
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the documents.
pub(super) struct Documents;

static SUBSETS: [Subset; 2] =
    [Subset { name: "scholar_xl", title: "Scholar-XL" }, Subset { name: "scirex", title: "SciREX" }];

/// Types of Scholar-XL and of SciREX.
const SCHOLAR: [&str; 12] = [
    "awards",
    "birth_place",
    "birthday",
    "education",
    "gender",
    "highest_education",
    "honorary_title",
    "research_interests",
    "take_office",
    "title",
    "work_for",
    "work_record",
];
const SCIENCE: [&str; 4] = ["Material", "Method", "Metric", "Task"];

/// Tokens that are kept for an answer at most.
const MOST_OUTPUT: u32 = 8192;

fn kinds(subset: &str) -> &'static [&'static str] {
    if subset == "scirex" { &SCIENCE } else { &SCHOLAR }
}

impl Dataset for Documents {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    /// The data set's name stands anywhere in the path, with `-` or `_`.
    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let name = file_name.to_ascii_lowercase().replace('-', "_");
        SUBSETS.iter().find(|subset| name.contains(subset.name))
    }

    /// Documents without an entity have nothing to find and become no records.
    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let words = dataset::texts(&fields, "text")?;
        let Some(list) = fields.get("entity").and_then(Value::as_array) else {
            return Err(RecordError::new("entity", "expected a list of entities"));
        };
        let before = starts(&words);
        let mut spans = BTreeSet::new();
        let mut named = Vec::new();
        for entity in list {
            let Some((start, end, kind)) = entity_of(entity, &words) else {
                let reason = "expected [start, end, words, type] with a stretch of words and a type";
                return Err(RecordError::new("entity", reason));
            };
            if !kinds(subset.name).contains(&kind.as_str()) {
                return Err(RecordError::new("entity", format!("`{kind}` is no type of {}", subset.title)));
            }
            let place = |at: usize| before.get(at).copied().unwrap_or_default();
            let (first, after) = (place(start), place(end));
            if after > first && spans.insert((first, after - 1, kind.clone())) {
                let text = words.get(start..end).unwrap_or_default().join(" ");
                named.push(json!({ "type": kind, "text": text }));
            }
        }
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Record {
            id: fields
                .get("doc_id")
                .and_then(Value::as_str)
                .filter(|id| !id.is_empty())
                .map_or_else(|| line_number.to_string(), str::to_owned),
            subset: subset.name.to_owned(),
            document: words.join(" "),
            question: String::new(),
            references: vec![Value::from(named).to_string()],
            gold: json!({ "spans": spans }),
            official_length: u64::try_from(words.len()).ok(),
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut prompt = Prompt::default();
        prompt.push("Text\n\n");
        prompt.push(&record.document);
        prompt.push("\n\nFind all entities of these types in the text: ");
        prompt.push(&kinds(&record.subset).join(", "));
        prompt.push(
            ".\nAnswer with a JSON list of objects with type and text in the order of the text. Copy each text word for \
             word and write nothing else.\nAnswer:",
        );
        let wanted: u32 = record.references.iter().map(|reference| prompt.count(reference)).sum();
        let output = (task.card().output_tokens + wanted / 4 * 5).min(MOST_OUTPUT);
        let gold = json!({ "text": record.document, "spans": record.gold.get("spans") });
        let answer = Answer { output_tokens: Some(output), gold, ..official::answer(record) };
        official::whole(task, request, record, prompt, answer)
    }
}

/// For each place between words, how many words of letters and digits stand before it.
fn starts(words: &[String]) -> Vec<usize> {
    let mut sum = 0;
    std::iter::once(0)
        .chain(words.iter().map(|word| {
            sum += word_count(word);
            sum
        }))
        .collect()
}

/// Start, end and type of an entity that lies within the document.
fn entity_of(entity: &Value, words: &[String]) -> Option<(usize, usize, String)> {
    let number = |place: usize| usize::try_from(entity.get(place)?.as_u64()?).ok();
    let (start, end) = (number(0)?, number(1)?);
    let kind = entity.get(3)?.as_str().filter(|kind| !kind.is_empty())?;
    (start < end && end <= words.len()).then(|| (start, end, kind.to_owned()))
}
