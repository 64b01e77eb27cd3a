//! Package `rouge_score` 0.1.2: lower-case runs of ASCII letters and digits, bags of n-grams, plain LCS.
//!
//! Text of other scripts has no tokens and scores 0, as upstream.

use std::collections::HashMap;

use super::{Numbers, Prf, porter, share};
use crate::metrics::lcs;

/// Whether words are stemmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stemmer {
    /// As they are (L-Eval).
    None,
    /// Words of more than three letters by Porter's rules (HELMET).
    Porter,
}

impl Stemmer {
    /// The package's tokens of a text.
    pub(super) fn tokens(self, text: &str) -> Vec<String> {
        let stemmed = |token: &str| match self {
            Self::Porter if token.len() > 3 => porter::stem(token),
            _ => token.to_owned(),
        };
        tokens(&text.to_lowercase()).map(stemmed).collect()
    }
}

/// rouge1, rouge2 and rougeL of one pair.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    /// Unigrams.
    pub rouge1: Prf,
    /// Bigrams.
    pub rouge2: Prf,
    /// Longest common subsequence.
    pub rouge_l: Prf,
}

/// Scores `candidate` against `reference`.
#[must_use]
pub fn score(reference: &str, candidate: &str, stemmer: Stemmer) -> Scores {
    if stemmer == Stemmer::Porter {
        let (reference, candidate) = (stemmer.tokens(reference), stemmer.tokens(candidate));
        return numbered(reference.iter().map(String::as_str), candidate.iter().map(String::as_str));
    }
    let (reference, candidate) = (reference.to_lowercase(), candidate.to_lowercase());
    numbered(tokens(&reference), tokens(&candidate))
}

fn numbered<'a>(reference: impl Iterator<Item = &'a str>, candidate: impl Iterator<Item = &'a str>) -> Scores {
    let mut numbers = Numbers::new();
    let reference: Vec<u32> = reference.map(|token| numbers.of(token)).collect();
    let candidate: Vec<u32> = candidate.map(|token| numbers.of(token)).collect();
    Scores {
        rouge1: ngrams(&reference, &candidate, 1),
        rouge2: ngrams(&reference, &candidate, 2),
        rouge_l: prf(lcs::length(&reference, &candidate), reference.len(), candidate.len()),
    }
}

/// The package's tokens of lower-cased text.
fn tokens(lower: &str) -> impl Iterator<Item = &str> {
    lower
        .split(|scalar: char| !scalar.is_ascii_lowercase() && !scalar.is_ascii_digit())
        .filter(|token| !token.is_empty())
}

fn ngrams(reference: &[u32], candidate: &[u32], n: usize) -> Prf {
    let mut left: HashMap<&[u32], usize> = HashMap::new();
    for gram in reference.windows(n) {
        *left.entry(gram).or_default() += 1;
    }
    let mut hits = 0;
    for gram in candidate.windows(n) {
        if let Some(count) = left.get_mut(gram).filter(|count| **count > 0) {
            *count -= 1;
            hits += 1;
        }
    }
    let count = |tokens: &[u32]| (tokens.len() + 1).saturating_sub(n);
    // The package divides by at least one.
    prf(hits, count(reference).max(1), count(candidate).max(1))
}

pub(super) fn prf(hits: usize, reference: usize, candidate: usize) -> Prf {
    let (precision, recall) = (share(hits, candidate), share(hits, reference));
    let f = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
    Prf { precision, recall, f }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bags_and_subsequences() {
        let scores = score("the cat sat on the mat", "The cat, the mat!", Stemmer::None);
        assert_eq!(scores.rouge1.precision, 1.0);
        assert!((scores.rouge1.recall - 4.0 / 6.0).abs() < 1e-12);
        assert!((scores.rouge2.f - 0.5).abs() < 1e-12);
        assert_eq!(scores.rouge_l.precision, 1.0);
        assert_eq!(score("天下大势", "天下大势", Stemmer::None), Scores::default());
        assert_eq!(score("", "", Stemmer::Porter), Scores::default());
    }
}
