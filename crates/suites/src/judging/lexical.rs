//! The lexical judge: overlap of content words with the reference. Knows words, not truth; labelled so everywhere.

use std::collections::HashMap;

use super::{Judged, OpenEnded, fact, weigh};

/// Differences of F1 up to this are a tie.
const MARGIN: f64 = 0.01;

/// Compares two answers by the F1 of their content words with those of the reference, with multiplicity.
/// [`super::Label::Invalid`] where the item has no reference.
#[must_use]
pub fn lexical(material: &OpenEnded, first: &str, second: &str) -> Judged {
    weigh(assess(material, first), assess(material, second), MARGIN)
}

/// Score of one answer with its reason.
pub(super) fn assess(material: &OpenEnded, answer: &str) -> (Option<f64>, String) {
    let Some(reference) = &material.reference else {
        return (None, "no reference to compare with".to_owned());
    };
    let score = f1(&words(reference), &words(answer));
    (Some(score), format!("content words overlap with the reference by F1 {score:.3}"))
}

/// Words that any English sentence may hold. Injected prose must not earn overlap with them.
const STOP: [&str; 64] = [
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "best", "better", "but", "by", "do", "first", "for",
    "from", "full", "had", "has", "have", "he", "her", "his", "i", "if", "in", "into", "is", "it", "its", "me", "no",
    "not", "now", "of", "on", "one", "only", "or", "second", "she", "so", "that", "the", "their", "them", "then",
    "there", "they", "this", "to", "was", "were", "what", "when", "which", "who", "with", "won", "would", "year",
    "you", "your",
];

fn words(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in fact::normalised(text).split(|scalar: char| !scalar.is_alphanumeric()) {
        if word.is_ascii() {
            if !word.is_empty() && STOP.binary_search(&word).is_err() {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        } else {
            // Scripts without spaces compare by character.
            word.chars().for_each(|scalar| *counts.entry(scalar.to_string()).or_default() += 1);
        }
    }
    counts
}

fn f1(reference: &HashMap<String, usize>, answer: &HashMap<String, usize>) -> f64 {
    let hits: usize =
        answer.iter().filter_map(|(word, count)| reference.get(word).map(|other| *count.min(other))).sum();
    let (left, right) = (reference.values().sum::<usize>(), answer.values().sum::<usize>());
    if hits == 0 { 0.0 } else { 2.0 * hits as f64 / (left + right) as f64 }
}
