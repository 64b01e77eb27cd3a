//! Every golden row of the implemented benchmarks agrees with the upstream scorer.

use longboard_suites::metrics::golden::{GoldenError, GoldenResult, score_line, summarise};

#[expect(clippy::unwrap_used, reason = "a row that cannot be read fails the test")]
fn check(name: &str, text: &str, rows: usize) {
    let results: Vec<GoldenResult> = text.lines().map(|line| score_line(line).unwrap()).collect();
    let failed: Vec<String> = text
        .lines()
        .zip(&results)
        .filter(|(_, result)| !result.passed)
        .map(|(line, result)| format!("{line}\n  ours: {}", result.ours))
        .collect();
    assert!(failed.is_empty(), "{name}: {} of {} rows differ\n{}", failed.len(), results.len(), failed.join("\n"));
    assert_eq!(results.len(), rows, "{name}");
    let summary = summarise(&results);
    assert_eq!(summary.values().map(|metric| metric.passed).sum::<u64>(), rows as u64, "{name}");
}

#[test]
fn ruler() {
    check("ruler", include_str!("golden/ruler.jsonl"), 196);
}

#[test]
fn needlebench() {
    check("needlebench", include_str!("golden/needlebench.jsonl"), 616);
}

#[test]
fn needle_threading() {
    check("needle_threading", include_str!("golden/needle_threading.jsonl"), 184);
}

#[test]
fn infinitebench() {
    check("infinitebench", include_str!("golden/infinitebench.jsonl"), 328);
}

#[test]
fn longfact() {
    check("longfact", include_str!("golden/longfact.jsonl"), 100);
}

#[test]
fn python_random() {
    check("python_random", include_str!("golden/python_random.jsonl"), 370);
}

#[test]
fn leval() {
    // `leval_files.rs` scores the rows about prediction files, which are not in the repository.
    let rows = include_str!("golden/leval.jsonl").lines().filter(|line| !line.contains("prediction_file_score"));
    check("leval", &rows.collect::<Vec<_>>().join("\n"), 250);
}

#[test]
fn loogle() {
    check("loogle", include_str!("golden/loogle.jsonl"), 187);
}

#[test]
fn l_citeeval() {
    check("l_citeeval", include_str!("golden/l_citeeval.jsonl"), 138);
}

#[test]
fn helmet() {
    check("helmet", include_str!("golden/helmet.jsonl"), 155);
}

#[test]
fn long_tail() {
    check("long_tail", include_str!("golden/long_tail.jsonl"), 42);
}

#[test]
fn cnnsum() {
    check("cnnsum", include_str!("golden/cnnsum.jsonl"), 52);
}

#[test]
fn arled() {
    check("arled", include_str!("golden/arled.jsonl"), 42);
}

#[test]
fn m4le() {
    check("m4le", include_str!("golden/m4le.jsonl"), 342);
}

#[test]
fn nolima() {
    check("nolima", include_str!("golden/nolima.jsonl"), 261);
}

#[test]
fn a_wrong_value_is_not_passed() {
    let line = r#"{"benchmark":"ruler","metric":"string_match_all","prediction":"a","reference":["a"],"extra":{},"expected":0.0}"#;
    let result = score_line(line).unwrap();
    assert!(!result.passed);
    assert_eq!(result.difference, 100.0);
}

#[test]
fn unknown_metrics_and_broken_lines_are_named() {
    let line = r#"{"benchmark":"nosuch","metric":"EM","prediction":"a","reference":"a","extra":{},"expected":1}"#;
    assert_eq!(score_line(line), Err(GoldenError::Unknown("nosuch.EM".to_owned())));
    assert!(matches!(score_line("{"), Err(GoldenError::Unreadable(_))));
}
