//! L-Eval's prediction files: scores become one board, answers for judges another.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use longboard_scenarios::stage::{PATIENCE, Stage};
use longboard_testkit::database::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What three models say to six questions: all of the reference, its half, and something else.
const MODELS: [&str; 3] = ["whole", "half", "other"];
const QUESTIONS: usize = 6;

fn reference(question: usize) -> String {
    format!("The council of year {question} chose the old mill and gave the miller {question} barrels of rye.")
}

fn answer(model: &str, question: usize) -> String {
    let right = reference(question);
    match model {
        "whole" => right,
        "half" => right.chars().take(right.len() / 2).collect(),
        _ => "Nobody remembers.".to_owned(),
    }
}

fn line(model: &str, question: usize, evaluation: &str) -> String {
    let (query, gold) = (format!("What did the council of year {question} do?"), reference(question));
    let mut fields = json!({"query": query, "gt": gold, "prompt": "{}", "evaluation": evaluation});
    fields[format!("{model}_pred")] = answer(model, question).into();
    fields.to_string()
}

/// A folder with the answers of each model.
fn answers(evaluation: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for model in MODELS {
        let lines: Vec<String> = (0..QUESTIONS).map(|question| line(model, question, evaluation)).collect();
        std::fs::write(folder.path().join(format!("{model}.pred.jsonl")), lines.join("\n")).unwrap();
    }
    folder
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn import(stage: &Stage, folder: &Path) -> (bool, String) {
    let output = run(stage.longboard().args(["import", "answers"]).arg(folder));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn judge(stage: &Stage, suite: &str) {
    let output = run(stage.longboard().args(["admin", "judge", "--suite", suite, "--judges", "lexical-judge"]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn shared() -> Option<PathBuf> {
    let beside = longboard_scenarios::root().join("../shared");
    let folder = std::env::var_os("LONGBOARD_SHARED").map_or(beside, PathBuf::from).join("data/leval/Predictions");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/leval to import real prediction files");
    None
}

#[test]
fn answers_of_models_are_judged_and_ranked() {
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let files = answers("LLM");
        std::fs::write(files.path().join("claude.ref.jsonl"), "{}").unwrap();
        let (fine, said) = import(&stage, files.path());
        assert!(fine && said.contains("6 questions, answered by half, other, whole"), "{said}");
        assert!(said.contains("claude.ref.jsonl"), "what is left out is named: {said}");
        assert!(import(&stage, files.path()).0, "importing again is fine");

        let _site = stage.serve();
        let _worker = stage.work(&stage.worker_token("one"));
        judge(&stage, "leval-judged-llm");
        let end = Instant::now() + PATIENCE;
        let board = loop {
            let board = stage.json("/boards/leval-judged-llm-judged.json");
            if board["undecided"] == 0 && board["rows"].as_array().is_some_and(|rows| rows.len() == MODELS.len()) {
                break board;
            }
            assert!(Instant::now() < end, "{board}");
        };
        assert_eq!(board["rows"][0]["entry"], "whole", "{}: {board}", stage.kind());
    }
}

#[test]
fn what_cannot_be_compared_is_refused_by_name() {
    let stage = Stage::new(TestDatabase::sqlite());
    let files = answers("f1");
    let (fine, said) = import(&stage, files.path());
    assert!(!fine && said.contains("neither LLM nor human"), "{said}");
    for model in &MODELS[1..] {
        std::fs::remove_file(files.path().join(format!("{model}.pred.jsonl"))).unwrap();
    }
    let (fine, said) = import(&stage, files.path());
    assert!(!fine && said.contains("two models are needed"), "{said}");
}

#[test]
fn real_answers_become_suites_for_judges() {
    let Some(shared) = shared() else { return };
    let stage = Stage::new(TestDatabase::sqlite());
    for (folder, kind, questions) in [("llm_gpt4_eval", "llm", 96), ("human_eval", "human", 85)] {
        let (fine, said) = import(&stage, &shared.join(folder));
        assert!(fine && said.contains(&format!("{questions} questions, answered by")), "{said}");
        assert!(said.contains(&format!("/suites/leval-judged-{kind}")), "{said}");
    }
    let _site = stage.serve();
    let rows = |suite: &str| stage.json(&format!("/boards/{suite}.json"))["rows"].as_array().map(Vec::len);
    assert_eq!((rows("leval-judged-llm"), rows("leval-judged-human")), (Some(5), Some(7)));
    let sample: Value = stage.json("/boards/leval-judged-llm.json");
    assert!(sample["rows"][0]["score"].as_f64() > Some(0.0), "{sample}");
}

#[test]
fn real_predictions_score_as_published() {
    let Some(shared) = shared() else { return };
    let stage = Stage::new(TestDatabase::sqlite());
    let files = shared.join("exam_eval/turbo-16k-0613");
    let output = run(stage.longboard().args(["import", "predictions", "--model", "turbo-16k-0613"]).arg(files));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // The benchmark's own table for this model.
    for (task, published) in [
        ("tpo", "78.44"),
        ("quality", "61.39"),
        ("coursera", "63.52"),
        ("gsm100", "84.00"),
        ("codeu", "12.22"),
        ("topic_retrieval_longchat", "79.33"),
    ] {
        assert!(said.contains(&format!("leval_{task}_predictions {published} %")), "{task}: {said}");
    }
    let _site = stage.serve();
    let board = stage.json("/boards/leval-predictions.json");
    let shown = board["rows"][0]["by_task"]["leval_gsm100_predictions"]["score"].as_f64();
    assert_eq!(shown, Some(84.0), "{board}");
}
