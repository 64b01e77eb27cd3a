//! ROUGE as the package `rouge_score` 0.1.2 computes it: runs of ASCII letters and digits, multisets of n-grams, plain
//! longest common subsequences, with or without the Porter stemmer.

use std::collections::HashMap;

use super::{lcs, porter};

/// Precision, recall and F-measure, 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// Over the answer.
    pub precision: f64,
    /// Over the reference.
    pub recall: f64,
    /// Harmonic mean.
    pub f: f64,
}

impl Score {
    fn new(common: usize, said: usize, right: usize) -> Self {
        let share = |whole: usize| common as f64 / whole.max(1) as f64;
        let (precision, recall) = (share(said), share(right));
        let sum = precision + recall;
        Self { precision, recall, f: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }
}

/// Whether words are stemmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stemmer {
    /// As they are (L-Eval).
    None,
    /// Words of more than three letters by Porter's rules (HELMET).
    Porter,
}

/// A text as ROUGE sees it.
#[must_use]
pub fn tokens(text: &str, stemmer: Stemmer) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|scalar: char| !scalar.is_ascii_lowercase() && !scalar.is_ascii_digit());
    let stemmed = |word: &str| match stemmer {
        Stemmer::Porter if word.len() > 3 => porter::stem(word),
        _ => word.to_owned(),
    };
    words.filter(|word| !word.is_empty()).map(stemmed).collect()
}

/// ROUGE-n over token lists.
#[must_use]
pub fn rouge_n(said: &[String], right: &[String], n: usize) -> Score {
    let mut left: HashMap<&[String], usize> = HashMap::new();
    for gram in right.windows(n) {
        *left.entry(gram).or_default() += 1;
    }
    let mut common = 0;
    for gram in said.windows(n) {
        if let Some(count) = left.get_mut(gram).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    Score::new(common, said.windows(n).len(), right.windows(n).len())
}

/// ROUGE-L over token lists.
#[must_use]
pub fn rouge_l(said: &[String], right: &[String]) -> Score {
    Score::new(lcs::length(right, said), said.len(), right.len())
}

/// ROUGE-1, ROUGE-2 and ROUGE-L of an answer.
#[must_use]
pub fn three(prediction: &str, reference: &str, stemmer: Stemmer) -> [Score; 3] {
    let (said, right) = (tokens(prediction, stemmer), tokens(reference, stemmer));
    [rouge_n(&said, &right, 1), rouge_n(&said, &right, 2), rouge_l(&said, &right)]
}

/// ROUGE-L over lines: for each line of the reference the union of its common subsequences with every line of the
/// answer.
#[must_use]
pub fn rouge_lsum(prediction: &str, reference: &str, stemmer: Stemmer) -> Score {
    let lines = |text: &str| -> Vec<Vec<String>> {
        text.split('\n').filter(|line| !line.is_empty()).map(|line| tokens(line, stemmer)).collect()
    };
    let (said, right) = (lines(prediction), lines(reference));
    let total = |lines: &[Vec<String>]| lines.iter().map(Vec::len).sum::<usize>();
    if total(&said) == 0 || total(&right) == 0 {
        return Score::default();
    }
    let (mut left, mut unused) = (counts(&right), counts(&said));
    let mut hits = 0;
    for line in &right {
        let mut union: Vec<usize> = said.iter().flat_map(|other| last_places(line, other)).collect();
        union.sort_unstable();
        union.dedup();
        for token in union.into_iter().filter_map(|place| line.get(place)) {
            let (Some(one), Some(other)) = (left.get_mut(token.as_str()), unused.get_mut(token.as_str())) else {
                continue;
            };
            if *one > 0 && *other > 0 {
                (*one, *other) = (*one - 1, *other - 1);
                hits += 1;
            }
        }
    }
    Score::new(hits, total(&said), total(&right))
}

fn counts(lines: &[Vec<String>]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for token in lines.iter().flatten() {
        *counts.entry(token.as_str()).or_default() += 1;
    }
    counts
}

/// Places in `line` of a common subsequence: where tokens differ, back in `other` only when that keeps more.
fn last_places(line: &[String], other: &[String]) -> Vec<usize> {
    super::rouge::common(line, other)
}
