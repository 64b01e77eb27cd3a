//! Package `rouge_chinese` 1.0.3: ROUGE-L is one plain longest common subsequence over all words of a spaced text.

use std::sync::LazyLock;

use regex::Regex;

use super::lcs::Columns;
use super::vocabulary::Vocabulary;
use crate::metrics::needlebench::pattern;
use crate::metrics::overlap::Overlap;
use crate::metrics::python_text::{is_space, words};

const DAMPING: f64 = 1e-8;

/// Where the package puts a line break: after the first group, before the second.
static BREAKS: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    [r"([。！？\?])([^”’])", r"(\.{6})([^”’])", r"(…{2})([^”’])", r"([。！？\?][”’])([^，。！？\?])"].map(pattern)
});

/// ROUGE-L of texts whose words are separated by blanks ([`jieba::spaced`](crate::metrics::jieba::spaced)).
///
/// `None` where the package raises: a side without a word.
#[must_use]
pub fn rouge_l(answer: &str, reference: &str) -> Option<Overlap> {
    let mut vocabulary = Vocabulary::default();
    let answer = tokens(answer, &mut vocabulary)?;
    let reference = tokens(reference, &mut vocabulary)?;
    let mut columns = Columns::new(vocabulary.len());
    columns.set(&reference);
    let length = columns.length(&answer);
    Some(Overlap::damped(length, answer.len(), reference.len(), DAMPING))
}

/// Words of the lines; a line of white space is one empty word.
fn tokens(text: &str, vocabulary: &mut Vocabulary) -> Option<Vec<u32>> {
    let broken = BREAKS.iter().fold(text.to_owned(), |text, regex| regex.replace_all(&text, "$1\n$2").into_owned());
    let mut tokens = Vec::new();
    for line in broken.trim_end_matches(is_space).split('\n').filter(|line| !line.is_empty()) {
        let before = tokens.len();
        tokens.extend(words(line).map(|word| vocabulary.id(word)));
        if tokens.len() == before {
            tokens.push(vocabulary.id(""));
        }
    }
    if tokens.is_empty() { None } else { Some(tokens) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::jieba::spaced;

    #[test]
    fn order_counts_and_repeats_do() {
        let overlap = rouge_l("甲 乙 甲 。 丙", "甲 丙 乙 。").unwrap();
        assert_eq!((overlap.precision, overlap.recall), (0.6, 0.75));
        assert_eq!(rouge_l("", "甲"), None);
        assert_eq!(rouge_l("甲", " \n"), None);
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(answer in ".{0,40}", reference in ".{0,40}") {
            if let Some(overlap) = rouge_l(&spaced(&answer), &spaced(&reference)) {
                prop_assert!((0.0..=1.0).contains(&overlap.f1) && (0.0..=1.0).contains(&overlap.recall));
            }
        }
    }
}
