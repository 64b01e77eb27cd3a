//! NeedleBench.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::needlebench;

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let text = row.prediction.as_str().unwrap_or_default();
    let planted = |name: &str| row.reference.get(name).and_then(Value::as_str);
    let soft = |score: fn(&str, &str, &str) -> f64| Some(json!(score(text, planted("needle")?, planted("keyword")?)));
    let value = match row.metric.as_str() {
        "v1_single_soft" => soft(needlebench::single_v1_soft),
        "v1_single_soft_trim" => soft(needlebench::single_v1_soft_trim),
        "v2_single_keyword" => planted("keyword").map(|keyword| json!(needlebench::single_v2(text, keyword))),
        "v1_multi_reasoning_keywords" => {
            row.reference.as_str().map(|answer| json!(needlebench::multi_reasoning_v1(text, answer)))
        }
        "v2_atc_boxed" => row.reference.as_str().map(|answer| json!(100.0 * needlebench::boxed(text, answer))),
        "v1_atc_first_option" => row
            .extra
            .get("options")
            .and_then(Value::as_str)
            .map(|options| json!(needlebench::first_option(text, options))),
        "multi_retrieval_by_depth" => by_depth(row),
        "v1_atc_circular" => row
            .prediction::<Vec<String>>()
            .zip(row.reference::<Vec<String>>())
            .map(|(predictions, references)| json!(needlebench::circular(&predictions, &references))),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn by_depth(row: &GoldenRow) -> Option<Value> {
    let predictions: Vec<String> = row.prediction()?;
    let gold: Vec<needlebench::PlantedKeywords> = row.reference()?;
    let (depths, average) = needlebench::multi_retrieval_by_depth(&predictions, &gold);
    let mut fields: BTreeMap<String, f64> =
        depths.into_iter().map(|(depth, score)| (format!("Depth{depth}"), score)).collect();
    let _ = fields.insert("average_score".to_owned(), average);
    Some(json!(fields))
}
