//! SeNER (arXiv 2502.07286; THUDM/scholar-profiling @ ed3a4be7): entities of many words in long texts.

mod located;

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Form, Metric, Source, metric};

pub use located::{Entity, Located, Text, length_class, word_count};

const SOURCE: Source = Source { benchmark: "SeNER", citation: "arXiv 2502.07286; THUDM/scholar-profiling @ ed3a4be7" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 1] =
    [metric(SOURCE, "sener.entity_micro_prf", "F1 of spans with types, pooled over documents", Form::Official, 1.0)];

/// An entity: its first and last word, and its type. The set of a document holds each once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First word, from 0.
    pub first: usize,
    /// Last word, inclusive.
    pub last: usize,
    /// Type, e.g. `awards`.
    pub kind: String,
}

/// Counts behind precision and recall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the reference.
    pub gold: usize,
    /// In the prediction.
    pub predicted: usize,
    /// In both.
    pub correct: usize,
}

impl Counts {
    /// Correct over predicted, 0..1; 0 for 0/0.
    #[must_use]
    pub fn precision(self) -> f64 {
        share(self.correct, self.predicted)
    }

    /// Correct over gold, 0..1; 0 for 0/0.
    #[must_use]
    pub fn recall(self) -> f64 {
        share(self.correct, self.gold)
    }

    /// Harmonic mean of both, 0..1.
    #[must_use]
    pub fn f1(self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Counts over documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Micro {
    /// All types together.
    pub overall: Counts,
    /// By type; types that no reference has are counted in `overall` alone.
    pub per_type: BTreeMap<String, Counts>,
}

/// Counts spans that agree in both ends and the type, document by document.
#[must_use]
pub fn entity_micro(predictions: &[Vec<Span>], references: &[Vec<Span>]) -> Micro {
    let nothing = Vec::new();
    let mut micro = Micro::default();
    let kinds = references.iter().flatten().map(|span| (span.kind.clone(), Counts::default()));
    micro.per_type = kinds.collect();
    for at in 0..predictions.len().max(references.len()) {
        let set = |side: &[Vec<Span>]| -> BTreeSet<Span> { side.get(at).unwrap_or(&nothing).iter().cloned().collect() };
        let (predicted, gold) = (set(predictions), set(references));
        for span in predicted.union(&gold) {
            let (here, there) = (predicted.contains(span), gold.contains(span));
            let add = |counts: &mut Counts| {
                counts.predicted += usize::from(here);
                counts.gold += usize::from(there);
                counts.correct += usize::from(here && there);
            };
            add(&mut micro.overall);
            if let Some(counts) = micro.per_type.get_mut(&span.kind) {
                add(counts);
            }
        }
    }
    micro
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans() -> impl Strategy<Value = Vec<Vec<Span>>> {
        let span =
            (0_usize..6, 0_usize..3, "[ab]").prop_map(|(first, more, kind)| Span { first, last: first + more, kind });
        proptest::collection::vec(proptest::collection::vec(span, 0..8), 0..5)
    }

    #[test]
    fn repeats_count_once_and_unknown_types_only_overall() {
        let span = |first, kind: &str| Span { first, last: first, kind: kind.to_owned() };
        let found = entity_micro(&[vec![span(1, "a"), span(1, "a"), span(2, "z")]], &[vec![span(1, "a")]]);
        assert_eq!(found.overall, Counts { gold: 1, predicted: 2, correct: 1 });
        assert_eq!(found.per_type.keys().collect::<Vec<_>>(), ["a"]);
    }

    proptest! {
        #[test]
        fn f1_is_symmetric_and_one_for_equals(one in spans(), other in spans()) {
            let (there, back) = (entity_micro(&one, &other).overall, entity_micro(&other, &one).overall);
            prop_assert_eq!(there.precision(), back.recall());
            prop_assert!((there.f1() - back.f1()).abs() < 1e-12);
            let same = entity_micro(&one, &one).overall;
            prop_assert_eq!(same.f1(), f64::from(u8::from(same.gold > 0)));
        }
    }
}
