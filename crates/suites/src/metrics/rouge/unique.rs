//! Package `rouge` 1.0.1 (pltrdy/rouge): sentences split at `.`, n-grams and words as sets, summary-level union LCS.

use super::Prf;
use super::vocabulary::{Vocabulary, ngrams, shared};
use crate::metrics::lcs::Columns;
use crate::metrics::python_text::words;

/// The package adds this to the denominator of F1, so that equal texts score 0.999999995.
const DAMPING: f64 = 1e-8;

/// The three scores of one pair.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    /// Different words.
    pub rouge1: Prf,
    /// Different pairs of words, across sentences too.
    pub rouge2: Prf,
    /// Different words on longest common subsequences of pairs of sentences.
    pub rouge_l: Prf,
}

/// All scores. `None` where the package raises: a side that is empty or only dots.
///
/// The package also fails where one sentence has more than about 1,000 words (recursion); this one does not.
#[must_use]
pub fn score(reference: &str, candidate: &str) -> Option<Scores> {
    let pair = Pair::of(candidate, reference)?;
    Some(Scores { rouge1: pair.n(1), rouge2: pair.n(2), rouge_l: pair.l() })
}

/// ROUGE-L alone. `None` as in [`score`].
#[must_use]
pub fn rouge_l(reference: &str, candidate: &str) -> Option<Prf> {
    Some(Pair::of(candidate, reference)?.l())
}

struct Pair {
    candidate: Sentences,
    reference: Sentences,
    vocabulary: usize,
}

impl Pair {
    fn of(candidate: &str, reference: &str) -> Option<Self> {
        let mut vocabulary = Vocabulary::default();
        let candidate = Sentences::of(candidate, &mut vocabulary)?;
        let reference = Sentences::of(reference, &mut vocabulary)?;
        Some(Self { candidate, reference, vocabulary: vocabulary.len() })
    }

    fn n(&self, order: usize) -> Prf {
        let (candidate, reference) = (distinct(&self.candidate.words, order), distinct(&self.reference.words, order));
        Prf::damped(shared(&candidate, &reference), candidate.len(), reference.len(), DAMPING)
    }

    fn l(&self) -> Prf {
        let (candidate, reference) = (distinct(&self.candidate.words, 1), distinct(&self.reference.words, 1));
        Prf::damped(self.union(shared(&candidate, &reference)), candidate.len(), reference.len(), DAMPING)
    }

    /// How many of the `common` words stand on a longest common subsequence of two sentences.
    ///
    /// Pairs that cannot add a word are passed over, and all pairs once no word is missing.
    fn union(&self, common: usize) -> usize {
        let mut found = vec![false; self.vocabulary];
        let mut count = 0;
        let mut columns = Columns::new(self.vocabulary);
        for piece in self.candidate.distinct() {
            if count == common {
                break;
            }
            columns.set(piece);
            for reference in self.reference.iter() {
                let missing = |token: &u32| columns.has(*token) && found.get(*token as usize) == Some(&false);
                if !reference.iter().any(missing) {
                    continue;
                }
                columns.trace(reference, |row, _| {
                    let slot = reference.get(row).and_then(|&token| found.get_mut(token as usize));
                    if let Some(slot) = slot.filter(|slot| !**slot) {
                        *slot = true;
                        count += 1;
                    }
                });
            }
        }
        count
    }
}

fn distinct(words: &[u32], order: usize) -> Vec<u64> {
    let mut grams = ngrams(words, order);
    grams.dedup();
    grams
}

/// The words of a text, and where its sentences end.
struct Sentences {
    words: Vec<u32>,
    ends: Vec<usize>,
}

impl Sentences {
    /// A piece of white space is one empty word.
    fn of(text: &str, vocabulary: &mut Vocabulary) -> Option<Self> {
        let mut sentences = Self { words: Vec::new(), ends: Vec::new() };
        for piece in text.split('.').filter(|piece| !piece.is_empty()) {
            let before = sentences.words.len();
            sentences.words.extend(words(piece).map(|word| vocabulary.id(word)));
            if sentences.words.len() == before {
                sentences.words.push(vocabulary.id(""));
            }
            sentences.ends.push(sentences.words.len());
        }
        if sentences.ends.is_empty() { None } else { Some(sentences) }
    }

    fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.words.get(start..end).unwrap_or_default())
    }

    fn distinct(&self) -> Vec<&[u32]> {
        let mut sentences: Vec<&[u32]> = self.iter().collect();
        sentences.sort_unstable();
        sentences.dedup();
        sentences
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_texts_miss_one_by_the_damping() {
        let scores = score("One two. Three four", "One two. Three four").unwrap();
        assert!((scores.rouge_l.f - 0.999_999_995).abs() < 1e-12);
        assert_eq!((scores.rouge1.recall, scores.rouge2.precision), (1.0, 1.0));
    }

    #[test]
    fn repeats_and_case_count_as_the_package_counts_them() {
        let scores = score("a b", "a a a b").unwrap();
        assert_eq!((scores.rouge1.precision, scores.rouge_l.recall), (1.0, 1.0));
        assert_eq!(rouge_l("A", "a").unwrap().f, 0.0);
    }

    #[test]
    fn nothing_and_dots_raise() {
        assert_eq!(score("a", "..."), None);
        assert_eq!(score("", "a"), None);
        assert!(score("a", " ").is_some());
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(answer in "\\PC{0,80}|[ab. ]{0,80}", reference in "\\PC{0,80}|[ab. ]{0,80}") {
            if let Some(scores) = score(&reference, &answer) {
                for overlap in [scores.rouge1, scores.rouge2, scores.rouge_l] {
                    prop_assert!((0.0..=1.0).contains(&overlap.f) && (0.0..=1.0).contains(&overlap.recall));
                }
                prop_assert!(scores.rouge_l.recall <= scores.rouge1.recall);
            }
        }
    }
}
