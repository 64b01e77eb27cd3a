//! The readers of LongIns, HoloBench and L-CiteEval, and of records that take something from files beside theirs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use longboard_suites::dataset::{Folder, NoFolder, Record, RecordError};
use longboard_suites::families;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::task::{GenerateError, ItemRequest, Task, TaskDefinition};
use longboard_suites::tokens;
use serde_json::{Value, json};

/// A folder in memory: the data file's name, and the others by path.
struct Files(&'static str, BTreeMap<&'static str, String>);

impl Files {
    fn new<const N: usize>(data: &'static str, files: [(&'static str, String); N]) -> Self {
        Self(data, files.into())
    }
}

impl Folder for Files {
    fn file_name(&self) -> &str {
        self.0
    }

    fn names(&self, under: &str) -> Vec<String> {
        let inside = |path: &&'static str| match (under, path.rsplit_once('/')) {
            ("", None) => Some((*path).to_owned()),
            (under, Some((folder, name))) if folder == under => Some(name.to_owned()),
            _ => None,
        };
        self.1.keys().filter_map(inside).collect()
    }

    fn text(&self, path: &str) -> Result<String, RecordError> {
        self.1.get(path).cloned().ok_or_else(|| RecordError::new(path, "no such file"))
    }

    fn json(&self, path: &str) -> Result<Arc<Value>, RecordError> {
        let text = self.text(path)?;
        let lines = || text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Ok(Arc::new(if path.ends_with(".jsonl") {
            Value::Array(lines())
        } else {
            serde_json::from_str(&text).unwrap()
        }))
    }
}

fn read(family: &str, file: &str, line: &Value, folder: &dyn Folder) -> Result<Vec<Record>, String> {
    let dataset = families::find(family).unwrap().dataset().unwrap();
    let subset = dataset.subset_of(file).unwrap_or_else(|| panic!("{file}"));
    dataset.read_beside(subset, 1, &line.to_string(), folder).map_err(|error| error.to_string())
}

fn task(family: &str, file: &str) -> Task {
    let dataset = families::find(family).unwrap().dataset().unwrap();
    let params = dataset.params(dataset.subset_of(file).unwrap());
    let definition = TaskDefinition::generated(family, "data", "data", params);
    Task::new(TaskDefinition { data: Some("00".to_owned()), ..definition }).unwrap()
}

fn asked(family: &str, file: &str, record: &Record, length: u32) -> Result<(Task, Item), GenerateError> {
    let task = task(family, file);
    let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(length).unwrap()) };
    let item = task.item(&request)?;
    assert_eq!(item.prompt_tokens, tokens::count(&item.joined()), "{file}");
    assert!(item.prompt_tokens + item.output_tokens <= length, "{file}");
    Ok((task, item))
}

#[test]
fn exams_are_read_by_name_and_sent_uncut() {
    let exam = json!({"task_prompt": "Add the numbers.", "Data": "[0:2, 3 Answer: 6]\n\n[1:1, 1 Answer: 2]\n\n", "error": [0], "true_list": [1]});
    let line = json!({"task1": exam, "task2": exam});
    let records = read("longins", "data/GIST/256.json", &line, &NoFolder).unwrap();
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["task1", "task2"]);
    let (task, item) = asked("longins", "gist_256.json", &records[0], 1024).unwrap();
    let text = item.joined();
    let places = ["Add the numbers.", "[0:2, 3 Answer: 6]", "\nAnswer:"].map(|part| text.find(part).unwrap());
    assert!(places.is_sorted() && text.ends_with("Answer:"), "{text}");
    assert_eq!((task.score(&item, "[0]").score, task.score(&item, "[1]").score), (1.0, 0.0));
    assert_eq!(item.references, ["[0]"]);
    let list = read("longins", "LIST/512.json", &line, &NoFolder).unwrap();
    let (_, item) = asked("longins", "list_512.json", &list[0], 1024).unwrap();
    assert!(!item.joined().contains("Add the numbers."), "the instruction stands in each question");
    let long = Record { document: "[0:1 Answer: 1]".repeat(900), ..records[0].clone() };
    assert!(asked("longins", "gist_256.json", &long, 2048).err().unwrap().to_string().contains("uncut"));
    let refusal = |field: &str, value: Value| {
        let mut exam = exam.clone();
        exam[field] = value;
        read("longins", "gist_256.json", &json!({ "t": exam }), &NoFolder).unwrap_err()
    };
    assert!(refusal("error", json!(["a"])).starts_with("t.error: expected a list"));
    assert!(refusal("error", json!([1])).starts_with("t.error: question 1 is both"));
    assert!(refusal("task_prompt", Value::Null).starts_with("t.task_prompt:"));
    assert!(families::find("longins").unwrap().dataset().unwrap().subset_of("256.json").is_none());
}

fn rows(name: &str, count: usize) -> String {
    let row = |place: usize| {
        json!({"verbalized_text": format!("The {name} numbered {place} brought in {} sacks that year.", place * 10),
            "table_row": json!({"id": place, "kind": name, "sacks": place * 10}).to_string()})
    };
    (0..count).map(|place| row(place).to_string() + "\n").collect()
}

#[test]
fn queries_are_answered_over_the_rows_that_are_told() {
    let files =
        Files::new("queries.jsonl", [("mill/mills.jsonl", rows("mill", 400)), ("mill/weirs.jsonl", rows("weir", 400))]);
    let line =
        json!({"db_id": "mill", "query": "SELECT MAX(sacks), COUNT(*) FROM mills", "question": "What is the most?"});
    let records = read("holobench", "queries.jsonl", &line, &files).unwrap();
    let mut before = 0;
    for length in [2048, 4096, 8192] {
        let (task, item) = asked("holobench", "queries.jsonl", &records[0], length).unwrap();
        let text = item.joined();
        let (mills, weirs) = (text.matches("The mill numbered").count(), text.matches("The weir numbered").count());
        assert!(mills > before && mills.abs_diff(weirs) <= 2, "{mills} {weirs}: half of the context is for either");
        assert_eq!(item.references, [format!("{} | {mills}", (mills - 1) * 10)], "gold over told rows only");
        let answer = task.family().oracle(&task, &item);
        assert_eq!(task.score(&item, &answer).strict, Some(1.0));
        before = mills;
    }
    let none = json!({"db_id": "mill", "query": "SELECT id FROM mills WHERE sacks < 0", "question": "Which?"});
    let records = read("holobench", "queries.jsonl", &none, &files).unwrap();
    let (task, item) = asked("holobench", "queries.jsonl", &records[0], 2048).unwrap();
    assert_eq!((task.score(&item, "Answer:\nNo answer.").score, task.score(&item, "Answer:\n3").score), (1.0, 0.0));
    let refusal = |field: &str, value: &str| {
        let mut line = line.clone();
        line[field] = json!(value);
        read("holobench", "queries.jsonl", &line, &files).unwrap_err()
    };
    assert!(refusal("query", "SELECT id FROM mills WHERE id LIKE '1%'").starts_with("query: not a query"));
    assert!(refusal("query", "SELECT name FROM mills").contains("no column `name`"));
    assert!(refusal("db_id", "wine").starts_with("db_id: no folder `wine`"));
}

#[test]
fn passages_are_numbered_and_kept_whole() {
    let mut docs: Vec<String> = (0..1600).map(|place| format!("Note {place} of the mill says nothing.")).collect();
    docs[2] = "Here Brun the miller sold the ferry to Orla in 911.".to_owned();
    let line =
        json!({"id": 7, "question": "Who sold the ferry?", "answer": "Brun the miller", "docs": docs, "length": 9000});
    let records = read("l_citeeval", "niah.json", &line, &NoFolder).unwrap();
    let (task, item) = asked("l_citeeval", "niah.json", &records[0], 65_536).unwrap();
    let text = item.joined();
    assert!(text.contains("\nPassage [1500]: Note 1499") && !text.contains("Note 1500"), "1,500 passages at most");
    assert!(text.find("Passage [3]: Here Brun").unwrap() < text.rfind("Who sold the ferry?").unwrap());
    assert_eq!((item.needles.len(), item.cut.unwrap().tokens_removed, item.output_tokens), (1, 0, 128));
    assert_eq!(task.score(&item, "Brun the miller sold it [3].").score, 1.0);
    assert_eq!(task.score(&item, "Brun the miller sold it [3][4].").score, 2.0 / 3.0);
    assert_eq!(task.score(&item, "It was Brun the miller [4].").score, 0.0);
    let (_, short) = asked("l_citeeval", "niah.json", &records[0], 4096).unwrap();
    let cut = short.cut.unwrap();
    assert!(cut.tokens_removed > 10_000 && cut.evidence_left == Some(1.0), "{cut:?}");
    let missing = json!({"question": "?", "answer": "Nils", "docs": ["x"]});
    assert_eq!(read("l_citeeval", "niah.json", &missing, &NoFolder).unwrap_err(), "answer: no passage holds it");
}

#[test]
fn an_evaluator_decides_where_no_rule_does() {
    let docs =
        json!(["The ferry of Arva was built in 880.", "In 911 the miller Brun sold the ferry to Orla.", "It rained."]);
    let line = json!({"question": "Who bought the ferry?", "answer": ["Orla", "Orla Vane"], "docs": docs});
    let records = read("l_citeeval", "hotpotqa.json", &line, &NoFolder).unwrap();
    let (task, item) = asked("l_citeeval", "hotpotqa.json", &records[0], 2048).unwrap();
    let good = task.score(&item, "The miller Brun sold the ferry to Orla in 911 [2].");
    assert_eq!(good.score, 1.0);
    assert!(good.extracted.contains("lexical evaluator, version 1"), "{}", good.extracted);
    assert!(good.strict.unwrap() > 0.1 && good.strict.unwrap() < 0.5, "token F1 against `Orla`: {good:?}");
    assert_eq!(task.score(&item, "The miller Brun sold the ferry to Orla in 911 [3].").score, 0.0);
    assert_eq!(task.score(&item, "The miller Brun sold the ferry to Orla.").score, 0.0);

    let talk = json!({"question": "Who sold it?", "answer": "Brun", "docs": docs, "role": "Ida"});
    let records = read("l_citeeval", "dialsim.json", &talk, &NoFolder).unwrap();
    let (_, item) = asked("l_citeeval", "dialsim.json", &records[0], 2048).unwrap();
    assert!(item.joined().contains("Conversation [2]: In 911") && item.joined().contains("You are Ida"));
    assert_eq!(read("l_citeeval", "dialsim.json", &line, &NoFolder).unwrap_err(), "role: missing");

    let docs = json!(["a\nThe little penguin counted 83 ★\n", "b", "c\nThe little penguin counted 14 ★\n"]);
    let stars = json!({"answer": [83, 14], "docs": docs});
    let records = read("l_citeeval", "counting_stars.json", &stars, &NoFolder).unwrap();
    let (task, item) = asked("l_citeeval", "counting_stars.json", &records[0], 2048).unwrap();
    let scored = task.score(&item, "{\"little_penguin\": [14, 7], \"passage_id\": [1, 3]}");
    assert_eq!((scored.score, scored.strict), (1.0, Some(0.5)), "one of two counts is right");
    let wrong = json!({"answer": [83], "docs": docs});
    assert!(read("l_citeeval", "counting_stars.json", &wrong, &NoFolder).unwrap_err().contains("2 passages"));
}
