//! Ada-LEval (arXiv 2404.06480; open-compass/Ada-LEval @ 2154258d): best answer and text sorting.

use serde_json::Value;

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::strip;

const SOURCE: Source =
    Source { benchmark: "Ada-LEval", citation: "arXiv 2404.06480; open-compass/Ada-LEval @ 2154258d" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 4] = [
    metric(SOURCE, "ada_leval.bestanswer_accuracy", "Best answer chosen", Form::Official, 100.0),
    metric(SOURCE, "ada_leval.bestanswer_accuracy.strict", "Best answer named alone", Form::Strict, 1.0),
    metric(SOURCE, "ada_leval.tsort_accuracy", "Segments in order", Form::Official, 100.0),
    metric(SOURCE, "ada_leval.tsort_accuracy.strict", "All segments in order", Form::Strict, 1.0),
];

/// The designation that the official scorer reads out of an answer among `A1` to `A{choices}`: the highest label found
/// as a substring (so `A14` also names `A1`), else the highest bare number; `None` prints as `???`.
#[must_use]
pub fn chosen(prediction: &str, choices: usize) -> Option<usize> {
    let by = |label: &dyn Fn(usize) -> String| (1..=choices).rev().find(|&one| prediction.contains(&label(one)));
    by(&|one| format!("A{one}")).or_else(|| by(&|one| one.to_string()))
}

/// Best answer, official: 1 when the label read by [`chosen`] is `answer`, else 0.
#[must_use]
pub fn best_answer(prediction: &str, answer: &str, choices: usize) -> f64 {
    f64::from(chosen(prediction, choices).is_some_and(|one| answer == format!("A{one}")))
}

/// Best answer, strict: 1 when `answer` is the only label that stands as a word of its own, else 0.
#[must_use]
pub fn best_answer_strict(prediction: &str, answer: &str) -> f64 {
    let mut labels = prediction.split(|scalar: char| !scalar.is_alphanumeric()).filter(|word| is_label(word));
    let first = labels.next();
    f64::from(first == Some(answer) && labels.all(|label| label == answer))
}

fn is_label(word: &str) -> bool {
    word.strip_prefix('A')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The order that the official scorer reads: JSON after the first `Answer:`, else the only permutation of 1234 that is
/// a subsequence, else four zeros.
#[must_use]
pub fn order(prediction: &str) -> Value {
    let text = strip(prediction.split("Answer:").nth(1).unwrap_or(prediction));
    match text {
        // Python's reader takes these three for numbers.
        "NaN" | "Infinity" | "-Infinity" => Value::Null,
        _ => serde_json::from_str(text).unwrap_or_else(|_| spelled(text).into()),
    }
}

fn spelled(text: &str) -> Vec<u64> {
    let mut found = permutations().into_iter().filter(|order| is_subsequence(order, text));
    match (found.next(), found.next()) {
        (Some(order), None) => order.to_vec(),
        _ => vec![0; 4],
    }
}

fn permutations() -> Vec<[u64; 4]> {
    let numbers = 0..256_u64;
    let orders = numbers.map(|code| [code >> 6 & 3, code >> 4 & 3, code >> 2 & 3, code & 3].map(|digit| digit + 1));
    orders.filter(|order| (1..=4).all(|segment| order.contains(&segment))).collect()
}

fn is_subsequence(order: &[u64; 4], text: &str) -> bool {
    let mut scalars = text.bytes();
    order.iter().all(|&segment| scalars.any(|byte| u64::from(byte) == u64::from(b'0') + segment))
}

/// Text sorting, official: 1 when the order read by [`order`] agrees with `answer` as far as both go, so that `[]` and
/// every right beginning count; `None` where the official scorer raises because a lone number, truth value or null was
/// answered. Those score 0 here.
#[must_use]
pub fn text_sort(prediction: &str, answer: &[u64]) -> Option<f64> {
    let agrees = match order(prediction) {
        Value::Array(items) => items.iter().zip(answer).all(|(item, segment)| equals(item, *segment)),
        Value::String(text) => text.is_empty() || answer.is_empty(),
        Value::Object(fields) => fields.is_empty() || answer.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    Some(f64::from(agrees))
}

/// Equality as Python has it: 1, 1.0 and `true` are one.
fn equals(item: &Value, segment: u64) -> bool {
    match item {
        Value::Number(number) => number.as_f64() == u32::try_from(segment).ok().map(f64::from),
        Value::Bool(truth) => u64::from(*truth) == segment,
        _ => false,
    }
}

/// Text sorting, strict: 1 when the order is `answer`, whole and nothing more.
#[must_use]
pub fn text_sort_strict(prediction: &str, answer: &[u64]) -> f64 {
    let whole = |items: &Vec<Value>| {
        items.len() == answer.len() && items.iter().zip(answer).all(|(item, segment)| equals(item, *segment))
    };
    f64::from(order(prediction).as_array().is_some_and(whole))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_official_bugs_are_kept_and_the_strict_form_has_none() {
        assert_eq!(best_answer("The answer is A14", "A1", 4), 1.0);
        assert_eq!(best_answer_strict("The answer is A14", "A1"), 0.0);
        assert_eq!(best_answer_strict("Answer: **A4**, clearly A4.", "A4"), 1.0);
        assert_eq!(best_answer_strict("A1 and A4", "A4"), 0.0);
        let answer = [3, 1, 4, 2];
        assert_eq!((text_sort("[]", &answer), text_sort_strict("[]", &answer)), (Some(1.0), 0.0));
        assert_eq!((text_sort("[3]", &answer), text_sort_strict("[3]", &answer)), (Some(1.0), 0.0));
        assert_eq!(text_sort_strict("Answer: 3, 1, 4, 2", &answer), 1.0);
        assert_eq!(text_sort("3142", &answer), None);
        assert_eq!(permutations().len(), 24);
    }

    proptest! {
        #[test]
        fn any_text_is_scored(text in "(\\PC{0,200}|[\\[\\]0-9A, .\n:nswer-]{0,60})", choices in 0_usize..200) {
            prop_assert!([0.0, 1.0].contains(&best_answer(&text, "A3", choices)));
            prop_assert!(best_answer_strict(&text, "A3") <= 1.0);
            prop_assert!(text_sort_strict(&text, &[2, 1, 4, 3]) <= text_sort(&text, &[2, 1, 4, 3]).unwrap_or(0.0));
        }
    }

    #[test]
    fn a_megabyte_is_scored() {
        let text = "A1 [2, 1".repeat(130_000);
        assert_eq!(best_answer(&text, "A1", 300), 1.0);
        assert_eq!(text_sort_strict(&text, &[2, 1, 4, 3]), 0.0);
    }
}
