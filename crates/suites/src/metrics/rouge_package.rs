//! ROUGE as the package `rouge` 1.0.1 computes it: texts cut at full stops, words as sets, in any script.

use std::collections::HashSet;

use super::lcs;
use super::python_text::words;

/// Recall of one ROUGE.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recalls {
    /// Of words.
    pub one: f64,
    /// Of pairs of words.
    pub two: f64,
    /// Of the union of common subsequences of sentences.
    pub l: f64,
}

/// The three recalls; `None` where the package raises: nothing but full stops on either side.
#[must_use]
pub fn recalls(prediction: &str, reference: &str) -> Option<Recalls> {
    let (said, right) = (sentences(prediction), sentences(reference));
    if said.is_empty() || right.is_empty() {
        return None;
    }
    let grams = |sentences: &[String], n: usize| -> HashSet<Vec<String>> {
        let all: Vec<String> = sentences.iter().flat_map(|text| text.split(' ').map(str::to_owned)).collect();
        all.windows(n).map(<[String]>::to_vec).collect()
    };
    let recall = |n: usize| {
        let (said, right) = (grams(&said, n), grams(&right, n));
        share(said.intersection(&right).count(), right.len())
    };
    let distinct: HashSet<&str> = right.iter().flat_map(|text| text.split(' ')).collect();
    let mut union: HashSet<&str> = HashSet::new();
    for line in &right {
        let line: Vec<&str> = line.split(' ').collect();
        for other in &said {
            let other: Vec<&str> = other.split(' ').collect();
            union.extend(lcs::places(&line, &other).into_iter().filter_map(|place| line.get(place).copied()));
        }
    }
    Some(Recalls { one: recall(1), two: recall(2), l: share(union.len(), distinct.len()) })
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The pieces between full stops, blanks squeezed; a blank piece stays as an empty one.
fn sentences(text: &str) -> Vec<String> {
    let pieces = text.split('.').filter(|piece| !piece.is_empty());
    pieces.map(|piece| words(piece).collect::<Vec<_>>().join(" ")).collect()
}
