//! Quotes in a reply, and whether a text holds them.

use std::collections::HashSet;

use longboard_suites::{bm25, tokens};

use super::bound::{bounded, is_none};

/// The longest quote in canonical tokens; more is cut.
const QUOTE_TOKENS: u32 = 256;

/// Words of a text, to find quotes by: case, punctuation, quotation marks and line ends do not matter.
pub(super) struct Words(String);

impl Words {
    pub fn of(text: &str) -> Self {
        Self(format!(" {} ", bm25::words(text).join(" ")))
    }

    /// Whether all words of `quote` stand here one after another.
    pub fn hold(&self, quote: &str) -> bool {
        let Self(quote) = Self::of(quote);
        quote.trim().is_empty() || self.0.contains(&quote)
    }
}

/// The lines of a reply as quotes: bullets, numbers and quotation marks taken off, each once, at most `most` and together
/// at most `budget` canonical tokens.
pub(super) fn quotes(reply: &str, most: u32, budget: u32) -> Vec<String> {
    let (mut found, mut seen, mut left) = (Vec::new(), HashSet::new(), budget);
    for line in reply.lines().map(bare).filter(|line| !is_none(line)) {
        let quote = bounded(line, QUOTE_TOKENS);
        let cost = tokens::count(quote) + 1;
        if found.len() >= most as usize || cost > left {
            break;
        }
        if seen.insert(quote.to_owned()) {
            left -= cost;
            found.push(quote.to_owned());
        }
    }
    found
}

/// A line without what lists and quotations put around it.
fn bare(line: &str) -> &str {
    let line = line.trim().trim_start_matches(['-', '*', '•', '>', ' ']);
    let digits = line.len() - line.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let numbered =
        line.get(digits..).and_then(|rest| rest.strip_prefix(['.', ')'])).filter(|rest| rest.starts_with(' '));
    let line = if (1..=3).contains(&digits) { numbered.unwrap_or(line) } else { line };
    let pairs = [('"', '"'), ('“', '”'), ('「', '」'), ('«', '»')];
    let line = line.trim();
    pairs.iter().find_map(|(open, close)| line.strip_prefix(*open)?.strip_suffix(*close)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_quotation_marks_are_taken_off() {
        let reply =
            "1. \"The seal passed to Oro.\"\n- It rained.\n\n* NONE\n1.5 tons came.\nIt rained.\n“印章传给了奥罗。”";
        assert_eq!(
            quotes(reply, 9, 99),
            ["The seal passed to Oro.", "It rained.", "1.5 tons came.", "印章传给了奥罗。"]
        );
        assert_eq!(quotes(reply, 1, 99).len(), 1);
        assert_eq!(quotes(reply, 9, 8), ["The seal passed to Oro."]);
        assert!(quotes("None.", 9, 99).is_empty());
    }

    #[test]
    fn a_text_holds_what_stands_in_it_word_for_word() {
        let words = Words::of("The seal passed\nto “Oro”. It rained.印章传给了奥罗。");
        assert!(words.hold("the seal passed to Oro") && words.hold("it rained") && words.hold("传给了奥罗"));
        assert!(!words.hold("the seal passed to Or") && !words.hold("It rained seal") && !words.hold("传给奥罗"));
    }
}
