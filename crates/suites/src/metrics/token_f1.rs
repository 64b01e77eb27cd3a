//! Token F1 of extractive question answering: the SQuAD normalisation and its Chinese counterpart.

use std::hash::Hash;

use foldhash::HashMap;

use crate::metrics::jieba;
use crate::metrics::python_text::{is_punctuation, is_space, is_word, words};
use crate::metrics::rouge::Prf;

/// The Chinese and typographic marks that the official Chinese normalisation drops besides ASCII punctuation.
const MARKS_ZH: &str = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏.";

/// Lower case, no ASCII punctuation, no English articles, single blanks.
#[must_use]
pub fn normalise(text: &str) -> String {
    normalise_ascii(text).unwrap_or_else(|| normalise_any(text))
}

fn normalise_any(text: &str) -> String {
    let plain: String = text.to_lowercase().chars().filter(|&scalar| !is_punctuation(scalar)).collect();
    words(&without_words(&plain, &["a", "an", "the"])).collect::<Vec<_>>().join(" ")
}

/// [`normalise`] in one pass where every scalar is an ASCII letter, digit, mark or blank; `None` elsewhere.
fn normalise_ascii(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 1);
    let mut word = 0;
    for byte in text.bytes().chain([b' ']) {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(char::from(byte.to_ascii_lowercase())),
            b' ' | b'\t'..=b'\r' | 0x1c..=0x1f => {
                match out.get(word..).unwrap_or_default() {
                    "" => {}
                    "a" | "an" | "the" => out.truncate(word),
                    _ => out.push(' '),
                }
                word = out.len();
            }
            _ if byte.is_ascii_punctuation() => {}
            _ => return None,
        }
    }
    out.truncate(out.trim_end_matches(' ').len());
    Some(out)
}

/// Lower case, no ASCII or Chinese punctuation, no white space.
#[must_use]
pub fn normalise_zh(text: &str) -> String {
    let is_mark = |scalar: char| {
        matches!(scalar, '\u{2013}'..='\u{2027}' | '\u{3001}'..='\u{303f}' | '\u{fe4f}' | '\u{ff01}'..='\u{ff64}')
            && MARKS_ZH.contains(scalar)
    };
    let dropped = |scalar: char| is_punctuation(scalar) || is_space(scalar) || is_mark(scalar);
    text.to_lowercase().chars().filter(|&scalar| !dropped(scalar)).collect()
}

/// Replaces whole words of a list by a blank; words are runs of Python's `\w`.
pub(super) fn without_words(text: &str, list: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = 0;
    let mut push = |word: &str, after: Option<char>| {
        out.push_str(if list.contains(&word) { " " } else { word });
        out.extend(after);
    };
    for (at, scalar) in text.char_indices().filter(|(_, scalar)| !is_word(*scalar)) {
        push(text.get(run..at).unwrap_or_default(), Some(scalar));
        run = at + scalar.len_utf8();
    }
    push(text.get(run..).unwrap_or_default(), None);
    out
}

/// Precision, recall and F1 of two bags of tokens, 0..1; all 0 where they share nothing.
#[must_use]
pub fn prf<T: Hash + Eq>(prediction: &[T], reference: &[T]) -> Prf {
    Prf::of(overlap(prediction, reference), prediction.len(), reference.len())
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
    let [prediction, reference] = [&prediction, &reference].map(|text| split(text));
    prf(&prediction, &reference)
}

/// Words of a normalised text, between which single blanks stand.
fn split(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.is_empty()).collect()
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
    let mut left: HashMap<&T, usize> = HashMap::default();
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn ascii_is_normalised_as_any_text(text in "[\\x00-\\x7f]{0,60}|[aAn the,.\\t\\x1c_]{0,40}") {
            if let Some(normalised) = normalise_ascii(&text) {
                prop_assert_eq!(normalised, normalise_any(&text));
            }
        }

        #[test]
        fn any_text_has_a_score_in_range(prediction in ".{0,80}", reference in ".{0,80}") {
            let prf = english(&prediction, &reference);
            for share in [prf.precision, prf.recall, prf.f, chinese(&prediction, &reference)] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
        }
    }
}
