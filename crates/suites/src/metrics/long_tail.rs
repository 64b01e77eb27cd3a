//! Long-tail knowledge (arXiv 2211.08411; nkandpa2/long_tail_knowledge @ 021b1899): how many documents hold both what
//! a question asks about and its answer, and whether an answer is right.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Form, Metric, Source, metric};
use super::token_f1::normalise;

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

/// 1 when the answer's words hold those of `right` in order, else 0.
#[must_use]
pub fn accuracy(answer: &str, right: &str) -> f64 {
    let (said, wanted) = (normalise(answer), normalise(right));
    f64::from(!wanted.is_empty() && format!(" {said} ").contains(&format!(" {wanted} ")))
}

/// 1 when the answer is `right` and nothing else but an article.
#[must_use]
pub fn accuracy_strict(answer: &str, right: &str) -> f64 {
    f64::from(normalise(answer) == normalise(right) && !right.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_whole() {
        assert_eq!(accuracy("She was a mason.", "mason"), 1.0);
        assert_eq!(accuracy("a stonemason", "mason"), 0.0);
        assert_eq!((accuracy_strict("A mason!", "mason"), accuracy_strict("a mason or a smith", "mason")), (1.0, 0.0));
        assert_eq!(accuracy("", "mason"), 0.0);
    }
}
