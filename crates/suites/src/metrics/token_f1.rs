//! Token F1 of extractive question answering: the SQuAD normalisation and its Chinese counterpart.

use std::collections::HashMap;
use std::hash::Hash;

use unicode_general_category::{GeneralCategory as Category, get_general_category};

use crate::metrics::jieba;
use crate::metrics::python_text::{is_punctuation, is_space, words};
use crate::metrics::rouge::Prf;

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
pub(super) fn without_words(text: &str, list: &[&str]) -> String {
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

/// Precision, recall and F1 of two bags of tokens, 0..1; all 0 where they share nothing.
#[must_use]
pub fn prf<T: Hash + Eq>(prediction: &[T], reference: &[T]) -> Prf {
    let same = overlap(prediction, reference);
    if same == 0 {
        return Prf::default();
    }
    let (precision, recall) = (share(same, prediction.len()), share(same, reference.len()));
    Prf { precision, recall, f: 2.0 * precision * recall / (precision + recall) }
}

/// F1 of two bags of tokens, 0..1.
#[must_use]
pub fn f1<T: Hash + Eq>(prediction: &[T], reference: &[T]) -> f64 {
    prf(prediction, reference).f
}

/// Precision, recall and F1 of the normalised words, the SQuAD measure.
#[must_use]
pub fn english(prediction: &str, reference: &str) -> Prf {
    let (prediction, reference) = (normalise(prediction), normalise(reference));
    let [prediction, reference] = [&prediction, &reference].map(|text| words(text).collect::<Vec<_>>());
    prf(&prediction, &reference)
}

/// F1 of jieba's words, each normalised, empty ones dropped (LongBench's `qa_f1_zh_score`).
#[must_use]
pub fn chinese(prediction: &str, reference: &str) -> f64 {
    let read = |text| -> Vec<String> {
        jieba::cut(text).iter().map(|word| normalise_zh(word)).filter(|word| !word.is_empty()).collect()
    };
    f1(&read(prediction), &read(reference))
}

fn overlap<T: Hash + Eq>(prediction: &[T], reference: &[T]) -> usize {
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
    same
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_whole_words() {
        assert_eq!(normalise("The cat, a hat; thesis  AN"), "cat hat thesis");
        assert_eq!(normalise_zh("林 黛玉。A!"), "林黛玉a");
    }

    #[test]
    fn f1_counts_bags() {
        assert_eq!(f1(&["a", "a", "b"], &["a", "b"]), 0.8);
        assert_eq!(f1::<char>(&[], &[]), 0.0);
    }
}
