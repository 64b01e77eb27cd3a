//! The built-in baselines: honest, deterministic algorithms over nothing but the prompt's text, served like any model.
//!
//! They show what a task yields without a model: to guessing, to keyword reading, to reading only the end.

mod ngrams;
mod random_guess;
mod ranker;
mod reader;

use std::str::FromStr;

use longboard_suites::tokens;

pub use ranker::Ranker;

/// A baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Draws an answer of the right shape without reading.
    RandomGuess,
    /// The keyword reader on the last 8k tokens only, whatever is sent.
    Last8k,
    /// The keyword reader on the whole prompt.
    Bm25Reader,
}

/// Canonical tokens that `last-8k` sees.
const WINDOW_TOKENS: u32 = 8 * 1024;

/// An answer, with what was read of the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineAnswer {
    /// The text.
    pub text: String,
    /// Canonical tokens of the prompt that the baseline saw.
    pub prompt_tokens: u32,
}

impl Baseline {
    /// All baselines.
    pub const ALL: [Self; 3] = [Self::RandomGuess, Self::Last8k, Self::Bm25Reader];

    /// Its name, also as model name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::RandomGuess => "random-guess",
            Self::Last8k => "last-8k",
            Self::Bm25Reader => "bm25-reader",
        }
    }

    /// Answers a prompt. CPU-bound.
    #[must_use]
    pub fn answer(self, prompt: &str) -> BaselineAnswer {
        let seen = if self == Self::Last8k { last_tokens(prompt, WINDOW_TOKENS) } else { prompt };
        let text = match self {
            Self::RandomGuess => random_guess::guess(seen),
            Self::Last8k | Self::Bm25Reader => reader::read(seen),
        };
        BaselineAnswer { text, prompt_tokens: tokens::count(seen) }
    }
}

impl FromStr for Baseline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|baseline| baseline.slug() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::slug).join(", ");
            format!("no baseline `{text}`; the baselines are: {names}")
        })
    }
}

/// The end of `text` of at most `limit` tokens, cut at a line or word.
fn last_tokens(text: &str, limit: u32) -> &str {
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = text.floor_char_boundary(low + (high - low) / 2);
        let fits = tokens::count(text.get(middle..).unwrap_or_default()) <= limit;
        if fits {
            high = middle;
        } else {
            low = text.ceil_char_boundary(middle + 1);
        }
    }
    text.get(high..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_keeps_the_end() {
        let text = (0..5000).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        let end = last_tokens(&text, 100);
        assert!(text.ends_with(end) && tokens::count(end) <= 100 && tokens::count(end) >= 98);
        assert_eq!(last_tokens("short", 100), "short");
    }
}
