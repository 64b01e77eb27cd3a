//! M4LE: rows carry the end texts and the preprocessing of some task.

use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::m4le::{self, Lists, bleu};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let (Some(answer), Some(references)) = (row.prediction.as_str(), row.reference::<Vec<String>>()) else {
        return Err(row.bad());
    };
    let ends: Vec<&str> = row
        .extra
        .get("end_tokens")
        .and_then(Value::as_array)
        .map_or_else(Vec::new, |ends| ends.iter().filter_map(Value::as_str).collect());
    let first = references.first().map_or("", String::as_str);
    let cut = m4le::cut(answer, &ends);
    let score = match row.metric.as_str() {
        "acc" => f64::from(m4le::contained(cut, &references)),
        "exact_match" => f64::from(m4le::equals(cut, &references)),
        "exact_match_semantic_count" => {
            let end = if preprocess(row) == "thucnews_semantic_preprocess" { '。' } else { '.' };
            f64::from(m4le::equals(cut, &[first.split(end).next().unwrap_or_default().to_owned()]))
        }
        "cls_f1" => m4le::list_f1(answer, first, lists(row).ok_or_else(|| row.bad())?),
        "rougeL_recall_en" => m4le::rouge_en(cut, &references).recall,
        "rougeL_recall_zh" => m4le::rouge_zh(cut, &references).recall,
        "qa_f1_en" => m4le::qa_f1_en(cut, &references),
        "qa_f1_zh" => m4le::qa_f1_zh(cut, &references),
        "bleu_en" | "bleu_zh" => match bleu::corpus(&[(cut, &references)], row.metric == "bleu_zh") {
            Some(score) => score,
            None => return Ok(Computed::Crash(json!(0.0))),
        },
        _ => return Err(row.unknown()),
    };
    Ok(Computed::Value(json!(score)))
}

fn preprocess(row: &GoldenRow) -> &str {
    row.extra.get("preprocess").and_then(Value::as_str).unwrap_or_default()
}

fn lists(row: &GoldenRow) -> Option<Lists> {
    let (separator, end, cuts_gold) = match preprocess(row) {
        "marc_preprocess" => (',', '.', true),
        "mnds_news_explicit_preprocess" => (',', '.', false),
        "online_shopping_preprocess" | "thucnews_explicit_preprocess" => ('，', '。', false),
        _ => return None,
    };
    Some(Lists { separator, end, cuts_gold })
}
