//! Chinese words as Python's jieba 0.42.1 cuts them (default dictionary, HMM on).

use std::sync::LazyLock;

use jieba_rs::Jieba;
use regex::Regex;

use crate::metrics::needlebench::pattern;

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// What Python's jieba keeps together in text without Chinese characters.
static PIECE: LazyLock<Regex> = LazyLock::new(|| pattern(r"[a-zA-Z0-9]+(?:\.[0-9]+)?%?"));

/// The words of `text` in order, white space and punctuation included.
#[must_use]
pub fn cut(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for token in JIEBA.cut(text, true) {
        let word = token.word;
        if is_split_upstream(word) { resplit(word, &mut words) } else { words.push(word.to_owned()) }
    }
    words
}

/// jieba-rs keeps mixed tokens like `GPT-4` whole; Python's splits what is not in the dictionary.
fn is_split_upstream(word: &str) -> bool {
    word.chars().nth(1).is_some()
        && word.chars().any(|scalar| scalar.is_ascii_alphanumeric())
        && word.contains(['+', '#', '&', '.', '_', '%', '-'])
        && !JIEBA.has_word(word)
}

fn resplit(word: &str, words: &mut Vec<String>) {
    let mut at = 0;
    for piece in PIECE.find_iter(word) {
        let gap = word.get(at..piece.start()).unwrap_or_default();
        words.extend([gap, piece.as_str()].into_iter().filter(|part| !part.is_empty()).map(str::to_owned));
        at = piece.end();
    }
    let rest = word.get(at..).unwrap_or_default();
    words.extend((!rest.is_empty()).then(|| rest.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_tokens_are_cut_as_in_python() {
        assert_eq!(cut("PM2.5指数"), ["PM2.5", "指数"]);
        assert_eq!(cut("GPT-4"), ["GPT", "-", "4"]);
        assert!(cut("").is_empty());
    }
}
