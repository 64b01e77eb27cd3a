//! Package `rouge_score` 0.1.2 (google-research): runs of ASCII letters and digits, bags of n-grams.
//!
//! Text in other scripts has no words here and scores 0.

use std::collections::HashSet;

use super::lcs::Columns;
use super::porter;
use super::vocabulary::{Vocabulary, ngrams, shared};
use crate::metrics::overlap::Overlap;

/// What happens to words of more than three letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stemming {
    /// Nothing.
    Off,
    /// Porter's stemmer with NLTK's extensions.
    Porter,
}

/// The scores of the package that need no sentences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RougeScore {
    /// Words.
    pub rouge1: Overlap,
    /// Pairs of words.
    pub rouge2: Overlap,
    /// Longest common subsequence.
    pub rouge_l: Overlap,
}

/// rouge1, rouge2 and rougeL.
#[must_use]
pub fn rouge(reference: &str, answer: &str, stemming: Stemming) -> RougeScore {
    let pair = Pair::of(reference, answer, stemming);
    RougeScore { rouge1: pair.n(1), rouge2: pair.n(2), rouge_l: pair.l() }
}

/// rouge1 (`order` 1) or rouge2 (`order` 2) alone.
#[must_use]
pub fn rouge_n(reference: &str, answer: &str, order: usize, stemming: Stemming) -> Overlap {
    Pair::of(reference, answer, stemming).n(order.clamp(1, 2))
}

/// rougeL alone.
#[must_use]
pub fn rouge_l(reference: &str, answer: &str, stemming: Stemming) -> Overlap {
    Pair::of(reference, answer, stemming).l()
}

/// rougeLsum, sentences split at newlines: union of longest common subsequences, each word used once.
#[must_use]
pub fn rouge_lsum(reference: &str, answer: &str, stemming: Stemming) -> Overlap {
    let mut words = Words::new(stemming);
    let reference = words.sentences(reference);
    let answer = words.sentences(answer);
    let count = |sentences: &[Vec<u32>]| sentences.iter().map(Vec::len).sum::<usize>();
    let hits = hits(&reference, &answer, words.vocabulary.len());
    Overlap::of(hits, count(&answer), count(&reference))
}

/// F1 of [`rouge_lsum`] without stemming, 0..1.
#[must_use]
pub fn lsum(reference: &str, candidate: &str) -> f64 {
    rouge_lsum(reference, candidate, Stemming::Off).f1
}

struct Pair {
    reference: Vec<u32>,
    answer: Vec<u32>,
    vocabulary: usize,
}

impl Pair {
    fn of(reference: &str, answer: &str, stemming: Stemming) -> Self {
        let mut words = Words::new(stemming);
        let reference = words.tokens(reference);
        let answer = words.tokens(answer);
        Self { reference, answer, vocabulary: words.vocabulary.len() }
    }

    fn n(&self, order: usize) -> Overlap {
        let (answer, reference) = (ngrams(&self.answer, order), ngrams(&self.reference, order));
        Overlap::of(shared(&answer, &reference), answer.len(), reference.len())
    }

    fn l(&self) -> Overlap {
        let mut columns = Columns::new(self.vocabulary);
        columns.set(&self.reference);
        Overlap::of(columns.length(&self.answer), self.answer.len(), self.reference.len())
    }
}

/// Numbers the words of both texts.
struct Words {
    stemming: Stemming,
    vocabulary: Vocabulary,
    /// Raw word to the number of its stem.
    stems: Vec<u32>,
    raw: Vocabulary,
}

impl Words {
    fn new(stemming: Stemming) -> Self {
        Self { stemming, vocabulary: Vocabulary::default(), stems: Vec::new(), raw: Vocabulary::default() }
    }

    fn tokens(&mut self, text: &str) -> Vec<u32> {
        let text = text.to_lowercase();
        let is_outside = |scalar: char| !scalar.is_ascii_lowercase() && !scalar.is_ascii_digit();
        text.split(is_outside).filter(|word| !word.is_empty()).map(|word| self.id(word)).collect()
    }

    fn sentences(&mut self, text: &str) -> Vec<Vec<u32>> {
        text.split('\n').filter(|line| !line.is_empty()).map(|line| self.tokens(line)).collect()
    }

    fn id(&mut self, word: &str) -> u32 {
        if self.stemming == Stemming::Off {
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

fn hits(reference: &[Vec<u32>], answer: &[Vec<u32>], vocabulary: usize) -> usize {
    let counts = |sentences: &[Vec<u32>]| {
        let mut counts = vec![0_usize; vocabulary];
        for slot in sentences.iter().flatten().filter_map(|&token| usize::try_from(token).ok()) {
            if let Some(count) = counts.get_mut(slot) {
                *count += 1;
            }
        }
        counts
    };
    let (mut left, mut right) = (counts(reference), counts(answer));
    let answer: HashSet<&Vec<u32>> = answer.iter().collect();
    let mut columns = Columns::new(vocabulary);
    let mut hits = 0;
    for sentence in reference {
        columns.set(sentence);
        let mut on_path = vec![false; sentence.len()];
        for other in &answer {
            columns.trace(other, |_, column| {
                if let Some(slot) = on_path.get_mut(column) {
                    *slot = true;
                }
            });
        }
        for &token in sentence.iter().zip(&on_path).filter(|(_, on_path)| **on_path).map(|(token, _)| token) {
            let (Some(a), Some(b)) = (left.get_mut(token as usize), right.get_mut(token as usize)) else { continue };
            if *a > 0 && *b > 0 {
                (*a, *b) = (*a - 1, *b - 1);
                hits += 1;
            }
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_texts_score_one_and_disjoint_ones_nothing() {
        assert_eq!(lsum("One two.\nThree", "one TWO\nthree!"), 1.0);
        assert_eq!(lsum("one", "two"), 0.0);
        assert_eq!(lsum("", "two"), 0.0);
        assert_eq!(rouge_l("中文 摘要", "中文 摘要", Stemming::Off).f1, 0.0);
    }

    #[test]
    fn stems_meet() {
        let plain = rouge("the results were improved", "the result improves", Stemming::Off);
        let stemmed = rouge("the results were improved", "the result improves", Stemming::Porter);
        assert_eq!(plain.rouge1.recall, 0.25);
        assert_eq!((stemmed.rouge1.recall, stemmed.rouge_l.precision), (0.75, 1.0));
        assert_eq!(stemmed.rouge2.precision, 0.5);
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(answer in "\\PC{0,60}|[abc\\n ]{0,60}", reference in "\\PC{0,60}|[abc\\n ]{0,60}") {
            for stemming in [Stemming::Off, Stemming::Porter] {
                let scores = rouge(&reference, &answer, stemming);
                for overlap in [scores.rouge1, scores.rouge2, scores.rouge_l, rouge_lsum(&reference, &answer, stemming)] {
                    prop_assert!((0.0..=1.0).contains(&overlap.f1) && (0.0..=1.0).contains(&overlap.precision));
                }
            }
        }
    }
}
