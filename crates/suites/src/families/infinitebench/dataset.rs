//! InfiniteBench's data files: one JSON object per line with id, context, input, answer and options.

use serde_json::{Map, Value, json};

use crate::card::Side;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::item::Item;
use crate::prompt::Answer;
use crate::task::{GenerateError, ItemRequest, Task, choice};

/// Reader of the twelve files, named after their tasks.
pub(super) struct Files;

macro_rules! subsets {
    ($(($name:literal, $title:literal)),* $(,)?) => { [$(Subset { name: $name, title: $title }),*] };
}

static SUBSETS: [Subset; 12] = subsets![
    ("passkey", "Retrieve.PassKey"),
    ("number_string", "Retrieve.Number"),
    ("kv_retrieval", "Retrieve.KV"),
    ("longbook_sum_eng", "En.Sum"),
    ("longbook_qa_eng", "En.QA"),
    ("longbook_choice_eng", "En.MC"),
    ("longdialogue_qa_eng", "En.Dia"),
    ("longbook_qa_chn", "Zh.QA"),
    ("code_debug", "Code.Debug"),
    ("code_run", "Code.Run"),
    ("math_calc", "Math.Calc"),
    ("math_find", "Math.Find"),
];

impl Dataset for Files {
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
        let fields = dataset::object(line)?;
        let id = match fields.get("id") {
            None => line_number.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => return Err(RecordError::new("id", "expected a number or a text")),
        };
        let options = match fields.get("options") {
            None | Some(Value::Null) => Vec::new(),
            Some(_) => dataset::texts(&fields, "options")?,
        };
        let answer = fields.get("answer").ok_or_else(|| RecordError::new("answer", "missing"))?;
        let label = label(subset.name, answer, &options)?;
        Ok(vec![Record {
            id,
            subset: subset.name.to_owned(),
            document: dataset::text(&fields, "context")?,
            question: optional(&fields, "input")?,
            references: references(&label),
            gold: json!({ "label": label, "options": options }),
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "task": subset.name })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let name = choice(&task.definition().params, "task");
        let options: Vec<&str> = record
            .gold
            .get("options")
            .and_then(Value::as_array)
            .map(|options| options.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let (head, tail) = frame(name, &record.question, &options);
        let output_tokens = output_tokens(name, request.length.tokens());
        let answer = Answer {
            gold: json!({ "label": record.gold.get("label") }),
            output_tokens: Some(output_tokens),
            ..official::answer(record)
        };
        official::item(task, request, record, &Frame { head, tail, side: Side::Middle }, answer)
    }
}

fn optional(fields: &Map<String, Value>, name: &str) -> Result<String, RecordError> {
    if matches!(fields.get(name), None | Some(Value::Null)) { Ok(String::new()) } else { dataset::text(fields, name) }
}

/// The label as the official code makes it: text and letter for tasks with options, else the answer as it is.
fn label(task: &str, answer: &Value, options: &[String]) -> Result<Value, RecordError> {
    if !super::has_options(task) {
        return match answer {
            Value::String(_) | Value::Number(_) => Ok(answer.clone()),
            Value::Array(list) if !list.is_empty() => Ok(answer.clone()),
            _ => Err(RecordError::new("answer", "expected a text, a number or a list of these")),
        };
    }
    let listed: Vec<&str> = match answer {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match listed.as_slice() {
        [text, letter] if letter.len() == 1 && "ABCD".contains(letter) => Ok(json!([text, letter])),
        [text] => {
            let place = options.iter().position(|option| option == text);
            let letter = place.and_then(|place| ["A", "B", "C", "D"].get(place).copied());
            letter
                .map(|letter| json!([text, letter]))
                .ok_or_else(|| RecordError::new("answer", "is none of the options"))
        }
        _ => Err(RecordError::new("answer", "expected the text of an option, or its text and letter")),
    }
}

fn references(label: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    label.as_array().map_or_else(|| vec![text(label)], |list| list.iter().map(text).collect())
}

/// Tokens of an answer as the official runs set them, with room for a sentence where they leave none.
fn output_tokens(task: &str, length: u32) -> u32 {
    match task {
        "longbook_sum_eng" => 1200,
        "math_calc" => 30_000.min(length / 3),
        "kv_retrieval" => 96,
        _ => 64,
    }
}

/// What stands before and after the document: the official slots and their order in our own words.
fn frame(task: &str, question: &str, options: &[&str]) -> (String, String) {
    let listed: Vec<String> =
        options.iter().zip(["A", "B", "C", "D"]).map(|(option, letter)| format!("{letter}. {option}")).collect();
    let listed = listed.join("\n");
    let (head, tail) = match task {
        "passkey" => (
            "A pass key is hidden in a long text without meaning. Find it.\n\n",
            format!("\n\n{question}\nThe pass key is"),
        ),
        "number_string" => (
            "A string of digits is hidden in a long text without meaning. Find it.\n\n",
            format!("\n\n{question}\nThe digits are"),
        ),
        "kv_retrieval" => ("Take the value of a key from the JSON object below.\n\n", format!("\n\n{question}")),
        "longbook_sum_eng" => ("Sum up the book below.\n\n", "\n\nSummary:".to_owned()),
        "longbook_choice_eng" => (
            "Read the book and answer the question.\n\n",
            format!(
                "\n\nQuestion: {question}\n\nOnly one of these options is right; name it by its letter (A, B, C or D).\n{listed}\n\nThe letter of the right option is"
            ),
        ),
        "longbook_qa_eng" => (
            "Read the book and answer the question as briefly as you can. Do not explain.\n\n",
            format!("\n\nQuestion: {question}\nAnswer:"),
        ),
        "longbook_qa_chn" => {
            ("阅读下面的书并回答问题，答案尽量简短，不要解释。\n\n", format!("\n\n问题：{question}\n回答："))
        }
        "longdialogue_qa_eng" => (
            "Below is a script in which one name is replaced by \"$$MASK$$\". Find out whose name it is.\n\n",
            "\n\nThe name behind $$MASK$$ is".to_owned(),
        ),
        "code_debug" => (
            "Below is a code base in which exactly one function holds a deliberate error.\n\n",
            format!(
                "\n\nWhich function holds the error?\n{listed}\n\nReply with the letter, a full stop and the name.\nThe right option is:"
            ),
        ),
        "code_run" => (
            "Below is a set of Python functions.\n\n",
            format!("\n\n{question}\nReply with the number that the call returns.\nReturn value:"),
        ),
        "math_calc" => (
            "Work out the expression below step by step and write the result after each step, separated by commas. No other text.\n\n",
            format!("\n\n{question}\nResults:"),
        ),
        _ => ("", format!("\n\n{question}")),
    };
    (if task == "math_find" { format!("{question}\n\n") } else { head.to_owned() }, tail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::length::Length;
    use crate::task::TaskDefinition;

    fn item(name: &str, line: &str, length: u32) -> Item {
        let subset = Files.subset_of(&format!("{name}.jsonl")).unwrap();
        let records = Files.read(subset, 1, line).unwrap();
        let definition = TaskDefinition::generated("infinitebench", name, name, Files.params(subset));
        let task = Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap();
        let request = ItemRequest { record: records.first(), ..ItemRequest::new(1, 0, Length::new(length).unwrap()) };
        let item = task.item(&request).unwrap();
        let oracle = if super::super::has_options(name) {
            format!("{}. {}", super::super::letter(&item), item.references[0])
        } else if name == "math_calc" {
            item.references.join(", ")
        } else {
            item.references[0].clone()
        };
        assert_eq!(task.score(&item, &oracle).score, 1.0, "{name}");
        item
    }

    #[test]
    fn every_task_reads_its_records() {
        for line in include_str!("../../../tests/fixtures/infinitebench.jsonl").lines() {
            let fields: Value = serde_json::from_str(line).unwrap();
            let item = item(fields["task"].as_str().unwrap(), line, 2048);
            assert!(item.prompt_tokens + item.output_tokens <= 2048 && item.cut.unwrap().tokens_removed == 0);
        }
    }

    #[test]
    fn a_long_document_loses_its_middle() {
        let context = format!("begin {}end", "word ".repeat(9000));
        let line = json!({ "id": 4, "context": context, "input": "Who?", "answer": ["Ann"] }).to_string();
        let item = item("longbook_qa_eng", &line, 2048);
        let text = item.joined();
        assert!(text.contains("begin word") && text.contains("word end\n\nQuestion: Who?"));
        let cut = item.cut.unwrap();
        assert!(cut.tokens_removed > 6000 && item.prompt_tokens + item.output_tokens <= 2048);
    }

    #[test]
    fn broken_records_name_the_field() {
        let subset = Files.subset_of("code_debug.jsonl").unwrap();
        for (line, field) in [
            ("[]", "line"),
            ("{\"context\": \"x\"}", "answer"),
            ("{\"context\": 3, \"answer\": [\"f\", \"A\"]}", "context"),
            ("{\"context\": \"x\", \"answer\": \"f\", \"options\": [\"g\"]}", "answer"),
            ("{\"context\": \"x\", \"answer\": \"f\", \"options\": \"g\"}", "options"),
            ("{\"id\": {}, \"context\": \"x\", \"answer\": \"f\"}", "id"),
        ] {
            assert_eq!(Files.read(subset, 1, line).unwrap_err().field, field, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(
            line in "\\PC*|\\{(\"(id|context|input|answer|options)\": (1|\"x\"|null|\\[\\]|\\[\"x\", \"A\"\\]),?){0,6}\\}"
        ) {
            for subset in &SUBSETS {
                let _ = Files.read(subset, 1, &line);
            }
        }
    }
}
