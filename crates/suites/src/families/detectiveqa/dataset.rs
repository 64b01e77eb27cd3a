//! DetectiveQA's annotations. The official novels are files of their own; a line here is one annotation file with the
//! novel's paragraphs added under `paragraphs`.

use serde_json::{Value, json};

use crate::card::{Language, Side};
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text, texts};
use crate::families::official::{self, Frame};
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task};

/// The reader.
pub struct Novels;

static SUBSETS: [Subset; 2] = [Subset { name: "en", title: "English" }, Subset { name: "zh", title: "Chinese" }];

impl Dataset for Novels {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let lower = file_name.to_ascii_lowercase();
        let part = |name: &str| lower.split(|scalar: char| !scalar.is_ascii_alphanumeric()).any(|part| part == name);
        SUBSETS.iter().find(|subset| part(subset.name))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        let paragraphs = texts(&fields, "paragraphs")?;
        let novel = match fields.get("novel_id") {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => line_number.to_string(),
        };
        let Some(Value::Array(questions)) = fields.get("questions") else {
            return Err(RecordError::new("questions", "expected a list of questions"));
        };
        let read = |(value, number): (&Value, usize)| {
            let id = format!("{novel}.{number}");
            question(subset, value, id, &paragraphs)
                .map_err(|error| RecordError::new(&format!("questions[{number}].{}", error.field), error.reason))
        };
        questions.iter().zip(1..).map(read).collect()
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "language": subset.name })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let (head, tail) = if task.card().language == Language::Chinese {
            (
                "请阅读下面的小说。\n\n".to_owned(),
                format!("\n\n问题：{}\n请逐步推理，最后写：答案是X。\n", record.question),
            )
        } else {
            (
                "Read the novel below.\n\n".to_owned(),
                format!(
                    "\n\nQuestion: {}\nReason step by step and end with a sentence of the form: The answer is X.\n",
                    record.question
                ),
            )
        };
        official::item(task, request, record, &Frame { head, tail, side: Side::Middle }, official::answer(record))
    }
}

/// The record of one question: the novel up to the paragraph in which the solution begins.
fn question(subset: &Subset, value: &Value, id: String, paragraphs: &[String]) -> Result<Record, RecordError> {
    let fields = value.as_object().ok_or_else(|| RecordError::new("question", "expected an object"))?;
    let options = fields
        .get("options")
        .and_then(Value::as_object)
        .ok_or_else(|| RecordError::new("options", "expected an object with A, B, C and D"))?;
    let lines: Vec<String> = ["A", "B", "C", "D"]
        .iter()
        .map(|letter| Ok(format!("{letter}. {}", text(options, letter)?)))
        .collect::<Result<_, RecordError>>()?;
    let answer = text(fields, "answer")?;
    if !["A", "B", "C", "D"].contains(&answer.as_str()) {
        return Err(RecordError::new("answer", "expected A, B, C or D"));
    }
    // Positions count paragraphs from 1; a step of pure inference has none.
    let place = |value: &Value| value.as_i64().and_then(|place| usize::try_from(place.checked_sub(1)?).ok());
    let end = fields.get("answer_position").and_then(place).unwrap_or(paragraphs.len());
    let clues = fields.get("clue_position").and_then(Value::as_array);
    let evidence: Vec<String> = clues
        .map(|clues| clues.iter().filter_map(place).filter(|at| *at < end).filter_map(|at| paragraphs.get(at).cloned()))
        .map(Iterator::collect)
        .unwrap_or_default();
    Ok(Record {
        id,
        subset: subset.name.to_owned(),
        document: paragraphs.iter().take(end).map(String::as_str).collect::<Vec<_>>().join("\n"),
        question: format!("{}\n{}", text(fields, "question")?, lines.join("\n")),
        references: vec![answer],
        gold: json!({ "reasoning": texts(fields, "reasoning").map(|steps| steps.join(" ") + " ").unwrap_or_default() }),
        official_length: None,
        evidence,
    })
}
