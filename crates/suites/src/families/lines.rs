//! Lines that fill a budget: each is counted once, because a line break ends a pre-token.

use crate::counter::Counter;
use crate::rng::Rng;

/// Lines taken so far and what is left of the budget.
#[derive(Default)]
pub struct Lines {
    counter: Counter,
    left: u32,
    lines: Vec<String>,
}

impl Lines {
    /// No lines yet, and `budget` canonical tokens for them.
    pub fn new(budget: u32) -> Self {
        Self { left: budget, ..Self::default() }
    }

    /// Canonical tokens of `line` with its line break, where neither it nor what follows begins with `/`.
    pub fn cost(&mut self, line: &str) -> u32 {
        self.counter.count(&[line, "\n"].concat())
    }

    /// Takes a line if it fits.
    pub fn offer(&mut self, line: String) -> bool {
        let cost = self.cost(&line);
        let fits = cost <= self.left;
        if fits {
            self.left -= cost;
            self.lines.push(line);
        }
        fits
    }

    /// Keeps room that something else will take.
    pub fn reserve(&mut self, tokens: u32) {
        self.left = self.left.saturating_sub(tokens);
    }

    /// Canonical tokens left.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Lines taken.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// The lines.
    pub fn finish(self) -> Vec<String> {
        self.lines
    }
}

/// Remarks that carry nothing, for the last few tokens of talk.
const REMARKS: [&str; 6] = [
    "That is all I can say about it, and I would ask again if anything changed in the meantime.",
    "Tell me if any of this is unclear.",
    "I hope that this is of some use.",
    "Good luck with it.",
    "All the best.",
    "Thanks.",
];

/// Remarks of at most `budget` canonical tokens together, each with a space before it.
pub fn remarks(budget: u32, rng: &mut Rng) -> String {
    let mut counter = Counter::default();
    let (mut text, mut left, mut from) = (String::new(), budget, rng.index(2));
    while let Some(remark) = REMARKS.get(from) {
        let cost = counter.count_after_space(remark);
        if cost <= left {
            left -= cost;
            text.extend([" ", remark]);
        } else {
            from += 1;
        }
    }
    text
}
