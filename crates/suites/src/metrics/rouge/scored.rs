//! Package `rouge_score` 0.1.2: lower-case runs of ASCII letters and digits, bags of n-grams, plain LCS.
//!
//! Text of other scripts has no tokens and scores 0, as upstream.

use super::vocabulary::{Vocabulary, ngrams, shared};
use super::{Prf, porter};
use crate::metrics::lcs;

/// Whether words are stemmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stemmer {
    /// As they are (L-Eval).
    None,
    /// Words of more than three letters by Porter's rules (HELMET).
    Porter,
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
    let (reference, candidate) = pair(reference, candidate, stemmer);
    Scores {
        rouge1: grams(&reference, &candidate, 1),
        rouge2: grams(&reference, &candidate, 2),
        rouge_l: longest(&reference, &candidate),
    }
}

/// rouge1 (`order` 1) or rouge2 (`order` 2) alone.
#[must_use]
pub fn rouge_n(reference: &str, candidate: &str, order: usize, stemmer: Stemmer) -> Prf {
    let (reference, candidate) = pair(reference, candidate, stemmer);
    grams(&reference, &candidate, order.clamp(1, 2))
}

/// rougeL alone.
#[must_use]
pub fn rouge_l(reference: &str, candidate: &str, stemmer: Stemmer) -> Prf {
    let (reference, candidate) = pair(reference, candidate, stemmer);
    longest(&reference, &candidate)
}

fn pair(reference: &str, candidate: &str, stemmer: Stemmer) -> (Vec<u32>, Vec<u32>) {
    let mut words = Words::new(stemmer);
    (words.tokens(reference), words.tokens(candidate))
}

fn grams(reference: &[u32], candidate: &[u32], order: usize) -> Prf {
    let (reference, candidate) = (ngrams(reference, order), ngrams(candidate, order));
    Prf::of(shared(&reference, &candidate), candidate.len(), reference.len())
}

fn longest(reference: &[u32], candidate: &[u32]) -> Prf {
    Prf::of(lcs::length(reference, candidate), candidate.len(), reference.len())
}

/// Numbers the words, or their stems, of several texts.
pub(super) struct Words {
    stemmer: Stemmer,
    vocabulary: Vocabulary,
    raw: Vocabulary,
    /// Number of a raw word to the number of its stem.
    stems: Vec<u32>,
}

impl Words {
    pub(super) fn new(stemmer: Stemmer) -> Self {
        Self { stemmer, vocabulary: Vocabulary::default(), raw: Vocabulary::default(), stems: Vec::new() }
    }

    /// How many different words there are so far.
    pub(super) fn vocabulary(&self) -> usize {
        self.vocabulary.len()
    }

    /// The package's tokens of a text.
    pub(super) fn tokens(&mut self, text: &str) -> Vec<u32> {
        let text = text.to_lowercase();
        let is_outside = |scalar: char| !scalar.is_ascii_lowercase() && !scalar.is_ascii_digit();
        text.split(is_outside).filter(|word| !word.is_empty()).map(|word| self.id(word)).collect()
    }

    fn id(&mut self, word: &str) -> u32 {
        if self.stemmer == Stemmer::None {
            return self.vocabulary.id(word);
        }
        let raw = self.raw.id(word) as usize;
        if let Some(&stem) = self.stems.get(raw) {
            return stem;
        }
        let stem = if word.len() > 3 { self.vocabulary.id(&porter::stem(word)) } else { self.vocabulary.id(word) };
        self.stems.push(stem);
        stem
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lsum::lsum;
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

    #[test]
    fn stems_meet() {
        let plain = score("the results were improved", "the result improves", Stemmer::None);
        let stemmed = score("the results were improved", "the result improves", Stemmer::Porter);
        assert_eq!(plain.rouge1.recall, 0.25);
        assert_eq!((stemmed.rouge1.recall, stemmed.rouge_l.precision), (0.75, 1.0));
        assert_eq!(stemmed.rouge2.precision, 0.5);
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(
            candidate in "\\PC{0,60}|[abc\\n ]{0,60}",
            reference in "\\PC{0,60}|[abc\\n ]{0,60}",
        ) {
            for stemmer in [Stemmer::None, Stemmer::Porter] {
                let scores = score(&reference, &candidate, stemmer);
                for prf in [scores.rouge1, scores.rouge2, scores.rouge_l, lsum(&reference, &candidate, stemmer)] {
                    prop_assert!((0.0..=1.0).contains(&prf.f) && (0.0..=1.0).contains(&prf.precision));
                }
            }
        }
    }
}
