//! Every golden row of the implemented benchmarks agrees with the upstream scorer.

use std::path::PathBuf;

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
fn longgenbench() {
    check("longgenbench", include_str!("golden/longgenbench.jsonl"), 168);
}

#[test]
fn longgenbench_sgt() {
    check("longgenbench_sgt", include_str!("golden/longgenbench_sgt.jsonl"), 56);
}

#[test]
fn longproc() {
    check("longproc", include_str!("golden/longproc.jsonl"), 154);
}

/// Rows of a file that is kept here in part, where the whole is at hand. Programs that were not run are skipped.
#[test]
fn whole_files_of_those_kept_in_part() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    for (name, rows, not_run) in [("longproc", 380, 18), ("long_clip", 42, 0)] {
        let Ok(text) = std::fs::read_to_string(root.join("golden").join(format!("{name}.jsonl"))) else {
            eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with golden/{name}.jsonl to check all its rows");
            continue;
        };
        let can_be_scored = |line: &&str| !matches!(score_line(line), Err(GoldenError::NotRun(_)));
        let lines: Vec<&str> = text.lines().filter(can_be_scored).collect();
        assert_eq!(text.lines().count() - lines.len(), not_run, "{name}");
        check(name, &lines.join("\n"), rows - not_run);
    }
}

#[test]
fn ada_leval() {
    check("ada_leval", include_str!("golden/ada_leval.jsonl"), 312);
}

#[test]
fn needlebench_generator() {
    check("needlebench_generator", include_str!("golden/needlebench_generator.jsonl"), 86);
}

#[test]
fn holobench() {
    check("holobench", include_str!("golden/holobench.jsonl"), 55);
}

#[test]
fn longins() {
    check("longins", include_str!("golden/longins.jsonl"), 132);
}

#[test]
fn longiclbench() {
    check("longiclbench", include_str!("golden/longiclbench.jsonl"), 291);
}

#[test]
fn longmemeval() {
    check("longmemeval", include_str!("golden/longmemeval.jsonl"), 216);
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
fn longbench() {
    check("longbench", include_str!("golden/longbench.jsonl"), 536);
}

#[test]
fn longbench_v2() {
    check("longbench_v2", include_str!("golden/longbench_v2.jsonl"), 126);
}

#[test]
fn mrcr() {
    check("mrcr", include_str!("golden/mrcr.jsonl"), 59);
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
fn coliee_legal() {
    check("coliee_legal", include_str!("golden/coliee_legal.jsonl"), 44);
}

#[test]
fn followir() {
    check("followir", include_str!("golden/followir.jsonl"), 76);
}

#[test]
fn kg_for_science() {
    check("kg_for_science", include_str!("golden/kg_for_science.jsonl"), 66);
}

#[test]
fn locov1() {
    check("locov1", include_str!("golden/locov1.jsonl"), 44);
}

#[test]
fn longembed() {
    check("longembed", include_str!("golden/longembed.jsonl"), 44);
}

#[test]
fn newswire_headlines() {
    check("newswire_headlines", include_str!("golden/newswire_headlines.jsonl"), 82);
}

#[test]
fn sea_codesearch() {
    check("sea_codesearch", include_str!("golden/sea_codesearch.jsonl"), 44);
}

#[test]
fn sener() {
    check("sener", include_str!("golden/sener.jsonl"), 44);
}

#[test]
fn topicseg() {
    check("topicseg", include_str!("golden/topicseg.jsonl"), 69);
}

#[test]
fn long_clip() {
    check("long_clip", include_str!("golden/long_clip.jsonl"), 25);
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
