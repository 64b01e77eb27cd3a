//! Comparison of InfiniteBench answers.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::metrics::needlebench::pattern;
use crate::metrics::python_text::{decimal, int};
use crate::metrics::python_text::{decimal, int, is_punctuation, is_space, words};

/// The Chinese and typographic marks that the official Chinese normalisation drops besides ASCII punctuation.
const MARKS_ZH: &str = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏.";

/// Lower case, no ASCII punctuation, no English articles, single blanks.
#[must_use]
pub fn normalise(text: &str) -> String {
    let plain: String = text.to_lowercase().chars().filter(|&scalar| !is_punctuation(scalar)).collect();
    words(&without_words(&plain, &["a", "an", "the"])).collect::<Vec<_>>().join(" ")
}

/// Lower case, no ASCII or Chinese punctuation, no white space.
#[must_use]
pub fn normalise_zh(text: &str) -> String {
    let dropped = |scalar: char| is_punctuation(scalar) || MARKS_ZH.contains(scalar) || is_space(scalar);
    text.to_lowercase().chars().filter(|&scalar| !dropped(scalar)).collect()
}

/// Replaces whole words of a list by a blank; words are runs of Python's `\w`.
pub(in crate::metrics) fn without_words(text: &str, list: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for scalar in text.chars().map(Some).chain([None]) {
        if let Some(scalar) = scalar.filter(|&scalar| is_word(scalar)) {
            run.push(scalar);
            continue;
        }
        out.push_str(if list.contains(&run.as_str()) { " " } else { &run });
        run.clear();
        out.extend(scalar);
    }
    out
}

/// Python's `\w`: letters and numbers of any script, and the underscore; no combining marks.
fn is_word(scalar: char) -> bool {
    use Category as C;
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

/// F1 of two bags of tokens, 0..1.
#[must_use]
pub fn f1<T: Hash + Eq>(prediction: &[T], reference: &[T]) -> f64 {
    let mut left: HashMap<&T, usize> = HashMap::new();
    for token in prediction {
        *left.entry(token).or_default() += 1;
    }
    let mut same = 0;
    for token in reference {
        if let Some(count) = left.get_mut(token).filter(|count| **count > 0) {
            *count -= 1;
            same += 1;
        }
    }
    if same == 0 {
        return 0.0;
    }
    let (precision, recall) = (share(same, prediction.len()), share(same, reference.len()));
    2.0 * precision * recall / (precision + recall)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d+\.\d+|\d+"));

/// The first number, digits of any script turned into ASCII.
pub(super) fn first_number(text: &str) -> Option<String> {
    let found = NUMBER.find(text)?;
    Some(
        found.as_str().chars().map(|scalar| decimal(scalar).map_or(scalar, |digit| char::from(b'0' + digit))).collect(),
    )
}

/// Whether `int(text)` equals a JSON number.
pub(super) fn equals(text: &str, label: &Value) -> bool {
    let (Some(number), Value::Number(label)) = (int(text), label) else { return false };
    if label.is_f64() { number.parse::<f64>().ok() == label.as_f64() } else { number == label.to_string() }
}

pub(super) use super::after_prefix as after;
