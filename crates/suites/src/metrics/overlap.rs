//! Precision, recall and F1 of what an answer and a reference share.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// The three shares of an overlap, each 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Overlap {
    /// Share of the answer that is shared.
    pub precision: f64,
    /// Share of the reference that is shared.
    pub recall: f64,
    /// Harmonic mean; 0 where nothing is shared.
    pub f1: f64,
}

impl Overlap {
    /// From counts. An empty side has no share.
    #[must_use]
    pub fn of(shared: usize, answer: usize, reference: usize) -> Self {
        Self::damped(shared, answer, reference, 0.0)
    }

    /// From counts, with `damping` added to the denominator of F1.
    #[must_use]
    pub fn damped(shared: usize, answer: usize, reference: usize, damping: f64) -> Self {
        let (precision, recall) = (share(shared, answer), share(shared, reference));
        let f1 = if shared == 0 { 0.0 } else { 2.0 * (precision * recall / (precision + recall + damping)) };
        Self { precision, recall, f1 }
    }

    /// Of two bags: a token counts as often as both sides have it.
    #[must_use]
    pub fn bags<T: Hash + Eq>(answer: &[T], reference: &[T]) -> Self {
        let mut left: HashMap<&T, usize> = HashMap::with_capacity(reference.len());
        for token in reference {
            *left.entry(token).or_default() += 1;
        }
        let mut shared = 0;
        for token in answer {
            if let Some(count) = left.get_mut(token).filter(|count| **count > 0) {
                *count -= 1;
                shared += 1;
            }
        }
        Self::of(shared, answer.len(), reference.len())
    }
}

/// `part / whole`; 0 of nothing is 0.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bags_count_repeats() {
        let overlap = Overlap::bags(&["a", "a", "b"], &["a", "b"]);
        assert_eq!((overlap.precision, overlap.recall), (2.0 / 3.0, 1.0));
        assert!((overlap.f1 - 0.8).abs() < 1e-12);
        assert_eq!(Overlap::bags::<char>(&[], &[]), Overlap::default());
    }
}
