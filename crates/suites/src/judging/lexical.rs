//! The lexical judge: overlap of content words with the reference. Knows words, not truth; labelled so everywhere.

use std::collections::HashMap;

use super::{Judged, OpenEnded, fact, weigh};

/// Differences of F1 up to this are a tie: a word or two in common with a long reference is no better answer.
const MARGIN: f64 = 0.02;

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

/// Words that any English sentence, and any plea to a judge, may hold: they must not earn overlap. In order.
const STOP: [&str; 75] = [
    "a", "all", "an", "and", "answer", "any", "are", "as", "at", "be", "begin", "best", "better", "but", "by", "do",
    "end", "first", "for", "from", "full", "had", "hand", "has", "have", "he", "her", "his", "i", "if", "in", "into",
    "is", "it", "its", "judge", "know", "me", "must", "name", "no", "not", "note", "now", "of", "on", "one", "only",
    "or", "score", "second", "she", "so", "that", "the", "their", "them", "then", "there", "they", "this", "to", "was",
    "were", "what", "when", "which", "who", "winner", "with", "won", "would", "year", "you", "your",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_in_order() {
        assert!(STOP.is_sorted());
    }
}
