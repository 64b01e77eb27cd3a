//! BLEU as nltk 3.8.1 computes it for one reference without smoothing, on white-space tokens.

use std::collections::HashMap;

use crate::metrics::python_text::words;

/// BLEU-1 and the precision of 4-grams, both with the brevity penalty, 0..1.
///
/// The official weights (0, 0, 0, 1) make the second one 4-gram precision alone, not the usual geometric mean. Without
/// a common word both are 0; without a common 4-gram the second is the smallest positive normal number.
#[must_use]
pub fn bleu1_bleu4(prediction: &str, reference: &str) -> [f64; 2] {
    let prediction = if prediction.is_empty() { "None" } else { prediction };
    let (answer, right): (Vec<&str>, Vec<&str>) = (words(prediction).collect(), words(reference).collect());
    let one = precision(&answer, &right, 1);
    if one <= 0.0 {
        return [0.0, 0.0];
    }
    let (length, wanted) = (answer.len() as f64, right.len() as f64);
    let penalty = if length > wanted { 1.0 } else { (1.0 - wanted / length).exp() };
    let four = precision(&answer, &right, 4).max(f64::MIN_POSITIVE);
    [penalty * one, penalty * four]
}

/// Share of n-grams of `answer` that `right` has, each at most as often as there.
fn precision(answer: &[&str], right: &[&str], n: usize) -> f64 {
    let mut wanted: HashMap<&[&str], usize> = HashMap::new();
    for gram in right.windows(n) {
        *wanted.entry(gram).or_default() += 1;
    }
    let mut common = 0_usize;
    for gram in answer.windows(n) {
        if let Some(left) = wanted.get_mut(gram).filter(|left| **left > 0) {
            *left -= 1;
            common += 1;
        }
    }
    common as f64 / answer.windows(n).len().max(1) as f64
}
