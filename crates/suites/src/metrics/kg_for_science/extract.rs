//! Phrases out of answers and of annotated texts.

use std::sync::LazyLock;

use regex::Regex;

use super::{Phrases, is_tag};
use crate::metrics::python_text::words;

/// Elements that may be open at once; deeper ones are text.
const MAX_OPEN: usize = 64;

/// Phrases of the first JSON object in an answer, under whatever names it has. Commas may be missing or too many, and
/// strings may stand in single quotes; an object that is broken otherwise holds nothing.
#[must_use]
pub fn from_json(answer: &str) -> Phrases {
    let Some((_, body)) = answer.split_once('{') else { return Phrases::new() };
    Object { rest: body }.read().unwrap_or_default()
}

/// Reads the inside of an object of lists of strings.
struct Object<'a> {
    rest: &'a str,
}

impl Object<'_> {
    fn read(&mut self) -> Option<Phrases> {
        let mut phrases = Phrases::new();
        while !self.skipped('}') {
            let tag = self.text()?;
            self.skip(&[]);
            self.rest = self.rest.strip_prefix(':')?;
            let _ = phrases.insert(tag, self.list()?);
        }
        Some(phrases)
    }

    fn list(&mut self) -> Option<Vec<String>> {
        self.skip(&[]);
        let Some(inside) = self.rest.strip_prefix('[') else { return self.text().map(|text| vec![text]) };
        self.rest = inside;
        let mut texts = Vec::new();
        while !self.skipped(']') {
            texts.push(self.text()?);
        }
        Some(texts)
    }

    /// Skips white space and `more`.
    fn skip(&mut self, more: &[char]) {
        self.rest = self.rest.trim_start_matches(|scalar: char| scalar.is_whitespace() || more.contains(&scalar));
    }

    /// Skips white space and commas, then `end` if it is there.
    fn skipped(&mut self, end: char) -> bool {
        self.skip(&[',']);
        let after = self.rest.strip_prefix(end);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn text(&mut self) -> Option<String> {
        self.skip(&[]);
        let quote = self.rest.chars().next().filter(|scalar| matches!(scalar, '"' | '\''))?;
        let mut text = String::new();
        let mut scalars = self.rest.char_indices().skip(1);
        while let Some((at, scalar)) = scalars.next() {
            if scalar == quote {
                self.rest = self.rest.get(at + 1..)?;
                return Some(text);
            }
            if scalar != '\\' {
                text.push(scalar);
                continue;
            }
            match scalars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'u' => {
                    let digits: String = scalars.by_ref().take(4).map(|(_, digit)| digit).collect();
                    text.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?);
                }
                escaped @ ('"' | '\'' | '\\' | '/') => text.push(escaped),
                other => text.extend(['\\', other]),
            }
        }
        None
    }
}

/// Phrases of an answer of lines `tag: a, b`. A line counts where a tag stands at its very beginning; a later line of the
/// same tag replaces the earlier one.
#[must_use]
pub fn from_readable(answer: &str) -> Phrases {
    let tag_line = |line: &str| {
        let (tag, phrases) = line.split_once(": ")?;
        is_tag(tag).then(|| (tag.to_owned(), phrases.split(", ").map(str::to_owned).collect()))
    };
    answer.split('\n').filter_map(|line| tag_line(line.trim_end_matches('\r'))).collect()
}

/// Phrases of a text annotated with `<tag>…</tag>`, each once, in order of their opening tags; inner tags are left out,
/// white space is squeezed, and `"` becomes `\"`. An element left open ends with the element around it.
#[must_use]
pub fn tagged(text: &str) -> Phrases {
    static MARK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"<(/?)([A-Za-z][A-Za-z0-9_-]*)(?:[\s/][^>]*)?>").ok());
    let mut plain = String::new();
    let mut elements: Vec<(String, usize, usize)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut done = 0;
    for mark in MARK.iter().flat_map(|mark| mark.captures_iter(text)) {
        let (Some(whole), Some(name)) = (mark.get(0), mark.get(2)) else { continue };
        plain.push_str(text.get(done..whole.start()).unwrap_or_default());
        done = whole.end();
        let name = name.as_str().to_lowercase();
        if mark.get(1).is_some_and(|slash| slash.is_empty()) {
            if open.len() < MAX_OPEN {
                open.push(elements.len());
                elements.push((name, plain.len(), usize::MAX));
            }
            continue;
        }
        let named = |element: &usize| elements.get(*element).is_some_and(|(own, _, _)| *own == name);
        let Some(outer) = open.iter().rposition(named) else { continue };
        for closed in open.drain(outer..) {
            if let Some((_, _, end)) = elements.get_mut(closed) {
                *end = plain.len();
            }
        }
    }
    plain.push_str(text.get(done..).unwrap_or_default());
    let mut phrases = Phrases::new();
    for (name, start, end) in elements.into_iter().filter(|(name, _, _)| is_tag(name)) {
        let inside = plain.get(start..end.min(plain.len())).unwrap_or_default();
        let phrase = words(inside).collect::<Vec<_>>().join(" ").replace('"', "\\\"");
        if phrase.is_empty() {
            continue;
        }
        let known = phrases.entry(name).or_default();
        if !known.contains(&phrase) {
            known.push(phrase);
        }
    }
    phrases
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_open_ends_with_what_is_around() {
        let found = tagged("<dataset>a <object>b</dataset> c</object> <Object>d</OBJECT> < e");
        assert_eq!(found.get("dataset").unwrap(), &["a b"]);
        assert_eq!(found.get("object").unwrap(), &["b", "d"]);
    }

    #[test]
    fn a_closing_tag_may_run_on_to_the_next_bracket() {
        let found = tagged("<dataset>data</dataset at <object>SNR</object> end");
        assert_eq!(found, Phrases::from([("dataset".to_owned(), vec!["data".to_owned()])]));
    }

    #[test]
    fn the_outer_phrase_comes_before_the_inner_one() {
        let found = tagged("<object><object>oxygen</object> abundances</object>");
        assert_eq!(found.get("object").unwrap(), &["oxygen abundances", "oxygen"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\PC{0,80}|[\\[\\]{}\"':,\\\\<>/a-c \n]{0,80}|(<object>|</object>|<task>|x){0,40})") {
            let (json, lines, marks) = (from_json(&text), from_readable(&text), tagged(&text));
            prop_assert!(json.values().chain(lines.values()).flatten().all(|phrase| phrase.len() <= text.len()));
            prop_assert!(marks.values().flatten().all(|phrase| phrase.len() <= 2 * text.len()));
        }
    }

    #[test]
    fn a_megabyte_is_read() {
        assert_eq!(tagged(&"<object>x".repeat(100_000)).get("object").map(Vec::len), Some(64));
        assert!(from_json(&"{\"a\":[".repeat(200_000)).is_empty());
    }
}
