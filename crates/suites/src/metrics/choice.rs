//! Answers that are one of a list of labels: Longboard's own `grid` and `classification`.

use super::catalogue::{Form, Metric, Source, metric};
use crate::item::Scored;

const GRID: Source = Source {
    benchmark: "Diffusion x Scope",
    citation: "axes of Goldman et al. 2024, arXiv 2407.00402; items and score are Longboard's",
};
const CLASSES: Source = Source { benchmark: "Longboard classification", citation: "Longboard's own" };

/// The metrics of both families.
pub(super) static METRICS: [Metric; 5] = [
    metric(GRID, "grid.choice", "The answer names the right label alone", Form::Strict, 1.0),
    metric(GRID, "grid.choice.strict", "The answer is the right label", Form::Strict, 1.0),
    metric(CLASSES, "classification.accuracy", "The answer names the right label alone", Form::Strict, 1.0),
    metric(CLASSES, "classification.accuracy.strict", "The answer is the right label", Form::Strict, 1.0),
    metric(CLASSES, "classification.macro_f1", "Macro F1 over labels", Form::Strict, 1.0),
];

/// The one label that the answer names in any case, as a whole word, or anywhere where the label is not ASCII: Chinese
/// has no blanks between words. `None` where it names none or several.
#[must_use]
pub fn named<'a>(answer: &str, labels: &[&'a str]) -> Option<&'a str> {
    let answer = answer.to_lowercase();
    let words: Vec<&str> = answer.split(|scalar: char| !scalar.is_alphanumeric()).collect();
    let names = |label: &str| if label.is_ascii() { words.contains(&label) } else { answer.contains(label) };
    let mut found = labels.iter().filter(|label| names(&label.to_lowercase()));
    found.next().filter(|_| found.next().is_none()).copied()
}

/// Whether the answer is `label` and nothing else, punctuation aside.
#[must_use]
pub fn is_label(answer: &str, label: &str) -> bool {
    answer.trim_matches(|scalar: char| !scalar.is_alphanumeric()).to_lowercase() == label.to_lowercase()
}

/// Scores an answer that should name `right`, one of `labels`.
#[must_use]
pub fn scored(answer: &str, right: &str, labels: &[&str]) -> Scored {
    let found = named(answer, labels);
    Scored {
        score: f64::from(found == Some(right)),
        strict: Some(f64::from(is_label(answer, right))),
        extracted: found.unwrap_or_default().to_owned(),
        well_formed: found.is_some(),
    }
}

/// Mean over labels of the F1 of each, 0..1. `pairs` hold what was answered, if anything, and what is right.
#[must_use]
pub fn macro_f1(pairs: &[(Option<&str>, &str)], labels: &[&str]) -> f64 {
    let one = |label: &str| {
        let answered = pairs.iter().filter(|(answer, _)| *answer == Some(label)).count();
        let right = pairs.iter().filter(|(_, truth)| *truth == label).count();
        let both = pairs.iter().filter(|(answer, truth)| *answer == Some(label) && *truth == label).count();
        if both == 0 { 0.0 } else { 2.0 * both as f64 / (answered + right) as f64 }
    };
    labels.iter().map(|label| one(label)).sum::<f64>() / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_label_counts_and_two_do_not() {
        let labels = ["salt", "wool"];
        assert_eq!(named("It was Salt.", &labels), Some("salt"));
        assert_eq!(named("salt or wool", &labels), None);
        assert_eq!(named("salty", &labels), None);
        assert_eq!(named("总体是好评。", &["好评", "差评"]), Some("好评"));
        assert_eq!(named("不是好评就是差评", &["好评", "差评"]), None);
        assert!(is_label("好评。", "好评") && !is_label("是好评", "好评"));
        assert!(is_label(" **Wool**.", "wool") && !is_label("It was wool", "wool"));
    }

    #[test]
    fn macro_f1_weighs_labels_alike() {
        let pairs = [(Some("a"), "a"), (Some("a"), "a"), (Some("a"), "b"), (None, "b")];
        assert!((macro_f1(&pairs, &["a", "b"]) - 0.4).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn any_answer_is_read(answer in "\\PC{0,200}") {
            let label = named(&answer, &["salt", "wool"]);
            prop_assert!(label.is_none_or(|label| answer.to_lowercase().contains(label)));
        }
    }
}
