//! LongBench.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::{jieba, longbench};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "qa_f1" => texts(row, "qasper"),
        "qa_f1_zh" => texts(row, "multifieldqa_zh"),
        "rouge" => texts(row, "gov_report"),
        "rouge_zh" => texts(row, "vcsum"),
        "classification" => texts(row, "trec"),
        "retrieval" => texts(row, "passage_retrieval_en"),
        "retrieval_zh" => texts(row, "passage_retrieval_zh"),
        "count" => texts(row, "passage_count"),
        "code_sim" => texts(row, "lcc"),
        "jieba_cut" => row.prediction.as_str().map(|text| json!(jieba::cut(text))),
        "dataset_score" => dataset_score(row),
        "dataset_score_e" => dataset_score_e(row),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn texts(row: &GoldenRow, dataset: &str) -> Option<Value> {
    let rule = longbench::Rule::of(dataset)?;
    Some(json!(rule.score(row.prediction.as_str()?, row.reference.as_str()?, &classes(row))))
}

fn classes(row: &GoldenRow) -> Vec<String> {
    let classes = row.extra.get("all_classes").and_then(Value::as_array);
    classes.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn dataset_score(row: &GoldenRow) -> Option<Value> {
    let dataset = row.extra.get("dataset")?.as_str()?;
    Some(json!(longbench::dataset_score(
        dataset,
        &row.prediction::<Vec<String>>()?,
        &row.reference::<Vec<_>>()?,
        &classes(row)
    )?))
}

fn dataset_score_e(row: &GoldenRow) -> Option<Value> {
    let dataset = row.extra.get("dataset")?.as_str()?;
    let lengths: Vec<u64> = row.extra.get("lengths")?.as_array()?.iter().filter_map(Value::as_u64).collect();
    let (answers, references): (Vec<String>, Vec<_>) = (row.prediction()?, row.reference()?);
    Some(json!(longbench::dataset_score_e(dataset, &answers, &references, &lengths, &classes(row))?))
}
