//! Text cut into chunks of at most so many canonical tokens, at the borders of sentences where that is possible.

use std::ops::Range;

use crate::bm25::is_ideograph;
use crate::card::Side;
use crate::{tokens, truncation};

/// Bytes looked at first for one token of a chunk.
const BYTES_PER_TOKEN: usize = 8;

/// Byte ranges of chunks that follow each other and together are all of `text`, each of at most `limit` canonical tokens
/// counted on its own. A chunk ends with the last sentence or line that ends in its second half, else with its last word,
/// else anywhere between two characters; one character alone may count more than a `limit` below 4.
#[must_use]
pub fn ranges(text: &str, limit: u32) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let length = first(rest, limit.max(1));
        ranges.push(start..start + length);
        start += length;
    }
    ranges
}

/// The texts of [`ranges`].
#[must_use]
pub fn texts(text: &str, limit: u32) -> Vec<&str> {
    ranges(text, limit).into_iter().filter_map(|range| text.get(range)).collect()
}

/// The start of `text`, at most `limit` canonical tokens of it, cut where chunks are cut.
#[must_use]
pub fn start(text: &str, limit: u32) -> &str {
    text.get(..first(text, limit.max(1))).unwrap_or_default()
}

/// Length in bytes of the first chunk of `text`, at least one character.
fn first(text: &str, limit: u32) -> usize {
    let hard = longest(text, limit);
    let mut end = if hard == text.len() { hard } else { border(text, hard) };
    // A cut may leave pieces of words that count more than the words did.
    while tokens::count(text.get(..end).unwrap_or_default()) > limit {
        let shorter = text.floor_char_boundary(end.saturating_sub(1));
        if shorter == 0 {
            break;
        }
        end = shorter;
    }
    end
}

/// Bytes of the first `limit` tokens, at least one character.
fn longest(text: &str, limit: u32) -> usize {
    let mut window = (limit as usize).saturating_mul(BYTES_PER_TOKEN).max(64);
    loop {
        let end = text.floor_char_boundary(window.min(text.len()));
        let kept = truncation::cut(text.get(..end).unwrap_or_default(), limit, Side::Right);
        let length = kept.ranges.first().map_or(0, |range| range.end);
        if length < end || end == text.len() {
            return length.max(text.chars().next().map_or(0, char::len_utf8));
        }
        window = window.saturating_mul(2);
    }
}

/// The last good border up to `hard`.
fn border(text: &str, hard: usize) -> usize {
    let (mut sentence, mut word) = (0, 0);
    // The character after `hard` tells whether a border lies just there.
    let letters = text.char_indices().take_while(|&(at, _)| at <= hard);
    let (mut before, mut ended) = (' ', false);
    for (at, letter) in letters {
        if at > 0 && is_border(before, letter) {
            word = at;
            if ended {
                sentence = at;
            }
        }
        ended = match letter {
            '.' | '!' | '?' | '。' | '！' | '？' | '؟' | '\n' => true,
            _ if letter.is_whitespace() => ended,
            '"' | '”' | '’' | '」' | ')' | '）' | '»' => ended,
            _ => false,
        };
        before = letter;
    }
    match (sentence, word) {
        (sentence, _) if sentence * 2 >= hard => sentence,
        (_, word) if word > 0 => word,
        _ => hard,
    }
}

/// Whether a word may end between two characters: after blanks, and beside characters that are written without them.
fn is_border(before: char, after: char) -> bool {
    let closing = matches!(after, '。' | '！' | '？' | '，' | '、' | '；' | '：' | '”' | '’' | '」' | '）' | '»');
    let blank = before.is_whitespace() && !after.is_whitespace();
    let fullwidth = matches!(before, '。' | '！' | '？' | '，' | '、' | '；' | '：' | '”' | '」' | '）');
    blank || (!closing && (fullwidth || is_ideograph(before) || is_ideograph(after)) && !after.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chunks_end_with_sentences() {
        let text = "The seal passed to Oro. It rained all day. The miller came. Nobody else did.";
        assert_eq!(
            texts(text, 14),
            ["The seal passed to Oro. It rained all day. ", "The miller came. Nobody else did."]
        );
        let text = "印章传给了奥罗。整天都在下雨。磨坊主来了。没有别人来。";
        assert!(texts(text, 16).iter().all(|chunk| chunk.ends_with('。')));
    }

    #[test]
    fn words_stay_whole_where_no_sentence_ends() {
        let text = "one two three four five six seven eight nine ten eleven twelve";
        let chunks = texts(text, 5);
        assert!(chunks.len() > 2 && chunks.iter().rev().skip(1).all(|chunk| chunk.ends_with(' ')), "{chunks:?}");
    }

    #[test]
    fn a_text_without_borders_is_cut_too() {
        let text = "x".repeat(5000);
        let chunks = texts(&text, 16);
        assert_eq!(chunks.concat(), text);
        assert!(chunks.len() > 3);
        assert!(ranges("", 16).is_empty());
        assert_eq!(start("", 16), "");
    }

    proptest! {
        #[test]
        fn chunks_are_the_text_and_none_is_too_long(
            pieces in proptest::collection::vec(
                prop_oneof!["[a-zA-Z]{1,9}", "[0-9]{1,8}", "[ \n]{1,3}", "[.,!?\"]{1,2} ?", "(他|镇|，|。|”|😀|é|شهر| ){1,5}"],
                0..80,
            ),
            limit in 4_u32..40,
        ) {
            let text = pieces.concat();
            let chunks = texts(&text, limit);
            prop_assert_eq!(chunks.concat(), text.as_str());
            for chunk in chunks {
                prop_assert!(!chunk.is_empty() && tokens::count(chunk) <= limit, "{:?}", chunk);
            }
        }
    }
}
