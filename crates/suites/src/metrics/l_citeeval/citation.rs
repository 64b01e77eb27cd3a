//! Citation recall, precision and F1, given who decides whether passages support a sentence.

use std::sync::LazyLock;

use regex::Regex;

use crate::metrics::python_text::{int, strip};

/// Citations of a sentence that count at most.
pub const AT_MOST: usize = 3;

/// Recall, precision and their harmonic mean, 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prf {
    /// Sentences that their citations support.
    pub recall: f64,
    /// Citations that are needed.
    pub precision: f64,
    /// Harmonic mean; 0 when both are 0.
    pub f1: f64,
}

impl Prf {
    /// From its two parts.
    #[must_use]
    pub fn new(recall: f64, precision: f64) -> Self {
        let sum = recall + precision;
        Self { recall, precision, f1: if sum > 0.0 { 2.0 * recall * precision / sum } else { 0.0 } }
    }
}

/// Decides whether passages, by index, support a claim.
pub type Entailment<'a> = &'a mut dyn FnMut(&[usize], &str) -> bool;

/// Scores the sentences of an answer over `passages` passages, with the number of citations that count. `None` without
/// sentences: the official code skips such a sample.
///
/// A sentence without citations, or with one beyond the last passage, is unsupported and its citations do not count.
/// `[0]` cites the last passage, as upstream; [`citation_prf_strict`] takes it for a passage that is not there.
pub fn citation_prf<S: AsRef<str>>(sentences: &[S], passages: usize, entails: Entailment<'_>) -> Option<(Prf, usize)> {
    scored(sentences, entails, |number| match number.checked_sub(1) {
        Some(index) => (index < passages).then_some(index),
        None => passages.checked_sub(1),
    })
}

/// [`citation_prf`] where `[0]` is no passage.
pub fn citation_prf_strict<S: AsRef<str>>(
    sentences: &[S],
    passages: usize,
    entails: Entailment<'_>,
) -> Option<(Prf, usize)> {
    scored(sentences, entails, |number| number.checked_sub(1).filter(|index| *index < passages))
}

fn scored<S: AsRef<str>>(
    sentences: &[S],
    entails: Entailment<'_>,
    place: impl Fn(usize) -> Option<usize>,
) -> Option<(Prf, usize)> {
    if sentences.is_empty() {
        return None;
    }
    let (mut supported, mut needed, mut total) = (0_usize, 0_usize, 0_usize);
    for sentence in sentences {
        let sentence = sentence.as_ref();
        let cited: Option<Vec<usize>> = numbers(sentence).map(|number| place(number?)).collect();
        let Some(mut cited) = cited.filter(|cited| !cited.is_empty()) else { continue };
        cited.truncate(AT_MOST);
        total += cited.len();
        let claim = without_citations(sentence);
        let claim = strip(&claim);
        if entails(&cited, claim) {
            supported += 1;
            needed += needed_citations(&cited, claim, entails);
        }
    }
    let precision = if total == 0 { 0.0 } else { needed as f64 / total as f64 };
    Some((Prf::new(supported as f64 / sentences.len() as f64, precision), total))
}

/// Citations of a supported sentence that support it alone, or without which the others do not.
fn needed_citations(cited: &[usize], claim: &str, entails: Entailment<'_>) -> usize {
    if cited.len() == 1 {
        return 1;
    }
    let mut needed = 0;
    for passage in cited {
        let alone = entails(&[*passage], claim);
        // The first citation of the passage goes, so a repeated one leaves its twin behind.
        let gone = cited.iter().position(|other| other == passage);
        let others: Vec<usize> =
            (0..).zip(cited).filter(|(at, _)| Some(*at) != gone).map(|(_, other)| *other).collect();
        needed += usize::from(alone || !entails(&others, claim));
    }
    needed
}

/// The numbers of all citations in a text; `None` where one is beyond every passage.
fn numbers(text: &str) -> impl Iterator<Item = Option<usize>> {
    static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\[(\d+)").ok());
    let found = MARK.as_ref().map(|mark| mark.captures_iter(text));
    found.into_iter().flatten().filter_map(|found| {
        let digits = int(found.get(1)?.as_str())?;
        Some(digits.parse().ok())
    })
}

/// The passages, by index, that a text cites: numbers in brackets minus one, in order, repeated ones too. `None` for a
/// number that names no passage.
#[must_use]
pub fn cited(text: &str) -> Vec<Option<usize>> {
    numbers(text).map(|number| number?.checked_sub(1)).collect()
}

/// A text without its citations, as the official code deletes them: of `[3, 4]` the second number stays.
#[must_use]
pub fn without_citations(text: &str) -> String {
    static SPACED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r" \[\d+").ok());
    static BARE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\[\d+").ok());
    let mut plain = text.to_owned();
    for mark in [&SPACED, &BARE].into_iter().filter_map(|mark| mark.as_ref()) {
        plain = mark.replace_all(&plain, "").into_owned();
    }
    plain.replace(" |", "").replace(']', "")
}

/// Scores the first line of a needle question's answer: right when one of the first three citations names the needle's
/// passage. With the number of citations that count.
#[must_use]
pub fn niah(answer: &str, needle: usize) -> (Prf, usize) {
    let line = strip(answer).split('\n').next().unwrap_or_default();
    let cited: Vec<Option<usize>> = cited(line).into_iter().take(AT_MOST).collect();
    let prf = if cited.contains(&Some(needle)) { Prf::new(1.0, 1.0 / cited.len() as f64) } else { Prf::default() };
    (prf, cited.len())
}
