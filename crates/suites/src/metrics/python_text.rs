//! String operations as Python's `str` defines them, where Rust's differ.

/// Whether `str.isspace` and `str.split` count this scalar as white space.
///
/// Unicode `White_Space` plus the four ASCII separators U+001C to U+001F.
#[must_use]
pub fn is_space(scalar: char) -> bool {
    scalar.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&scalar)
}

/// `str.strip()`.
#[must_use]
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.split()`.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Replaces each scalar of `marks` by a space.
#[must_use]
pub fn blank(text: &str, marks: &[char]) -> String {
    text.chars().map(|scalar| if marks.contains(&scalar) { ' ' } else { scalar }).collect()
}

/// Replaces runs of U+0020 by one.
#[must_use]
pub fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for scalar in text.chars() {
        if scalar != ' ' || !out.ends_with(' ') {
            out.push(scalar);
        }
    }
    out
}

/// `re.split("[^0-9]", text)` without the empty strings: the runs of ASCII digits.
pub fn digit_runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|scalar: char| !scalar.is_ascii_digit()).filter(|run| !run.is_empty())
}

/// Value of a decimal digit of any script, as `int()` and `\d` read it (Unicode category Nd).
#[must_use]
pub fn decimal(scalar: char) -> Option<u8> {
    if let Some(value) = scalar.to_digit(10) {
        return u8::try_from(value).ok();
    }
    if scalar.is_ascii() || !is_decimal(scalar) {
        return None;
    }
    if ('\u{1d7ce}'..='\u{1d7ff}').contains(&scalar) {
        return u8::try_from((u32::from(scalar) - 0x1d7ce) % 10).ok();
    }
    let mut zero = u32::from(scalar);
    while char::from_u32(zero - 1).is_some_and(is_decimal) && u32::from(scalar) - zero < 9 {
        zero -= 1;
    }
    u8::try_from(u32::from(scalar) - zero).ok()
}

/// Python's `\w`: letters and numbers of any script, and the underscore; no combining marks.
#[must_use]
pub fn is_word(scalar: char) -> bool {
    use unicode_general_category::{GeneralCategory as C, get_general_category};
    if scalar.is_ascii() {
        return scalar.is_ascii_alphanumeric() || scalar == '_';
    }
    matches!(
        get_general_category(scalar),
        C::UppercaseLetter
            | C::LowercaseLetter
            | C::TitlecaseLetter
            | C::ModifierLetter
            | C::OtherLetter
            | C::DecimalNumber
            | C::LetterNumber
            | C::OtherNumber
    )
}

fn is_decimal(scalar: char) -> bool {
    use unicode_general_category::{GeneralCategory, get_general_category};
    get_general_category(scalar) == GeneralCategory::DecimalNumber
}

/// Whether `str.isdigit` counts this scalar: decimal digits of any script, superscripts and encircled digits.
#[must_use]
pub fn is_digit(scalar: char) -> bool {
    const OTHER: [(char, char); 20] = [
        ('\u{b2}', '\u{b3}'),
        ('\u{b9}', '\u{b9}'),
        ('\u{1369}', '\u{1371}'),
        ('\u{19da}', '\u{19da}'),
        ('\u{2070}', '\u{2070}'),
        ('\u{2074}', '\u{2079}'),
        ('\u{2080}', '\u{2089}'),
        ('\u{2460}', '\u{2468}'),
        ('\u{2474}', '\u{247c}'),
        ('\u{2488}', '\u{2490}'),
        ('\u{24ea}', '\u{24ea}'),
        ('\u{24f5}', '\u{24fd}'),
        ('\u{24ff}', '\u{24ff}'),
        ('\u{2776}', '\u{277e}'),
        ('\u{2780}', '\u{2788}'),
        ('\u{278a}', '\u{2792}'),
        ('\u{10a40}', '\u{10a43}'),
        ('\u{10e60}', '\u{10e68}'),
        ('\u{11052}', '\u{1105a}'),
        ('\u{1f100}', '\u{1f10a}'),
    ];
    scalar.is_ascii_digit()
        || (!scalar.is_ascii()
            && (decimal(scalar).is_some() || OTHER.iter().any(|&(from, to)| (from..=to).contains(&scalar))))
}

/// A number as `float(text)` reads it: blanks around it, digits of any script, single underscores between digits.
/// `None` where Python raises.
#[must_use]
pub fn float(text: &str) -> Option<f64> {
    let mut plain = String::new();
    let mut before = None;
    let mut scalars = strip(text).chars().peekable();
    while let Some(scalar) = scalars.next() {
        match decimal(scalar) {
            Some(digit) => plain.push(char::from(b'0' + digit)),
            None if scalar == '_' => {
                let between = before.is_some_and(|last| decimal(last).is_some())
                    && scalars.peek().is_some_and(|next| decimal(*next).is_some());
                if !between {
                    return None;
                }
            }
            None => plain.push(scalar),
        }
        before = Some(scalar);
    }
    // Rust's parser takes the same forms: `inf`, `infinity`, `nan`, `1.`, `.5`, `1e9`, in either case, with a sign.
    plain.parse().ok()
}

/// A whole number as `int(text)` reads it: sign and canonical digits without leading zeros. `None` where Python raises.
#[must_use]
pub fn int(text: &str) -> Option<String> {
    let body = strip(text);
    let (negative, digits) = match body.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, body.strip_prefix('+').unwrap_or(body)),
    };
    let mut out = String::new();
    let mut after_digit = false;
    for scalar in digits.chars() {
        if scalar == '_' && after_digit {
            after_digit = false;
            continue;
        }
        out.push(char::from(b'0' + decimal(scalar)?));
        after_digit = true;
    }
    if !after_digit {
        return None;
    }
    let trimmed = out.trim_start_matches('0');
    Some(match (trimmed, negative) {
        ("", _) => "0".to_owned(),
        (number, true) => format!("-{number}"),
        (number, false) => number.to_owned(),
    })
}

/// `text[count:]` in scalars.
#[must_use]
pub fn skip(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or("", |(at, _)| text.get(at..).unwrap_or_default())
}

/// `text[:count]` in scalars.
#[must_use]
pub fn take(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(at, _)| text.get(..at).unwrap_or_default())
}

/// The 32 scalars of `string.punctuation`.
#[must_use]
pub fn is_punctuation(scalar: char) -> bool {
    scalar.is_ascii_punctuation()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn int_reads_what_python_reads() {
        for (text, value) in [
            ("7", Some("7")),
            ("+07", Some("7")),
            ("-0", Some("0")),
            ("1_000", Some("1000")),
            ("１２", Some("12")),
            ("٣", Some("3")),
            ("\u{a0}5\u{1f}", Some("5")),
            ("𝟗𝟎", Some("90")),
            ("", None),
            ("_1", None),
            ("1_", None),
            ("1__0", None),
            ("0x7", None),
            ("- 7", None),
            ("1.0", None),
        ] {
            assert_eq!(int(text).as_deref(), value, "{text:?}");
        }
    }

    #[test]
    fn float_reads_what_python_reads() {
        for (text, value) in [
            (" 18 ", Some(18.0)),
            ("７", Some(7.0)),
            ("3e2", Some(300.0)),
            ("1_0.5", Some(10.5)),
            ("-.5", Some(-0.5)),
            ("5.", Some(5.0)),
            ("INF", Some(f64::INFINITY)),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("1,800", None),
            ("", None),
            ("e5", None),
            (".", None),
            ("0x10", None),
        ] {
            assert_eq!(float(text), value, "{text:?}");
        }
        assert!(float("nan").is_some_and(f64::is_nan));
    }

    #[test]
    fn digits_are_more_than_decimals() {
        assert!(['5', '５', '²', '①', '٣'].into_iter().all(is_digit));
        assert!(!['a', '½', '十', 'Ⅷ'].into_iter().any(is_digit));
    }

    #[test]
    fn white_space_is_pythons() {
        assert_eq!(words("a\u{3000}b\u{a0}c\u{1c}d\u{200b}e").collect::<Vec<_>>(), ["a", "b", "c", "d\u{200b}e"]);
        assert_eq!(strip("\u{85} x \u{1f}"), "x");
        assert_eq!(squeeze("a   b c"), "a b c");
    }
}
