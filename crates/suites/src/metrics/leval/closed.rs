//! Closed-ended answers: what is read out of them, and exact match.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::metrics::python_text::{float, is_digit, is_punctuation, is_space, strip, words};

const OPTIONS: [char; 4] = ['A', 'B', 'C', 'D'];

fn is_option(scalar: char) -> bool {
    OPTIONS.contains(&scalar)
}

/// Punctuation and articles removed, blanks squeezed, case kept.
fn normalised(text: &str) -> String {
    static ARTICLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(?:a|an|the)\b").ok());
    let plain: String = text.chars().filter(|scalar| !is_punctuation(*scalar)).collect();
    let free = ARTICLE.as_ref().map_or_else(|| plain.clone(), |article| article.replace_all(&plain, " ").into_owned());
    words(&free).collect::<Vec<_>>().join(" ")
}

/// Exact match of a processed answer: 1, 0, or 0.25 for a part of the right letters.
///
/// The official code also gives 0.25 for an empty answer; [`em_score_strict`] does not.
#[must_use]
pub fn em_score(prediction: &str, gold: &str) -> f64 {
    let (answer, right) = (normalised(prediction), normalised(gold));
    if !right.is_empty() && right.chars().all(is_option) {
        return if answer == right {
            1.0
        } else if answer.chars().all(|letter| right.contains(letter)) {
            0.25
        } else {
            0.0
        };
    }
    match (float(prediction), float(gold)) {
        #[expect(clippy::float_cmp, reason = "the official rule")]
        (Some(answer), Some(right)) => f64::from(answer == right),
        _ => f64::from(squeezed(prediction).contains(&squeezed(gold))),
    }
}

fn squeezed(text: &str) -> String {
    text.to_lowercase().replace(' ', "")
}

/// [`em_score`], 0 for an answer without a letter or digit.
#[must_use]
pub fn em_score_strict(prediction: &str, gold: &str) -> f64 {
    if prediction.chars().any(char::is_alphanumeric) { em_score(prediction, gold) } else { 0.0 }
}

/// The letter of a question with one right option; `A` when there is none, `None` in words for a blank answer.
#[must_use]
pub fn single_option(answer: &str) -> String {
    if strip(answer).is_empty() {
        return "None".to_owned();
    }
    if "ABCD".contains(answer) {
        return answer.to_owned();
    }
    answer.chars().find(|&scalar| is_option(scalar)).unwrap_or('A').into()
}

/// The letters of a question with one or several right options, sorted; `A` when there is none.
#[must_use]
pub fn several_options(answer: &str) -> String {
    if strip(answer).is_empty() {
        return "None".to_owned();
    }
    if "ABCD".contains(answer) {
        return answer.to_owned();
    }
    let rest = answer.trim_start_matches(is_option);
    let mut letters: BTreeSet<char> = answer.chars().take_while(|&scalar| is_option(scalar)).collect();
    if answer.len() - rest.len() > 1 {
        return letters.into_iter().collect();
    }
    let rest = rest.split("Question").next().unwrap_or_default();
    let after = rest.chars().skip(1).map(Some).chain(std::iter::once(None));
    letters.extend(rest.chars().zip(after).filter_map(|(letter, next)| {
        let ends = next.is_some_and(|next| is_space(next) || matches!(next, '.' | ')'));
        (ends && is_option(letter)).then_some(letter)
    }));
    if letters.is_empty() {
        let run = rest.trim_start_matches(|scalar| !is_option(scalar));
        let run: String = run.chars().take_while(|&scalar| is_option(scalar)).collect();
        return if run.is_empty() { "A".to_owned() } else { run };
    }
    letters.into_iter().collect()
}

/// The letters of a reference's first word; `A` when there is none.
#[must_use]
pub fn right_options(gold: &str) -> String {
    let letters: String = words(gold).next().unwrap_or_default().chars().filter(|&scalar| is_option(scalar)).collect();
    if letters.is_empty() { "A".to_owned() } else { letters }
}

/// The whole number of a worked answer, as digits; empty when there is none.
#[must_use]
pub fn number(answer: &str) -> String {
    static PHRASE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"The answer is ([^\s\x1c-\x1f]+)").ok());
    let said = PHRASE.as_ref().and_then(|phrase| phrase.captures(answer)?.get(1));
    let token = said.map_or_else(
        || {
            let first = answer.split("\n\n").next().unwrap_or_default();
            first.rsplit(' ').find(|token| token.chars().any(is_digit)).unwrap_or_default()
        },
        |token| token.as_str(),
    );
    token.chars().take_while(|&scalar| scalar != '.').filter(|&scalar| is_digit(scalar)).collect()
}

/// A program's output without the marks that print differently.
#[must_use]
pub fn code_gold(gold: &str) -> String {
    let mut text = blanks_squeezed(gold);
    for gone in [",", "'", "\\", ".0"] {
        text = text.replace(gone, "");
    }
    text.replace("] [", "][").replace("[ [", "[[").replace("] ]", "]]")
}

/// Runs of white space as one space.
fn blanks_squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for scalar in text.chars() {
        if !is_space(scalar) {
            out.push(scalar);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// The part of an answer that may hold a program's output: the words after the last `the final output`, or the last
/// words; three more than `gold` has.
///
/// Filler is deleted wherever it stands, so `list` loses its `is`, as upstream.
#[must_use]
pub fn code_answer(answer: &str, gold: &str) -> String {
    const PHRASE: &str = "the final output";
    let wanted = words(&code_gold(gold)).count() + 3;
    let mut text = code_gold(answer);
    for filler in ["will be", "of the code", "is", "would be", "the value of", "the result of", "printed"] {
        text = text.replace(filler, "");
    }
    let after = text.rsplit_once(PHRASE).map(|(_, after)| after);
    let squeezed = blanks_squeezed(after.unwrap_or(&text));
    let tokens: Vec<&str> = squeezed.split(' ').collect();
    let from = if after.is_some() { 0 } else { tokens.len().saturating_sub(wanted) };
    let kept: Vec<&str> = tokens.into_iter().skip(from).take(wanted).collect();
    kept.join(" ")
}

/// What an answer says about the document and about the world; `None` where the official code stops with an error
/// because the fact is missing.
#[must_use]
pub fn loyalty_and_fact(answer: &str) -> Option<[String; 2]> {
    let lower = answer.to_lowercase();
    let mut parts = lower.split("[fact:");
    let (loyalty, fact) = (parts.next()?, parts.next()?);
    parts.next().is_none().then(|| [loyalty, fact.trim_end_matches(']')].map(|part| strip(part).to_owned()))
}

/// The first `true` or `false` of a text, or the mark of an unreadable answer.
#[must_use]
pub fn truth(text: &str) -> &'static str {
    let place = |word: &str| text.find(word).unwrap_or(usize::MAX);
    match (place("true"), place("false")) {
        (usize::MAX, usize::MAX) => "<error>",
        (yes, no) if yes < no => "true",
        _ => "false",
    }
}
