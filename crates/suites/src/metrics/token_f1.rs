//! Token overlap of short answers after the SQuAD normaliser, with Python's white space and word boundaries.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::python_text::{is_punctuation, words};

/// Precision, recall and F1 of a multiset of tokens, 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Overlap {
    /// Common tokens over those of the answer.
    pub precision: f64,
    /// Common tokens over those of the reference.
    pub recall: f64,
    /// Harmonic mean.
    pub f1: f64,
}

/// Lower case, without ASCII punctuation and without the words a, an and the.
#[must_use]
pub fn tokens(text: &str) -> Vec<String> {
    static ARTICLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(?:a|an|the)\b").ok());
    let plain: String = text.to_lowercase().chars().filter(|scalar| !is_punctuation(*scalar)).collect();
    let free = ARTICLE.as_ref().map_or_else(|| plain.clone(), |article| article.replace_all(&plain, " ").into_owned());
    words(&free).map(str::to_owned).collect()
}

/// Overlap of two answers; 0 without a common token, two empty answers included.
#[must_use]
pub fn overlap(prediction: &str, reference: &str) -> Overlap {
    let (said, right) = (tokens(prediction), tokens(reference));
    let mut left: HashMap<&str, usize> = HashMap::new();
    for token in &right {
        *left.entry(token).or_default() += 1;
    }
    let mut common = 0_usize;
    for token in &said {
        if let Some(count) = left.get_mut(token.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    if common == 0 {
        return Overlap::default();
    }
    let share = |whole: usize| common as f64 / whole as f64;
    let (precision, recall) = (share(said.len()), share(right.len()));
    Overlap { precision, recall, f1: 2.0 * precision * recall / (precision + recall) }
}

/// F1 of the reference that fits best.
#[must_use]
pub fn best_f1(prediction: &str, references: &[String]) -> f64 {
    references.iter().map(|reference| overlap(prediction, reference).f1).fold(0.0, f64::max)
}
