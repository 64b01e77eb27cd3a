//! ARLED (arXiv 2503.10233): summaries of Persian papers. The paper does not name its ROUGE, so this is package `rouge`
//! over white-space words, and beside it the same over normalised words.

use super::catalogue::{Form, Metric, Source, metric};
use super::rouge::unique::{self, Scores};

const SOURCE: Source = Source {
    benchmark: "ARLED",
    citation: "arXiv 2503.10233; no official code, ROUGE by the rules of package rouge 1.0.1",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 3] = [
    metric(SOURCE, "arled.rouge_whitespace", "ROUGE-1, -2 and -L over white-space words", Form::Official, 1.0),
    metric(SOURCE, "arled.rouge_l_f", "ROUGE-L over white-space words", Form::Official, 1.0),
    metric(SOURCE, "arled.rouge_l_f.strict", "ROUGE-L over normalised Persian words", Form::Strict, 1.0),
];

/// ROUGE-1, -2 and -L of two texts; `None` where the package raises because one has nothing but full stops.
#[must_use]
pub fn rouge_whitespace(prediction: &str, reference: &str) -> Option<Scores> {
    unique::score(reference, prediction)
}

/// ROUGE-L F, 0..1; 0 where the package raises.
#[must_use]
pub fn rouge_l_f(prediction: &str, reference: &str) -> f64 {
    rouge_whitespace(prediction, reference).map_or(0.0, |scores| scores.rouge_l.f)
}

/// [`rouge_l_f`] of the [`normalise`]d texts.
#[must_use]
pub fn rouge_l_f_normalised(prediction: &str, reference: &str) -> f64 {
    rouge_l_f(&normalise(prediction), &normalise(reference))
}

/// One spelling for what Persian writes in several: Arabic yeh and kaf as the Persian letters, no vowel signs and no
/// tatweel, zero-width non-joiners as blanks, digits of both scripts as ASCII, no punctuation but full stops.
#[must_use]
pub fn normalise(text: &str) -> String {
    text.chars().filter_map(spelled).collect()
}

fn spelled(scalar: char) -> Option<char> {
    match scalar {
        '\u{064b}'..='\u{0652}' | '\u{0640}' => None,
        '\u{064a}' => Some('\u{06cc}'),
        '\u{0643}' => Some('\u{06a9}'),
        '\u{200c}' | '،' | '؛' | '؟' | '«' | '»' => Some(' '),
        '\u{06f0}'..='\u{06f9}' => char::from_digit(u32::from(scalar) - 0x06f0, 10),
        '\u{0660}'..='\u{0669}' => char::from_digit(u32::from(scalar) - 0x0660, 10),
        '.' => Some('.'),
        _ if scalar.is_ascii_punctuation() => Some(' '),
        _ => Some(scalar),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_word_are_one_word() {
        assert_eq!(normalise("كِتابِ علي"), normalise("کتاب علی"));
        assert_eq!(normalise("می\u{200c}رود ۱۲۳"), "می رود 123");
        assert_eq!(rouge_l_f("كتاب علي", "کتاب علی"), 0.0);
        assert!(rouge_l_f_normalised("كتاب علي", "کتاب علی") > 0.999);
    }

    proptest! {
        #[test]
        fn any_text_scores_within_range(prediction in "\\PC{0,200}", reference in "[\u{0621}-\u{06f9}\u{200c} .]{0,80}") {
            for score in [rouge_l_f(&prediction, &reference), rouge_l_f_normalised(&prediction, &reference)] {
                prop_assert!((0.0..=1.0).contains(&score));
            }
        }
    }
}
