//! Real InfiniteBench prediction files score as the official scorer scores them, where the data are at hand.

use std::path::PathBuf;

use longboard_suites::predictions::{import_infinitebench, task_of_file};

fn shared() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join("data/infinitebench");
    folder.is_dir().then_some(folder)
}

#[test]
fn published_files_reproduce_the_official_scores() {
    let Some(folder) = shared() else {
        eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/infinitebench to score the published files");
        return;
    };
    let text = std::fs::read_to_string(folder.join("expected_scores.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut files = 0;
    for (task, models) in expected["scores"].as_object().unwrap() {
        for (model, score) in models.as_object().unwrap() {
            let name = format!("preds_{task}.jsonl");
            let Ok(text) = std::fs::read_to_string(folder.join("preds").join(model).join(&name)) else { continue };
            let import = import_infinitebench(task_of_file(&name).unwrap(), model, &text).unwrap();
            let percent = (import.official.unwrap() * 100.0).round() / 100.0;
            let published = score[0].as_f64().unwrap();
            assert!((percent - published).abs() < 0.0051, "{model} {task}: {percent} instead of {published}");
            assert_eq!(import.rows.len() as u64, score[1].as_u64().unwrap(), "{model} {task}: {:?}", import.refused);
            files += 1;
        }
    }
    assert!(files > 50, "only {files} files were found");
}

#[test]
fn the_fixture_scores_by_model_name() {
    let task = task_of_file("preds_math_calc.jsonl").unwrap();
    let text = include_str!("fixtures/preds_math_calc.jsonl");
    let scores = |model: &str| {
        let import = import_infinitebench(task, model, text).unwrap();
        import.rows.iter().map(|row| row.score).collect::<Vec<_>>()
    };
    assert_eq!(scores("other"), [0.75, 0.0, 0.0]);
    assert_eq!(scores("gpt4"), [0.0, 1.0, 0.0]);
}
