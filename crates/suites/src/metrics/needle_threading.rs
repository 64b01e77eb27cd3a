//! Needle Threading (arXiv 2411.05000; jonathan-roberts1/needle-threading @ 006f8f57).
//!
//! The paper publishes no scorer but a README example. The platform extracts UUIDs; the README rule and a third-party
//! rule are kept beside it for comparison.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::catalogue::{Form, Metric, Source, metric};
use super::needlebench::pattern;
use super::python_literal::{Literal, literal};
use super::python_text::take;

const SOURCE: Source = Source {
    benchmark: "Needle Threading",
    citation: "arXiv 2411.05000; jonathan-roberts1/needle-threading @ 006f8f57",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 7] = [
    metric(SOURCE, "needle_threading.single_exact", "First identifier is the answer", Form::Strict, 1.0),
    metric(SOURCE, "needle_threading.set_exact", "Set of identifiers is the answer", Form::Strict, 1.0),
    metric(SOURCE, "needle_threading.recall", "Share of the answers given", Form::Strict, 1.0),
    metric(SOURCE, "needle_threading.recall.strict", "The same among as many identifiers", Form::Strict, 1.0),
    metric(SOURCE, "needle_threading.precision", "Share of identifiers that are answers", Form::Strict, 1.0),
    metric(SOURCE, "needle_threading.readme_literal_eval_prefix", "README example", Form::Official, 1.0),
    metric(
        SOURCE,
        "needle_threading.third_party_contains_all",
        "All answers contained (LOOM-Scope)",
        Form::ThirdParty,
        1.0,
    ),
];

static UUID: LazyLock<Regex> = LazyLock::new(|| pattern("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"));

/// The lower-case UUIDs in an answer, in order, with repeats.
#[must_use]
pub fn uuids(prediction: &str) -> Vec<String> {
    UUID.find_iter(prediction).map(|found| found.as_str().to_owned()).collect()
}

/// 1 when the first UUID of the answer is `answer`, else 0.
#[must_use]
pub fn single_exact(prediction: &str, answer: &str) -> f64 {
    f64::from(UUID.find(prediction).is_some_and(|found| found.as_str() == answer))
}

/// 1 when the set of UUIDs in the answer equals the set of `answers`, else 0.
#[must_use]
pub fn set_exact(prediction: &str, answers: &[String]) -> f64 {
    f64::from(found(prediction) == wanted(answers))
}

/// Share of `answers` among the UUIDs of the answer, 0..1. No answers score 0.
#[must_use]
pub fn recall(prediction: &str, answers: &[String]) -> f64 {
    let wanted = wanted(answers);
    share(found(prediction).intersection(&wanted).count(), wanted.len())
}

/// [`recall`] of an answer that gives no more distinct UUIDs than there are `answers`, else 0: reciting the input, which
/// holds them all, earns nothing.
#[must_use]
pub fn recall_strict(prediction: &str, answers: &[String]) -> f64 {
    if found(prediction).len() > wanted(answers).len() { 0.0 } else { recall(prediction, answers) }
}

/// Share of the answer's distinct UUIDs that are in `answers`, 0..1. No UUIDs score 0.
#[must_use]
pub fn precision(prediction: &str, answers: &[String]) -> f64 {
    let found = found(prediction);
    share(found.intersection(&wanted(answers)).count(), found.len())
}

fn found(prediction: &str) -> BTreeSet<String> {
    uuids(prediction).into_iter().collect()
}

fn wanted(answers: &[String]) -> BTreeSet<String> {
    answers.iter().cloned().collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The README's rule: read the answer as a Python literal and compare its first `len(answer)` scalars.
///
/// `None` where the example stops with an error (no literal, or one that cannot be sliced). Longboard scores that 0.
#[must_use]
pub fn readme_literal_prefix(prediction: &str, answer: &str) -> Option<bool> {
    match literal(prediction)? {
        Literal::Text(text) => Some(take(&text, answer.chars().count()) == answer),
        Literal::Bytes | Literal::List(_) => Some(false),
        Literal::Dictionary(_) | Literal::Number(_) | Literal::Other => None,
    }
}

/// Third-party rule (LOOM-Scope): every answer occurs in the text.
#[must_use]
pub fn contains_all(prediction: &str, answers: &[String]) -> bool {
    answers.iter().all(|answer| prediction.contains(answer.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "2b3be93d-9fde-46b6-c4a1-53260fafd5a7";
    const B: &str = "5b52d07d-52e1-6ba3-470f-5f9688e19a2f";

    #[test]
    fn plural_answers_are_sets() {
        let answers = [A.to_owned(), B.to_owned()];
        assert_eq!(set_exact(&format!("[{B}, {A}, {A}]"), &answers), 1.0);
        assert_eq!(recall(A, &answers), 0.5);
        assert_eq!(recall_strict(A, &answers), 0.5);
        assert_eq!(recall_strict(&format!("{A} {B} {B}"), &answers), 1.0);
        assert_eq!(recall_strict(&format!("{A} {B} {}", A.replace('2', "3")), &answers), 0.0);
        assert_eq!(precision(A, &answers), 1.0);
        assert_eq!(precision("none", &answers), 0.0);
        assert_eq!(single_exact(&format!("{B} {A}"), A), 0.0);
    }
}
