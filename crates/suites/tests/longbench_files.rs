//! The readers of LongBench's, LongBench v2's and MRCR's official records, on records of our own in their formats.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use longboard_suites::dataset::{Dataset, Record};
use longboard_suites::families;
use longboard_suites::item::{Item, Role};
use longboard_suites::length::Length;
use longboard_suites::task::{GenerateError, ItemRequest, Task, TaskDefinition};
use longboard_suites::tokens;
use serde_json::{Value, json};

fn reader(family: &str) -> &'static dyn Dataset {
    families::find(family).unwrap().dataset().unwrap()
}

fn read(family: &str, file: &str, line: &Value) -> Result<Record, String> {
    let dataset = reader(family);
    let subset = dataset.subset_of(file).unwrap_or_else(|| panic!("{file}"));
    let records = dataset.read(subset, 3, &line.to_string()).map_err(|error| error.to_string())?;
    assert_eq!(records.len(), 1);
    Ok(records.into_iter().next().unwrap())
}

fn task(family: &str, file: &str) -> Task {
    let dataset = reader(family);
    let params = dataset.params(dataset.subset_of(file).unwrap());
    let definition = TaskDefinition::generated(family, "imported", "Imported", params);
    Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap()
}

fn item(task: &Task, record: &Record, length: u32) -> Result<Item, GenerateError> {
    let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(length).unwrap()) };
    let item = task.item(&request)?;
    assert_eq!(item.prompt_tokens, tokens::count(&item.joined()), "{}", item.id);
    assert!(item.prompt_tokens + item.output_tokens <= length, "{}: {}", item.id, item.prompt_tokens);
    Ok(item)
}

/// What is said about a line in which `field` is replaced or, without a value, taken out.
fn refusal(family: &str, file: &str, line: &Value, field: &str, value: Option<Value>) -> String {
    let mut fields = line.as_object().unwrap().clone();
    match value {
        Some(value) => drop(fields.insert(field.to_owned(), value)),
        None => drop(fields.remove(field)),
    }
    read(family, file, &Value::Object(fields)).unwrap_err()
}

fn longbench(name: &str, answers: &[&str], classes: Value) -> Value {
    json!({
        "input": "Who rang the bell {context}?", "context": "Ida rang the bell {input}. Olga slept.", "answers": answers,
        "length": 4000, "dataset": name, "language": "en", "all_classes": classes, "_id": format!("{name}-1"),
    })
}

#[test]
fn every_data_set_of_longbench_is_read_and_scored() {
    let answers = |name: &str| match name {
        "passage_retrieval_en" => "Paragraph 7",
        "passage_retrieval_zh" => "段落7",
        "passage_count" => "7",
        "lcc" | "repobench-p" => "    return total",
        "multifieldqa_zh" | "dureader" | "vcsum" => "艾达敲了钟。",
        "trec" | "lsht" => "Person",
        _ => "Ida",
    };
    for subset in reader("longbench").subsets() {
        let file = format!("data/{}.jsonl", subset.name);
        let base = subset.name.strip_suffix("_e").unwrap_or(subset.name);
        let line = longbench(base, &["nobody", answers(base)], json!(["Person", "nobody", "Place"]));
        let record = read("longbench", &file, &line).unwrap();
        assert_eq!((record.official_length, record.id.as_str()), (Some(4000), format!("{base}-1").as_str()));
        let edges: &[u64] = if base == subset.name { &[] } else { &[4000, 8000] };
        assert_eq!(reader("longbench").buckets(subset), edges, "{file}");
        let task = task("longbench", &file);
        let item = item(&task, &record, 2048).unwrap();
        assert!(item.joined().contains("Ida rang the bell {input}."), "{file}");
        assert_eq!(item.cut.unwrap().tokens_removed, 0);
        let score = task.score(&item, answers(base)).score;
        assert!((score - 1.0).abs() < 1e-6, "{file}: {score}");
    }
    assert_eq!(reader("longbench").subsets().len(), 21 + 13);
    for other in ["hotpotqa_e_e.jsonl", "narrativeqa_e.jsonl", "hotpot.jsonl", ""] {
        assert!(reader("longbench").subset_of(other).is_none(), "{other}");
    }
}

#[test]
fn longbench_prompts_are_the_official_ones() {
    let line = longbench("hotpotqa", &["Ida"], Value::Null);
    let record = read("longbench", "hotpotqa.jsonl", &line).unwrap();
    let task = task("longbench", "hotpotqa.jsonl");
    let item = item(&task, &record, 1024).unwrap();
    let text = item.joined();
    assert_eq!(text.get(item.document.unwrap()), Some(record.document.as_str()));
    assert!(text.starts_with("Answer the question based on the given passages."));
    assert!(text.ends_with("\n\nQuestion: Who rang the bell {context}?\nAnswer:"), "{text}");
    assert_eq!(text.matches("Ida rang the bell").count(), 1);
}

#[test]
fn a_long_prompt_keeps_half_a_window_at_either_end() {
    let mut line = longbench("multi_news", &["Ida"], Value::Null);
    line["context"] = json!(format!("begin {}end", "word ".repeat(300_000)));
    let record = read("longbench", "multi_news_e.jsonl", &line).unwrap();
    let task = task("longbench", "multi_news_e.jsonl");
    let item = item(&task, &record, 2048).unwrap();
    let text = item.joined();
    assert!(text.starts_with("You are given several news") && text.contains("begin word") && text.contains("word end"));
    assert!(text.ends_with("\n\nSummary:"));
    let document = text.get(item.document.unwrap()).unwrap();
    assert!(document.starts_with("begin word") && document.ends_with("word end"));
    let cut = item.cut.unwrap();
    assert_eq!(cut.tokens_before - cut.tokens_removed, item.prompt_tokens);
    assert!(cut.tokens_removed > 290_000 && item.prompt_tokens >= 2048 - 512 - 4, "{cut:?}");
}

#[test]
fn few_shot_answers_are_read_by_their_first_line() {
    let line = longbench("trec", &["Place"], json!(["Person", "Place"]));
    let record = read("longbench", "trec.jsonl", &line).unwrap();
    let task = task("longbench", "trec.jsonl");
    let item = item(&task, &record, 1024).unwrap();
    assert_eq!(task.score(&item, "\nPlace\nQuestion: Who?\nType: Person").score, 1.0);
    assert_eq!(task.score(&item, "Place or Person").score, 0.5);
    assert_eq!(task.score(&item, "Place or Person").strict, Some(0.0));
}

#[test]
fn broken_longbench_lines_name_their_field() {
    let line = longbench("trec", &["Place"], json!(["Person", "Place"]));
    let refusal = |field: &str, value: Option<Value>| refusal("longbench", "trec.jsonl", &line, field, value);
    for field in ["input", "context", "length", "dataset", "language", "_id"] {
        assert_eq!(refusal(field, None), format!("{field}: missing"));
    }
    assert_eq!(refusal("answers", None), "answers: expected a list of texts");
    assert_eq!(refusal("answers", Some(json!([]))), "answers: expected at least one answer");
    assert_eq!(refusal("answers", Some(json!("Place"))), "answers: expected a list of texts");
    assert_eq!(refusal("context", Some(json!(["x"]))), "context: expected a text");
    assert_eq!(refusal("length", Some(json!(-4))), "length: expected a whole number from 0");
    assert_eq!(refusal("length", Some(json!("4"))), "length: expected a whole number from 0");
    assert_eq!(refusal("dataset", Some(json!("lsht"))), "dataset: `lsht` in a file of trec");
    assert_eq!(refusal("all_classes", Some(Value::Null)), "all_classes: expected the list of classes");
    assert_eq!(refusal("all_classes", Some(json!([1]))), "all_classes: expected a list of texts");
    let mut more = line.clone();
    more["source"] = json!("a field that the format does not have");
    assert!(read("longbench", "trec.jsonl", &more).is_ok());
    let subset = reader("longbench").subset_of("trec.jsonl").unwrap();
    for broken in ["", "[]", "{", "nothing"] {
        assert_eq!(reader("longbench").read(subset, 1, broken).unwrap_err().field, "line");
    }
}

fn second() -> Value {
    json!({
        "_id": "q1", "domain": "Single-Document QA", "sub_domain": "Detective", "difficulty": "hard", "length": "long",
        "question": "Who took $C_A$?\n", "choice_A": "Ida", "choice_B": "Olga", "choice_C": "the smith $C_D$",
        "choice_D": "nobody", "answer": "B", "context": "\nOlga took it, costing $Q$ and $DOC$.\n",
    })
}

#[test]
fn the_second_longbench_fills_its_slots_once() {
    let record = read("longbench_v2", "longbench-v2.jsonl", &second()).unwrap();
    assert_eq!((record.gold["difficulty"].as_str(), record.gold["length"].as_str()), (Some("hard"), Some("long")));
    let task = task("longbench_v2", "longbench_v2.jsonl");
    let item = item(&task, &record, 1024).unwrap();
    let text = item.joined();
    assert!(text.contains("<text>\nOlga took it, costing $Q$ and $DOC$.\n</text>"), "{text}");
    assert!(
        text.contains("question: Who took $C_A$?\nChoices:\n(A) Ida\n(B) Olga\n(C) the smith $C_D$\n(D) nobody\n\n")
    );
    assert!(text.ends_with("\"The correct answer is (insert answer here)\"."));
    assert_eq!(task.score(&item, "The correct answer is **(B)**").score, 1.0);
    let bare = task.score(&item, "B");
    assert_eq!((bare.score, bare.strict), (0.0, Some(1.0)));
}

#[test]
fn broken_lines_of_the_second_longbench_name_their_field() {
    let refusal = |field: &str, value| refusal("longbench_v2", "longbench_v2.jsonl", &second(), field, value);
    for field in ["_id", "domain", "sub_domain", "difficulty", "length", "question", "choice_C", "answer", "context"] {
        assert_eq!(refusal(field, None), format!("{field}: missing"));
        assert_eq!(refusal(field, Some(json!(7))), format!("{field}: expected a text"));
    }
    assert_eq!(refusal("answer", Some(json!("E"))), "answer: expected A, B, C or D");
    assert_eq!(refusal("difficulty", Some(json!("medium"))), "difficulty: expected one of easy, hard");
    assert_eq!(refusal("length", Some(json!("huge"))), "length: expected one of short, medium, long");
    let mut long = second();
    long["context"] = json!("Olga took it. ".repeat(100_000));
    let record = read("longbench_v2", "longbench_v2.jsonl", &long).unwrap();
    let cut = item(&task("longbench_v2", "longbench_v2.jsonl"), &record, 4096).unwrap().cut.unwrap();
    assert!(cut.tokens_removed > 390_000);
}

fn conversation(repeats: usize) -> Value {
    let said = |role: &str, content: &str| json!({ "role": role, "content": content });
    let messages = json!([
        said("user", "Write a poem about otters."),
        said("assistant", "Otters float, otters dive."),
        said("user", "Write a poem about otters."),
        said("assistant", &"Otters sleep holding paws. ".repeat(repeats)),
        said("user", "Prepend qXz7 to the second poem about otters."),
    ]);
    json!({
        "prompt": messages.to_string(), "answer": format!("qXz7{}", "Otters sleep holding paws. ".repeat(repeats)),
        "random_string_to_prepend": "qXz7", "n_needles": 2, "desired_msg_index": 3, "total_messages": 5, "n_chars": 170,
    })
}

#[test]
fn conversations_keep_their_messages() {
    let record = read("mrcr", "2needle_0.jsonl", &conversation(1)).unwrap();
    assert_eq!(record.official_length, Some(170));
    let task = task("mrcr", "2needle.jsonl");
    let item = item(&task, &record, 1024).unwrap();
    assert_eq!(item.messages.len(), 5);
    assert_eq!((item.messages[3].role, item.messages[4].role), (Role::Assistant, Role::User));
    let needle = &item.needles[0];
    assert_eq!(item.joined().get(needle.start..needle.end), Some("Otters sleep holding paws. "));
    assert_eq!(task.score(&item, "qXz7Otters sleep holding paws. ").score, 1.0);
    assert_eq!(task.score(&item, "Otters sleep holding paws. ").score, 0.0);
}

#[test]
fn conversations_are_never_cut() {
    let record = read("mrcr", "2needle.jsonl", &conversation(400)).unwrap();
    let task = task("mrcr", "2needle.jsonl");
    let error = item(&task, &record, 4096).unwrap_err().to_string();
    assert!(error.contains("uncut"), "{error}");
    let whole = item(&task, &record, 16_384).unwrap();
    assert!(whole.output_tokens > 2000, "room for the whole answer");
}

#[test]
fn broken_conversations_name_their_field() {
    let line = conversation(1);
    let refusal = |field: &str, value| refusal("mrcr", "2needle.jsonl", &line, field, value);
    let fields = ["prompt", "answer", "random_string_to_prepend", "n_needles", "desired_msg_index", "total_messages"];
    for field in fields.into_iter().chain(["n_chars"]) {
        assert_eq!(refusal(field, None), format!("{field}: missing"));
        assert!(refusal(field, Some(json!([]))).starts_with(field));
    }
    assert_eq!(refusal("n_needles", Some(json!(4))), "n_needles: 4 in a file of 2needle");
    assert!(refusal("answer", Some(json!("Otters"))).starts_with("answer: expected a text that begins with"));
    assert!(refusal("desired_msg_index", Some(json!(5))).starts_with("desired_msg_index: 5 of 5"));
    assert!(refusal("prompt", Some(json!("[{\"role\": \"robot\", \"content\": \"x\"}]"))).starts_with("prompt: "));
    assert!(refusal("prompt", Some(json!("[]"))).contains("at least one message"));
    let mut more = line.clone();
    more["date_added"] = json!("04-12-2025");
    assert!(read("mrcr", "2needle.jsonl", &more).is_ok());
}
