//! Long-tail knowledge (arXiv 2211.08411; nkandpa2/long_tail_knowledge @ 021b1899): how many documents hold both what
//! a question asks about and its answer, and whether an answer is right.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Form, Metric, Source, metric};

const SOURCE: Source =
    Source { benchmark: "Long-tail knowledge", citation: "arXiv 2211.08411; nkandpa2/long_tail_knowledge @ 021b1899" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 3] = [
    metric(SOURCE, "long_tail.relevant_document_count", "Supporting documents", Form::Official, f64::MAX),
    metric(SOURCE, "long_tail.accuracy", "Answer contained", Form::Strict, 1.0),
    metric(SOURCE, "long_tail.accuracy.strict", "Answer and nothing else", Form::Strict, 1.0),
];

/// Documents by entity.
pub type Index = BTreeMap<String, BTreeSet<u64>>;

/// How often a question's entities stand in a corpus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Support {
    /// Documents with both a question entity and the answer entity, for the pair that shares most of them.
    pub both: usize,
    /// Documents with the most frequent question entity.
    pub question: usize,
    /// Documents with the most frequent entity of the answer's aliases.
    pub answer: usize,
}

/// Support of a question in an indexed corpus. Entities of the question are no answers; the answer entity is the one
/// that most aliases name, and among equals the one with most support.
#[must_use]
pub fn support(index: &Index, question: &[String], aliases: &[String]) -> Support {
    let empty = BTreeSet::new();
    let documents = |entity: &String| index.get(entity).unwrap_or(&empty);
    let mut named: BTreeMap<&String, usize> = BTreeMap::new();
    for entity in aliases.iter().filter(|entity| !question.contains(entity)) {
        *named.entry(entity).or_default() += 1;
    }
    let most = named.values().copied().max().unwrap_or_default();
    let answers = named.iter().filter(|(_, count)| **count == most).map(|(entity, _)| documents(entity));
    let shared = |answer: &BTreeSet<u64>| {
        question.iter().map(|entity| documents(entity).intersection(answer).count()).max().unwrap_or_default()
    };
    Support {
        both: answers.map(shared).max().unwrap_or_default(),
        question: question.iter().map(|entity| documents(entity).len()).max().unwrap_or_default(),
        answer: named.keys().map(|entity| documents(entity).len()).max().unwrap_or_default(),
    }
}
