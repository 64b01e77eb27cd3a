//! NoLiMa (arXiv 2502.05167; adobe-research/NoLiMa): case-sensitive matching of names, whole or in the last line.

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::strip;

const SOURCE: Source = Source {
    benchmark: "NoLiMa",
    citation: "Modarressi et al. 2025, arXiv 2502.05167; matching rules as published, no code or data of the benchmark",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 6] = [
    metric(SOURCE, "nolima.EM", "The answer is a reference", Form::Official, 1.0),
    metric(SOURCE, "nolima.contains", "The answer contains a reference", Form::Official, 1.0),
    metric(SOURCE, "nolima.contains.strict", "The answer contains a reference and little else", Form::Strict, 1.0),
    metric(SOURCE, "nolima.lastline_EM", "The last line is a reference", Form::Official, 1.0),
    metric(SOURCE, "nolima.lastline_contains", "The last line contains a reference", Form::Official, 1.0),
    metric(SOURCE, "nolima.effective_length_published_row", "Effective length of a row", Form::Official, 100.0),
];

/// Whether the stripped answer is one of the references.
#[must_use]
pub fn exact(prediction: &str, references: &[String]) -> bool {
    references.iter().any(|reference| reference == strip(prediction))
}

/// Whether the answer contains one of the references.
#[must_use]
pub fn contains(prediction: &str, references: &[String]) -> bool {
    references.iter().any(|reference| prediction.contains(reference.as_str()))
}

/// Words of an answer that still count as an answer and not as a recital.
const STRICT_WORDS: usize = 24;

/// [`contains`] in an answer of at most 24 words: official containment rewards naming everybody.
#[must_use]
pub fn contains_strict(prediction: &str, references: &[String]) -> bool {
    prediction.split_whitespace().take(STRICT_WORDS + 1).count() <= STRICT_WORDS && contains(prediction, references)
}

/// The last line of the stripped answer.
#[must_use]
pub fn last_line(prediction: &str) -> &str {
    strip(prediction).rsplit('\n').next().unwrap_or_default()
}

/// Share of the base score down to which a length counts as mastered.
pub const KEPT: f64 = 0.85;

/// The longest length up to which every score is at least [`KEPT`] of `base`, the model's own score on short prompts.
/// `scores` ascend by length.
#[must_use]
pub fn effective_length<'a>(base: f64, scores: &[(&'a str, f64)]) -> Option<&'a str> {
    scores.iter().take_while(|(_, score)| *score >= KEPT * base).last().map(|(length, _)| *length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn naming_everybody_is_no_answer() {
        let references = ["Ada".to_owned()];
        let everybody = "Bo Cy Di Ed ".repeat(10) + "Ada";
        assert!(contains(&everybody, &references) && !contains_strict(&everybody, &references));
        assert!(contains_strict("It was Ada.", &references) && !exact("It was Ada.", &references));
    }

    #[test]
    fn the_effective_length_is_relative_to_the_base() {
        let scores = [("1K", 90.0), ("2K", 80.0), ("4K", 70.0), ("8K", 86.0)];
        assert_eq!(effective_length(90.0, &scores), Some("2K"));
        assert_eq!(effective_length(110.0, &scores), None);
    }

    proptest! {
        #[test]
        fn any_text_is_matched(prediction in "\\PC{0,200}", name in "\\PC{1,12}") {
            let references = [name];
            prop_assert!(!exact(&prediction, &references) || contains(&prediction, &references));
            prop_assert!(contains(&prediction, &references) || !contains(last_line(&prediction), &references));
        }
    }
}
