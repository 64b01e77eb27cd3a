//! Records of news dispatches, field by field. Newswire releases such fields; the scores are ours.

use std::collections::BTreeMap;

use serde_json::Value;

/// Fields of a record, without the number of its dispatch.
pub const FIELDS: [&str; 4] = ["who", "what", "where", "when"];

/// Name of the field that says which dispatch a record is about.
pub const NUMBER: &str = "dispatch";

/// The fields of one dispatch, in the order of [`FIELDS`]; empty where nothing is said.
pub type Record = [String; 4];

/// Counts over records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Right fields, fields said, fields wanted.
    pub fields: (usize, usize, usize),
    /// Records right throughout, records said, records wanted.
    pub records: (usize, usize, usize),
    /// Right values of each field.
    pub per_field: [usize; 4],
}

impl RecordCounts {
    /// F1 of the fields, 0..1.
    #[must_use]
    pub fn field_f1(&self) -> f64 {
        f1(self.fields)
    }

    /// F1 of the records that are right in every field, 0..1.
    #[must_use]
    pub fn record_f1(&self) -> f64 {
        f1(self.records)
    }
}

fn f1((right, said, wanted): (usize, usize, usize)) -> f64 {
    if said + wanted == 0 { 0.0 } else { 2.0 * right as f64 / (said + wanted) as f64 }
}

/// A value as it is compared: words in lower case, whatever stands between them.
fn plain(text: &str) -> String {
    let words = text.split(|scalar: char| !scalar.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Reads a record; `None` for what is none: no object, or without the number of a dispatch.
#[must_use]
pub fn record(value: &Value) -> Option<(u64, Record)> {
    let number = match value.get(NUMBER)? {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_u64()?,
    };
    let field = |name: &str| match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    Some((number, FIELDS.map(field)))
}

/// Counts what `said` gets right of `wanted`. A second record of a dispatch, and one of a dispatch that is not wanted, has
/// no right field.
#[must_use]
pub fn count(said: &[(u64, Record)], wanted: &BTreeMap<u64, Record>) -> RecordCounts {
    let mut counts = RecordCounts::default();
    counts.fields.2 = wanted.len() * FIELDS.len();
    counts.records.2 = wanted.len();
    let mut open = wanted.clone();
    for (number, record) in said {
        let gold = open.remove(number);
        counts.records.1 += 1;
        let mut right = 0;
        for (place, value) in record.iter().map(|value| plain(value)).enumerate().filter(|(_, value)| !value.is_empty())
        {
            counts.fields.1 += 1;
            let hit = gold.as_ref().and_then(|gold| gold.get(place)).is_some_and(|gold| plain(gold) == value);
            right += usize::from(hit);
            if let Some(found) = counts.per_field.get_mut(place).filter(|_| hit) {
                *found += 1;
            }
        }
        counts.fields.0 += right;
        counts.records.0 += usize::from(right == FIELDS.len());
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn gold(fields: [&str; 4]) -> Record {
        fields.map(str::to_owned)
    }

    #[test]
    fn fields_are_compared_by_their_words() {
        let wanted = BTreeMap::from([(3, gold(["Ada Pike", "rope works", "Kelford", "March 4"]))]);
        let said = json!({"dispatch": "3", "who": "ada  pike.", "what": "mill", "where": "Kelford", "when": ""});
        let counts = count(&[record(&said).unwrap()], &wanted);
        assert_eq!((counts.fields, counts.records, counts.per_field), ((2, 3, 4), (0, 1, 1), [1, 0, 1, 0]));
        let twice =
            count(&[(3, gold(["Ada Pike", "rope works", "Kelford", "March 4"])), record(&said).unwrap()], &wanted);
        assert_eq!((twice.fields, twice.records), ((4, 7, 4), (1, 2, 1)));
        assert_eq!((record(&json!({"who": "x"})), record(&json!([1]))), (None, None));
    }

    proptest! {
        #[test]
        fn what_is_wanted_scores_in_full(numbers in proptest::collection::btree_set(0_u64..40, 1..8)) {
            let wanted: BTreeMap<u64, Record> = numbers.iter().map(|n| (*n, gold(["a", "b", "c", "d"]))).collect();
            let said: Vec<(u64, Record)> = wanted.clone().into_iter().collect();
            let counts = count(&said, &wanted);
            prop_assert_eq!((counts.field_f1(), counts.record_f1()), (1.0, 1.0));
            let fewer = count(&said[1..], &wanted);
            prop_assert!(fewer.field_f1() < 1.0);
        }
    }
}
