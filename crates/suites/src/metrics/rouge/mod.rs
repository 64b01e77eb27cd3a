//! The ROUGEs in use. They share a name and little else, so each is a metric of its own.

pub mod chinese;
pub mod lsum;
mod porter;
pub mod scored;
pub mod unique;

use std::collections::HashMap;
use std::hash::Hash;

/// Precision, recall and F-measure, 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prf {
    /// Share of the candidate.
    pub precision: f64,
    /// Share of the reference.
    pub recall: f64,
    /// Their combination, as the package combines them.
    pub f: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Tokens as numbers, equal where the tokens are.
struct Numbers<'a, T: ?Sized>(HashMap<&'a T, u32>);

impl<'a, T: Hash + Eq + ?Sized> Numbers<'a, T> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    fn of(&mut self, token: &'a T) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(token).or_insert(next)
    }
}
