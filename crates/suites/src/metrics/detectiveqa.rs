//! DetectiveQA (arXiv 2409.02465): the chosen option, and the share of the reasoning steps that an answer gives.
//!
//! The official scripts were not to be had: the phrase of the choice is a third party's, and steps, which the paper lets a
//! judge decide, are found by the words that they take.

use std::sync::LazyLock;

use regex::Regex;

use super::catalogue::{Form, Metric, Source, metric};
use crate::safe;

const SOURCE: Source = Source { benchmark: "DetectiveQA", citation: "arXiv 2409.02465; no official code at hand" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 3] = [
    metric(SOURCE, "detectiveqa.choice_accuracy", "Right option", Form::ThirdParty, 1.0),
    metric(SOURCE, "detectiveqa.choice_accuracy.strict", "Right option times steps told", Form::Strict, 1.0),
    metric(SOURCE, "detectiveqa.step_coverage", "Reasoning steps told", Form::Strict, 1.0),
];

/// The letter after the last `The answer is` or `答案是`; `None` without one.
#[must_use]
pub fn choice(answer: &str) -> Option<char> {
    static PHRASE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?:The answer is |答案是\s*)([A-D])(?:[.。\s]|\z)").ok());
    let found = PHRASE.as_ref()?.captures_iter(answer).last()?;
    found.get(1)?.as_str().chars().next()
}

/// 1 for the right letter, else 0.
#[must_use]
pub fn choice_accuracy(answer: &str, right: char) -> f64 {
    f64::from(choice(answer) == Some(right))
}

/// Share of the steps that an answer tells, 0..1: one sentence of it holds all words of the step, whatever their case.
/// 0 without steps.
#[must_use]
pub fn step_coverage(answer: &str, steps: &[Vec<String>]) -> f64 {
    let sentences: Vec<String> = safe::sentences(answer).iter().map(|sentence| sentence.to_lowercase()).collect();
    let holds = |sentence: &String, step: &Vec<String>| step.iter().all(|word| sentence.contains(&word.to_lowercase()));
    let told = steps.iter().filter(|step| sentences.iter().any(|sentence| holds(sentence, step))).count();
    if steps.is_empty() { 0.0 } else { told as f64 / steps.len() as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_choice_counts() {
        assert_eq!(choice("The answer is A. No: The answer is C."), Some('C'));
        assert_eq!(choice("所以答案是 B。"), Some('B'));
        assert_eq!(choice("The answer is Anna."), None);
    }

    #[test]
    fn a_step_is_told_in_one_sentence() {
        let steps = [vec!["Ida".to_owned(), "left".to_owned()], vec!["boots".to_owned()]];
        assert_eq!(step_coverage("ida is left-handed. Nothing more.", &steps), 0.5);
        assert_eq!(step_coverage("Ida came. She left.", &steps), 0.0);
    }

    proptest! {
        #[test]
        fn shares_stay_shares(answer in ".{0,200}") {
            let steps = [vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]];
            prop_assert!((0.0..=1.0).contains(&step_coverage(&answer, &steps)));
            let _ = choice(&answer);
        }
    }
}
