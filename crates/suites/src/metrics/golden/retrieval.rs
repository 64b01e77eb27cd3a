//! LongEmbed, LoCoV1, FollowIR, SEA code search, COLIEE's statutes and Long-CLIP: rankings and similarities.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::ranking::{Judgements, NdcgTable, Run};
use crate::metrics::{coliee_legal, followir, locov1, long_clip, longembed, sea_codesearch};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match (row.benchmark.as_str(), row.metric.as_str()) {
        ("longembed", "ndcg") => ndcg(row, longembed::ndcg).map(with_accuracy),
        ("locov1", "ndcg") => ndcg(row, locov1::ndcg),
        ("followir", "p_mrr") => p_mrr(row),
        ("followir", "rank_change_score") => rank_change(row),
        ("sea_codesearch", "mrr") => mrr(row),
        ("coliee_legal", "macro_p_r_f2") => articles(row),
        ("long_clip", "recall_at_k") => recall(row),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn ndcg(row: &GoldenRow, table: fn(&Run, &Judgements) -> NdcgTable) -> Option<Value> {
    let found = table(&row.prediction()?, &row.reference()?);
    let named = |values: &BTreeMap<usize, f64>| -> Map<String, Value> {
        values.iter().map(|(cut, value)| (format!("ndcg_at_{cut}"), json!(value))).collect()
    };
    let per_query: BTreeMap<&String, Map<String, Value>> =
        found.per_query.iter().map(|(query, values)| (query, named(values))).collect();
    Some(json!({"mean": named(&found.mean), "per_query": per_query}))
}

/// Accuracy at 1 is NDCG at 1 under another name.
fn with_accuracy(mut value: Value) -> Value {
    if let Some(mean) = value.get_mut("mean").and_then(Value::as_object_mut) {
        let accuracy = mean.get("ndcg_at_1").cloned().unwrap_or_default();
        let _ = mean.insert("acc_at_1".to_owned(), accuracy);
    }
    value
}

#[derive(Deserialize)]
struct Runs {
    original_run: Run,
    new_run: Run,
}

fn p_mrr(row: &GoldenRow) -> Option<Value> {
    let runs: Runs = row.prediction()?;
    Some(json!(followir::p_mrr(&runs.original_run, &runs.new_run, &row.reference()?)))
}

#[derive(Deserialize)]
struct Ranks {
    og_rank: usize,
    new_rank: usize,
}

fn rank_change(row: &GoldenRow) -> Option<Value> {
    let ranks: Ranks = row.prediction()?;
    Some(json!(followir::rank_change(ranks.og_rank, ranks.new_rank)))
}

fn mrr(row: &GoldenRow) -> Option<Value> {
    let (similarities, right): (Vec<Vec<f64>>, Vec<i64>) = (row.prediction()?, row.reference()?);
    let right: Vec<usize> = right.into_iter().map(|index| usize::try_from(index).unwrap_or(usize::MAX)).collect();
    let found = sea_codesearch::code_search(&similarities, &right);
    let mut value = json!({"mrr": found.mrr, "per_query": found.per_query});
    let fields = value.as_object_mut()?;
    fields.extend(found.recall.iter().map(|(k, share)| (format!("r@{k}"), json!(share))));
    Some(value)
}

fn articles(row: &GoldenRow) -> Option<Value> {
    let (named, gold): (Vec<Vec<String>>, Vec<Vec<String>>) = (row.prediction()?, row.reference()?);
    let coliee_legal::Retrieval { macros, micro } = coliee_legal::retrieval(&named, &gold);
    Some(json!({
        "precision": macros.precision,
        "recall": macros.recall,
        "f2": macros.f2,
        "micro": {"p": micro.precision, "r": micro.recall, "f1": micro.f1, "f2": micro.f2},
    }))
}

fn recall(row: &GoldenRow) -> Option<Value> {
    let similarities: Vec<Vec<f64>> = row.prediction()?;
    let captions = usize::try_from(row.extra.get("captions_per_image")?.as_u64()?).ok()?;
    let mut fields = Map::new();
    for k in long_clip::CUTS {
        let found = long_clip::recall_at_k(&similarities, captions, k);
        fields.extend([
            (format!("i2t_r{k}"), json!(found.image_to_text)),
            (format!("t2i_r{k}"), json!(found.text_to_image)),
        ]);
    }
    Some(Value::Object(fields))
}
