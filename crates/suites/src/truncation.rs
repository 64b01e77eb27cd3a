//! Cutting prompts that are longer than a window, on canonical tokens.

use std::iter::once;
use std::ops::Range;

use crate::card::Side;

/// A text after the cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What is left.
    pub text: String,
    /// Bytes of the original that are left, ascending.
    pub ranges: Vec<Range<usize>>,
    /// Canonical tokens of the original.
    pub tokens_before: u32,
    /// Canonical tokens that were taken out.
    pub tokens_removed: u32,
}

impl Kept {
    /// Whether all of `range` of the original is left.
    #[must_use]
    pub fn holds(&self, range: &Range<usize>) -> bool {
        self.ranges.iter().any(|kept| kept.start <= range.start && range.end <= kept.end)
    }
}

/// Cuts `text` to at most `budget` canonical tokens on `side`. [`Side::Nothing`] leaves it whole.
///
/// Cuts fall between tokens, moved inwards to the nearest character boundary. Tokens at the seam of a middle cut may
/// merge or split, so the result counts at most `budget` plus one.
#[must_use]
pub fn cut(text: &str, budget: u32, side: Side) -> Kept {
    let tokenizer = bpe_openai::o200k_base();
    let tokens = tokenizer.encode(text);
    let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    let whole =
        |ranges: Vec<Range<usize>>| Kept { text: text.to_owned(), ranges, tokens_before: count, tokens_removed: 0 };
    if count <= budget || side == Side::Nothing {
        return whole(once(0..text.len()).collect());
    }
    let keep = budget as usize;
    let bytes = |tokens: &[u32]| tokens.iter().map(|&token| tokenizer.bpe.token_len(token)).sum::<usize>();
    let head = |count: usize| floor(text, bytes(tokens.get(..count).unwrap_or_default()));
    let tail = |count: usize| {
        let from = tokens.len().saturating_sub(count);
        ceiling(text, text.len() - bytes(tokens.get(from..).unwrap_or_default()))
    };
    let ranges: Vec<Range<usize>> = match side {
        Side::Right => once(0..head(keep)).collect(),
        Side::Left => once(tail(keep)..text.len()).collect(),
        Side::Middle | Side::Nothing => vec![0..head(keep / 2), tail(keep / 2)..text.len()],
    };
    let kept: String = ranges.iter().map(|range| text.get(range.clone()).unwrap_or_default()).collect();
    Kept { text: kept, ranges, tokens_before: count, tokens_removed: count.saturating_sub(budget) }
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

fn ceiling(text: &str, at: usize) -> usize {
    text.ceil_char_boundary(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens;

    #[test]
    fn what_fits_stays_whole() {
        let kept = cut("one two three", 3, Side::Middle);
        assert_eq!((kept.text.as_str(), kept.tokens_removed), ("one two three", 0));
    }

    #[test]
    fn each_side_loses_its_own_words() {
        let text = "one two three four five six";
        assert_eq!(cut(text, 4, Side::Middle).text, "one two five six");
        assert_eq!(cut(text, 4, Side::Right).text, "one two three four");
        assert_eq!(cut(text, 4, Side::Left).text, " three four five six");
        let kept = cut(text, 4, Side::Middle);
        assert!(kept.holds(&(0..7)) && !kept.holds(&(8..13)));
    }

    proptest! {
        #[test]
        fn a_cut_keeps_pieces_of_the_text(text in "[a-z \u{4e00}-\u{4e20}\u{1f600}-\u{1f640}]{0,200}", budget in 0_u32..60) {
            for side in [Side::Middle, Side::Right, Side::Left] {
                let kept = cut(&text, budget, side);
                let joined: String = kept.ranges.iter().filter_map(|range| text.get(range.clone())).collect();
                prop_assert_eq!(&joined, &kept.text);
                prop_assert!(tokens::count(&kept.text) <= budget.max(1) + 1 || kept.tokens_removed == 0);
            }
        }
    }
}
