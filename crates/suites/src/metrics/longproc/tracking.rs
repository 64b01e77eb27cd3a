//! Traces of what somebody believes.

use super::super::python_text::{is_punctuation, strip, words};
use super::super::token_f1::without_words;
use super::{ProcedureScore, share};

/// Words that do not count.
const DROPPED: [&str; 18] = [
    "a", "an", "the", "on", "in", "at", "step", "thinks", "think", "believes", "believe", "is", "are", "of",
    "location", "know", "knows", "belief",
];

/// Compares the lines that begin with a hyphen. The official scorer takes the marks of any answer as found.
#[must_use]
pub fn tom_tracking(answer: &str, reference: &str) -> ProcedureScore {
    let (given, wanted) = (steps(answer), steps(reference));
    if given == wanted {
        return ProcedureScore::RIGHT;
    }
    let first = given.iter().zip(&wanted).position(|(one, other)| one != other);
    let partial = share(first.unwrap_or(given.len().min(wanted.len())), wanted.len());
    ProcedureScore { accuracy: 0.0, partial, extracted: true }
}

/// What stands behind the hyphen of each line that begins with one, normalised; the first may be indented.
fn steps(text: &str) -> Vec<String> {
    let marked: Vec<&str> = lines(text).filter(|line| strip(line).starts_with('-')).collect();
    let joined = marked.join("\n");
    let steps = strip(&joined).split('\n').filter_map(|line| line.strip_prefix('-'));
    steps.map(normalised).filter(|step| !step.is_empty()).collect()
}

/// `str.splitlines()`, as far as the lines with text go.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(|scalar: char| {
        matches!(scalar, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    })
}

fn normalised(step: &str) -> String {
    let kept = |scalar: &char| !is_punctuation(*scalar) && *scalar != '’';
    let plain: String = step.to_lowercase().chars().filter(kept).collect();
    words(&without_words(&plain, &DROPPED)).collect::<Vec<_>>().join(" ")
}
