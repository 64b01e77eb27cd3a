//! LongBench (arXiv 2308.14508; THUDM/LongBench @ 2e00731f, `metrics.py` and `eval.py`): nine rules for 21 data sets.

mod aggregate;
mod code;

use std::sync::LazyLock;

use regex::Regex;

pub use aggregate::{Buckets, dataset_score, dataset_score_e};
pub use code::{code_sim, code_sim_strict};

use super::catalogue::{Form, Metric, Source, metric};
use super::jieba;
use super::needlebench::pattern;
use super::rouge::{share, unique};
use super::token_f1;

const SOURCE: Source = Source { benchmark: "LongBench", citation: "arXiv 2308.14508; THUDM/LongBench @ 2e00731f" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 16] = [
    metric(SOURCE, "longbench.qa_f1", "Token F1", Form::Official, 1.0),
    metric(SOURCE, "longbench.qa_f1_zh", "Token F1 of jieba's words", Form::Official, 1.0),
    metric(SOURCE, "longbench.rouge", "ROUGE-L (rouge 1.0.1)", Form::Official, 1.0),
    metric(SOURCE, "longbench.rouge_zh", "ROUGE-L (rouge 1.0.1) of jieba's words", Form::Official, 1.0),
    metric(SOURCE, "longbench.classification", "Class named, shared with others named", Form::Official, 1.0),
    metric(SOURCE, "longbench.classification.strict", "No other class named", Form::Strict, 1.0),
    metric(SOURCE, "longbench.retrieval", "Share of numbers that are the paragraph's", Form::Official, 1.0),
    metric(SOURCE, "longbench.retrieval.strict", "No other number", Form::Strict, 1.0),
    metric(SOURCE, "longbench.retrieval_zh", "Share of numbers that are the paragraph's", Form::Official, 1.0),
    metric(SOURCE, "longbench.retrieval_zh.strict", "No other number", Form::Strict, 1.0),
    metric(SOURCE, "longbench.count", "Share of numbers that are the count", Form::Official, 1.0),
    metric(SOURCE, "longbench.count.strict", "No other number", Form::Strict, 1.0),
    metric(SOURCE, "longbench.code_sim", "Edit similarity of the first code line", Form::Official, 1.0),
    metric(SOURCE, "longbench.code_sim.strict", "The same, comments after code allowed", Form::Strict, 1.0),
    metric(SOURCE, "longbench.dataset_score", "Mean of a data set", Form::Official, 100.0),
    metric(SOURCE, "longbench.dataset_score_e", "Mean of a length bucket", Form::Official, 100.0),
];

/// The rule by which a data set is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Token F1.
    QaF1,
    /// Token F1 of jieba's words.
    QaF1Zh,
    /// ROUGE-L.
    Rouge,
    /// ROUGE-L of jieba's words.
    RougeZh,
    /// One of the classes is named.
    Classification,
    /// `Paragraph 12`.
    Retrieval,
    /// `段落12`.
    RetrievalZh,
    /// A number.
    Count,
    /// The next line of code.
    CodeSim,
}

impl Rule {
    /// The rule of a data set; `None` for names that the benchmark does not have.
    #[must_use]
    pub fn of(dataset: &str) -> Option<Self> {
        Some(match dataset {
            "narrativeqa" | "qasper" | "multifieldqa_en" | "hotpotqa" | "2wikimqa" | "musique" | "triviaqa" => {
                Self::QaF1
            }
            "multifieldqa_zh" => Self::QaF1Zh,
            "dureader" | "vcsum" => Self::RougeZh,
            "gov_report" | "qmsum" | "multi_news" | "samsum" => Self::Rouge,
            "trec" | "lsht" => Self::Classification,
            "passage_retrieval_en" => Self::Retrieval,
            "passage_retrieval_zh" => Self::RetrievalZh,
            "passage_count" => Self::Count,
            "lcc" | "repobench-p" => Self::CodeSim,
            _ => return None,
        })
    }

    /// Slug of the official metric.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::QaF1 => "longbench.qa_f1",
            Self::QaF1Zh => "longbench.qa_f1_zh",
            Self::Rouge => "longbench.rouge",
            Self::RougeZh => "longbench.rouge_zh",
            Self::Classification => "longbench.classification",
            Self::Retrieval => "longbench.retrieval",
            Self::RetrievalZh => "longbench.retrieval_zh",
            Self::Count => "longbench.count",
            Self::CodeSim => "longbench.code_sim",
        }
    }

    /// Slug of the strict form, where the official one can be gamed or misreads.
    #[must_use]
    pub const fn strict_slug(self) -> Option<&'static str> {
        match self {
            Self::QaF1 | Self::QaF1Zh | Self::Rouge | Self::RougeZh => None,
            Self::Classification => Some("longbench.classification.strict"),
            Self::Retrieval => Some("longbench.retrieval.strict"),
            Self::RetrievalZh => Some("longbench.retrieval_zh.strict"),
            Self::Count => Some("longbench.count.strict"),
            Self::CodeSim => Some("longbench.code_sim.strict"),
        }
    }

    /// Official score of an answer against one reference, 0..1. `classes` is read by the classification rule only.
    #[must_use]
    pub fn score(self, answer: &str, reference: &str, classes: &[String]) -> f64 {
        match self {
            Self::QaF1 => token_f1::english(answer, reference).f,
            Self::QaF1Zh => token_f1::chinese(answer, reference),
            Self::Rouge => rouge(answer, reference),
            Self::RougeZh => rouge_zh(answer, reference),
            Self::Classification => classification(answer, reference, classes),
            Self::Retrieval => retrieval(answer, reference),
            Self::RetrievalZh => retrieval_zh(answer, reference),
            Self::Count => count(answer, reference),
            Self::CodeSim => code_sim(answer, reference),
        }
    }

    /// Score of the strict form; `None` where there is none.
    #[must_use]
    pub fn strict(self, answer: &str, reference: &str, classes: &[String]) -> Option<f64> {
        match self {
            Self::QaF1 | Self::QaF1Zh | Self::Rouge | Self::RougeZh => None,
            Self::Classification | Self::Retrieval | Self::RetrievalZh | Self::Count => {
                Some(f64::from(self.score(answer, reference, classes) >= 1.0))
            }
            Self::CodeSim => Some(code_sim_strict(answer, reference)),
        }
    }
}

/// What `eval.py` hands to the rule: of the few-shot sets only the first line that is not empty.
#[must_use]
pub fn postprocess<'a>(dataset: &str, answer: &'a str) -> &'a str {
    match dataset {
        "trec" | "triviaqa" | "samsum" | "lsht" => {
            answer.trim_start_matches('\n').split('\n').next().unwrap_or_default()
        }
        _ => answer,
    }
}

/// ROUGE-L of package `rouge`; 0 where the package raises, as upstream catches everything.
#[must_use]
pub fn rouge(answer: &str, reference: &str) -> f64 {
    unique::rouge_l(reference, answer).map_or(0.0, |prf| prf.f)
}

/// [`rouge`] of jieba's words joined by blanks.
#[must_use]
pub fn rouge_zh(answer: &str, reference: &str) -> f64 {
    rouge(&jieba::cut(answer).join(" "), &jieba::cut(reference).join(" "))
}

/// One over the number of classes named, if the reference is among them.
///
/// Classes that are part of the reference are taken off while the list is walked, which skips the one after each.
#[must_use]
pub fn classification(answer: &str, reference: &str, classes: &[String]) -> f64 {
    let mut named: Vec<&str> = classes.iter().map(String::as_str).filter(|class| answer.contains(class)).collect();
    let mut at = 0;
    while let Some(&class) = named.get(at) {
        if reference.contains(class) && class != reference {
            let first = named.iter().position(|other| *other == class).unwrap_or(at);
            named.remove(first);
        }
        at += 1;
    }
    if named.contains(&reference) { share(1, named.len()) } else { 0.0 }
}

static DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d+"));
static PARAGRAPH: LazyLock<Regex> = LazyLock::new(|| pattern(r"Paragraph (\d+)"));
static PARAGRAPH_ZH: LazyLock<Regex> = LazyLock::new(|| pattern(r"段落(\d+)"));

/// Share of the digit runs in `answer` that equal `number` as text; 0 without any.
fn share_of_numbers(answer: &str, number: &str) -> f64 {
    let (mut right, mut all) = (0, 0);
    for found in DIGITS.find_iter(answer) {
        all += 1;
        right += usize::from(found.as_str() == number);
    }
    share(right, all)
}

/// Share of the numbers in an answer that are the paragraph's (`Paragraph 12`); 0 where the reference names none.
#[must_use]
pub fn retrieval(answer: &str, reference: &str) -> f64 {
    numbered(&PARAGRAPH, answer, reference)
}

/// [`retrieval`] with references like `段落12`.
#[must_use]
pub fn retrieval_zh(answer: &str, reference: &str) -> f64 {
    numbered(&PARAGRAPH_ZH, answer, reference)
}

fn numbered(regex: &Regex, answer: &str, reference: &str) -> f64 {
    let number = regex.captures(reference).and_then(|found| found.get(1));
    number.map_or(0.0, |number| share_of_numbers(answer, number.as_str()))
}

/// Share of the numbers in an answer that are the reference.
#[must_use]
pub fn count(answer: &str, reference: &str) -> f64 {
    share_of_numbers(answer, reference)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_beside_the_right_one_cost() {
        assert_eq!(retrieval("Paragraph 12 (of 30)", "Paragraph 12"), 0.5);
        assert_eq!(Rule::Retrieval.strict("Paragraph 12 (of 30)", "Paragraph 12", &[]), Some(0.0));
        assert_eq!(retrieval_zh("段落07", "段落7"), 0.0);
        assert_eq!(count("", "3"), 0.0);
    }

    #[test]
    fn the_class_after_a_removed_one_is_skipped() {
        let classes = ["Other", "number", "Other number"].map(str::to_owned);
        assert_eq!(classification("Other number", "Other number", &classes), 0.5);
        assert_eq!(classification("no class", "number", &classes), 0.0);
    }

    #[test]
    fn few_shot_answers_are_one_line() {
        assert_eq!(postprocess("trec", "\n\nDate\nQuestion:"), "Date");
        assert_eq!(postprocess("qasper", "\nDate"), "\nDate");
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(answer in "\\PC{0,60}|[Paragph0-9段落\n ]{0,30}", reference in "\\PC{0,30}") {
            let classes = [reference.clone(), String::from("a"), String::new()];
            for name in ["qasper", "multifieldqa_zh", "vcsum", "samsum", "trec", "passage_retrieval_en",
                "passage_retrieval_zh", "passage_count", "lcc"] {
                let rule = Rule::of(name).unwrap();
                let score = rule.score(postprocess(name, &answer), &reference, &classes);
                prop_assert!((0.0..=1.0).contains(&score));
                let strict = rule.strict(&answer, &reference, &classes);
                prop_assert!(strict.is_none_or(|strict| (0.0..=1.0).contains(&strict)));
            }
        }
    }
}
