//! Official record shapes of Ada-LEval, LongICLBench, LongMemEval and M4LE: read, refused by field, and turned into items.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use longboard_suites::dataset::{Dataset, Record, Subset};
use longboard_suites::families;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::task::{GenerateError, ItemRequest, Task, TaskDefinition};
use longboard_suites::tokens;
use serde_json::{Value, json};

struct Reader {
    family: &'static str,
    dataset: &'static dyn Dataset,
    subset: &'static Subset,
}

fn reader(family: &'static str, file: &str) -> Reader {
    let dataset = families::find(family).unwrap().dataset().unwrap();
    Reader { family, dataset, subset: dataset.subset_of(file).unwrap() }
}

impl Reader {
    fn read(&self, text: &str) -> Vec<Record> {
        (1..)
            .zip(text.lines())
            .flat_map(|(number, line)| self.dataset.read(self.subset, number, line).unwrap())
            .collect()
    }

    fn task(&self) -> Task {
        let definition = TaskDefinition::generated(self.family, "data", "data", self.dataset.params(self.subset));
        Task::new(TaskDefinition { data: Some("00".to_owned()), ..definition }).unwrap()
    }

    fn item(&self, record: &Record, length: u32) -> Result<Item, GenerateError> {
        let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(length).unwrap()) };
        let item = self.task().item(&request)?;
        assert_eq!(item.prompt_tokens, tokens::count(&item.joined()), "{}", item.id);
        assert!(item.prompt_tokens + item.output_tokens <= length, "{}", item.id);
        Ok(item)
    }

    /// What is said about a line in which `field` is replaced.
    fn refusal(&self, line: &str, field: &str, value: Option<Value>) -> String {
        let mut fields: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        match value {
            Some(value) => drop(fields.insert(field.to_owned(), value)),
            None => drop(fields.remove(field)),
        }
        self.dataset.read(self.subset, 1, &Value::Object(fields).to_string()).unwrap_err().to_string()
    }
}

const TEXT_SORT: &str = include_str!("fixtures/textsort_2k.jsonl");
const BEST_ANSWER: &str = include_str!("fixtures/stackselect_1k.jsonl");
const MEMORY: &str = include_str!("fixtures/longmemeval_s.jsonl");
const ENTITIES: &str = include_str!("fixtures/fewnerd_test.jsonl");
const INTENTS: &str = include_str!("fixtures/banking77_test.jsonl");

#[test]
fn text_sorting_is_sent_as_it_is() {
    let reader = reader("ada_leval_tsort", "textsort_2k.jsonl");
    let records = reader.read(TEXT_SORT);
    let item = reader.item(&records[0], 1024).unwrap();
    assert_eq!(item.joined(), records[0].document);
    assert_eq!(reader.task().score(&item, "Answer: [2, 4, 1, 3]").strict, Some(1.0));
    assert_eq!(records[1].references, ["[1, 2, 3, 4]"]);
    let line = TEXT_SORT.lines().next().unwrap();
    assert!(reader.refusal(line, "answer", Some(json!([1, 2, 2, 4]))).contains("1 to 4"));
    assert_eq!(reader.refusal(line, "prompt", None), "prompt: missing");
    assert!(reader.refusal(line, "book_id", Some(json!([]))).starts_with("book_id:"));
    let long = Record { document: "word ".repeat(3000), ..records[0].clone() };
    let error = reader.item(&long, 1024).unwrap_err().to_string();
    assert!(error.contains("uncut"), "{error}");
}

#[test]
fn best_answers_keep_their_designations() {
    let reader = reader("ada_leval_bestanswer", "stackselect_1k.jsonl");
    let records = reader.read(BEST_ANSWER);
    let item = reader.item(&records[0], 1024).unwrap();
    assert!(item.joined().contains("A2:\n\nHeat it until it bubbles."));
    assert_eq!(reader.task().score(&item, "A2").score, 1.0);
    assert_eq!(reader.task().score(&item, "A3").score, 0.0);
    let line = BEST_ANSWER.lines().next().unwrap();
    assert!(reader.refusal(line, "answer", Some(json!("A9"))).starts_with("answer:"));
    assert!(reader.refusal(line, "all_answers", Some(json!([1]))).starts_with("all_answers:"));
}

#[test]
fn histories_lose_their_oldest_sessions_first() {
    let reader = reader("longmemeval", "longmemeval_s_cleaned.jsonl");
    let records = reader.read(MEMORY);
    let item = reader.item(&records[0], 1024).unwrap();
    let text = item.joined();
    assert!(!text.contains("has_answer"));
    assert!(text.find("Tell me of rye").unwrap() < text.find("Amber Lark").unwrap(), "sorted by date");
    assert_eq!((item.needles.len(), item.cut.unwrap().evidence_left), (1, Some(1.0)));
    assert_eq!(reader.task().score(&item, "It is the Amber Lark.").score, 1.0);
    let never = reader.item(&records[1], 1024).unwrap();
    assert_eq!(reader.task().score(&never, "That was not mentioned.").score, 1.0);

    let mut long: Value = serde_json::from_str(MEMORY.lines().next().unwrap()).unwrap();
    long["haystack_sessions"][1][1]["content"] = json!("Rye grows tall. ".repeat(2000));
    let records = reader.read(&long.to_string());
    let cut = reader.item(&records[0], 2048).unwrap();
    assert!(!cut.joined().contains("Rye grows") && cut.joined().contains("Amber Lark"));
    assert!(cut.cut.unwrap().tokens_removed > 2000 && cut.cut.unwrap().evidence_left == Some(1.0));

    let line = MEMORY.lines().next().unwrap();
    assert!(reader.refusal(line, "question_type", Some(json!("other"))).contains("multi-session"));
    assert!(reader.refusal(line, "haystack_dates", Some(json!([]))).starts_with("haystack_sessions:"));
    assert!(reader.refusal(line, "haystack_sessions", Some(json!([1, 2]))).starts_with("haystack_sessions[0]:"));
    assert_eq!(reader.refusal(line, "answer", None), "answer: missing");
}

#[test]
fn demonstrations_stand_before_the_query() {
    let entities = reader("longicl", "fewnerd_test.jsonl");
    let records = entities.read(ENTITIES);
    let item = entities.item(&records[0], 1024).unwrap();
    assert!(item.joined().contains("Sentence: The Lark sank.\nThe Lark: product-ship\nSentence: Elara Pike"));
    let task = entities.task();
    let answer = task.family().oracle(&task, &item);
    assert_eq!(task.score(&item, &answer).strict, Some(1.0));
    let line = ENTITIES.lines().next().unwrap();
    assert!(entities.refusal(line, "demonstrations", None).starts_with("demonstrations:"));
    assert!(
        entities
            .refusal(line, "demonstrations", Some(json!([{"sentence": "x"}])))
            .contains("demonstrations[0].entities")
    );

    let intents = reader("longicl", "banking77_test.jsonl");
    let records = intents.read(INTENTS);
    let item = intents.item(&records[0], 1024).unwrap();
    assert_eq!(intents.task().score(&item, "card_arrival").score, 1.0);
    let line = INTENTS.lines().next().unwrap();
    assert!(intents.refusal(line, "label_text", None).contains("label's name"));
    for broken in ["", "[]", "{", "nothing"] {
        assert!(intents.dataset.read(intents.subset, 1, broken).unwrap_err().field == "line");
    }
}

/// A line of M4LE with the fields of its files.
fn instance(instruction: &str, input: &str, answers: &[&str]) -> String {
    let (bucket, length) = (1000, input.split_whitespace().count());
    json!({"instruction": instruction, "input": input, "answers": answers, "length_bucket": bucket, "length": length})
        .to_string()
}

#[test]
fn m4le_instances_hold_their_whole_prompt() {
    let text = "Report 1: Ida rang the bell.\nReport 2: Olga slept.\nQuestion: Who rang the bell?\nAnswer: ";
    for (file, answers, right, wrong) in [
        ("x/triviaqa.jsonl", vec!["Ida", "Ida Berg"], "It was Ida Berg. Then she left.", "Olga"),
        ("hotpotqa.jsonl", vec!["Ida"], "Ida", "Olga. Or Ida"),
        ("drcd_explicit-single.jsonl", vec!["1"], "1，2", "2，1"),
        ("wikitext-103.jsonl", vec!["Report 1"], "Report 1. The second one", "Report 2"),
        ("mnds-news_semantic-multiple.jsonl", vec!["2."], "2.", "3."),
        ("thucnews_explicit-multiple.jsonl", vec!["1，2"], "1，2。", "3。"),
        ("wiki2019zh.jsonl", vec!["文章一"], "文章一。", "文章二。"),
        ("news2016.jsonl", vec!["磨坊重建"], "“磨坊重建”", "“下雨”"),
        ("clts+.jsonl", vec!["磨坊重建"], "磨坊重建\n新闻", "下雨"),
        ("tedtalks-zh2en.jsonl", vec!["The old mill burned down again."], "The old mill burned down again.", "Rain"),
    ] {
        let reader = reader("m4le", file);
        let records = reader.read(&instance("Read the reports.", text, &answers));
        assert_eq!((records.len(), records[0].official_length), (1, Some(1000)), "{file}");
        let item = reader.item(&records[0], 1024).unwrap();
        assert_eq!(item.joined(), format!("Read the reports.\n{text}"), "{file}");
        assert_eq!(item.cut.unwrap().tokens_removed, 0, "{file}");
        let task = reader.task();
        assert!((task.score(&item, right).score - 1.0).abs() < 1e-6, "{file}: {right}");
        assert!(task.score(&item, wrong).score < 0.5, "{file}: {wrong}");
        assert_eq!(task.card().language.code() == "zh", chinese(reader.subset.name), "{file}");
    }
}

fn chinese(name: &str) -> bool {
    longboard_suites::metrics::m4le::M4leTask::find(name).unwrap().chinese
}

#[test]
fn m4le_instances_lose_their_middle() {
    let reader = reader("m4le", "duorc.jsonl");
    let input = format!("Start here. {}Question: Who rang the bell?", "Report: it rained. ".repeat(2000));
    let records = reader.read(&instance("Read the reports.", &input, &["Ida"]));
    let item = reader.item(&records[0], 2048).unwrap();
    let text = item.joined();
    assert!(text.starts_with("Read the reports.\nStart here.") && text.ends_with("Who rang the bell?"));
    assert_eq!(item.document, None, "the question stands in the input itself");
    assert!(item.cut.unwrap().tokens_removed > 6000);
}

#[test]
fn m4le_lines_name_the_field_that_is_wrong() {
    let reader = reader("m4le", "wow.jsonl");
    let line = instance("Read.", "Ida rang.", &["Ida"]);
    assert_eq!(reader.refusal(&line, "input", None), "input: missing");
    assert!(reader.refusal(&line, "instruction", Some(json!(3))).starts_with("instruction:"));
    assert!(reader.refusal(&line, "answers", Some(json!([]))).contains("at least one"));
    assert!(reader.refusal(&line, "answers", Some(json!("Ida"))).starts_with("answers:"));
    assert!(reader.refusal(&line, "length_bucket", Some(json!(-1))).starts_with("length_bucket:"));
    let files = families::find("m4le").unwrap().dataset().unwrap();
    assert!(["news.jsonl", "mnds-news.txt", "arxiv2.jsonl"].iter().all(|file| files.subset_of(file).is_none()));
}

#[test]
fn the_few_nerd_sample_is_read_whole() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join("data/longiclbench");
    let list = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).ok()?;
        serde_json::from_str::<Vec<Value>>(&text).ok()
    };
    let (Some(tests), Some(train)) = (list("fewnerd_test_1800.json"), list("fewnerd_train_10turns.json")) else {
        eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/longiclbench to read the Few-NERD sample");
        return;
    };
    let reader = reader("longicl", "fewnerd_test_1800.jsonl");
    let task = reader.task();
    for (number, test) in tests.iter().enumerate().take(20) {
        let mut line = test.clone();
        line["demonstrations"] = json!(train);
        let records = reader.dataset.read(reader.subset, number, &line.to_string()).unwrap();
        for length in [4096, 32_768] {
            let item = reader.item(&records[0], length).unwrap();
            assert_eq!(item.cut.unwrap().tokens_removed > 0, length == 4096);
            let answer = task.family().oracle(&task, &item);
            assert!(task.score(&item, &answer).strict.is_none_or(|strict| strict == 1.0), "{answer}");
        }
    }
}
