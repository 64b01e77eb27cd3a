//! Package `rouge` 1.0.1: sets of words, so that repeats never count, and a union of subsequences over the pieces
//! between full stops. Any script; no stemming.
//!
//! Upstream's backtracking is recursive and fails beyond about 1,000 words in one piece; ours does not.

use std::collections::HashSet;

use super::{Numbers, Prf, share};
use crate::metrics::lcs;
use crate::metrics::python_text::words;

/// rouge-1, rouge-2 and rouge-l of one pair.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    /// Words.
    pub rouge1: Prf,
    /// Pairs of words.
    pub rouge2: Prf,
    /// Union of longest common subsequences.
    pub rouge_l: Prf,
}

/// Scores `candidate` against `reference`; `None` where upstream raises, because one of them has nothing but full stops.
#[must_use]
pub fn score(reference: &str, candidate: &str) -> Option<Scores> {
    let (reference, candidate) = (pieces(reference), pieces(candidate));
    if reference.is_empty() || candidate.is_empty() {
        return None;
    }
    let mut numbers = Numbers::new();
    let [reference, candidate] = [&reference, &candidate].map(|pieces| {
        pieces.iter().map(|piece| piece.split(' ').map(|word| numbers.of(word)).collect()).collect::<Vec<Vec<u32>>>()
    });
    let (one, other) = (reference.concat(), candidate.concat());
    Some(Scores {
        rouge1: sets(&one, &other, 1),
        rouge2: sets(&one, &other, 2),
        rouge_l: prf(union(&reference, &candidate), unique(&one), unique(&other)),
    })
}

/// Text between full stops, white space collapsed. A piece of white space alone stays as one empty word.
fn pieces(text: &str) -> Vec<String> {
    text.split('.').filter(|piece| !piece.is_empty()).map(|piece| words(piece).collect::<Vec<_>>().join(" ")).collect()
}

fn unique(words: &[u32]) -> usize {
    words.iter().collect::<HashSet<_>>().len()
}

fn sets(reference: &[u32], candidate: &[u32], n: usize) -> Prf {
    let reference: HashSet<&[u32]> = reference.windows(n).collect();
    let candidate: HashSet<&[u32]> = candidate.windows(n).collect();
    prf(reference.intersection(&candidate).count(), reference.len(), candidate.len())
}

/// Words of the references that lie on a longest common subsequence with some piece of the candidate.
fn union(reference: &[Vec<u32>], candidate: &[Vec<u32>]) -> usize {
    let mut found: HashSet<u32> = HashSet::new();
    for piece in reference {
        for other in candidate {
            found.extend(lcs::words(piece, other));
        }
    }
    found.len()
}

fn prf(hits: usize, reference: usize, candidate: usize) -> Prf {
    let (precision, recall) = (share(hits, candidate), share(hits, reference));
    Prf { precision, recall, f: 2.0 * precision * recall / (precision + recall + 1e-8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_never_count_and_dots_split() {
        let scores = score("a b. c", "a a a b").unwrap();
        assert!((scores.rouge1.precision - 1.0).abs() < 1e-12 && (scores.rouge1.recall - 2.0 / 3.0).abs() < 1e-12);
        assert!((scores.rouge_l.recall - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(score("a", "..."), None);
        let perfect = score("one two", "one two").unwrap();
        assert!((perfect.rouge_l.f - 0.999_999_995).abs() < 1e-12);
    }
}
