//! The filters on passages of knowledge: which are kept, and how sure it is that they are true.

use std::collections::BTreeSet;

use longboard_suites::rng::Rng;
use longboard_suites::{bm25, chunk};

/// Characters of a passage that its references are looked for with.
const QUERY_CHARACTERS: usize = 100;

/// References beside the empty one.
const REFERENCES: usize = 3;

/// Sentences of a reference.
const SENTENCES: usize = 5;

/// Canonical tokens of the chunks that references are taken from.
const CHUNK_TOKENS: u32 = 256;

/// How a passage stands to a reference, all in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stance {
    /// The reference supports it.
    pub support: f64,
    /// The reference refutes it.
    pub refute: f64,
    /// It holds whatever the reference says.
    pub factual: f64,
}

/// `max ((support - refute + 1) / 2 + factual) / 2` over the references.
pub(super) fn factuality(stances: impl IntoIterator<Item = Stance>) -> f64 {
    let score = |stance: Stance| f64::midpoint(f64::midpoint(stance.support - stance.refute, 1.0), stance.factual);
    stances.into_iter().map(score).fold(0.0, f64::max)
}

/// Judges passages by the words that they share with a document.
pub(super) struct Lexical<'a> {
    chunks: Vec<&'a str>,
    index: bm25::Index,
    words: BTreeSet<String>,
}

impl<'a> Lexical<'a> {
    pub fn new(document: &'a str) -> Self {
        let chunks = chunk::texts(document, CHUNK_TOKENS);
        let (index, words) = (bm25::Index::new(&chunks), bm25::words(document).into_iter().collect());
        Self { chunks, index, words }
    }

    /// The factuality of a passage: the references are the empty one and the starts of the chunks that fit it best.
    pub fn factuality(&self, passage: &str) -> f64 {
        let query: String = passage.chars().take(QUERY_CHARACTERS).collect();
        let scores = self.index.scores(&query);
        let found =
            bm25::ranked(&scores).into_iter().filter(|place| scores.get(*place).is_some_and(|score| *score > 0.0));
        let references = found.take(REFERENCES).filter_map(|place| self.chunks.get(place)).map(|chunk| opening(chunk));
        let factual = shared(passage, &self.words);
        let against = |reference: &str| {
            let words = bm25::words(reference).into_iter().collect();
            Stance { support: shared(passage, &words), refute: 0.0, factual }
        };
        factuality(std::iter::once("").chain(references).map(against))
    }
}

/// The share of the passage's different words that are among `words`.
fn shared(passage: &str, words: &BTreeSet<String>) -> f64 {
    let told: BTreeSet<String> = bm25::words(passage).into_iter().collect();
    let found = told.intersection(words).count();
    found as f64 / told.len().max(1) as f64
}

/// The first sentences of a chunk.
fn opening(chunk: &str) -> &str {
    let ends = chunk.match_indices(['.', '!', '?', '。', '！', '？']).map(|(at, mark)| at + mark.len());
    ends.take(SENTENCES).last().and_then(|end| chunk.get(..end)).unwrap_or(chunk)
}

/// `count` indices drawn with replacement from the `2 * count` highest scores, each in proportion to its score; of equal
/// scores the lower index is in. Empty where there is none to draw from.
pub(super) fn draw(scores: &[f64], count: usize, rng: &mut Rng) -> Vec<usize> {
    let pool: Vec<(usize, f64)> = bm25::ranked(scores)
        .into_iter()
        .take(count.saturating_mul(2))
        .filter_map(|place| Some((place, scores.get(place)?.max(0.0))))
        .collect();
    let total: f64 = pool.iter().map(|(_, score)| score).sum();
    let one = |rng: &mut Rng| {
        // Scores of nothing but zeros are as good as each other.
        if total <= 0.0 {
            return rng.choose(&pool).map(|(place, _)| *place);
        }
        let mut left = rng.unit() * total;
        let drawn = pool.iter().find(|(_, score)| {
            left -= score;
            left < 0.0
        });
        drawn.or(pool.last()).map(|(place, _)| *place)
    };
    (0..count).filter_map(|_| one(rng)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factuality_is_that_of_the_kindest_reference() {
        let stance = |support, refute| Stance { support, refute, factual: 0.5 };
        // Empty reference: ((0 - 0 + 1) / 2 + 0.5) / 2.
        assert!((factuality([stance(0.0, 0.0)]) - 0.5).abs() < 1e-12);
        assert!((factuality([stance(0.0, 0.0), stance(1.0, 0.0), stance(0.0, 1.0)]) - 0.75).abs() < 1e-12);
        assert!((factuality([stance(0.2, 0.8)]) - f64::midpoint(0.2, 0.5)).abs() < 1e-12);
    }

    #[test]
    fn what_the_document_says_is_more_factual() {
        let lexical = Lexical::new("The seal passed to Oro in 870. It rained. The miller came to Norrby in spring.");
        let (true_one, mixed, false_one) = (
            lexical.factuality("The seal passed to Oro in 870."),
            lexical.factuality("The seal passed to Edda in 871."),
            lexical.factuality("Dragons burned everything"),
        );
        assert!(
            (true_one - 1.0).abs() < 1e-12 && true_one > mixed && mixed > false_one,
            "{true_one} {mixed} {false_one}"
        );
        assert!((false_one - 0.25).abs() < 1e-12);
    }

    #[test]
    fn draws_repeat_by_seed_and_stay_among_the_best() {
        let scores: Vec<f64> = (0..20).map(|place| f64::from(place) / 20.0).collect();
        let drawn = |seed| draw(&scores, 5, &mut Rng::from_path(&[seed]));
        assert_eq!(drawn(1), drawn(1));
        let all: Vec<usize> = (0..200).flat_map(drawn).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|place| (10..20).contains(place)));
        let count = |wanted: usize| all.iter().filter(|place| **place == wanted).count() as f64;
        // Expected 1000 * score / sum of the ten best scores; three standard errors.
        let total: f64 = scores[10..].iter().sum();
        for place in [10, 19] {
            let share = scores[place] / total;
            let error = (1000.0 * share * (1.0 - share)).sqrt();
            assert!((count(place) - 1000.0 * share).abs() < 3.0 * error, "{place}: {}", count(place));
        }
        assert!(
            (0..200).any(|seed| {
                let one = drawn(seed);
                one.iter().collect::<BTreeSet<_>>().len() < 5
            }),
            "with replacement"
        );
        assert!(draw(&[], 5, &mut Rng::from_path(&[1])).is_empty());
        assert_eq!(draw(&[0.0, 0.0], 3, &mut Rng::from_path(&[1])).len(), 3);
    }
}
