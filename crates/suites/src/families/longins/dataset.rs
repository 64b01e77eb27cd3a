//! LongIns' data files, `data/{mode}/{length}.json`: one JSON object of exams by name.
//!
//! Of the official prompt the parts and their order are kept; its sentences are our own, since the benchmark states no
//! licence. Questions are numbered as in the file, from 0. Nothing is cut: an exam that loses questions is another exam.

use serde_json::{Map, Value, json};

use super::bracketed;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the exams.
pub(super) struct Exams;

macro_rules! subsets {
    ($(($mode:literal, $title:literal)),*; $lengths:tt) => { [$(subsets!(@mode $mode, $title, $lengths)),*] };
    (@mode $mode:literal, $title:literal, [$($length:literal),*]) => {
        [$(Subset { name: concat!($mode, "_", $length), title: concat!("LongIns ", $title, ", ", $length, " tokens") }),*]
    };
}

static SUBSETS: [[Subset; 7]; 3] = subsets![("gist", "GIST"), ("list", "LIST"), ("limt", "LIMT"); ["256", "512", "1024", "2048", "4096", "8192", "16384"]];

/// Tokens that are kept for numbers at most.
const MOST_OUTPUT: usize = 4096;

impl Dataset for Exams {
    fn subsets(&self) -> &'static [Subset] {
        SUBSETS.as_flattened()
    }

    /// The mode is the folder's name, or stands before the length in the file's: `GIST/256.json`, `gist_256.json`.
    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let name = file_name.to_ascii_lowercase();
        let stem = name.strip_suffix(".json").or_else(|| name.strip_suffix(".jsonl"))?;
        let stem = stem.replace(['/', '\\', '-', ' '], "_");
        let before = |subset: &Subset| stem.strip_suffix(subset.name);
        self.subsets().iter().find(|subset| before(subset).is_some_and(|rest| rest.is_empty() || rest.ends_with('_')))
    }

    fn keyed(&self, _: &Subset) -> bool {
        true
    }

    fn read_beside(&self, subset: &Subset, _: usize, line: &str, _: &dyn Folder) -> Result<Vec<Record>, RecordError> {
        let exams = dataset::object(line)?;
        exams.iter().map(|(name, exam)| record(subset, name, exam)).collect()
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "mode": mode(subset) })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut prompt = Prompt::default();
        prompt.push(ROLE);
        if record.question.is_empty() {
            prompt.push(" Find the questions whose answer does not do what the instruction beside it asks for.\n\n");
        } else {
            prompt.push(" What the questions ask for:\n");
            prompt.push(&record.question);
            prompt.push("\nFind the questions whose answer does not meet that.\n\n");
        }
        prompt.begin_document();
        prompt.push(&record.document);
        prompt.end_document();
        prompt.push(ASK);
        let questions = record.gold.get("questions").and_then(Value::as_u64).unwrap_or_default() as usize;
        let output = task.card().output_tokens as usize + questions.min(MOST_OUTPUT);
        let answer = Answer { output_tokens: u32::try_from(output).ok(), ..official::answer(record) };
        official::whole(task, request, record, prompt, answer)
    }
}

const ROLE: &str = "You are correcting an exam. Below stand its questions with the answers that were given.";

const ASK: &str = "\nEach pair of brackets above holds a numbered question with its answer. List the numbers of the wrongly answered questions inside one pair of square brackets, separated by commas. Leave out the numbers of those answered rightly, and write nothing else.\nAnswer:";

fn mode(subset: &Subset) -> &'static str {
    subset.name.split_once('_').map_or("", |(mode, _)| mode)
}

fn record(subset: &Subset, name: &str, exam: &Value) -> Result<Record, RecordError> {
    let at = |error: RecordError| RecordError::new(&format!("{name}.{}", error.field), error.reason);
    if name.is_empty() {
        return Err(RecordError::new("exam", "has no name"));
    }
    let Value::Object(fields) = exam else {
        return Err(RecordError::new(name, "expected an object with Data and error"));
    };
    let document = dataset::text(fields, "Data").map_err(at)?;
    let question =
        if mode(subset) == "gist" { dataset::text(fields, "task_prompt").map_err(at)? } else { String::new() };
    let errors = numbers(fields, "error").map_err(at)?;
    let right = if fields.contains_key("true_list") { numbers(fields, "true_list").map_err(at)? } else { Vec::new() };
    if let Some(twice) = errors.iter().find(|number| right.contains(number)) {
        let reason = format!("question {twice} is both wrong and in true_list");
        return Err(at(RecordError::new("error", reason)));
    }
    Ok(Record {
        id: name.to_owned(),
        subset: subset.name.to_owned(),
        document,
        question,
        references: vec![bracketed(&errors)],
        gold: json!({ "errors": errors, "questions": errors.len() + right.len() }),
        official_length: fields.get("Lenth").and_then(Value::as_u64),
        evidence: Vec::new(),
    })
}

/// Numbers of questions, each once, ascending.
fn numbers(fields: &Map<String, Value>, name: &str) -> Result<Vec<usize>, RecordError> {
    let refuse = || RecordError::new(name, "expected a list of numbers of questions");
    let list = fields.get(name).and_then(Value::as_array).ok_or_else(refuse)?;
    let number = |value: &Value| usize::try_from(value.as_u64()?).ok();
    let mut numbers: Vec<usize> = list.iter().map(number).collect::<Option<_>>().ok_or_else(refuse)?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}
