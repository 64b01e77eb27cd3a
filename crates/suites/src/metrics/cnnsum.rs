//! CNNSum (arXiv 2412.02819; CxsGhost/CNNSum @ 994a7f9d): ROUGE-L of package `rouge` over jieba's words.

use super::catalogue::{Form, Metric, Source, metric};
use super::rouge::{chinese, unique};
use super::{jieba, python_text, ruler};

const SOURCE: Source = Source { benchmark: "CNNSum", citation: "arXiv 2412.02819; CxsGhost/CNNSum @ 994a7f9d" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 3] = [
    metric(SOURCE, "cnnsum.rouge_l_f", "ROUGE-L over sets of jieba words", Form::Official, 1.0),
    metric(SOURCE, "cnnsum.rouge_l_f.strict", "ROUGE-L over jieba words, repeats count", Form::Strict, 1.0),
    metric(SOURCE, "cnnsum.subset_score", "Mean over a subset", Form::Official, 100.0),
];

/// ROUGE-L F of two Chinese texts, 0..1. Repeats never count, and `.` alone ends a sentence, so a Chinese text is one.
///
/// 0 for an empty answer and for one of full stops alone, and where the reference is such, on which upstream raises.
#[must_use]
pub fn rouge_l_f(prediction: &str, reference: &str) -> f64 {
    unique::score(&spaced(reference), &spaced(prediction)).map_or(0.0, |scores| scores.rouge_l.f)
}

/// ROUGE-L F over the sequences of words, so that saying a thing ten times costs precision; 0..1.
#[must_use]
pub fn rouge_l_f_strict(prediction: &str, reference: &str) -> f64 {
    chinese::rouge_l(&words(reference), &words(prediction)).f
}

/// Mean in percent over a subset, rounded to five decimals as the official table prints it.
#[must_use]
pub fn subset_score(predictions: &[String], references: &[String]) -> f64 {
    let pairs = predictions.iter().zip(references);
    let sum: f64 = pairs.map(|(prediction, reference)| rouge_l_f(prediction, reference)).sum();
    let count = predictions.len().min(references.len()).max(1) as f64;
    ruler::round(100.0 * sum / count, 5)
}

fn spaced(text: &str) -> String {
    jieba::cut(text).join(" ")
}

fn words(text: &str) -> Vec<String> {
    jieba::cut(text).into_iter().filter(|word| !python_text::strip(word).is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repeats_are_free_officially_and_cost_strictly() {
        let (once, often) = ("镇长修好了石桥。", "镇长修好了石桥。".repeat(5));
        assert!(rouge_l_f(&often, once) > 0.999 && rouge_l_f_strict(&often, once) < 0.4);
        assert!(rouge_l_f_strict(once, once) > 0.999_999);
    }

    proptest! {
        #[test]
        fn any_text_scores_within_range(prediction in "\\PC{0,200}", reference in "[\u{4e00}-\u{4e40}。.\n ]{0,60}") {
            for score in [rouge_l_f(&prediction, &reference), rouge_l_f_strict(&prediction, &reference)] {
                prop_assert!((0.0..=1.0).contains(&score));
            }
        }
    }
}
