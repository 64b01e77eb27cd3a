//! Package `rouge_score` 0.1.2 without stemmer: lower-case runs of ASCII letters and digits, bags of n-grams, plain LCS.
//!
//! Text of other scripts has no tokens and scores 0, as upstream.

use std::collections::HashMap;

use super::{Numbers, Prf, share};
use crate::metrics::lcs;

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
pub fn score(reference: &str, candidate: &str) -> Scores {
    let (reference, candidate) = (reference.to_lowercase(), candidate.to_lowercase());
    let mut numbers = Numbers::new();
    let mut read = |text| tokens(text).map(|token| numbers.of(token)).collect::<Vec<u32>>();
    of_tokens(&read(&reference), &read(&candidate))
}

/// Scores token lists, e.g. stemmed ones; equal numbers are equal tokens.
#[must_use]
pub fn of_tokens(reference: &[u32], candidate: &[u32]) -> Scores {
    Scores {
        rouge1: ngrams(reference, candidate, 1),
        rouge2: ngrams(reference, candidate, 2),
        rouge_l: prf(lcs::length(reference, candidate), reference.len(), candidate.len()),
    }
}

/// The package's tokens of lower-cased text.
pub fn tokens(lower: &str) -> impl Iterator<Item = &str> {
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
        let scores = score("the cat sat on the mat", "The cat, the mat!");
        assert_eq!(scores.rouge1.precision, 1.0);
        assert!((scores.rouge1.recall - 4.0 / 6.0).abs() < 1e-12);
        assert!((scores.rouge2.f - 0.5).abs() < 1e-12);
        assert_eq!(scores.rouge_l.precision, 1.0);
        assert_eq!(score("天下大势", "天下大势"), Scores::default());
        assert_eq!(score("", ""), Scores::default());
    }
}
