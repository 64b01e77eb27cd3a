//! Haystacks: running text with exact token counts, made to have sentences planted in it.

use crate::card::Language;

/// A place between two sentences of one paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Byte offset: the next sentence starts here, with its leading space where the language has one.
    pub byte: usize,
    /// Canonical tokens of the text before.
    pub token: u32,
}

/// Running text whose tokens are counted.
#[derive(Debug, Clone)]
pub struct Passage {
    /// Language, which decides how sentences join.
    pub language: Language,
    /// The text.
    pub text: String,
    /// Canonical tokens of `text`, exact.
    pub tokens: u32,
    /// Places where a sentence can be planted, ascending; the first is the start, the last the end.
    pub breaks: Vec<Break>,
}

/// A source of running text.
pub trait Haystack: Sync {
    /// Language of the text.
    fn language(&self) -> Language;

    /// A passage of at most `budget` canonical tokens and at least `budget - 8` where `budget` is 64 or more.
    /// The same (source, variant, budget) gives the same bytes; another `variant` gives other text.
    fn passage(&self, variant: u64, budget: u32) -> Passage;
}
