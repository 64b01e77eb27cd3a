//! Ada-LEval's data files, one JSON object per line (the official files are lists: write one element per line).
//!
//! Nothing is cut, as upstream cuts nothing: a record that is longer than the window is refused by name.

use serde_json::{Map, Value, json};

use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official;
use crate::item::Item;
use crate::prompt::Prompt;
use crate::task::{GenerateError, ItemRequest, Task};

/// `textsort_*`: book_id, para_offset, answer, prompt.
pub struct TextSort;

/// `stackselect_*`: question_id, question, all_answers, answer, tags.
pub struct BestAnswer;

static TEXT_SORT: [Subset; 1] = [Subset { name: "textsort", title: "TSort" }];
static BEST_ANSWER: [Subset; 1] = [Subset { name: "stackselect", title: "BestAnswer" }];

fn named(subsets: &'static [Subset], file_name: &str) -> Option<&'static Subset> {
    subsets.iter().find(|subset| file_name.starts_with(subset.name))
}

/// A field that is a number or a text.
fn identity(fields: &Map<String, Value>, name: &str) -> Result<String, RecordError> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(RecordError::new(name, "expected a number or a text")),
        None => Err(RecordError::new(name, "missing")),
    }
}

impl Dataset for TextSort {
    fn subsets(&self) -> &'static [Subset] {
        &TEXT_SORT
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        named(&TEXT_SORT, file_name)
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let order = order(&fields)?;
        Ok(vec![Record {
            id: format!("{line_number}.{}", identity(&fields, "book_id")?),
            subset: subset.name.to_owned(),
            document: dataset::text(&fields, "prompt")?,
            question: String::new(),
            references: vec![format!("{order:?}")],
            gold: json!({ "order": order }),
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    /// The record's own prompt, which upstream sends as it is.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut prompt = Prompt::default();
        prompt.push(&record.document);
        official::whole(task, request, record, prompt, official::answer(record))
    }
}

/// The right order: a list of the numbers 1 to 4, or that list as text.
fn order(fields: &Map<String, Value>) -> Result<Vec<u64>, RecordError> {
    let refuse = || RecordError::new("answer", "expected the numbers 1 to 4 in some order, as a list or as its text");
    let list = match fields.get("answer") {
        None => return Err(RecordError::new("answer", "missing")),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| refuse())?,
        Some(other) => other.clone(),
    };
    let order: Vec<u64> = serde_json::from_value(list).map_err(|_| refuse())?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted == [1, 2, 3, 4] { Ok(order) } else { Err(refuse()) }
}

impl Dataset for BestAnswer {
    fn subsets(&self) -> &'static [Subset] {
        &BEST_ANSWER
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        named(&BEST_ANSWER, file_name)
    }

    fn read_beside(&self, subset: &Subset, _: usize, line: &str, _: &dyn Folder) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let answers = dataset::texts(&fields, "all_answers")?;
        let label = dataset::text(&fields, "answer")?;
        let place = label.strip_prefix('A').and_then(|number| number.parse::<usize>().ok());
        let right = place.and_then(|place| answers.get(place.checked_sub(1)?));
        let right = right.ok_or_else(|| RecordError::new("answer", "expected A1 to An for one of all_answers"))?;
        let blocks: String =
            (1..).zip(&answers).map(|(number, answer)| format!("A{number}:\n\n{answer}\n\n")).collect();
        Ok(vec![Record {
            id: format!("{}_{label}", identity(&fields, "question_id")?),
            subset: subset.name.to_owned(),
            document: blocks,
            question: dataset::text(&fields, "question")?,
            gold: json!({ "choices": answers.len() }),
            official_length: None,
            evidence: vec![right.clone()],
            references: vec![label],
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut prompt = Prompt::default();
        prompt.push(
            "Below you find a question and answers to it, each under its designation, A1, A2 and so on. Decide which \
             answer helps most, and give its designation in the form Answer: A2.\n\nThe question\n",
        );
        prompt.push(&record.question);
        prompt.push("\n\nThe answers\n");
        prompt.begin_document();
        prompt.push(&record.document);
        prompt.end_document();
        prompt.push("These were all answers. Which one helps most? Reply with its designation only.\nAnswer:");
        official::whole(task, request, record, prompt, official::answer(record))
    }
}
