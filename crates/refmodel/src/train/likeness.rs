//! Texts whose identifiers and keys look alike, so that short matches mislead and long ones are learnt.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use longboard_suites::rng::Rng;

/// Maps pairs of hexadecimal digits of identifiers to few, so that identifiers look alike in places.
pub(super) struct Narrowing {
    digits: [u8; 256],
}

impl Narrowing {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let kept = rng.choose(&[6, 12, 32, 256]).copied().unwrap_or(256);
        let mut pairs: Vec<u8> = (0..=u8::MAX).collect();
        rng.shuffle(&mut pairs);
        pairs.truncate(kept);
        let mut digits = [0; 256];
        for (at, digit) in digits.iter_mut().enumerate() {
            *digit = if kept == 256 { at.to_le_bytes()[0] } else { rng.choose(&pairs).copied().unwrap_or(0) };
        }
        Self { digits }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (place, part) in text.split('"').enumerate() {
            if place > 0 {
                out.push('"');
            }
            if part.len() == 36 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
                self.identifier(part, &mut out);
            } else {
                out.push_str(part);
            }
        }
        out
    }

    fn identifier(&self, identifier: &str, out: &mut String) {
        for group in identifier.split('-') {
            for pair in group.as_bytes().chunks(2) {
                let digits =
                    std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
                let _ = write!(out, "{:02x}", self.digits.get(usize::from(digits)).copied().unwrap_or(digits));
            }
            out.push('-');
        }
        out.pop();
    }
}

/// Renames the keys of a text so that they share words: a word alone no longer tells which key it belongs to.
#[derive(Default)]
pub(super) struct Sharing {
    renamed: Vec<(String, String)>,
}

impl Sharing {
    /// New names for `keys` of two words, from as few of their own words as keep them apart, or one more of a kind.
    pub(super) fn draw(rng: &mut Rng, keys: &BTreeSet<&str>) -> Self {
        let parts: Vec<(&str, &str)> = keys.iter().filter_map(|key| key.split_once('-')).collect();
        let side = (1..=parts.len()).find(|side| side * side >= parts.len()).unwrap_or(0);
        let mut few = |words: BTreeSet<String>| {
            let mut words: Vec<String> = words.into_iter().collect();
            rng.shuffle(&mut words);
            words.truncate(side + rng.index(2));
            words
        };
        let firsts = few(parts.iter().map(|(first, _)| (*first).to_owned()).collect());
        let seconds = few(parts.iter().map(|(_, second)| (*second).to_owned()).collect());
        let mut names: Vec<String> =
            firsts.iter().flat_map(|first| seconds.iter().map(move |second| format!("{first}-{second}"))).collect();
        // Too few words of their own: the keys share them already.
        if names.len() < keys.len() {
            return Self::default();
        }
        rng.shuffle(&mut names);
        Self { renamed: keys.iter().map(|key| (*key).to_owned()).zip(names).collect() }
    }

    /// `text` with the new names, each in every place of the old one.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((at, old, new)) = self.next(rest) {
            out.push_str(rest.get(..at).unwrap_or_default());
            out.push_str(new);
            rest = rest.get(at + old.len()..).unwrap_or_default();
        }
        out + rest
    }

    /// The first old name in `text`, the longest where several begin.
    fn next(&self, text: &str) -> Option<(usize, &str, &str)> {
        let found =
            self.renamed.iter().filter_map(|(old, new)| Some((text.find(old.as_str())?, old.as_str(), new.as_str())));
        found.min_by_key(|(at, old, _)| (*at, usize::MAX - old.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamed_keys_share_words_and_stay_apart() {
        let keys = ["calm-harbor", "pale-forest", "old-mill", "deep-pond", "shy-otter"];
        let text = keys.map(|key| format!("The number for {key} is {}.", key.len())).join(" ");
        let mut shared = 0;
        for seed in 0..20 {
            let sharing = Sharing::draw(&mut Rng::from_path(&[seed]), &keys.into_iter().collect());
            let renamed = sharing.apply(&text);
            let found: Vec<&str> =
                renamed.split(" for ").skip(1).filter_map(|rest| Some(rest.split_once(" is ")?.0)).collect();
            assert_eq!(found.len(), keys.len());
            assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{renamed}");
            let words = |second: bool| -> usize {
                let words = found.iter().map(|key| key.split_once('-').unwrap());
                words.map(|(a, b)| if second { b } else { a }).collect::<BTreeSet<_>>().len()
            };
            shared += usize::from(words(false) < keys.len() && words(true) < keys.len());
            assert_eq!(renamed.matches(" is ").count(), keys.len());
        }
        assert_eq!(shared, 20);
    }

    #[test]
    fn keys_that_share_already_keep_their_names() {
        let keys = ["calm-harbor", "calm-mill"].into_iter().collect();
        let renamed = Sharing::draw(&mut Rng::from_path(&[1]), &keys).apply("calm-mill and calm-harbor");
        let mut words: Vec<&str> = renamed.split(" and ").collect();
        words.sort_unstable();
        assert_eq!(words, ["calm-harbor", "calm-mill"]);
    }
}
