//! LCFO (arXiv 2412.08268): length control and coverage of questions. The paper's judges are people and models; this is
//! Longboard's own rule over facts.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::words;

const SOURCE: Source =
    Source { benchmark: "LCFO", citation: "arXiv 2412.08268; no official code, questions and score are Longboard's" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 2] = [
    metric(
        SOURCE,
        "lcfo.coverage_in_length",
        "Questions answered, times how well the length is met",
        Form::Strict,
        1.0,
    ),
    metric(
        SOURCE,
        "lcfo.coverage_in_length.strict",
        "The same in short sentences, length within a tenth",
        Form::Strict,
        1.0,
    ),
];

/// A question that a text answers where one sentence has all of `about` and `answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The question in words.
    pub question: String,
    /// What the sentence must be about.
    pub about: Vec<String>,
    /// The answer.
    pub answer: String,
}

/// `1 - min(1, |words - target| / target)`: 1 at the target, 0 at nothing and at twice the target.
#[must_use]
pub fn adherence(count: usize, target: usize) -> f64 {
    let target = target.max(1);
    1.0 - (count.abs_diff(target) as f64 / target as f64).min(1.0)
}

/// Words of a text, by white space.
#[must_use]
pub fn count(text: &str) -> usize {
    words(text).count()
}

/// Words of a sentence that the strict form still reads: a list of all names and numbers answers nothing.
const STRICT_WORDS: usize = 60;

/// Share of the questions that some sentence answers, 0..1; 0 without questions. `strict` reads short sentences only.
#[must_use]
pub fn coverage(text: &str, questions: &[Question], strict: bool) -> f64 {
    let sentences = text.split_inclusive(['.', '!', '?', '\n']);
    let read: Vec<&str> =
        sentences.filter(|one| !strict || words(one).take(STRICT_WORDS + 1).count() <= STRICT_WORDS).collect();
    let mut open: HashSet<usize> = (0..questions.len()).collect();
    for sentence in read {
        open.retain(|&index| !questions.get(index).is_some_and(|question| answers(sentence, question)));
    }
    (questions.len() - open.len()) as f64 / questions.len().max(1) as f64
}

fn answers(sentence: &str, question: &Question) -> bool {
    sentence.contains(&question.answer) && question.about.iter().all(|form| sentence.contains(form.as_str()))
}

/// Coverage times adherence, 0..1, and its strict form: 0 unless the length is within a tenth of the target.
#[must_use]
pub fn score(text: &str, questions: &[Question], target: usize) -> (f64, f64) {
    let fit = adherence(count(text), target);
    let strict = if fit >= 0.9 { coverage(text, questions, true) } else { 0.0 };
    (coverage(text, questions, false) * fit, strict)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn questions() -> Vec<Question> {
        vec![Question { question: "Who led?".into(), about: vec!["870".into()], answer: "Ada Birch".into() }]
    }

    #[test]
    fn length_and_coverage_both_count() {
        let text = "In 870 Ada Birch led the town.";
        assert_eq!(score(text, &questions(), 7), (1.0, 1.0));
        assert_eq!(score(text, &questions(), 14), (0.5, 0.0));
        assert_eq!(score("In 870. Ada Birch led the old town.", &questions(), 8).0, 0.0);
        assert_eq!(score("", &questions(), 8), (0.0, 0.0));
    }

    proptest! {
        #[test]
        fn any_text_scores_within_range(text in "\\PC{0,300}", target in 0_usize..500) {
            let (score, strict) = score(&text, &questions(), target);
            prop_assert!((0.0..=1.0).contains(&score) && (0.0..=1.0).contains(&strict));
        }
    }
}
