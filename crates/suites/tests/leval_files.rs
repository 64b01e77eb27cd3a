//! L-Eval's published prediction files score as the official script scores them, where the data are at hand.

use std::path::PathBuf;

use longboard_suites::metrics::golden::score_line_with;
use longboard_suites::predictions::leval::{judge_subset, leval_task_of_file, score_leval_file};
use serde_json::Value;

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join("data/leval");
    if !folder.is_dir() {
        eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/leval to score the published files");
    }
    folder.is_dir().then_some(folder)
}

#[test]
fn published_files_reproduce_the_official_scores() {
    let Some(folder) = folder() else { return };
    let mut files = 0;
    for line in include_str!("golden/leval.jsonl").lines().filter(|line| line.contains("prediction_file_score")) {
        let result = score_line_with(line, &|path| std::fs::read_to_string(folder.join(path)).ok()).unwrap();
        assert!(result.passed, "{line}: ours {}", result.ours);
        let row: Value = serde_json::from_str(line).unwrap();
        let name = row["prediction"].as_str().unwrap();
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let file = score_leval_file(leval_task_of_file(name).unwrap(), &text);
        assert!(file.refused.is_empty(), "{name}: {:?}", file.refused);
        assert_eq!(Some(file.rows.len() as u64), row["extra"]["num_predicted"].as_u64(), "{name}");
        files += 1;
    }
    assert_eq!(files, 32);
}

#[test]
fn models_answer_the_same_questions_for_a_judge() {
    let Some(folder) = folder() else { return };
    for (subset, files, questions) in [("llm_gpt4_eval", 5, 96), ("human_eval", 7, 85)] {
        let mut texts = Vec::new();
        for entry in std::fs::read_dir(folder.join("Predictions").join(subset)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if let Some(model) = name.strip_suffix(".pred.jsonl") {
                texts.push((model.to_owned(), std::fs::read_to_string(&path).unwrap()));
            }
        }
        texts.sort();
        let pairs: Vec<(&str, &str)> = texts.iter().map(|(model, text)| (model.as_str(), text.as_str())).collect();
        let found = judge_subset(&pairs);
        assert!(
            found.refused.is_empty() && found.missing.is_empty(),
            "{subset}: {:?} {:?}",
            found.refused,
            found.missing
        );
        assert_eq!((texts.len(), found.questions.len()), (files, questions), "{subset}");
        assert!(found.questions.iter().all(|question| question.answers.len() == files));
    }
}
