//! Counting assembled text fast: o200k counts are additive over pre-tokens, so each word is encoded once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::tokens;

/// Counts ASCII text by its pre-tokens with a cache; other text is encoded.
#[derive(Default)]
pub struct Counter {
    known: HashMap<Box<[u8]>, u32, BuildHasherDefault<Fnv>>,
    spaced: Vec<u8>,
}

impl Counter {
    /// Canonical tokens of `text`, exact.
    pub fn count(&mut self, text: &str) -> u32 {
        if !text.is_ascii() || ends_in_blanks(text) {
            return tokens::count(text);
        }
        let mut rest = text.as_bytes();
        let mut total = 0;
        while !rest.is_empty() {
            let (word, after) = rest.split_at_checked(pre_token(rest)).unwrap_or((rest, &[]));
            total += self.word(word);
            rest = after;
        }
        total
    }

    /// Canonical tokens of ASCII `text` that begins with a letter, with one space before it.
    pub fn count_after_space(&mut self, text: &str) -> u32 {
        let first = pre_token(text.as_bytes());
        let (head, tail) = text.split_at_checked(first).unwrap_or((text, ""));
        self.spaced.clear();
        self.spaced.push(b' ');
        self.spaced.extend_from_slice(head.as_bytes());
        let word = std::mem::take(&mut self.spaced);
        let tokens = self.word(&word) + self.count(tail);
        self.spaced = word;
        tokens
    }

    fn word(&mut self, word: &[u8]) -> u32 {
        if let Some(&count) = self.known.get(word) {
            return count;
        }
        let count = std::str::from_utf8(word).map_or(0, tokens::count);
        self.known.insert(word.into(), count);
        count
    }
}

/// Length of the first pre-token of ASCII `text`, after the split pattern of o200k_base.
fn pre_token(text: &[u8]) -> usize {
    let at = |index: usize| text.get(index).copied().unwrap_or(b'\n');
    let run = |from: usize, kind: &dyn Fn(u8) -> bool| text.iter().skip(from).take_while(|&&byte| kind(byte)).count();
    let first = at(0);
    let prefix = usize::from(!first.is_ascii_alphanumeric() && first != b'\r' && first != b'\n');
    if at(prefix).is_ascii_alphabetic() && text.len() > prefix {
        let upper = run(prefix, &|byte| byte.is_ascii_uppercase());
        let lower = run(prefix + upper, &|byte| byte.is_ascii_lowercase());
        let end = prefix + upper + lower;
        return end + contraction(text.get(end..).unwrap_or_default());
    }
    if first.is_ascii_digit() {
        return run(0, &|byte| byte.is_ascii_digit()).min(3);
    }
    let space = usize::from(first == b' ');
    let signs = run(space, &is_sign);
    if signs > 0 {
        return space + signs + run(space + signs, &|byte| matches!(byte, b'\r' | b'\n' | b'/'));
    }
    let blanks = run(0, &is_space);
    let lines = text.iter().take(blanks).rposition(|&byte| matches!(byte, b'\r' | b'\n'));
    match lines {
        Some(last) => last + 1,
        None if blanks == text.len() => blanks,
        None => (blanks - 1).max(1),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether blanks at the end are a pre-token of their own; line ends after a sign belong to the sign.
fn ends_in_blanks(text: &str) -> bool {
    let body = text.trim_end_matches(['\r', '\n']);
    let blank = |last: u8| last.is_ascii_whitespace();
    text.bytes().last().is_some_and(blank) && !body.bytes().last().is_some_and(is_sign)
}

fn is_sign(byte: u8) -> bool {
    !is_space(byte) && !byte.is_ascii_alphanumeric()
}

fn contraction(text: &[u8]) -> usize {
    let lower: Vec<u8> = text.iter().take(3).map(u8::to_ascii_lowercase).collect();
    match lower.as_slice() {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => 2,
        [b'\'', b'r', b'e'] | [b'\'', b'v', b'e'] | [b'\'', b'l', b'l'] => 3,
        _ => 0,
    }
}

/// FNV-1a, 64 bits: short keys, no adversary.
#[derive(Clone)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cached_counts_are_exact(
            pieces in proptest::collection::vec(
                prop_oneof![
                    "[a-zA-Z]{1,8}", "[0-9]{1,7}", "[ \t\r\n]{1,3}", "[.,;:!?'/\"*{}=-]{1,3}",
                    "('s|'T|'re|'LL|'ve| a)", "[0-9a-f]{8}-[0-9a-f]{4}",
                ],
                0..30,
            )
        ) {
            let text = pieces.concat();
            prop_assert_eq!(Counter::default().count(&text), tokens::count(&text), "{:?}", text);
        }
    }
}
