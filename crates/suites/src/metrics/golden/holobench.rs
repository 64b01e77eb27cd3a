//! HoloBench.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::holobench::{self as metric, Entry, Placement, Setting};
use crate::sql::{self, Query};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "merge_contexts" => merged(row),
        "load_context" => loaded(row),
        "label_mean_paper_rule" => label_mean(row),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn merged(row: &GoldenRow) -> Option<Value> {
    let list = |name: &str| Vec::<String>::deserialize(row.reference.get(name)?).ok();
    let placement = Placement::named(row.reference.get("strategy")?.as_str()?)?;
    Some(json!(metric::merge_contexts(&list("main")?, &list("auxiliary")?, placement)))
}

fn label_mean(row: &GoldenRow) -> Option<Value> {
    let evaluations = row.reference.get("evaluations")?.as_array()?;
    let labels = evaluations.iter().map(|one| one.get("label")?.as_str()).collect::<Option<Vec<&str>>>()?;
    Some(json!(metric::label_mean(labels)))
}

/// A map in the order of the file, on which the context depends.
struct Ordered<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Ordered(pairs))
            }
        }
        deserializer.deserialize_map(Pairs(std::marker::PhantomData))
    }
}

#[derive(Deserialize)]
struct Line {
    reference: Reference,
}

#[derive(Deserialize)]
struct Reference {
    query: String,
    db: Ordered<Vec<Verbalised>>,
    args: Args,
}

#[derive(Deserialize)]
struct Verbalised {
    verbalized_text: String,
    table_row: String,
}

#[derive(Deserialize)]
struct Args {
    max_context_size: i64,
    merge_strategy: String,
    info_density: Option<f64>,
    info_amount: Option<i64>,
}

fn entry(row: &Verbalised) -> Option<Entry> {
    let cells: Ordered<Value> = serde_json::from_str(&row.table_row).ok()?;
    let cells = cells.0.into_iter().map(|(name, value)| Some((name, sql::Value::from_json(&value)?)));
    Some(Entry { sentence: row.verbalized_text.clone(), row: cells.collect::<Option<_>>()? })
}

fn loaded(row: &GoldenRow) -> Option<Value> {
    let reference = serde_json::from_str::<Line>(&row.line).ok()?.reference;
    let tables = reference.db.0.iter().map(|(name, rows)| {
        let rows: Option<Vec<Entry>> = rows.iter().map(entry).collect();
        Some((name.clone(), rows?))
    });
    let tables = tables.collect::<Option<Vec<_>>>()?;
    let setting = Setting {
        size: reference.args.max_context_size,
        density: reference.args.info_density.unwrap_or(1.0),
        amount: reference.args.info_amount.unwrap_or(-1),
        placement: Placement::named(&reference.args.merge_strategy)?,
    };
    let loaded = metric::load_context(&Query::parse(&reference.query).ok()?, &tables, setting)?;
    let columns = &loaded.gold.columns;
    let object = |row: &Vec<sql::Value>| -> Value {
        columns.iter().cloned().zip(row.iter().map(sql::Value::to_json)).collect::<serde_json::Map<_, _>>().into()
    };
    Some(json!({
        "context_sha256": hex::encode(Sha256::digest(loaded.sentences.join("\n"))),
        "context_lines": loaded.sentences.len(),
        "first_line": loaded.sentences.first(),
        "last_line": loaded.sentences.last(),
        "gold": loaded.gold.rows.iter().map(object).collect::<Vec<Value>>(),
    }))
}
