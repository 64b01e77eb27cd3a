//! L-CiteEval.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::metrics::l_citeeval::{self, Prf};

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "citation_prf" => citation(row),
        "citation_prf_niah" => niah(row),
        "citation_prf_counting_stars" => counting(row),
        "qa_f1_p_r" => qa(row),
        "remove_citations" => row.prediction.as_str().map(|text| json!(l_citeeval::without_citations(text))),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

#[derive(Deserialize)]
struct Inputs {
    docs: Vec<String>,
    #[serde(default)]
    sentences: Vec<String>,
    #[serde(default)]
    entailment: BTreeMap<String, u8>,
}

fn prf(prf: Prf, citations: Option<usize>) -> Value {
    json!({"recall": prf.recall, "precision": prf.precision, "f1": prf.f1, "citations": citations})
}

fn citation(row: &GoldenRow) -> Option<Value> {
    let inputs = Inputs::deserialize(&row.extra).ok()?;
    let mut unknown = false;
    let mut entails = |passages: &[usize], claim: &str| {
        let lines = passages.iter().filter_map(|&index| inputs.docs.get(index));
        let premise = lines.map(|passage| format!("Passage: {passage}")).collect::<Vec<_>>().join("\n");
        let decision = inputs.entailment.get(&format!("{premise} ||| {claim}"));
        unknown |= decision.is_none();
        decision.is_some_and(|&decision| decision == 1)
    };
    let (found, citations) = l_citeeval::citation_prf(&inputs.sentences, inputs.docs.len(), &mut entails)?;
    (!unknown).then(|| prf(found, Some(citations)))
}

fn qa(row: &GoldenRow) -> Option<Value> {
    let references = row.reference().map(|text: String| vec![text]).or_else(|| row.reference())?;
    let found = l_citeeval::qa_f1_p_r(row.prediction.as_str()?, &references);
    Some(json!({"f1": found.f, "precision": found.precision, "recall": found.recall}))
}

fn niah(row: &GoldenRow) -> Option<Value> {
    let inputs = Inputs::deserialize(&row.extra).ok()?;
    let needle = row.reference.as_str()?;
    let place = inputs.docs.iter().position(|passage| passage.contains(needle))?;
    let (found, citations) = l_citeeval::niah(row.prediction.as_str()?, place);
    Some(prf(found, Some(citations)))
}

fn counting(row: &GoldenRow) -> Option<Value> {
    let inputs = Inputs::deserialize(&row.extra).ok()?;
    let counts: Vec<u64> = row.reference()?;
    let tells = |passage: &String| counts.iter().any(|count| passage.contains(&format!("penguin counted {count} ")));
    let right: BTreeSet<usize> =
        inputs.docs.iter().zip(1..).filter(|(passage, _)| tells(passage)).map(|(_, number)| number).collect();
    let (found, citations) = l_citeeval::counting_stars(row.prediction.as_str()?, &right);
    Some(prf(found, citations))
}
