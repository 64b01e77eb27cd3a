//! rougeLsum as the `rouge_score` package computes it: sentences split at newlines.

use std::collections::{BTreeSet, HashMap};

use super::Prf;
use super::scored::{Stemmer, prf};

/// Summary-level longest common subsequence.
#[must_use]
pub fn lsum(reference: &str, candidate: &str, stemmer: Stemmer) -> Prf {
    let (reference, candidate) = (sentences(reference, stemmer), sentences(candidate, stemmer));
    let (m, n) = (reference.iter().map(Vec::len).sum::<usize>(), candidate.iter().map(Vec::len).sum::<usize>());
    if m == 0 || n == 0 {
        return Prf::default();
    }
    prf(hits(&reference, &candidate), m, n)
}

/// The package's tokens per non-empty line.
fn sentences(text: &str, stemmer: Stemmer) -> Vec<Vec<String>> {
    text.split('\n').filter(|line| !line.is_empty()).map(|line| stemmer.tokens(line)).collect()
}

fn counts(sentences: &[Vec<String>]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for token in sentences.iter().flatten() {
        *counts.entry(token.as_str()).or_default() += 1;
    }
    counts
}

fn hits(reference: &[Vec<String>], candidate: &[Vec<String>]) -> usize {
    let (mut left, mut right) = (counts(reference), counts(candidate));
    let mut hits = 0;
    for sentence in reference {
        let union: BTreeSet<usize> = candidate.iter().flat_map(|other| common(sentence, other)).collect();
        for token in union.into_iter().filter_map(|index| sentence.get(index)) {
            let (Some(a), Some(b)) = (left.get_mut(token.as_str()), right.get_mut(token.as_str())) else { continue };
            if *a > 0 && *b > 0 {
                (*a, *b) = (*a - 1, *b - 1);
                hits += 1;
            }
        }
    }
    hits
}

/// Indices in `reference` of one longest common subsequence, chosen as the package backtracks.
fn common(reference: &[String], candidate: &[String]) -> Vec<usize> {
    let width = candidate.len() + 1;
    let mut table = vec![0_u32; (reference.len() + 1) * width];
    let cell = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or_default();
    for (i, token) in (1..).zip(reference) {
        for (j, other) in (1..).zip(candidate) {
            let value = if token == other {
                cell(&table, i - 1, j - 1) + 1
            } else {
                cell(&table, i - 1, j).max(cell(&table, i, j - 1))
            };
            if let Some(slot) = table.get_mut(i * width + j) {
                *slot = value;
            }
        }
    }
    let (mut i, mut j, mut indices) = (reference.len(), candidate.len(), Vec::new());
    while i > 0 && j > 0 {
        if reference.get(i - 1) == candidate.get(j - 1) {
            (i, j) = (i - 1, j - 1);
            indices.push(i);
        } else if cell(&table, i, j - 1) > cell(&table, i - 1, j) {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_score_one_and_disjoint_ones_nothing() {
        assert_eq!(lsum("One two.\nThree", "one TWO\nthree!", Stemmer::None).f, 1.0);
        assert_eq!(lsum("one", "two", Stemmer::None).f, 0.0);
        assert_eq!(lsum("", "two", Stemmer::None).f, 0.0);
    }
}
