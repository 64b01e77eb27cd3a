//! Token F1 as SQuAD, LongBench, L-Eval, LooGLE, L-CiteEval, InfiniteBench and M4LE compute it.

use super::jieba;
use super::overlap::Overlap;
use super::python_text::{is_punctuation, is_space, is_word, words};

/// The Chinese and typographic marks that the official Chinese normalisation drops besides ASCII punctuation. The
/// opening title mark U+300A is missing there, while the closing one is present.
const MARKS_ZH: &str = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏.";

/// The normaliser of SQuAD: lower case, no ASCII punctuation, no English articles, single blanks.
#[must_use]
pub fn normalise(text: &str) -> String {
    let plain: String = text.to_lowercase().chars().filter(|&scalar| !is_punctuation(scalar)).collect();
    let plain = without_articles(&plain);
    let mut out = String::with_capacity(plain.len());
    for word in words(&plain) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// `normalize_zh_answer`: lower case, no ASCII or Chinese punctuation, no white space.
#[must_use]
pub fn normalise_zh(text: &str) -> String {
    let dropped = |scalar: char| {
        if scalar.is_ascii() {
            is_punctuation(scalar) || is_space(scalar)
        } else {
            is_mark_zh(scalar) || is_space(scalar)
        }
    };
    text.to_lowercase().chars().filter(|&scalar| !dropped(scalar)).collect()
}

fn is_mark_zh(scalar: char) -> bool {
    matches!(scalar, '\u{2013}'..='\u{2027}' | '\u{3001}'..='\u{303f}' | '\u{fe4f}' | '\u{ff01}'..='\u{ff64}')
        && MARKS_ZH.contains(scalar)
}

/// Replaces whole words `a`, `an`, `the` by a blank; words are runs of Python's `\w`.
fn without_articles(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = 0;
    for (at, scalar) in text.char_indices() {
        if is_word(scalar) {
            continue;
        }
        push_unless_article(&mut out, text.get(run..at).unwrap_or_default());
        out.push(scalar);
        run = at + scalar.len_utf8();
    }
    push_unless_article(&mut out, text.get(run..).unwrap_or_default());
    out
}

fn push_unless_article(out: &mut String, word: &str) {
    out.push_str(if matches!(word, "a" | "an" | "the") { " " } else { word });
}

/// Overlap of the normalised words: `qa_f1_score` of LongBench. Two empty answers share nothing.
#[must_use]
pub fn squad(answer: &str, reference: &str) -> Overlap {
    let (answer, reference) = (normalise(answer), normalise(reference));
    Overlap::bags(&blanks(&answer), &blanks(&reference))
}

fn blanks(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.is_empty()).collect()
}

/// Overlap of jieba's words, each normalised afterwards: `qa_f1_zh_score` of LongBench.
#[must_use]
pub fn chinese(answer: &str, reference: &str) -> Overlap {
    Overlap::bags(&words_zh(answer), &words_zh(reference))
}

fn words_zh(text: &str) -> Vec<String> {
    jieba::cut(text).into_iter().map(normalise_zh).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn articles_are_whole_words() {
        assert_eq!(normalise("The cat, a hat; thesis  AN"), "cat hat thesis");
        assert_eq!(normalise("l'a-b the\u{3000}end"), "lab end");
        assert_eq!(normalise_zh("林 黛玉。A!"), "林黛玉a");
        assert_eq!(normalise_zh("《红楼梦》"), "《红楼梦");
    }

    #[test]
    fn order_does_not_count_and_repeats_do() {
        assert_eq!(squad("Paris is the capital", "capital is Paris").f1, 1.0);
        assert_eq!(squad("", ""), Overlap::default());
        assert_eq!(chinese("北京大学", "北京大学").f1, 1.0);
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(answer in ".{0,80}", reference in ".{0,80}") {
            for overlap in [squad(&answer, &reference), chinese(&answer, &reference)] {
                prop_assert!((0.0..=1.0).contains(&overlap.f1));
                prop_assert!((0.0..=1.0).contains(&overlap.precision) && (0.0..=1.0).contains(&overlap.recall));
            }
        }
    }
}
