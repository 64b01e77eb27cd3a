//! M4LE (arXiv 2310.19240; KwanWaiChung/M4LE @ 47c2af92): answers are cut at end texts, then matched by one of seven
//! rules.

pub mod bleu;
mod tasks;

use std::collections::HashSet;

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::{strip, words};
use super::rouge::{Prf, chinese, unique};
use super::{jieba, token_f1};
pub use tasks::{Lists, M4leTask, Rule, TASKS};

const SOURCE: Source = Source { benchmark: "M4LE", citation: "arXiv 2310.19240; KwanWaiChung/M4LE @ 47c2af92" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 15] = [
    metric(SOURCE, "m4le.acc", "The answer contains a reference", Form::Official, 1.0),
    metric(SOURCE, "m4le.acc.strict", "The answer is a reference, punctuation aside", Form::Strict, 1.0),
    metric(SOURCE, "m4le.exact_match", "The answer is a reference", Form::Official, 1.0),
    metric(SOURCE, "m4le.exact_match.strict", "The answer is a reference, punctuation aside", Form::Strict, 1.0),
    metric(SOURCE, "m4le.exact_match_semantic_count", "The answer is the count", Form::Official, 1.0),
    metric(SOURCE, "m4le.cls_f1", "F1 of a list of identifiers", Form::Official, 1.0),
    metric(SOURCE, "m4le.cls_f1.strict", "F1 of a list, its full stop and separators aside", Form::Strict, 1.0),
    metric(SOURCE, "m4le.rougeL_recall_en", "Recall of ROUGE-L, English", Form::Official, 1.0),
    metric(SOURCE, "m4le.rougeL_recall_en.strict", "F of ROUGE-L, English", Form::Strict, 1.0),
    metric(SOURCE, "m4le.rougeL_recall_zh", "Recall of ROUGE-L, Chinese", Form::Official, 1.0),
    metric(SOURCE, "m4le.rougeL_recall_zh.strict", "F of ROUGE-L, Chinese", Form::Strict, 1.0),
    metric(SOURCE, "m4le.bleu_en", "Corpus BLEU-4, English", Form::Official, 1.0),
    metric(SOURCE, "m4le.bleu_zh", "Corpus BLEU-4, Chinese", Form::Official, 1.0),
    metric(SOURCE, "m4le.qa_f1_en", "F1 of words", Form::Official, 1.0),
    metric(SOURCE, "m4le.qa_f1_zh", "F1 of jieba's words", Form::Official, 1.0),
];

/// The answer up to each end text in turn, stripped.
#[must_use]
pub fn cut<'a>(answer: &'a str, ends: &[&str]) -> &'a str {
    strip(ends.iter().fold(answer, |text, end| strip(text.split(end).next().unwrap_or_default())))
}

/// Whether any reference occurs in the answer, both in lower case.
#[must_use]
pub fn contained(answer: &str, references: &[String]) -> bool {
    let answer = answer.to_lowercase();
    references.iter().any(|reference| answer.contains(&reference.to_lowercase()))
}

/// Whether the answer is any reference, both in lower case and stripped.
#[must_use]
pub fn equals(answer: &str, references: &[String]) -> bool {
    let answer = strip(answer).to_lowercase();
    references.iter().any(|reference| strip(reference).to_lowercase() == answer)
}

/// [`equals`] without outer punctuation on either side.
#[must_use]
pub fn equals_strict(answer: &str, references: &[String]) -> bool {
    let bare = |text: &str| text.trim_matches(|scalar: char| !scalar.is_alphanumeric()).to_lowercase();
    let answer = bare(answer);
    !answer.is_empty() && references.iter().any(|reference| bare(reference) == answer)
}

/// F1 of the sets of two lists as the official preprocessing reads them. An empty answer is a list of one empty name.
#[must_use]
pub fn list_f1(answer: &str, reference: &str, lists: Lists) -> f64 {
    let head = strip(answer.split(lists.end).next().unwrap_or_default());
    let gold = if lists.cuts_gold { reference.split(lists.end).next().unwrap_or_default() } else { reference };
    set_f1(&entries(head, lists.separator), &entries(gold, lists.separator))
}

/// F1 of the identifiers in two texts, whatever separates them and however they are cased.
#[must_use]
pub fn list_f1_strict(answer: &str, reference: &str) -> f64 {
    let read = |text: &str| -> HashSet<String> {
        let parts = text.split(|scalar: char| !scalar.is_alphanumeric());
        parts.filter(|part| !part.is_empty()).map(str::to_uppercase).collect()
    };
    set_f1(&read(answer), &read(reference))
}

fn entries(text: &str, separator: char) -> HashSet<&str> {
    text.split(separator).map(strip).collect()
}

fn set_f1<T: std::hash::Hash + Eq>(answer: &HashSet<T>, reference: &HashSet<T>) -> f64 {
    let hits = answer.intersection(reference).count() as f64;
    let (precision, recall) = (hits / answer.len().max(1) as f64, hits / reference.len().max(1) as f64);
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

/// ROUGE-L of English words (package `rouge`), the best over references; all 0 where the package raises.
#[must_use]
pub fn rouge_en(answer: &str, references: &[String]) -> Prf {
    best(references, |reference| unique::score(reference, answer).map(|scores| scores.rouge_l))
}

/// ROUGE-L of jieba's words (package `rouge_chinese`), the best over references; all 0 for an empty answer.
#[must_use]
pub fn rouge_zh(answer: &str, references: &[String]) -> Prf {
    let read = |text: &str| -> Vec<String> { words(&jieba::cut(text).join(" ")).map(str::to_owned).collect() };
    let answer = read(answer);
    best(references, |reference| (!answer.is_empty()).then(|| chinese::rouge_l(&read(reference), &answer)))
}

/// The score with the largest recall, which is what the benchmark reports. One reference that raises voids all.
fn best(references: &[String], score: impl Fn(&str) -> Option<Prf>) -> Prf {
    let scores: Option<Vec<Prf>> =
        references.iter().filter(|reference| !reference.is_empty()).map(|reference| score(reference)).collect();
    let larger = |best: Prf, next: Prf| if next.recall > best.recall { next } else { best };
    scores.unwrap_or_default().into_iter().fold(Prf::default(), larger)
}

/// F1 of normalised English words, the best over references; two empty texts agree.
#[must_use]
pub fn qa_f1_en(answer: &str, references: &[String]) -> f64 {
    let read = |text: &str| -> Vec<String> { words(&token_f1::normalise(text)).map(str::to_owned).collect() };
    qa_f1(answer, references, read)
}

/// F1 of jieba's words of the text normalised as English, the best over references; two empty texts agree.
#[must_use]
pub fn qa_f1_zh(answer: &str, references: &[String]) -> f64 {
    let read = |text: &str| if text.is_empty() { Vec::new() } else { jieba::cut(&token_f1::normalise(text)) };
    qa_f1(answer, references, read)
}

fn qa_f1(answer: &str, references: &[String], read: impl Fn(&str) -> Vec<String>) -> f64 {
    let answer = read(answer);
    let one = |reference: &String| {
        let reference = read(reference);
        if answer.is_empty() || reference.is_empty() {
            return f64::from(answer == reference);
        }
        token_f1::f1(&answer, &reference)
    };
    references.iter().map(one).fold(0.0, f64::max)
}

/// What stands between the first two double quotes, where there is one (`news2016`).
#[must_use]
pub fn quoted(answer: &str) -> &str {
    answer.split_once('"').map_or(answer, |(_, rest)| strip(rest.split('"').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_end_at_each_end_text_in_turn() {
        assert_eq!(cut(" 3.5 sacks\nand more", &["\n", "."]), "3");
        assert_eq!(cut("体育。因为", &["。"]), "体育");
    }

    #[test]
    fn the_full_stop_of_a_gold_list_costs_officially_and_not_strictly() {
        let lists = Lists { separator: ',', end: '.', cuts_gold: false };
        assert!(list_f1("A1, B2.", "A1, B2.", lists) < 1.0);
        assert_eq!(list_f1_strict("a1; B2", "A1, B2."), 1.0);
    }

    proptest! {
        #[test]
        fn any_answer_scores_within_range(answer in "\\PC{0,160}", reference in "\\PC{0,40}") {
            let references = [reference.clone()];
            for task in &TASKS {
                let (score, strict) = task.score(&answer, &references);
                prop_assert!((0.0..=1.0).contains(&score), "{}", task.name);
                prop_assert!(strict.is_none_or(|strict| (0.0..=1.0).contains(&strict)), "{}", task.name);
            }
        }
    }
}
