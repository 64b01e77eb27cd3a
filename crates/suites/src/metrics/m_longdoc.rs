//! M-LongDoc (arXiv 2411.06176): the mean of three judges' sampled scores, and whether the number, year or name of a page
//! stands in an answer.

use super::catalogue::{Form, Metric, Source, metric};
use super::token_f1::normalise;

const SOURCE: Source = Source { benchmark: "M-LongDoc", citation: "arXiv 2411.06176; repository not obtainable" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 3] = [
    metric(SOURCE, "m_longdoc.match", "Answer contained", Form::Strict, 1.0),
    metric(SOURCE, "m_longdoc.match.strict", "Answer contained and no other", Form::Strict, 1.0),
    metric(SOURCE, "m_longdoc.recall_at_5", "Page among the first five", Form::Strict, 1.0),
];

/// 1 when the answer holds `right` as whole words, else 0. `3,021` and `3021` are one number.
#[must_use]
pub fn matched(answer: &str, right: &str) -> f64 {
    let (said, wanted) = (words(answer), words(right));
    f64::from(!wanted.is_empty() && said.windows(wanted.len()).any(|window| window == wanted))
}

/// 1 when the answer holds `right`, no number that neither `right` nor the question has, and none of `others`, else 0.
#[must_use]
pub fn matched_strict<'a>(answer: &str, right: &str, question: &str, others: impl IntoIterator<Item = &'a str>) -> f64 {
    let (said, wanted, asked) = (words(answer), words(right), words(question));
    let is_number = |word: &&String| word.bytes().all(|byte| byte.is_ascii_digit());
    let stray = said.iter().filter(is_number).any(|word| !wanted.contains(word) && !asked.contains(word));
    let other = others.into_iter().any(|other| matched(answer, other) > 0.0);
    if stray || other { 0.0 } else { matched(answer, right) }
}

/// Words without case, articles and punctuation; separators of thousands are taken out.
fn words(text: &str) -> Vec<String> {
    let mut joined = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = rest.next() {
        let inside = before.is_ascii_digit() && rest.peek().is_some_and(char::is_ascii_digit);
        if !(letter == ',' && inside) {
            // Other punctuation divides words: a year before a colon is a year.
            joined.push(if letter.is_alphanumeric() { letter } else { ' ' });
        }
        before = letter;
    }
    normalise(&joined).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_whole() {
        assert_eq!(matched("It was 3,021 sacks.", "3021"), 1.0);
        assert_eq!(matched("It was 13021 sacks.", "3021"), 0.0);
        assert_eq!(matched("In 1412: Arel Marsh.", "Arel Marsh"), 1.0);
        assert_eq!((matched("", "3021"), matched("anything", "")), (0.0, 0.0));
    }

    #[test]
    fn a_list_of_guesses_is_no_answer() {
        let strict = |answer| matched_strict(answer, "134", "How many boats in 1412?", []);
        assert_eq!(strict("In 1412 it counted 134 boats."), 1.0);
        assert_eq!(strict("133, 134 or 135"), 0.0);
        assert_eq!(matched_strict("Arel Marsh or Bela Pike", "Arel Marsh", "Who?", ["Bela Pike"]), 0.0);
    }

    proptest::proptest! {
        #[test]
        fn strict_is_never_more(answer in "[a-c0-3 ,.]{0,24}", right in "[0-3]{1,3}", question in "[0-3 ]{0,6}") {
            let strict = matched_strict(&answer, &right, &question, []);
            proptest::prop_assert!(strict <= matched(&answer, &right));
            proptest::prop_assert_eq!(matched(&right, &right), 1.0);
        }
    }
}
