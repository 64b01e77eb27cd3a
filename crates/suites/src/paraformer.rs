//! Paraformer's scoring around any embedder (Nguyen et al. 2022, arXiv 2212.13899, section 3.2; code
//! nguyenthanhasia/paraformer, `eval.py`).
//!
//! The sentences of a document are embedded one by one. A query weighs them by sparsemax of its inner products with them, and
//! the cosine with their weighted sum is mixed with BM25. The paper trains a matrix before the products and a classifier behind
//! the sum, on pairs of queries and articles; no endpoint has them, so the matrix is the identity and the cosine stands for
//! the classifier. The paper's code mixes only the ten best articles by BM25; here all documents are mixed.

use std::str::FromStr;

use crate::aggregate::{dot, normalised, sparse_attention};
use crate::chunk;

/// Share of the vectors in the score, as the code has it.
pub const ALPHA: f64 = 0.1;

/// Canonical tokens of a sentence that is embedded as one.
const LONGEST: u32 = 512;

/// A mix of weighed sentences and BM25.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paraformer {
    alpha: f64,
}

impl Default for Paraformer {
    fn default() -> Self {
        Self { alpha: ALPHA }
    }
}

impl Paraformer {
    /// With the share of vectors, 0..1; `None` for any other number.
    #[must_use]
    pub fn new(alpha: f64) -> Option<Self> {
        (0.0..=1.0).contains(&alpha).then_some(Self { alpha })
    }

    /// Name and the share of vectors where it is not [`ALPHA`]: equal labels are equal strategies.
    #[must_use]
    pub fn label(self) -> String {
        if self == Self::default() { "paraformer".to_owned() } else { format!("paraformer alpha={}", self.alpha) }
    }

    /// Sentences of a text, at least one.
    #[must_use]
    pub fn sentences(text: &str) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut start = 0;
        let mut letters = text.char_indices().peekable();
        while let Some((_, letter)) = letters.next() {
            let next = letters.peek().copied();
            let spaced = next.is_none_or(|(_, next)| next.is_whitespace());
            let ends = match letter {
                '\n' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}' => true,
                '.' | '!' | '?' => spaced,
                _ => false,
            };
            if ends || next.is_none() {
                let end = next.map_or(text.len(), |(at, _)| at);
                let sentence = text.get(start..end).unwrap_or_default().trim();
                let pieces = chunk::texts(sentence, LONGEST).into_iter().filter(|piece| !piece.trim().is_empty());
                sentences.extend(pieces.map(str::to_owned));
                start = end;
            }
        }
        if sentences.is_empty() { vec![text.to_owned()] } else { sentences }
    }

    /// Score of a document for a query: `alpha` times the cosine of the query's unit vector with the sum of the sentences'
    /// unit vectors under its weights, plus the rest times BM25 (`lexical`) as it is.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "rankings are in single precision")]
    pub fn score(self, query: &[f32], sentences: &[Vec<f32>], lexical: f64) -> f32 {
        let deep = f64::from(dot(query, &normalised(sparse_attention(query, sentences, None))));
        (self.alpha * deep + (1.0 - self.alpha) * lexical) as f32
    }
}

impl FromStr for Paraformer {
    type Err = String;

    /// Reads what [`Paraformer::label`] writes.
    fn from_str(label: &str) -> Result<Self, String> {
        let mut parts = label.split_whitespace();
        if parts.next() != Some("paraformer") {
            return Err(format!("`{label}` is not paraformer"));
        }
        let mut found = Self::default();
        for part in parts {
            let value = part.strip_prefix("alpha=").ok_or_else(|| {
                let name = part.split('=').next().unwrap_or_default();
                format!("paraformer has no parameter `{name}`; it has alpha")
            })?;
            let refused = || format!("alpha of paraformer must be a number from 0 to 1, not {value}");
            found = value.parse().ok().and_then(Self::new).ok_or_else(refused)?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_label_is_read_back() {
        for (label, alpha) in [("paraformer", 0.1), ("paraformer alpha=0.5", 0.5), ("paraformer alpha=0.1", 0.1)] {
            let read: Paraformer = label.parse().unwrap();
            assert_eq!(read, Paraformer::new(alpha).unwrap());
            assert_eq!(read.label().parse(), Ok(read));
        }
        let refusal = |label: &str| label.parse::<Paraformer>().unwrap_err();
        assert_eq!(refusal("paraformer budget=3"), "paraformer has no parameter `budget`; it has alpha");
        for value in ["2", "-0.1", "x", "NaN", ""] {
            assert!(refusal(&format!("paraformer alpha={value}")).contains("from 0 to 1"), "{value}");
        }
    }

    #[test]
    fn a_query_weighs_the_sentence_that_it_asks_for() {
        let sentences = [vec![1.0, 0.0], vec![0.0, 1.0], vec![-1.0, 0.0]];
        let deep = Paraformer::new(1.0).unwrap();
        assert!((deep.score(&[1.0, 0.0], &sentences, 7.0) - 1.0).abs() < 1e-6, "one sentence alone has weight");
        let lexical = Paraformer::new(0.0).unwrap();
        assert_eq!(lexical.score(&[1.0, 0.0], &sentences, 7.0), 7.0);
        let mixed = Paraformer::default().score(&[1.0, 0.0], &sentences, 7.0);
        assert!((mixed - (0.1 + 6.3)).abs() < 1e-5, "{mixed}");
    }

    #[test]
    fn sentences_end_at_marks_and_lines() {
        assert_eq!(Paraformer::sentences("It is 3.5 m. Is it?\nYes\n\n"), ["It is 3.5 m.", "Is it?", "Yes"]);
        assert_eq!(
            Paraformer::sentences("\u{7b2c}\u{4e00}\u{3002}\u{7b2c}\u{4e8c}"),
            ["\u{7b2c}\u{4e00}\u{3002}", "\u{7b2c}\u{4e8c}"]
        );
        assert_eq!(Paraformer::sentences(" \n"), [" \n"]);
    }

    proptest! {
        #[test]
        fn order_is_nothing_and_vectors_count_at_most_their_share(
            query in proptest::collection::vec(-1.0_f32..1.0, 4),
            sentences in proptest::collection::vec(proptest::collection::vec(-1.0_f32..1.0, 4), 1..8),
            alpha in 0.0_f64..=1.0,
            lexical in 0.0_f64..20.0,
        ) {
            prop_assume!(dot(&query, &query) > 1e-3);
            let (mix, query) = (Paraformer::new(alpha).unwrap(), normalised(query));
            let sentences: Vec<Vec<f32>> = sentences.into_iter().map(normalised).collect();
            let score = mix.score(&query, &sentences, lexical);
            let turned: Vec<Vec<f32>> = sentences.iter().rev().cloned().collect();
            prop_assert!((score - mix.score(&query, &turned, lexical)).abs() < 1e-3);
            let rest = (1.0 - alpha) * lexical;
            prop_assert!((f64::from(score) - rest).abs() <= alpha + 1e-4);
            if let [only] = sentences.as_slice() {
                prop_assert!((f64::from(score) - (alpha * f64::from(dot(&query, only)) + rest)).abs() < 1e-4);
            }
        }

        #[test]
        fn sentences_hold_every_word(text in "([a-z]{1,5}[ .!?\n]){0,60}") {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let found: Vec<String> = Paraformer::sentences(&text).iter().flat_map(|sentence| words(sentence)).collect();
            prop_assert_eq!(found, words(&text));
        }
    }
}
