//! rougeLsum as the `rouge_score` package computes it: sentences split at newlines.

use std::collections::HashSet;

use super::Prf;
use super::scored::{Stemmer, Words};
use crate::metrics::lcs::Columns;

/// Summary-level longest common subsequence: the union over the lines of the candidate, each word used once.
#[must_use]
pub fn lsum(reference: &str, candidate: &str, stemmer: Stemmer) -> Prf {
    let mut words = Words::new(stemmer);
    let [reference, candidate] = [reference, candidate].map(|text| lines(text, &mut words));
    let count = |lines: &[Vec<u32>]| lines.iter().map(Vec::len).sum::<usize>();
    Prf::of(hits(&reference, &candidate, words.vocabulary()), count(&candidate), count(&reference))
}

fn lines(text: &str, words: &mut Words) -> Vec<Vec<u32>> {
    text.split('\n').filter(|line| !line.is_empty()).map(|line| words.tokens(line)).collect()
}

fn counts(lines: &[Vec<u32>], vocabulary: usize) -> Vec<usize> {
    let mut counts = vec![0; vocabulary];
    for &token in lines.iter().flatten() {
        if let Some(count) = counts.get_mut(token as usize) {
            *count += 1;
        }
    }
    counts
}

fn hits(reference: &[Vec<u32>], candidate: &[Vec<u32>], vocabulary: usize) -> usize {
    let (mut left, mut right) = (counts(reference, vocabulary), counts(candidate, vocabulary));
    let candidate: HashSet<&Vec<u32>> = candidate.iter().collect();
    let mut columns = Columns::new(vocabulary);
    let mut hits = 0;
    for line in reference {
        // A line that the candidate has too is its own longest common subsequence.
        let whole = candidate.contains(line);
        let mut on_path = vec![whole; line.len()];
        columns.set(line);
        for other in candidate.iter().filter(|_| !whole) {
            columns.trace(other, |_, column| {
                if let Some(slot) = on_path.get_mut(column) {
                    *slot = true;
                }
            });
        }
        for (&token, _) in line.iter().zip(&on_path).filter(|(_, on_path)| **on_path) {
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
    use super::*;

    #[test]
    fn equal_texts_score_one_and_disjoint_ones_nothing() {
        assert_eq!(lsum("One two.\nThree", "one TWO\nthree!", Stemmer::None).f, 1.0);
        assert_eq!(lsum("one", "two", Stemmer::None).f, 0.0);
        assert_eq!(lsum("", "two", Stemmer::None).f, 0.0);
    }
}
