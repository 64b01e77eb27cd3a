//! LongBench's files: `pred`, `answers`, `all_classes` and `length`, called `<data set>.jsonl`.

use serde_json::Value;

use super::{Import, ImportedTask, RefusedLine, ScoredPrediction, numbered, object};
use crate::card::Language;
use crate::length::Length;
use crate::metrics::longbench::{Buckets, Rule, dataset_score, dataset_score_e, postprocess};
use crate::suite::Suite;

/// Slug of the suite that these files fill.
const SUITE: &str = "longbench-predictions";

macro_rules! imported {
    ($name:literal, $slug:literal, $title:literal, $metric:literal, $language:ident, $samples:literal) => {
        ImportedTask {
            slug: concat!("longbench_", $slug, "_predictions"),
            name: $name,
            title: $title,
            metric: concat!("longbench.", $metric),
            language: Language::$language,
            samples: $samples,
            suite: SUITE,
            citation: "Bai et al. 2023, arXiv 2308.14508; THUDM/LongBench @ 2e00731f",
        }
    };
}

/// The data sets on boards, with the samples of the official files.
pub(super) const TASKS: [ImportedTask; 21] = [
    imported!("narrativeqa", "narrativeqa", "NarrativeQA", "qa_f1", English, 200),
    imported!("qasper", "qasper", "Qasper", "qa_f1", English, 200),
    imported!("multifieldqa_en", "multifieldqa_en", "MultiFieldQA-en", "qa_f1", English, 150),
    imported!("multifieldqa_zh", "multifieldqa_zh", "MultiFieldQA-zh", "qa_f1_zh", Chinese, 200),
    imported!("hotpotqa", "hotpotqa", "HotpotQA", "qa_f1", English, 200),
    imported!("2wikimqa", "2wikimqa", "2WikiMultihopQA", "qa_f1", English, 200),
    imported!("musique", "musique", "MuSiQue", "qa_f1", English, 200),
    imported!("dureader", "dureader", "DuReader", "rouge_zh", Chinese, 200),
    imported!("gov_report", "gov_report", "GovReport", "rouge", English, 200),
    imported!("qmsum", "qmsum", "QMSum", "rouge", English, 200),
    imported!("multi_news", "multi_news", "MultiNews", "rouge", English, 200),
    imported!("vcsum", "vcsum", "VCSUM", "rouge_zh", Chinese, 200),
    imported!("trec", "trec", "TREC", "classification", English, 200),
    imported!("triviaqa", "triviaqa", "TriviaQA", "qa_f1", English, 200),
    imported!("samsum", "samsum", "SAMSum", "rouge", English, 200),
    imported!("lsht", "lsht", "LSHT", "classification", Chinese, 200),
    imported!("passage_count", "passage_count", "PassageCount", "count", English, 200),
    imported!("passage_retrieval_en", "passage_retrieval_en", "PassageRetrieval-en", "retrieval", English, 200),
    imported!("passage_retrieval_zh", "passage_retrieval_zh", "PassageRetrieval-zh", "retrieval_zh", Chinese, 200),
    imported!("lcc", "lcc", "LCC", "code_sim", English, 500),
    imported!("repobench-p", "repobench_p", "RepoBench-P", "code_sim", English, 500),
];

/// The suite of the 21 data sets, in the paper's order.
pub(super) fn suite() -> Suite {
    Suite {
        slug: SUITE.to_owned(),
        title: "LongBench, predictions".to_owned(),
        description: "The 21 data sets of LongBench, scored from uploaded prediction files as the official script does. Prompts were cut in the middle to each model's window.".to_owned(),
        tasks: TASKS.iter().map(|task| task.slug.to_owned()).collect(),
        lengths: Length::new(16 * 1024).into_iter().collect(),
        samples: TASKS.iter().map(|task| task.samples).max().unwrap_or_default(),
        imported: true,
    }
}

/// A line as it is written.
struct Line {
    prediction: String,
    references: Vec<String>,
    classes: Vec<String>,
    length: Option<u64>,
}

fn line(content: &str) -> Result<Line, String> {
    let fields = object(content)?;
    let list = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => {
            let texts =
                value.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
            texts.ok_or(format!("`{name}` is no list of texts: write one"))
        }
    };
    let prediction =
        fields.get("pred").and_then(Value::as_str).ok_or("no text under `pred`: add the model's answer")?;
    let references: Vec<String> = list("answers")?;
    if references.is_empty() {
        return Err("no `answers`: add the references".to_owned());
    }
    let length = fields.get("length").and_then(Value::as_u64);
    Ok(Line { prediction: prediction.to_owned(), references, classes: list("all_classes")?, length })
}

/// Lines that can be used and those that cannot.
fn lines(text: &str) -> (Vec<(usize, Line)>, Vec<RefusedLine>) {
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for (number, content) in numbered(text) {
        match line(content) {
            Ok(line) => read.push((number, line)),
            Err(reason) => refused.push(RefusedLine { line: number, reason }),
        }
    }
    (read, refused)
}

/// Answers, references and the classes, which the official script takes from the last line.
fn columns(read: &[(usize, Line)]) -> (Vec<String>, Vec<Vec<String>>, Vec<String>) {
    let answers = read.iter().map(|(_, line)| line.prediction.clone()).collect();
    let references = read.iter().map(|(_, line)| line.references.clone()).collect();
    (answers, references, read.last().map(|(_, line)| line.classes.clone()).unwrap_or_default())
}

/// Reads and scores a file for a board. A bad line is refused and named, the rest goes on.
pub(super) fn import(task: &'static ImportedTask, model: &str, text: &str) -> Import {
    let (read, refused) = lines(text);
    let (answers, references, classes) = columns(&read);
    let official = dataset_score(task.name, &answers, &references, &classes);
    let rule = Rule::of(task.name).unwrap_or(Rule::QaF1);
    let row = |(number, line): (usize, Line)| {
        let answer = postprocess(task.name, &line.prediction);
        let score = |reference: &String| rule.score(answer, reference, &classes);
        ScoredPrediction {
            id: format!("line-{number}"),
            score: line.references.iter().map(score).fold(0.0, f64::max),
            extracted: answer.trim().chars().take(200).collect(),
            reference: line.references.join(" | "),
            well_formed: !answer.trim().is_empty(),
            prediction: line.prediction,
        }
    };
    Import { task, model: model.to_owned(), rows: read.into_iter().map(row).collect(), official, refused }
}

/// Scores of a file of LongBench-E by the length of each line; lines without a length are left out. `None` where no
/// line can be used, or for a data set that the benchmark does not have.
#[must_use]
pub fn longbench_e(data_set: &str, text: &str) -> Option<Buckets> {
    let (read, _) = lines(text);
    let read: Vec<(usize, Line)> = read.into_iter().filter(|(_, line)| line.length.is_some()).collect();
    let lengths: Vec<u64> = read.iter().filter_map(|(_, line)| line.length).collect();
    let (answers, references, classes) = columns(&read);
    if read.is_empty() { None } else { dataset_score_e(data_set, &answers, &references, &lengths, &classes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::{import_file, task_of_file};

    const LINES: &str = concat!(
        r#"{"pred":"\nPlace\nQuestion: x","answers":["Place"],"all_classes":["Place","Person"],"length":3999}"#,
        "\n[]\n{\"pred\":\"x\"}\n{\"pred\":7,\"answers\":[\"x\"]}\n{\"pred\":\"x\",\"answers\":[1]}\n",
        r#"{"pred":"Place or Person","answers":["nobody","Person"],"all_classes":["Place","Person"],"length":8000}"#,
    );

    #[test]
    fn a_file_is_scored_as_the_official_script_does() {
        let task = task_of_file("pred/some-model/trec.jsonl").unwrap();
        let import = import_file(task, "some-model", LINES).unwrap();
        assert_eq!(import.rows.iter().map(|row| row.score).collect::<Vec<_>>(), [1.0, 0.5]);
        assert_eq!((import.official, import.rows[1].id.as_str()), (Some(75.0), "line-6"));
        assert_eq!(import.refused.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
        assert!(import_file(task, "some-model", "").is_err());
    }

    #[test]
    fn lengths_make_buckets() {
        let buckets = longbench_e("trec", LINES).unwrap();
        assert_eq!((buckets.below_4k, buckets.below_8k, buckets.from_8k), (Some(100.0), None, Some(50.0)));
        assert_eq!((longbench_e("trec", ""), longbench_e("nosuch", LINES)), (None, None));
    }

    #[test]
    fn tasks_name_the_metrics_of_their_rules() {
        for task in &TASKS {
            assert_eq!(Rule::of(task.name).unwrap().slug(), task.metric, "{}", task.name);
        }
    }
}
