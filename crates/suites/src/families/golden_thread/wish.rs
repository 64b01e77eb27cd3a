//! One wish: a thing, when it must be there, and the entries that this means.

use crate::metrics::longgenbench_sgt::{Check, When};

/// A wish.
pub(super) struct Wish {
    pub(super) when: When,
    /// The thing, in distinctive words.
    pub(super) thing: String,
    /// Where, in the words of the prompt.
    pub(super) place: String,
    /// Entries that must include it.
    pub(super) blocks: Vec<u64>,
}

impl Wish {
    pub(super) fn checks(&self) -> impl Iterator<Item = Check> {
        self.blocks.iter().map(|&block| Check { when: self.when, block, text: self.thing.clone() })
    }
}
