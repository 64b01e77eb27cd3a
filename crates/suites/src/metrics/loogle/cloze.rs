//! Cloze: names for the masks of a passage.

use std::collections::BTreeMap;

use crate::metrics::python_literal::{Literal, literal};
use crate::metrics::python_text::words;

/// Masks filled as the reference fills them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filled {
    /// With exactly the same name.
    pub exact: usize,
    /// With a name that shares a white-space token.
    pub partial: usize,
    /// Masks of the reference.
    pub total: usize,
}

/// Compares an answer, a Python dictionary of masks, with the right names. An answer that is no dictionary fills
/// nothing. Upstream evaluates the answer as code; here it is only read.
#[must_use]
pub fn cloze(prediction: &str, right: &BTreeMap<String, String>) -> Filled {
    let mut filled = Filled { total: right.len(), ..Filled::default() };
    let Some(read) = literal(prediction) else { return filled };
    for (mask, name) in right {
        let Some(said) = read.get(mask).and_then(Literal::text) else { continue };
        filled.exact += usize::from(said == name);
        filled.partial += usize::from(words(said).any(|word| words(name).any(|other| word == other)));
    }
    filled
}

/// A share of the masks, 0..1; 0 without any.
#[must_use]
pub fn share(part: usize, total: usize) -> f64 {
    if total == 0 { 0.0 } else { part as f64 / total as f64 }
}
