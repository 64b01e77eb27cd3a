//! LongGenBench with scattered requirements (Spinning the Golden Thread).

use serde_json::{Map, Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::longgenbench_sgt::{self, Check, When};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let text = row.prediction.as_str().ok_or_else(|| row.bad())?;
    match row.metric.as_str() {
        "judge_yes_parse" => {
            Ok(Computed::Value(json!(if longgenbench_sgt::judge_says_yes(text) { "yes" } else { "no" })))
        }
        "completion_and_stic" => row.computed(report(row, text)),
        _ => Err(row.unknown()),
    }
}

fn report(row: &GoldenRow, text: &str) -> Option<Value> {
    let kind = row.extra.get("type")?.as_str()?;
    let number = row.extra.get("number")?.as_u64()?;
    let mut checks = Vec::new();
    for when in When::ALL {
        for (block, text) in row.reference.get(when.name())?.as_object()? {
            checks.push(Check { when, block: block.parse().ok()?, text: text.as_str()?.to_owned() });
        }
    }
    let label = |when: When, place: usize| row.extra.get("judge_labels")?.get(when.name())?.get(place)?.as_str();
    let report = longgenbench_sgt::report(text, kind, number, &checks, &mut |check, place, _| {
        label(check.when, place).is_some_and(longgenbench_sgt::judge_says_yes)
    });
    let by_kind = |value: &dyn Fn(usize) -> Value| -> Map<String, Value> {
        When::ALL.iter().enumerate().map(|(place, when)| (when.name().to_owned(), value(place))).collect()
    };
    let ids = |place: usize| report.checked.get(place).cloned().unwrap_or_default();
    let expected =
        |place: usize| When::ALL.get(place).and_then(|when| row.expected.get("checked_ids")?.get(when.name()));
    Some(json!({
        "completion_rate": report.completion,
        "word_count": report.words,
        "found_ids": report.found,
        "checked_ids": by_kind(&|place| in_order_of(expected(place), ids(place))),
        "stic1": report.stic1,
        "stic2": report.stic2,
        "acc_by_kind": by_kind(&|place| json!(report.accuracy.get(place))),
    }))
}

/// The same numbers in the expected order: that of an object's keys, which the reader of rows does not keep.
fn in_order_of(expected: Option<&Value>, mut ids: Vec<u64>) -> Value {
    let list: Option<Vec<u64>> = expected.and_then(|list| list.as_array()?.iter().map(Value::as_u64).collect());
    let sorted = list.clone().map(|mut list| {
        list.sort_unstable();
        list
    });
    ids.sort_unstable();
    json!(list.filter(|_| sorted.as_ref() == Some(&ids)).unwrap_or(ids))
}
