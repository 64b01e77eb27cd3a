//! Python's random numbers.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::python_random::PythonRandom;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let field = |name: &str| row.reference.get(name).and_then(Value::as_u64);
    let size = |name: &str| field(name).and_then(|value| usize::try_from(value).ok());
    let rows = row.expected.as_array().map_or(0, Vec::len);
    let Some(mut random) = field("seed").map(PythonRandom::new) else { return Err(row.bad()) };
    let value = match row.metric.as_str() {
        "getrandbits" => Some(bits(&mut random)),
        "random" => Some((0..rows).map(|_| random.random()).collect()),
        "randrange" => field("n").map(|bound| (0..rows).map(|_| random.randrange(bound)).collect()),
        "choice_index" => size("n").map(|count| {
            let items: Vec<usize> = (0..count).collect();
            (0..rows)
                .map(|_| random.choice(&items).copied())
                .collect::<Option<Vec<_>>>()
                .map_or(Value::Null, Value::from)
        }),
        "shuffle" => size("n").map(|count| {
            let mut items: Vec<usize> = (0..count).collect();
            random.shuffle(&mut items);
            abridged(&items, &row.expected)
        }),
        "sample" => size("n").zip(size("k")).map(|(count, k)| abridged(&random.sample(count, k), &row.expected)),
        "randint" => field("lo").zip(field("hi")).map(|(lo, hi)| (0..rows).map(|_| random.randint(lo, hi)).collect()),
        "choices_index" => size("n").zip(size("k")).map(|(count, k)| random.choices(count, k).into()),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

/// The first numbers of a seed.
pub(super) fn stream(row: &GoldenRow, next: fn(&mut PythonRandom) -> String) -> Option<Value> {
    let mut random = PythonRandom::new(row.reference.get("seed")?.as_u64()?);
    let count = row.reference.get("n")?.as_u64()?;
    Some((0..count).map(|_| next(&mut random)).collect())
}

/// Long lists are given as the first twenty and a digest, or as a digest alone.
fn abridged(items: &[usize], expected: &Value) -> Value {
    if !expected.is_object() {
        return items.into();
    }
    let joined = format!("[{}]", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let mut fields = json!({"sha256": hex::encode(Sha256::digest(joined))});
    if expected.get("first20").is_some()
        && let Some(map) = fields.as_object_mut()
    {
        let _ = map.insert("first20".to_owned(), items.iter().take(20).copied().collect());
    }
    fields
}

fn bits(random: &mut PythonRandom) -> Value {
    let mut draw = |bits: u32, count: usize| (0..count).map(|_| random.getrandbits(bits)).collect::<Vec<u128>>();
    let small = |values: Vec<u128>| values.iter().filter_map(|value| u64::try_from(*value).ok()).collect::<Vec<_>>();
    let (words, wide, narrow) = (draw(32, 4), draw(128, 2), draw(7, 4));
    let wide: Vec<String> = wide.iter().map(ToString::to_string).collect();
    json!({"bits32": small(words), "bits128": wide, "bits7": small(narrow)})
}
