//! L-Eval (arXiv 2307.11088; OpenLMLab/LEval @ cd34b050): exact match over processed answers, F1, three ROUGEs and the
//! verdicts of a pair judge.

mod closed;
mod verdict;

use super::catalogue::{Form, Metric, Source, metric};

pub use closed::{
    code_answer, code_gold, em_score, em_score_strict, loyalty_and_fact, number, right_options, several_options,
    single_option, truth,
};
pub use verdict::{Verdict, verdict, win_rate};

const SOURCE: Source = Source { benchmark: "L-Eval", citation: "arXiv 2307.11088; OpenLMLab/LEval @ cd34b050" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 14] = [
    metric(SOURCE, "leval.em_score", "Exact match, a part of the letters 1/4", Form::Official, 1.0),
    metric(SOURCE, "leval.em_score.strict", "Exact match, whole or nothing", Form::Strict, 1.0),
    metric(SOURCE, "leval.judge", "Mean of loyalty and fact", Form::Official, 1.0),
    metric(SOURCE, "leval.judge.strict", "Loyalty and fact both right", Form::Strict, 1.0),
    metric(SOURCE, "leval.f1", "Token F1", Form::Official, 1.0),
    metric(SOURCE, "leval.f1.strict", "Token F1 of an answer about as long as its reference", Form::Strict, 1.0),
    metric(SOURCE, "leval.rouge", "ROUGE-1, ROUGE-2, ROUGE-L", Form::Official, 1.0),
    metric(SOURCE, "leval.rouge.strict", "ROUGE of an answer about as long as its reference", Form::Strict, 1.0),
    metric(SOURCE, "leval.process_output_mc", "Letters read from an answer", Form::Official, 1.0),
    metric(SOURCE, "leval.process_gt_mc", "Letters read from a reference", Form::Official, 1.0),
    metric(SOURCE, "leval.process_math", "Number read from an answer", Form::Official, 1.0),
    metric(SOURCE, "leval.process_code", "Output read from an answer", Form::Official, 1.0),
    metric(SOURCE, "leval.process_judge", "True or False read from an answer", Form::Official, 1.0),
    metric(SOURCE, "leval.prediction_file_score", "Score of a prediction file", Form::Official, 100.0),
];

/// The way in which a closed-ended task is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// One right letter (TOEFL, QuALITY).
    Single,
    /// One or several right letters (Coursera).
    Several,
    /// A whole number (GSM100).
    Number,
    /// A program's output (CodeU).
    Code,
    /// A topic's name (topic retrieval).
    Topic,
    /// True or False, of the document and of the world (science fiction).
    Judge,
}

/// What an answer and its reference are compared as.
#[must_use]
pub fn processed(kind: Closed, answer: &str, gold: &str) -> (String, String) {
    match kind {
        Closed::Single => (single_option(answer), right_options(gold)),
        Closed::Several => (several_options(answer), right_options(gold)),
        Closed::Number => (number(answer), number(gold)),
        Closed::Code => (code_answer(answer, gold), code_gold(gold)),
        Closed::Topic | Closed::Judge => (answer.to_owned(), gold.to_owned()),
    }
}

/// Score of an answer to a closed-ended question, 0..1; `None` where the official code stops with an error.
#[must_use]
pub fn closed(kind: Closed, answer: &str, gold: &str) -> Option<f64> {
    if kind == Closed::Judge {
        let [loyalty, fact] = judged(answer, gold)?;
        return Some(f64::midpoint(loyalty, fact));
    }
    let (said, right) = processed(kind, answer, gold);
    Some(em_score(&said, &right))
}

/// Loyalty and fact of a science-fiction answer, each 0 or 1; `None` where a half is missing.
#[must_use]
pub fn judged(answer: &str, gold: &str) -> Option<[f64; 2]> {
    let (said, right) = (loyalty_and_fact(answer)?, loyalty_and_fact(gold)?);
    let [loyalty, fact] = said.map(|part| truth(&part));
    let [wanted, known] = right;
    Some([em_score(loyalty, &wanted), em_score(fact, &known)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Closed; 6] =
        [Closed::Single, Closed::Several, Closed::Number, Closed::Code, Closed::Topic, Closed::Judge];

    #[test]
    fn both_halves_of_a_judgement_count_the_same() {
        assert_eq!(closed(Closed::Judge, "True [fact: False]", "True [fact: True]"), Some(0.5));
        assert_eq!(closed(Closed::Judge, "True", "True [fact: True]"), None);
    }

    #[test]
    fn an_empty_answer_is_worth_something_only_officially() {
        assert_eq!(closed(Closed::Several, "", "AB"), Some(0.0));
        assert_eq!((em_score("", "AB"), em_score_strict("", "AB")), (0.25, 0.0));
    }

    proptest! {
        #[test]
        fn every_answer_has_a_score(answer in ".{0,80}", gold in "[A-D]{1,3}|[0-9]{1,4}|.{1,20}") {
            for kind in KINDS {
                if let Some(score) = closed(kind, &answer, &gold) {
                    prop_assert!((0.0..=1.0).contains(&score));
                }
            }
        }
    }

    #[test]
    fn a_megabyte_is_read() {
        let long = "[fact: is the final output A) 5.0, ".repeat(30_000);
        for kind in KINDS {
            let _ = closed(kind, &long, "[1, 2]");
        }
    }
}
