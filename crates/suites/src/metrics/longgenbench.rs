//! LongGenBench (arXiv 2410.04199, EMNLP 2024 Findings; Dominic789654/LongGenBench @ 98458646): many questions in one
//! answer.
//!
//! The official scripts match answers by position, read a tag of their own into the answer, and let missing answers
//! leave the denominator. The strict form reads answers by their number and counts missing ones as wrong.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::catalogue::{Form, Metric, Source, metric};
use super::needlebench::pattern;
use super::python_text::strip;

const SOURCE: Source =
    Source { benchmark: "LongGenBench", citation: "arXiv 2410.04199; Dominic789654/LongGenBench @ 98458646" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 5] = [
    metric(SOURCE, "longgenbench.gsm8k_answer_match", "Last numbers are equal as texts", Form::Official, 1.0),
    metric(SOURCE, "longgenbench.mmlu_letter_match", "Last capital A to D is the letter", Form::Official, 1.0),
    metric(SOURCE, "longgenbench.gsm8k_response_split", "Right answers over answers found", Form::Official, 1.0),
    metric(
        SOURCE,
        "longgenbench.mmlu_by_position",
        "Right letters by position, over all questions",
        Form::Official,
        1.0,
    ),
    metric(
        SOURCE,
        "longgenbench.by_index.strict",
        "Right answers by their number, over all questions",
        Form::Strict,
        1.0,
    ),
];

static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d*\.?\d+"));

fn last_number(text: &str) -> Option<String> {
    let plain = text.replace(',', "");
    NUMBER.find_iter(&plain).last().map(|found| found.as_str().to_owned())
}

/// Whether the last number of an answer is that of the reference, both as texts. The scored text begins with a tag that
/// holds `index`, so an answer without digits is compared by its place. False where the reference holds no number.
#[must_use]
pub fn gsm8k_answer_match(answer: &str, reference: &str, index: usize) -> bool {
    let given = last_number(&format!("A_model:Q_{index}\n{answer}"));
    given.is_some() && given == last_number(reference)
}

/// Whether the last capital A to D of an answer is `letter`. The scored text begins with a tag that holds a capital A, so
/// an answer without a letter counts as A.
#[must_use]
pub fn mmlu_letter_match(answer: &str, letter: &str) -> bool {
    let last = answer.chars().rev().find(|scalar| ('A'..='D').contains(scalar)).unwrap_or('A');
    letter.chars().eq([last])
}

/// The answers of a response as the official scripts cut it: what follows each `:` at a line's end, up to an empty line.
#[must_use]
pub fn split_answers(response: &str) -> Vec<String> {
    let text = response.replace("Answer_", "\n");
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut empty_before) = (0, false);
    while at <= bytes.len() {
        let opened = at.checked_sub(2).and_then(|from| bytes.get(from..at)) == Some(b":\n");
        if !opened {
            at += 1;
            continue;
        }
        let end = answer_end(bytes, if empty_before { at + 1 } else { at });
        let Some(end) = end.filter(|&end| !empty_before || end > at) else {
            (at, empty_before) = (at + 1, false);
            continue;
        };
        found.push(strip(text.get(at..end).unwrap_or_default()).to_owned());
        empty_before = end == at;
        at = end;
    }
    found
}

/// First place from `from` on where an empty line follows, or the end of the text, its last line end aside.
fn answer_end(bytes: &[u8], from: usize) -> Option<usize> {
    (from..=bytes.len()).find(|&end| {
        let rest = bytes.get(end..).unwrap_or_default();
        rest.is_empty() || rest == b"\n" || rest.starts_with(b"\n\n")
    })
}

/// Official counts of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Answers as they were cut.
    pub answers: Vec<String>,
    /// Answers that are scored: never more than there are references. Missing ones are not among them.
    pub scored: usize,
    /// Right ones among those.
    pub right: usize,
}

/// Official arithmetic score of a response: answers are matched to `references` by position.
#[must_use]
pub fn gsm8k_response_split(response: &str, references: &[String]) -> Split {
    let answers = split_answers(response);
    let pairs = || answers.iter().zip(references).enumerate();
    let right = pairs().filter(|(index, (answer, reference))| gsm8k_answer_match(answer, reference, *index)).count();
    Split { scored: pairs().count(), right, answers }
}

/// Official multiple-choice score of one response without the official script's second call: answers by position over
/// all questions, 0..1.
#[must_use]
pub fn mmlu_by_position(response: &str, letters: &[String]) -> f64 {
    let answers = split_answers(response);
    let right = answers.iter().zip(letters).filter(|(answer, letter)| mmlu_letter_match(answer, letter)).count();
    share(right, letters.len())
}

/// What a reference asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Number,
    /// One of the letters A to D.
    Letter,
}

/// A response read by the numbers of its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ByIndex {
    /// Per question in order: right, wrong, or `None` where it was not answered.
    pub verdicts: Vec<Option<bool>>,
}

impl ByIndex {
    /// Right answers over all questions, 0..1; 0 without questions.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        share(self.verdicts.iter().filter(|verdict| **verdict == Some(true)).count(), self.verdicts.len())
    }

    /// Answered questions over all questions, 0..1.
    #[must_use]
    pub fn answered(&self) -> f64 {
        share(self.verdicts.iter().flatten().count(), self.verdicts.len())
    }

    /// Accuracy in each tenth of the questions by position; fewer entries where there are fewer than ten questions.
    #[must_use]
    pub fn deciles(&self) -> Vec<f64> {
        let count = self.verdicts.len();
        (0..10)
            .filter_map(|tenth| self.verdicts.get(tenth * count / 10..(tenth + 1) * count / 10))
            .filter(|part| !part.is_empty())
            .map(|part| Self { verdicts: part.to_vec() }.accuracy())
            .collect()
    }
}

/// Reads the answers by number: question `first + i` is answered by the text after its first `Answer_{first + i}` up to
/// the next such mark. A number is right when its last number has the reference's value, sign included; a letter when
/// the last A to D that stands alone is the reference.
#[must_use]
pub fn by_index(response: &str, references: &[String], first: usize, kind: Kind) -> ByIndex {
    let blocks = numbered(response);
    let verdict = |(index, reference): (usize, &String)| {
        let block = blocks.get(&(first + index))?;
        match kind {
            Kind::Number => last_value(block).map(|value| Some(value) == last_value(reference)),
            Kind::Letter => last_letter(block).map(|letter| reference.chars().eq([letter])),
        }
    };
    ByIndex { verdicts: references.iter().enumerate().map(verdict).collect() }
}

static MARK: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)answer[_ ]([0-9]{1,6})"));

fn numbered(response: &str) -> BTreeMap<usize, &str> {
    let marks: Vec<_> = MARK.captures_iter(response).filter_map(|found| Some((found.get(0)?, found.get(1)?))).collect();
    let mut blocks = BTreeMap::new();
    for (place, (mark, number)) in marks.iter().enumerate() {
        let end = marks.get(place + 1).map_or(response.len(), |(next, _)| next.start());
        if let Ok(number) = number.as_str().parse() {
            blocks.entry(number).or_insert(response.get(mark.end()..end).unwrap_or_default());
        }
    }
    blocks
}

static VALUE: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]*\.?[0-9]+"));

/// Sign and digits of the last number without zeros that mean nothing: `6.0` is `6`.
fn last_value(text: &str) -> Option<String> {
    let plain = text.replace(',', "");
    let found = VALUE.find_iter(&plain).last()?;
    let before = plain.get(..found.start()).unwrap_or_default().trim_end_matches(['$', '€', '£']);
    // A minus sign after a digit or a word is a dash or a subtraction.
    let negative = before.strip_suffix(['-', '−']).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric));
    let (whole, part) = found.as_str().split_once('.').unwrap_or((found.as_str(), ""));
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    let point = if part.is_empty() { "" } else { "." };
    let sign = if negative && !(whole.is_empty() && part.is_empty()) { "-" } else { "" };
    Some(format!("{sign}{}{point}{part}", if whole.is_empty() { "0" } else { whole }))
}

fn last_letter(text: &str) -> Option<char> {
    let words = text.split(|scalar: char| !scalar.is_alphanumeric());
    let mut alone = words.filter(|word| word.len() == 1).filter_map(|word| word.chars().next());
    alone.rfind(|letter| ('A'..='D').contains(letter))
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn answers_are_read_by_their_number() {
        let response = "Answer_2:\nso 7 - 3 = 4\n\nAnswer_1: minus -6.0\n\nAnswer_4:\n$1,200.50";
        let read = by_index(response, &texts(&["-6", "4", "9", "1200.5"]), 1, Kind::Number);
        assert_eq!(read.verdicts, [Some(true), Some(true), None, Some(true)]);
        assert_eq!((read.accuracy(), read.answered()), (0.75, 0.75));
    }

    #[test]
    fn letters_stand_alone_and_silence_is_no_letter() {
        let response = "Answer_1: (B)\nAnswer_2: BAD\nAnswer_3:\n";
        let read = by_index(response, &texts(&["B", "D", "A"]), 1, Kind::Letter);
        assert_eq!(read.verdicts, [Some(true), None, None]);
        assert!(mmlu_letter_match("", "A"));
    }

    #[test]
    fn deciles_follow_the_position() {
        let verdicts = (0..20).map(|index| Some(index < 10)).collect();
        assert_eq!(ByIndex { verdicts }.deciles(), [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_huge_answer_is_read() {
        let huge = "Answer_1:\n".repeat(100_000);
        assert_eq!(by_index(&huge, &texts(&["7"]), 1, Kind::Number).accuracy(), 0.0);
        assert!(!split_answers(&huge).is_empty());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_readers(text in "\\PC*|(Answer_|[0-9]{1,3}|:\n|\n\n|[A-D.,-]|好){0,40}") {
            let references = texts(&["7", "-3", "2.50"]);
            for kind in [Kind::Number, Kind::Letter] {
                let read = by_index(&text, &references, 1, kind);
                prop_assert!((0.0..=1.0).contains(&read.accuracy()) && read.accuracy() <= read.answered());
            }
            let split = gsm8k_response_split(&text, &references);
            prop_assert!(split.right <= split.scored && split.scored <= references.len());
            prop_assert!((0.0..=1.0).contains(&mmlu_by_position(&text, &references)));
        }
    }
}
