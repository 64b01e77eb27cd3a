//! L-Eval's files: `query`, `gt`, `prompt`, `<model>_pred` and `evaluation`, called `<task>.pred.jsonl`; and the files
//! in which several models answer the same questions for a judge.

use std::collections::HashMap;

use serde_json::json;

use super::{Import, ImportedTask, RefusedLine, ScoredPrediction, numbered, object};
use crate::card::Language;
use crate::length::Length;
use crate::metrics::leval::{Closed, closed};
use crate::metrics::rouge::scored::{Stemmer, score};
use crate::metrics::ruler::round;
use crate::metrics::token_f1;
use crate::suite::Suite;

/// How the official script scores a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scorer {
    /// Exact match over processed answers.
    Closed(Closed),
    /// Token F1.
    F1,
    /// Three ROUGEs and their geometric mean.
    Rouge,
}

/// A task of L-Eval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevalTask {
    /// Name of the official file, e.g. `coursera`.
    pub name: &'static str,
    /// The paper's name.
    pub title: &'static str,
    /// How it is scored.
    pub scorer: Scorer,
}

const fn task(name: &'static str, title: &'static str, scorer: Scorer) -> LevalTask {
    LevalTask { name, title, scorer }
}

/// The twenty tasks in the paper's order.
pub static LEVAL_TASKS: [LevalTask; 20] = [
    task("tpo", "TOEFL", Scorer::Closed(Closed::Single)),
    task("gsm100", "GSM(16-shot)", Scorer::Closed(Closed::Number)),
    task("quality", "QuALITY", Scorer::Closed(Closed::Single)),
    task("coursera", "Coursera", Scorer::Closed(Closed::Several)),
    task("topic_retrieval_longchat", "TopicRet", Scorer::Closed(Closed::Topic)),
    task("sci_fi", "SFiction", Scorer::Closed(Closed::Judge)),
    task("codeU", "CodeU", Scorer::Closed(Closed::Code)),
    task("multidoc_qa", "MultiDoc2Dial", Scorer::F1),
    task("scientific_qa", "Qasper", Scorer::F1),
    task("financial_qa", "LongFQA", Scorer::F1),
    task("natural_question", "NQ", Scorer::F1),
    task("legal_contract_qa", "CUAD", Scorer::F1),
    task("narrative_qa", "NarrativeQA", Scorer::F1),
    task("news_summ", "Multi-News", Scorer::Rouge),
    task("gov_report_summ", "GovReport", Scorer::Rouge),
    task("patent_summ", "BigPatent", Scorer::Rouge),
    task("tv_show_summ", "SummScreen", Scorer::Rouge),
    task("paper_assistant", "OpenReview", Scorer::Rouge),
    task("meeting_summ", "QMSum", Scorer::Rouge),
    task("review_summ", "SPACE", Scorer::Rouge),
];

macro_rules! imported {
    ($name:literal, $slug:literal, $title:literal, $metric:literal, $samples:literal) => {
        ImportedTask {
            slug: concat!("leval_", $slug, "_predictions"),
            name: $name,
            title: $title,
            metric: concat!("leval.", $metric),
            language: Language::English,
            samples: $samples,
            suite: SUITE,
            citation: "An et al. 2023, arXiv 2307.11088; OpenLMLab/LEval @ cd34b050",
        }
    };
}

/// Slug of the suite that L-Eval's prediction files fill.
const SUITE: &str = "leval-predictions";

/// The same tasks on boards, with the samples of the published files.
pub(super) const TASKS: [ImportedTask; 20] = [
    imported!("tpo", "tpo", "TOEFL", "em_score", 269),
    imported!("gsm100", "gsm100", "GSM(16-shot)", "em_score", 100),
    imported!("quality", "quality", "QuALITY", "em_score", 202),
    imported!("coursera", "coursera", "Coursera", "em_score", 172),
    imported!("topic_retrieval_longchat", "topic_retrieval_longchat", "TopicRet", "em_score", 150),
    imported!("sci_fi", "sci_fi", "SFiction", "em_score", 64),
    imported!("codeU", "codeu", "CodeU", "em_score", 90),
    imported!("multidoc_qa", "multidoc_qa", "MultiDoc2Dial", "f1", 136),
    imported!("scientific_qa", "scientific_qa", "Qasper", "f1", 160),
    imported!("financial_qa", "financial_qa", "LongFQA", "f1", 52),
    imported!("natural_question", "natural_question", "NQ", "f1", 104),
    imported!("legal_contract_qa", "legal_contract_qa", "CUAD", "f1", 130),
    imported!("narrative_qa", "narrative_qa", "NarrativeQA", "f1", 182),
    imported!("news_summ", "news_summ", "Multi-News", "rouge", 11),
    imported!("gov_report_summ", "gov_report_summ", "GovReport", "rouge", 13),
    imported!("patent_summ", "patent_summ", "BigPatent", "rouge", 13),
    imported!("tv_show_summ", "tv_show_summ", "SummScreen", "rouge", 13),
    imported!("paper_assistant", "paper_assistant", "OpenReview", "rouge", 60),
    imported!("meeting_summ", "meeting_summ", "QMSum", "rouge", 156),
    imported!("review_summ", "review_summ", "SPACE", "rouge", 120),
];

/// The suite of the twenty tasks, in the paper's order.
pub(super) fn suite() -> Suite {
    Suite {
        slug: SUITE.to_owned(),
        title: "L-Eval, predictions".to_owned(),
        description: "The twenty tasks of L-Eval, scored from uploaded prediction files as the official script does. Summaries show ROUGE-L, of which the official number is a part.".to_owned(),
        tasks: TASKS.iter().map(|task| task.slug.to_owned()).collect(),
        lengths: Length::new(16 * 1024).into_iter().collect(),
        samples: TASKS.iter().map(|task| task.samples).max().unwrap_or_default(),
        imported: true,
    }
}

/// Reads and scores a file for a board.
pub(super) fn import(task: &'static ImportedTask, scored: &'static LevalTask, model: &str, text: &str) -> Import {
    let file = score_leval_file(scored, text);
    let row = |row: LevalRow| ScoredPrediction {
        id: format!("line-{}", row.line),
        score: row.score.unwrap_or_else(|| {
            let [_, _, l] = three(&row);
            l
        }),
        extracted: String::new(),
        reference: row.reference,
        prediction: row.prediction,
        well_formed: row.well_formed,
    };
    let official = file.score.map(|score| match score {
        LevalScore::Mean(score) | LevalScore::Topics { score, .. } => score,
        LevalScore::Rouge { geometric_mean, .. } => geometric_mean,
    });
    let rows = file.rows.into_iter().map(row).collect();
    Import { task, model: model.to_owned(), rows, official, refused: file.refused }
}

/// The task of a file called `<task>.pred.jsonl` or `<task>.jsonl`.
#[must_use]
pub fn leval_task_of_file(name: &str) -> Option<&'static LevalTask> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.strip_suffix(".jsonl")?;
    let stem = stem.strip_suffix(".pred").unwrap_or(stem);
    LEVAL_TASKS.iter().find(|task| task.name.eq_ignore_ascii_case(stem))
}

/// One answer of a prediction file.
#[derive(Debug, Clone, PartialEq)]
pub struct LevalRow {
    /// Line number, from 1.
    pub line: usize,
    /// The question.
    pub query: String,
    /// The reference.
    pub reference: String,
    /// The answer, unchanged.
    pub prediction: String,
    /// Score, 0..1; `None` for summaries, whose official score is no mean over rows.
    pub score: Option<f64>,
    /// False where the official script stops with an error.
    pub well_formed: bool,
}

/// The number that the official script prints, in percent, rounded to four digits.
#[derive(Debug, Clone, PartialEq)]
pub enum LevalScore {
    /// Mean over rows.
    Mean(f64),
    /// Mean of the exact match of first, second and third topics.
    Topics {
        /// The mean.
        score: f64,
        /// First, second, third.
        parts: [f64; 3],
    },
    /// F-measures of three ROUGEs.
    Rouge {
        /// ROUGE-1, ROUGE-2, ROUGE-L.
        f: [f64; 3],
        /// Their geometric mean.
        geometric_mean: f64,
    },
}

/// A scored prediction file.
#[derive(Debug, Clone, PartialEq)]
pub struct LevalFile {
    /// The task.
    pub task: &'static LevalTask,
    /// Model, as the field with its answers names it.
    pub model: String,
    /// Scored answers in file order. Answers meant for judges or people are not among them.
    pub rows: Vec<LevalRow>,
    /// The official number; `None` without rows.
    pub score: Option<LevalScore>,
    /// Lines that were not used, with the reason.
    pub refused: Vec<RefusedLine>,
}

/// Reads and scores a prediction file as the official script does. A bad line is refused and named, the rest goes on.
#[must_use]
pub fn score_leval_file(task: &'static LevalTask, text: &str) -> LevalFile {
    let mut file = LevalFile { task, model: String::new(), rows: Vec::new(), score: None, refused: Vec::new() };
    for (line, content) in numbered(text) {
        match answer(content) {
            Ok(answer) => {
                file.model.clone_from(&answer.model);
                if matches!(answer.evaluation.as_str(), "exam" | "f1" | "rouge") {
                    file.rows.push(row(task, line, answer));
                }
            }
            Err(reason) => file.refused.push(RefusedLine { line, reason }),
        }
    }
    file.score = (!file.rows.is_empty()).then(|| official(task, &file.rows));
    file
}

/// A line as it is written.
struct Answer {
    query: String,
    gold: String,
    model: String,
    prediction: String,
    evaluation: String,
}

fn answer(content: &str) -> Result<Answer, String> {
    let fields = object(content)?;
    let text = |name: &str| {
        let value = fields.get(name).and_then(serde_json::Value::as_str);
        value.map(str::to_owned).ok_or(format!("no text under `{name}`: add it"))
    };
    let mut answers = fields.iter().filter_map(|(name, value)| Some((name.strip_suffix("_pred")?, value.as_str())));
    let (model, prediction) = answers.next().ok_or("no field `<model>_pred`: add the model's answer")?;
    if let Some((other, _)) = answers.next() {
        return Err(format!("answers of both `{model}` and `{other}`: keep one model per file"));
    }
    Ok(Answer {
        query: text("query")?,
        gold: text("gt")?,
        model: model.to_owned(),
        prediction: prediction.ok_or(format!("`{model}_pred` is no text"))?.to_owned(),
        evaluation: text("evaluation")?,
    })
}

fn row(task: &LevalTask, line: usize, answer: Answer) -> LevalRow {
    let (score, well_formed) = match task.scorer {
        Scorer::Closed(kind) => {
            let score = closed(kind, &answer.prediction, &answer.gold);
            (Some(score.unwrap_or(0.0)), score.is_some())
        }
        Scorer::F1 => (Some(token_f1::english(&answer.prediction, &answer.gold).f), true),
        Scorer::Rouge => (None, true),
    };
    LevalRow { line, query: answer.query, reference: answer.gold, prediction: answer.prediction, score, well_formed }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// F-measures of ROUGE-1, ROUGE-2 and ROUGE-L.
fn three(row: &LevalRow) -> [f64; 3] {
    let found = score(&row.reference, &row.prediction, Stemmer::None);
    [found.rouge1, found.rouge2, found.rouge_l].map(|one| one.f)
}

fn official(task: &LevalTask, rows: &[LevalRow]) -> LevalScore {
    let percent = |value: f64| round(100.0 * value, 4);
    let scores = || rows.iter().filter_map(|row| row.score);
    match task.scorer {
        Scorer::Closed(Closed::Topic) => {
            let parts = [0, 1, 2].map(|turn| mean(scores().skip(turn).step_by(3)));
            LevalScore::Topics { score: percent(mean(parts.into_iter())), parts: parts.map(percent) }
        }
        Scorer::Closed(_) | Scorer::F1 => LevalScore::Mean(percent(mean(scores()))),
        Scorer::Rouge => {
            let all: Vec<[f64; 3]> = rows.iter().map(three).collect();
            let [one, two, l] = [0, 1, 2].map(|kind| mean(all.iter().filter_map(|row| row.get(kind).copied())));
            LevalScore::Rouge { f: [one, two, l].map(percent), geometric_mean: percent((one * two * l).cbrt()) }
        }
    }
}

/// A question with what several models answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedQuestion {
    /// The question.
    pub query: String,
    /// The reference.
    pub reference: String,
    /// `llm` or `human`: which of the two subsets it belongs to.
    pub evaluation: String,
    /// Model and answer, in the order of the files.
    pub answers: Vec<(String, String)>,
}

/// Questions that all given files answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgeSubset {
    /// Questions in the order of the first file.
    pub questions: Vec<JudgedQuestion>,
    /// Questions of the first file that another one lacks, with that file's name.
    pub missing: Vec<(String, String)>,
    /// Lines that were not used, with the file's name.
    pub refused: Vec<(String, RefusedLine)>,
}

impl JudgeSubset {
    /// The questions alone as the lines of a data file of family `leval`, subset `judged`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |asked: &JudgedQuestion| {
            json!({ "query": asked.query, "gt": asked.reference, "evaluation": asked.evaluation }).to_string()
        };
        self.questions.iter().map(line).collect()
    }
}

/// Joins files `(model, text)` in which models answer the same questions, on question and reference. Where a question
/// is asked twice its first answers go together, then its second ones.
#[must_use]
pub fn judge_subset(files: &[(&str, &str)]) -> JudgeSubset {
    let mut subset = JudgeSubset::default();
    let mut read: Vec<(&str, Vec<(Key, Answer)>)> = Vec::new();
    for (model, text) in files {
        let mut seen: HashMap<(String, String), usize> = HashMap::new();
        let mut answers = Vec::new();
        for (line, content) in numbered(text) {
            match answer(content) {
                Ok(found) => {
                    let turn = seen.entry((found.query.clone(), found.gold.clone())).or_default();
                    answers.push(((found.query.clone(), found.gold.clone(), *turn), found));
                    *turn += 1;
                }
                Err(reason) => subset.refused.push(((*model).to_owned(), RefusedLine { line, reason })),
            }
        }
        read.push((model, answers));
    }
    join(&read, &mut subset);
    subset
}

/// Question, reference, and how often both came before in the file.
type Key = (String, String, usize);

fn join(read: &[(&str, Vec<(Key, Answer)>)], subset: &mut JudgeSubset) {
    let Some((_, first)) = read.first() else { return };
    let by_key: Vec<(&str, HashMap<&Key, &Answer>)> = read
        .iter()
        .map(|(model, answers)| (*model, answers.iter().map(|(key, found)| (key, found)).collect()))
        .collect();
    for (key, asked) in first {
        let mut answers = Vec::new();
        let mut lacking = None;
        for (model, found) in &by_key {
            match found.get(key) {
                Some(found) => answers.push(((*model).to_owned(), found.prediction.clone())),
                None => lacking = Some((*model).to_owned()),
            }
        }
        match lacking {
            Some(model) => subset.missing.push((asked.query.clone(), model)),
            None => subset.questions.push(JudgedQuestion {
                query: asked.query.clone(),
                reference: asked.gold.clone(),
                evaluation: asked.evaluation.to_lowercase(),
                answers,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"query":"Q1","gt":"B","prompt":"p","m_pred":"B. yes","evaluation":"exam"}"#;

    #[test]
    fn bad_lines_are_named_and_the_rest_is_scored() {
        let two = r#"{"query":"Q","gt":"B","a_pred":"x","b_pred":"y","evaluation":"exam"}"#;
        let none = r#"{"query":"Q","gt":"B","evaluation":"exam"}"#;
        let judged = r#"{"query":"Q","gt":"B","m_pred":"x","evaluation":"LLM"}"#;
        let task = leval_task_of_file("x/quality.pred.jsonl").unwrap();
        let file = score_leval_file(task, &[LINE, two, none, "[]", judged].join("\n"));
        assert_eq!((file.model.as_str(), file.rows.len()), ("m", 1));
        assert_eq!(file.score, Some(LevalScore::Mean(100.0)));
        assert_eq!(file.refused.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(score_leval_file(task, "").score, None);
    }

    #[test]
    fn answers_to_the_same_question_come_together() {
        let other = LINE.replace("m_pred", "n_pred").replace("B. yes", "A");
        let first = format!("{LINE}\n{LINE}\n{}", LINE.replace("Q1", "Q2"));
        let subset = judge_subset(&[("m", &first), ("n", &format!("{other}\n{other}"))]);
        assert_eq!(subset.questions.len(), 2);
        assert_eq!(
            subset.questions[0].answers,
            [("m".to_owned(), "B. yes".to_owned()), ("n".to_owned(), "A".to_owned())]
        );
        assert_eq!(subset.missing, [("Q2".to_owned(), "n".to_owned())]);
    }

    #[test]
    fn names_of_files_are_names_of_tasks() {
        assert_eq!(leval_task_of_file("codeU.pred.jsonl").map(|task| task.name), Some("codeU"));
        assert_eq!(leval_task_of_file("passkey.jsonl"), None);
    }
}
