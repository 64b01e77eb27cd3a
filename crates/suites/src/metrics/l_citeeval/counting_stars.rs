//! Counting stars: a JSON object with the counts and the passages that tell them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::citation::Prf;

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub struct Stars {
    /// The counts in their order.
    pub counts: Vec<Value>,
    /// The passages, numbered from 1; `None` where the answer has no such list.
    pub passages: Option<Vec<Value>>,
}

/// Reads the object between the first `{` and the first `}` after it; `None` when it is no JSON object.
#[must_use]
pub fn stars(answer: &str) -> Option<Stars> {
    let from = answer.find('{')?;
    let rest = answer.get(from..)?;
    let object = rest.get(..=rest.find('}')?)?;
    let Value::Object(mut fields) = serde_json::from_str(object).ok()? else { return None };
    // The official key, or the plain one of Longboard's own prompt.
    let mut list = |name: &str| match fields.remove(name) {
        Some(Value::Array(values)) => Some(values),
        _ => None,
    };
    Some(Stars {
        counts: list("little_penguin").or_else(|| list("counts")).unwrap_or_default(),
        passages: list("passage_id"),
    })
}

/// Set precision and recall of the passages named, with their number; `None` for the number where the answer has no
/// list of them. An empty list scores 0: the official code divides by zero there.
///
/// Passages are compared as numbers, so `"1"` is not 1.
#[must_use]
pub fn counting_stars(answer: &str, right: &BTreeSet<usize>) -> (Prf, Option<usize>) {
    let Some(read) = stars(answer) else { return (Prf::default(), Some(0)) };
    let Some(named) = read.passages else { return (Prf::default(), None) };
    let distinct: BTreeSet<String> = named.iter().map(key).collect();
    let wanted: BTreeSet<String> = right.iter().map(ToString::to_string).collect();
    let hits = distinct.intersection(&wanted).count() as f64;
    let share = |whole: usize| if whole == 0 { 0.0 } else { hits / whole as f64 };
    (Prf::new(share(wanted.len()), share(distinct.len())), Some(distinct.len()))
}

/// A JSON value such that equal numbers have equal keys.
fn key(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 => format!("{number}"),
        _ => value.to_string(),
    }
}

/// Share of the counts that stand in the right order from the first on, over the larger number of counts, 0..1.
#[must_use]
pub fn count_accuracy(answer: &str, right: &[u64]) -> f64 {
    let Some(read) = stars(answer) else { return 0.0 };
    let hits = read.counts.iter().zip(right).filter(|(said, count)| said.as_u64() == Some(**count)).count();
    let whole = read.counts.len().max(right.len());
    if whole == 0 { 0.0 } else { hits as f64 / whole as f64 }
}

/// The official accuracy: of as many counts as there are, those that are one of the right ones, in any order and
/// repeated ones too, 0..1.
#[must_use]
pub fn counts_found(answer: &str, right: &[u64]) -> f64 {
    let Some(read) = stars(answer) else { return 0.0 };
    let known = |said: &&Value| said.as_u64().is_some_and(|said| right.contains(&said));
    let hits = read.counts.iter().take(right.len()).filter(known).count();
    if right.is_empty() { 0.0 } else { hits as f64 / right.len() as f64 }
}
