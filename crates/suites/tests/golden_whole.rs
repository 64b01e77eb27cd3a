//! Golden files too large for the repository, whole, where they are at hand.

#![expect(clippy::unwrap_used, reason = "a row that cannot be read fails the test")]

use std::path::PathBuf;

use longboard_suites::metrics::golden::score_line;

fn golden(name: &str) -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    std::fs::read_to_string(root.join("golden").join(format!("{name}.jsonl"))).ok()
}

fn check(name: &str, rows: usize) {
    let Some(text) = golden(name) else {
        eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with golden/{name}.jsonl to score all of it");
        return;
    };
    let mut scored = 0;
    for line in text.lines() {
        let result = score_line(line).unwrap();
        assert!(result.passed, "{name}, row {scored}: {} for {}", result.ours, result.expected);
        scored += 1;
    }
    assert_eq!(scored, rows, "{name}");
}

#[test]
fn needlebench_generator() {
    check("needlebench_generator", 166);
}

#[test]
fn holobench() {
    check("holobench", 77);
}
