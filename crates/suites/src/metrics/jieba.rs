//! Chinese words as jieba 0.42.1 cuts them with its default dictionary, precise mode and HMM.

use std::sync::LazyLock;

use jieba_rs::Jieba;
use regex::Regex;

use super::needlebench::pattern;

/// The dictionary, read at first use (about 0.3 s).
static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// What jieba's own splitter of unknown Latin text keeps together.
static LATIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"[a-zA-Z0-9]+(?:\.\d+)?%?"));

/// `jieba.cut(text)`: all of `text`, white space and marks included, in pieces.
///
/// The crate keeps Latin letters, digits and the marks `+ # & . _ % -` together, the Python package only where the
/// dictionary does; such pieces are cut again.
#[must_use]
pub fn cut(text: &str) -> Vec<&str> {
    let mut words = Vec::with_capacity(text.len() / 4);
    for token in JIEBA.cut(text, true) {
        if is_mixed(token.word) && !JIEBA.has_word(token.word) {
            split(token.word, &mut words);
        } else {
            words.push(token.word);
        }
    }
    words
}

/// The words joined by single blanks, as LongBench, CNNSum and M4LE hand them to ROUGE packages.
#[must_use]
pub fn spaced(text: &str) -> String {
    cut(text).join(" ")
}

fn is_mixed(word: &str) -> bool {
    word.len() > 1
        && word.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && word.bytes().any(|byte| b"+#&._%-".contains(&byte))
}

fn split<'a>(word: &'a str, words: &mut Vec<&'a str>) {
    let mut end = 0;
    let mut push = |piece: Option<&'a str>| words.extend(piece.filter(|piece| !piece.is_empty()));
    for found in LATIN.find_iter(word) {
        push(word.get(end..found.start()));
        push(Some(found.as_str()));
        end = found.end();
    }
    push(word.get(end..));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mixed_words_are_cut_as_python_cuts_them() {
        for (text, words) in [
            ("GPT-4模型", vec!["GPT", "-", "4", "模型"]),
            ("v2.10.4 x_2", vec!["v2.10", ".", "4", " ", "x", "_", "2"]),
            ("我来到北京清华大学", vec!["我", "来到", "北京", "清华大学"]),
            ("", vec![]),
        ] {
            assert_eq!(cut(text), words, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in ".{0,60}") {
            prop_assert_eq!(cut(&text).concat(), text);
        }
    }
}
