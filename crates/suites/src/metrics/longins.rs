//! LongIns (arXiv 2406.17588; Ins-Bench/LongIns-Bench): the numbers of the wrong answers, in square brackets.

use std::collections::BTreeSet;

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::{decimal, int};

const SOURCE: Source = Source { benchmark: "LongIns", citation: "arXiv 2406.17588; Ins-Bench/LongIns-Bench, eval.py" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 2] = [
    metric(SOURCE, "longins.error_index_f1", "F1 of the wrong answers found", Form::Official, 1.0),
    metric(SOURCE, "longins.error_index_f1.strict", "F1 of the last list, clean exams included", Form::Strict, 1.0),
];

/// What stands between each `[` and the next `]` of the same line, in order.
#[must_use]
pub fn bracketed(prediction: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = prediction;
    while let Some((_, inside)) = rest.split_once('[') {
        let end = inside.find([']', '\n']).and_then(|end| inside.split_at_checked(end));
        let Some((text, tail)) = end else { break };
        if tail.starts_with(']') {
            found.push(text);
        }
        rest = tail;
    }
    found
}

/// The numbers in `texts`, in any script's digits, without leading zeros.
fn numbers<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let runs = texts.into_iter().flat_map(|text| text.split(|scalar| decimal(scalar).is_none()));
    runs.filter_map(int).collect()
}

fn wanted(errors: &[u64]) -> BTreeSet<String> {
    errors.iter().map(u64::to_string).collect()
}

/// Set F1 of all bracketed numbers against `errors`, 0..1; 0 where either side is empty, as upstream has it, so that a
/// clean exam cannot be answered.
#[must_use]
pub fn error_index_f1(prediction: &str, errors: &[u64]) -> f64 {
    f1(&numbers(bracketed(prediction)), &wanted(errors))
}

/// Set F1 of the last bracketed list; an empty list is the right answer for a clean exam, 0..1.
#[must_use]
pub fn error_index_f1_strict(prediction: &str, errors: &[u64]) -> f64 {
    let Some(last) = bracketed(prediction).pop() else { return 0.0 };
    let (found, wanted) = (numbers([last]), wanted(errors));
    if found.is_empty() && wanted.is_empty() { 1.0 } else { f1(&found, &wanted) }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn f1(found: &BTreeSet<String>, wanted: &BTreeSet<String>) -> f64 {
    let hits = found.intersection(wanted).count() as f64;
    if hits == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (hits / found.len() as f64, hits / wanted.len() as f64);
    2.0 * precision * recall / (precision + recall)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn brackets_are_read_line_by_line() {
        assert_eq!(bracketed("[[3],[7]]"), ["[3", "7"]);
        assert_eq!(bracketed("[3,\n7] [8]"), ["8"]);
        assert_eq!(bracketed("[3 [4"), Vec::<&str>::new());
        assert_eq!(error_index_f1("[003, ７]", &[3, 7]), 1.0);
    }

    #[test]
    fn a_clean_exam_counts_strictly() {
        assert_eq!((error_index_f1("[]", &[]), error_index_f1_strict("[]", &[])), (0.0, 1.0));
        assert_eq!(error_index_f1_strict("none", &[]), 0.0);
        assert_eq!(error_index_f1_strict("[1] is right, so [3, 7]", &[3, 7]), 1.0);
    }

    proptest! {
        #[test]
        fn any_text_is_scored(text in "(\\PC{0,200}|[\\[\\]0-9, \n]{0,60})", errors in proptest::collection::vec(0_u64..20, 0..6)) {
            prop_assert!((0.0..=1.0).contains(&error_index_f1(&text, &errors)));
            prop_assert!((0.0..=1.0).contains(&error_index_f1_strict(&text, &errors)));
        }
    }

    #[test]
    fn a_megabyte_is_scored() {
        assert_eq!(error_index_f1(&"[".repeat(1_000_000), &[1]), 0.0);
        assert_eq!(error_index_f1(&"[1]9".repeat(250_000), &[1]), 1.0);
    }
}
