//! The readers of L-Eval's, LooGLE's, DetectiveQA's and RULER's official records, on records of our own and, where the
//! data are at hand, on the published ones.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::PathBuf;

use longboard_suites::dataset::{Dataset, Record};
use longboard_suites::families;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};
use serde_json::{Value, json};

fn reader(family: &str) -> &'static dyn Dataset {
    families::find(family).unwrap().dataset().unwrap()
}

fn read(family: &str, file: &str, line: &Value) -> Result<Vec<Record>, String> {
    let dataset = reader(family);
    let subset = dataset.subset_of(file).unwrap_or_else(|| panic!("{file}"));
    dataset.read(subset, 3, &line.to_string()).map_err(|error| error.to_string())
}

fn item(family: &str, file: &str, record: &Record, length: u32) -> (Task, Item) {
    let dataset = reader(family);
    let Value::Object(params) = dataset.params(dataset.subset_of(file).unwrap()) else { panic!("{file}") };
    let task = Task::new(TaskDefinition {
        slug: "imported".to_owned(),
        version: 1,
        title: "Imported".to_owned(),
        family: family.to_owned(),
        params,
        data: Some("0".repeat(64)),
    })
    .unwrap();
    let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(length).unwrap()) };
    let item = task.item(&request).unwrap_or_else(|error| panic!("{file}: {error}"));
    (task, item)
}

/// The right answer scores in full, and the prompt fits.
fn check(family: &str, file: &str, record: &Record) {
    for length in [2048, 16_384] {
        let (task, item) = item(family, file, record, length);
        assert!(item.prompt_tokens + item.output_tokens <= length, "{file}: {}", item.prompt_tokens);
        assert_eq!(item.prompt_tokens, longboard_suites::tokens::count(&item.joined()), "{file}");
        let answer = task.family().oracle(&task, &item);
        let score = task.score(&item, &answer).score;
        assert!((score - 1.0).abs() < 1e-9, "{file} {}: {score} for {answer:?}", record.id);
    }
}

fn leval_line(evaluation: &str) -> Value {
    json!({
        "instructions": ["Who rang the bell?\nA. Ida\nB. Olga", "Who slept?\nA. Ida\nB. Olga"],
        "outputs": ["A", "(B) Olga"],
        "input": "Ida rang the bell while Olga slept. ".repeat(400),
        "source": "own",
        "evaluation": evaluation,
    })
}

#[test]
fn leval_has_a_record_per_instruction() {
    let records = read("leval", "x/quality.jsonl", &leval_line("exam")).unwrap();
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["3.1", "3.2"]);
    for record in &records {
        check("leval", "quality.jsonl", record);
    }
    assert_eq!(read("leval", "quality.jsonl", &leval_line("LLM")).unwrap(), []);
    let (_, cut) = item("leval", "quality.jsonl", &records[0], 2048);
    let cut = cut.cut.unwrap();
    assert!(cut.tokens_removed > 0 && cut.tokens_before > 3200, "{cut:?}");
    let (_, open) = item("leval", "gov_report_summ.jsonl", &records[1], 4096);
    assert!(open.joined().contains("Use about 2 words."));
}

#[test]
fn broken_leval_lines_name_their_field() {
    let mut line = leval_line("exam");
    line["outputs"] = json!(["A"]);
    assert_eq!(read("leval", "tpo.jsonl", &line), Err("outputs: 1 texts for 2 instructions".to_owned()));
    assert!(read("leval", "tpo.jsonl", &leval_line("judge")).unwrap_err().starts_with("evaluation: "));
    line["input"] = json!(7);
    assert_eq!(read("leval", "tpo.jsonl", &line), Err("input: expected a text".to_owned()));
    assert!(read("leval", "tpo.jsonl", &json!([1])).unwrap_err().starts_with("line: "));
}

fn loogle_line(pairs: &str) -> Value {
    json!({"input": "Ida's ferry sank. Olga mended it.", "title": "Ferry", "qa_pairs": pairs, "output": "None"})
}

#[test]
fn loogle_reads_python_literals() {
    let short = read(
        "loogle",
        "shortdep_qa.jsonl",
        &loogle_line(r#"[{'Q': "Whose ferry sank?", 'A': 'Ida\'s', 'S': "Ida's ferry sank."}]"#),
    )
    .unwrap();
    assert_eq!((short[0].references.as_slice(), short[0].evidence.len()), (["Ida's".to_owned()].as_slice(), 1));
    check("loogle", "shortdep_qa.jsonl", &short[0]);
    let (_, whole) = item("loogle", "shortdep_qa.jsonl", &short[0], 2048);
    assert_eq!(whole.cut.unwrap().evidence_left, Some(1.0));
    assert_eq!(whole.joined().get(whole.document.unwrap()), Some(short[0].document.as_str()));
    let cloze = loogle_line("[{'Q': '<mask-0> mended it.', 'A': {'<mask-0>': 'Olga'}}]");
    check("loogle", "shortdep_cloze.jsonl", &read("loogle", "shortdep_cloze.jsonl", &cloze).unwrap()[0]);
    let long = "[{'Q': 'Order.', 'A': 'II,I', 'type': 'timeline_reorder', 'S': []}, {'Q': 'How many?', 'A': 3, 'type': 'computation', 'S': []}]";
    for (file, references) in [("longdep_reorder.jsonl", vec!["II", "I"]), ("longdep_qa.jsonl", vec!["3"])] {
        let records = read("loogle", file, &loogle_line(long)).unwrap();
        assert_eq!(
            (records.len(), records[0].references.clone()),
            (1, references.into_iter().map(String::from).collect())
        );
        check("loogle", file, &records[0]);
    }
}

#[test]
fn broken_loogle_lines_name_their_field() {
    assert!(read("loogle", "shortdep_qa.jsonl", &loogle_line("none")).unwrap_err().starts_with("qa_pairs: "));
    let error = read("loogle", "shortdep_qa.jsonl", &loogle_line("[{'Q': 'x'}]")).unwrap_err();
    assert_eq!(error, "qa_pairs[1].A: missing");
}

fn novel() -> Value {
    json!({
        "novel_id": 7, "num_paragraphs": 3, "time_cost": 1,
        "paragraphs": ["Ida came in.", "Olga wore one glove.", "It was Olga, said the smith."],
        "questions": [{
            "question": "Who did it?", "options": {"A": "Ida", "B": "Olga", "C": "the smith", "D": "nobody"},
            "answer": "B", "distraction": {}, "reasoning": ["One glove was found.", "Olga wore one."],
            "clue_position": [2, -1], "answer_position": 3,
        }],
    })
}

#[test]
fn detective_novels_end_before_the_solution() {
    let records = read("detectiveqa", "7_en.jsonl", &novel()).unwrap();
    assert_eq!(records[0].document, "Ida came in.\nOlga wore one glove.");
    assert_eq!(records[0].evidence, ["Olga wore one glove."]);
    check("detectiveqa", "7_en.jsonl", &records[0]);
    let mut broken = novel();
    broken["questions"][0]["options"]["D"] = Value::Null;
    assert_eq!(read("detectiveqa", "en.jsonl", &broken).unwrap_err(), "questions[1].D: expected a text");
}

#[test]
fn squad_and_hotpot_lines_become_numbered_documents() {
    let squad = json!({"title": "Ferry", "paragraphs": [
        {"context": "The ferry\nsank in 911.", "qas": [
            {"id": "q1", "question": "When did it sink?", "answers": [{"text": "911", "answer_start": 15}]},
            {"id": "q2", "question": "Why?", "answers": [], "is_impossible": true}]},
        {"context": "The mill burned.", "qas": []}]});
    let records = read("ruler_qa", "squad.jsonl", &squad).unwrap();
    assert_eq!((records.len(), records[0].id.as_str()), (1, "q1"));
    check("ruler_qa", "squad.jsonl", &records[0]);
    let (_, item) = item("ruler_qa", "squad.jsonl", &records[0], 4096);
    assert!(item.joined().contains("Document 12:") && item.needles.len() == 1);
    let hotpot = json!({"_id": "h1", "question": "Who?", "answer": "Ida", "supporting_facts": [["Ferry", 0]],
        "context": [["Ferry", ["The ferry was", " Ida's."]], ["Mill", ["It burned."]]]});
    let records = read("ruler_qa", "hotpot_dev.jsonl", &hotpot).unwrap();
    assert_eq!(records[0].evidence, ["Ferry The ferry was Ida's."]);
    check("ruler_qa", "hotpot_dev.jsonl", &records[0]);
    let broken = json!({"_id": "h", "question": "?", "answer": "x", "context": [["T", "text"]]});
    assert!(read("ruler_qa", "hotpot.jsonl", &broken).unwrap_err().starts_with("context: "));
}

fn data(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join("data").join(name);
    if !folder.is_dir() {
        eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/{name} to read the published records");
    }
    folder.is_dir().then_some(folder)
}

/// Reads every line of every file that names a data set and returns how many records there were.
fn read_all(family: &str, folder: PathBuf) -> usize {
    let dataset = reader(family);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(subset) = dataset.subset_of(name) else { continue };
        for (line, number) in std::fs::read_to_string(&path).unwrap().lines().zip(1..) {
            let records = dataset.read(subset, number, line).unwrap_or_else(|error| panic!("{name}:{number}: {error}"));
            if let Some(record) = records.first() {
                let (_, item) = item(family, name, record, 16_384);
                assert!(item.prompt_tokens + item.output_tokens <= 16_384, "{name}:{number}");
            }
            count += records.len();
        }
    }
    count
}

#[test]
fn the_published_records_are_read() {
    if let Some(folder) = data("leval") {
        let folder = folder.join("LEval-data");
        // 957 of the paper's closed questions but for CodeU's 90.
        assert_eq!(read_all("leval", folder.join("Closed-ended-tasks")), 957);
        assert!(read_all("leval", folder.join("Open-ended-tasks")) > 600);
    }
    if let Some(folder) = data("loogle") {
        assert!(read_all("loogle", folder.join("LooGLE-testdata")) > 100);
    }
}
