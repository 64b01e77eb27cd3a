//! Long-tail knowledge.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::long_tail::{Index, support};

#[derive(Deserialize)]
struct Entities {
    question_entities: Vec<String>,
    answer_alias_entities: Vec<String>,
}

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    if row.metric != "relevant_document_count" {
        return Err(row.unknown());
    }
    row.computed(count(row))
}

fn count(row: &GoldenRow) -> Option<Value> {
    let (entities, index): (Entities, Index) = (row.prediction()?, row.reference()?);
    let support = support(&index, &entities.question_entities, &entities.answer_alias_entities);
    Some(json!({
        "qa_co_occurrence": support.both,
        "q_occurrence": support.question,
        "a_occurrence": support.answer,
    }))
}
