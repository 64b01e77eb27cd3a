//! Canonical tokens: o200k_base.
//!
//! Counts are additive over pre-tokens, the pieces that the tokenizer's split pattern makes, so text assembled from
//! pieces that end on a pre-token boundary needs no second count.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Name of the canonical tokenizer.
pub const TOKENIZER: &str = "o200k_base";

/// Canonical tokens of `text`, exact.
#[must_use]
pub fn count(text: &str) -> u32 {
    u32::try_from(bpe_openai::o200k_base().count(text)).unwrap_or(u32::MAX)
}

/// Canonical tokens of a number's decimal digits: the pattern splits digits in groups of three from the left, and
/// every group is one token.
#[must_use]
pub const fn count_digits(number: u32) -> u32 {
    match number {
        0..=999 => 1,
        1000..=999_999 => 2,
        1_000_000..=999_999_999 => 3,
        _ => 4,
    }
}

/// Whether the split pattern breaks between `before` and `after` in every text, so that the counts of both sides add
/// up. `false` means "not known from two characters alone".
#[must_use]
pub fn splits_between(before: char, after: char) -> bool {
    let (left, right) = (Kind::of(before), Kind::of(after));
    match (left, right) {
        (Kind::Space | Kind::Line, Kind::Space | Kind::Line) | (Kind::Space, _) => false,
        (Kind::Line, _) => after != '/',
        (_, Kind::Space) => true,
        (Kind::Letter | Kind::Number, Kind::Line) => true,
        (Kind::Letter, Kind::Number) | (Kind::Number, Kind::Letter) => true,
        (Kind::Sign, Kind::Number) => true,
        (Kind::Letter | Kind::Number, Kind::Sign) => after != '\'',
        _ => false,
    }
}

/// The last place in `text` where the pattern is known to break, 0 when there is none inside.
#[must_use]
pub fn last_split(text: &str) -> usize {
    let mut after: Option<(usize, char)> = None;
    for (at, before) in text.char_indices().rev() {
        if let Some((split, next)) = after
            && splits_between(before, next)
        {
            return split;
        }
        after = Some((at, before));
    }
    0
}

/// The first place in `text` where the pattern is known to break, its length when there is none inside.
#[must_use]
pub fn first_split(text: &str) -> usize {
    let mut before: Option<char> = None;
    for (at, after) in text.char_indices() {
        if before.is_some_and(|before| splits_between(before, after)) {
            return at;
        }
        before = Some(after);
    }
    text.len()
}

/// What the split pattern tells apart. Marks count as letters after a letter and as signs elsewhere, so they are
/// a kind of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Mark,
    Number,
    Line,
    Space,
    Sign,
}

impl Kind {
    fn of(letter: char) -> Self {
        match letter {
            'a'..='z' | 'A'..='Z' | '\u{4e00}'..='\u{9fff}' => Self::Letter,
            '0'..='9' => Self::Number,
            '\r' | '\n' => Self::Line,
            _ if letter.is_whitespace() => Self::Space,
            _ if letter.is_ascii() => Self::Sign,
            _ => Self::of_category(get_general_category(letter)),
        }
    }

    fn of_category(category: GeneralCategory) -> Self {
        use GeneralCategory as C;
        match category {
            C::UppercaseLetter | C::LowercaseLetter | C::TitlecaseLetter | C::ModifierLetter | C::OtherLetter => {
                Self::Letter
            }
            C::NonspacingMark | C::SpacingMark | C::EnclosingMark => Self::Mark,
            C::DecimalNumber | C::LetterNumber | C::OtherNumber => Self::Number,
            C::Unassigned => Self::Mark,
            _ => Self::Sign,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text that meets every branch of the split pattern.
    fn tricky() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-zA-Z]{1,6}",
            "[0-9]{1,8}",
            "[ \t\r\n]{1,4}",
            "[.,;!?'/\"-]{1,3}",
            "(他|她|于|在|镇|，|。|“|”|！){1,5}",
            "(شهر|می|\u{200c}|رود|،|۱۳|؟|«|»|ِ| ){1,5}",
            "('s|'T|'re|'ll|😀|é|e\u{301}|\u{3000}|ǅ|½|Ⅷ|ʰ)",
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn counts_add_up_over_every_known_split(text in tricky()) {
            let mut before: Option<char> = None;
            for (at, after) in text.char_indices() {
                if before.is_some_and(|before| splits_between(before, after)) {
                    let (left, right) = text.split_at(at);
                    prop_assert_eq!(count(left) + count(right), count(&text), "{:?} | {:?}", left, right);
                }
                before = Some(after);
            }
        }

        #[test]
        fn digits_count_in_groups(number in any::<u32>()) {
            prop_assert_eq!(count_digits(number), count(&number.to_string()));
        }
    }
}
