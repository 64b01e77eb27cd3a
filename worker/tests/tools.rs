//! The commands as a user runs them.
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

use longboard_worker::baseline::Baseline;
use longboard_worker::serve::{ModelServer, Served, serve};
use serde_json::Value;

fn worker(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_longboard-worker")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn start(baseline: Baseline) -> (ModelServer, String) {
    let server = serve(Served::Baseline(baseline, std::time::Duration::ZERO), "127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/v1", server.address);
    (server, url)
}

/// Runs `eval` without blocking the runtime that serves the baseline.
async fn eval(url: &str, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longboard-worker"));
    command.args(["eval", "--base-url", url, "--model", "m", "--out"]).arg(out).args(more);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn records(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn generate_prints_items() {
    let output = worker(&["generate", "--task", "niah_multiquery", "--length", "2k", "--seed", "3", "--count", "2"]);
    assert!(output.status.success());
    let lines = text(&output.stdout);
    assert_eq!(lines.lines().count(), 2);
    for line in lines.lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        assert_eq!(item["length"], "2k");
        let content = item["messages"][0]["content"].as_str().unwrap();
        for needle in item["needles"].as_array().unwrap() {
            let (start, end) = (needle["start"].as_u64().unwrap() as usize, needle["end"].as_u64().unwrap() as usize);
            assert!(content[start..end].starts_with("One of the hidden numbers"));
        }
        assert_eq!(item["references"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn rate_writes_the_ratings_of_the_golden_votes() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/stats/tests/golden/bradley_terry");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(golden.join("six.json")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (votes, out) = (golden.join("six.csv"), folder.path().join("ratings.json"));
    for (ties, block) in [("half-win", &expected["half_win"]["sandwich"]), ("davidson", &expected["davidson"])] {
        let output =
            worker(&["rate", "--votes", votes.to_str().unwrap(), "--out", out.to_str().unwrap(), "--ties", ties]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("600 votes"), "{}", text(&output.stdout));
        let written: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        assert_eq!(written["ties"], ties);
        for (model, elo) in expected["models"].as_array().unwrap().iter().zip(block["elo_mean1000"].as_array().unwrap())
        {
            let row = written["models"].as_array().unwrap().iter().find(|row| row["model"] == *model).unwrap();
            assert!((row["elo"].as_f64().unwrap() - elo.as_f64().unwrap()).abs() < 1e-6, "{ties}, {row}");
            let [best, worst] = [0, 1].map(|end| row["rank"][end].as_u64().unwrap());
            assert!(1 <= best && best <= worst && worst <= 6, "{row}");
        }
    }
    let bad = folder.path().join("bad.csv");
    std::fs::write(&bad, "model_a,model_b,winner\na,b,nobody\n").unwrap();
    let refused = worker(&["rate", "--votes", bad.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("line 2"), "{}", text(&refused.stderr));
}

#[test]
fn wrong_input_is_named_and_ends_with_two() {
    for (args, expected) in [
        (&["generate", "--task", "nope", "--length", "4k"][..], "niah_single_1"),
        (&["generate", "--task", "needle_threading_single", "--length", "1k"], "4096"),
        (&["generate", "--task", "vt", "--length", "4x"], "not a length"),
        (&["generate", "--task", "vt", "--length", "4k", "--param", "hops=99"], "1 to 12"),
        (&["score", "--golden", "/nonexistent"], "cannot open"),
        (&["serve-model", "--policy", "magic"], "streaming-llm"),
        (&["serve-model", "--policy", "quest", "--set", "size=3"], "budget"),
        (&["serve-model", "--policy", "dense", "--checkpoint", "/nonexistent"], "config.json"),
        (&["serve-model", "--policy", "dense", "--device", "gpu"], "cuda:1"),
        (&["serve-model", "--baseline", "bm25-reader", "--device", "cuda"], "cannot be used with"),
        (&["serve-model", "--ranker", "bm25", "--checkpoint", "/nonexistent"], "cannot be used with"),
        (&["train", "--steps", "10"], "--out"),
        (&["train", "--out", "/tmp/x", "--select", "gateau"], "--guide"),
        (&["train", "--out", "/tmp/x", "--knots", "2"], "between 0 and 1"),
        (&["train", "--out", "/tmp/x", "--mixture", "1,2"], "needle, needles, pair, thread, repeat"),
        (&["train", "--out", "/tmp/x", "--mixture", "0,0,0,0,0"], "not all of them 0"),
        (&["train", "--out", "/tmp/x", "--mixture", "1,1,1,1,nan"], "between 0 and"),
        (&["train", "--out", "/tmp/x", "--hard", "--gates"], "cannot be used with"),
        (&["train", "--temp-lora", "world:x"], "whole number"),
        (&["train", "--temp-lora", "/nonexistent"], "UTF-8"),
        (&["eval", "--base-url", "ftp://x", "--model", "m", "--out", "/tmp/x"], "https"),
    ] {
        let output = worker(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(expected), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn golden_rows_pass_and_a_mismatch_ends_with_one() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/suites/tests/golden/ruler.jsonl");
    let output = worker(&["score", "--golden", golden.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("ruler.string_match_all"));

    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.jsonl");
    let row = r#"{"benchmark":"ruler","metric":"string_match_all","prediction":"1","reference":["1"],"extra":{},"expected":0.0}"#;
    std::fs::write(&wrong, row).unwrap();
    let output = worker(&["score", "--golden", wrong.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("wrong.jsonl:1"));
    std::fs::write(&wrong, "{").unwrap();
    assert_eq!(worker(&["score", "--golden", wrong.to_str().unwrap()]).status.code(), Some(2));
}

#[test]
fn prediction_files_are_scored_by_model_and_bad_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("some-model");
    std::fs::create_dir(&model).unwrap();
    let rows = "{\"id\":0,\"prediction\":\"71432\",\"ground_truth\":[\"71432\"]}\n{\"id\":1,\"prediction\":\"1\",\"ground_truth\":[\"2\"]}\n";
    std::fs::write(model.join("preds_passkey.jsonl"), rows).unwrap();
    let output = worker(&["score", "--predictions", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("some-model"), "{table}");
    assert!(
        table.lines().any(|line| line.starts_with("infinitebench_passkey") && line.trim_end().ends_with("50.00")),
        "{table}"
    );

    std::fs::write(model.join("preds_passkey.jsonl"), format!("{rows}nonsense\n")).unwrap();
    let output = worker(&["score", "--predictions", folder.path().to_str().unwrap()]);
    assert!(text(&output.stderr).contains("preds_passkey.jsonl:3"), "{}", text(&output.stderr));
}

#[test]
fn lists_begin_with_the_slug() {
    for (list, first) in [("tasks", "niah_single_1 "), ("metrics", "")] {
        let output = worker(&[list]);
        assert!(output.status.success());
        let lines = text(&output.stdout);
        assert!(lines.starts_with(first) && lines.lines().count() >= 20, "{list}");
    }
}

#[tokio::test]
async fn an_evaluation_counts_every_sample_once_and_continues() {
    let (server, url) = start(Baseline::Bm25Reader);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("result.jsonl");
    let settings = ["--tasks", "niah_single_2,vt", "--lengths", "1k,2k", "--samples", "3"];
    let output = eval(&url, &out, &settings).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let first = records(&out);
    assert_eq!(first.len(), 12);
    assert!(
        first.iter().filter(|record| record["task"] == "niah_single_2").all(|record| record["outcome"] == "correct")
    );

    // A crash in the middle of a line: everything before it is kept, the torn sample is done again.
    let bytes = std::fs::read(&out).unwrap();
    std::fs::write(&out, &bytes[..bytes.len() - 40]).unwrap();
    let output = eval(&url, &out, &settings).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let again = records(&out);
    assert_eq!(again.len(), 12);
    assert_eq!(again[..11], first[..11]);

    let other = ["--tasks", "niah_single_2,vt", "--lengths", "1k,2k", "--samples", "4"];
    let output = eval(&url, &out, &other).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("other settings"));

    let summary: Value = serde_json::from_slice(&std::fs::read(out.with_extension("summary.json")).unwrap()).unwrap();
    for length in ["1k", "2k"] {
        let cell = &summary["by_length"][length];
        let outcomes: u64 = cell["outcomes"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!((cell["n"].as_u64(), outcomes), (Some(6), 6));
    }
    server.handle.stop(false).await;
}

#[tokio::test]
async fn a_truncating_endpoint_and_a_declared_limit_have_outcomes_of_their_own() {
    let (server, url) = start(Baseline::Last8k);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("cut.jsonl");
    let output = eval(&url, &out, &["--tasks", "niah_multikey_2", "--lengths", "16k", "--samples", "6"]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let outcomes: Vec<Value> = records(&out).iter().map(|record| record["outcome"].clone()).collect();
    assert!(outcomes.contains(&"truncated_input".into()), "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| outcome == "truncated_input" || outcome == "correct"), "{outcomes:?}");

    let out = folder.path().join("limit.jsonl");
    let limited = ["--tasks", "vt", "--lengths", "4k,8k", "--samples", "2", "--context-limit", "5000"];
    let output = eval(&url, &out, &limited).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let over = records(&out).iter().filter(|record| record["outcome"] == "over_length").count();
    assert_eq!(over, 2);
    server.handle.stop(false).await;
}

#[tokio::test]
async fn an_absent_endpoint_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.jsonl");
    let output = eval("http://127.0.0.1:9", &out, &["--samples", "1"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot be reached"), "{}", text(&output.stderr));
}
