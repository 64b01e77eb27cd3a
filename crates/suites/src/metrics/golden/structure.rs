//! Topic segmentation, SeNER, Newswire and What's In Your Field: segments, spans, clusters and tagged phrases.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::{kg_for_science, newswire_headlines, sener, topicseg};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let read = |read: fn(&str) -> kg_for_science::Phrases| row.prediction.as_str().map(|text| json!(read(text)));
    let value = match (row.benchmark.as_str(), row.metric.as_str()) {
        ("topicseg", "pk_windowdiff") => apart(row),
        ("topicseg", "corpus_f1_pk_wd") => corpus(row),
        ("sener", "entity_micro_prf") => entities(row),
        ("newswire_headlines", "clustering_agreement") => clusters(row),
        ("newswire_headlines", "binary_topic_prf") => topic(row),
        ("kg_for_science", "tag_prf") => tags(row),
        ("kg_for_science", "extract_prediction_json") => read(kg_for_science::from_json),
        ("kg_for_science", "extract_prediction_readable") => read(kg_for_science::from_readable),
        ("kg_for_science", "extract_tags") => read(kg_for_science::tagged),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn flags(labels: &[u8]) -> Vec<bool> {
    labels.iter().map(|label| *label == 1).collect()
}

fn apart(row: &GoldenRow) -> Option<Value> {
    let (prediction, reference): (Vec<u8>, Vec<u8>) = (row.prediction()?, row.reference()?);
    let apart = topicseg::distance(&flags(&prediction), &flags(&reference));
    Some(json!({"pk": apart.map(|apart| apart.pk), "wd": apart.map(|apart| apart.window_diff)}))
}

/// The rows give 1 - x rounded, and x as one minus that.
fn corpus(row: &GoldenRow) -> Option<Value> {
    let (predictions, references): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (row.prediction()?, row.reference()?);
    let pairs =
        predictions.iter().zip(&references).map(|(prediction, reference)| (flags(prediction), flags(reference)));
    let scores = topicseg::corpus(&pairs.collect::<Vec<_>>());
    Some(json!({
        "1-pk": scores.pk_similarity,
        "1-wd": scores.window_similarity,
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
        "pk": 1.0 - scores.pk_similarity,
        "wd": 1.0 - scores.window_similarity,
    }))
}

fn entities(row: &GoldenRow) -> Option<Value> {
    type Documents = Vec<Vec<(usize, usize, String)>>;
    let spans = |documents: Documents| -> Vec<Vec<sener::Span>> {
        let span = |(first, last, kind): (usize, usize, String)| sener::Span { first, last, kind };
        documents.into_iter().map(|document| document.into_iter().map(span).collect()).collect()
    };
    let micro = sener::entity_micro(&spans(row.prediction()?), &spans(row.reference()?));
    let scores = |counts: &sener::Counts| {
        json!({
            "precision": counts.precision(),
            "recall": counts.recall(),
            "f1": counts.f1(),
            "gold": counts.gold,
            "predicted": counts.predicted,
            "correct": counts.correct,
        })
    };
    let per_type: BTreeMap<&String, Value> =
        micro.per_type.iter().map(|(kind, counts)| (kind, scores(counts))).collect();
    Some(json!({"overall": scores(&micro.overall), "per_type": per_type}))
}

fn clusters(row: &GoldenRow) -> Option<Value> {
    let (prediction, reference): (Vec<i64>, Vec<i64>) = (row.prediction()?, row.reference()?);
    let found = newswire_headlines::clustering_agreement(&prediction, &reference);
    Some(json!({"ari": found.ari, "nmi": found.nmi, "ami": found.ami}))
}

fn topic(row: &GoldenRow) -> Option<Value> {
    let (prediction, reference): (Vec<u8>, Vec<u8>) = (row.prediction()?, row.reference()?);
    let (accuracy, prf) = newswire_headlines::binary_topic_prf(&flags(&prediction), &flags(&reference));
    Some(json!({"accuracy": accuracy, "precision": prf.precision, "recall": prf.recall, "f1": prf.f1}))
}

fn tags(row: &GoldenRow) -> Option<Value> {
    let mut found = kg_for_science::TagCounts::default();
    found.add(&row.prediction()?, &row.reference()?);
    let list = |counts: kg_for_science::Counts| json!([counts.hits, counts.spurious, counts.missed]);
    let ((precision, recall, f1), (all_precision, all_recall, all_f1)) = (found.tags.rounded(), found.union.rounded());
    Some(json!({
        "tp_fp_fn": list(found.tags),
        "union_tp_fp_fn": list(found.union),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "union_precision": all_precision,
        "union_recall": all_recall,
        "union_f1": all_f1,
    }))
}
