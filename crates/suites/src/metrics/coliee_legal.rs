//! COLIEE's statute retrieval (arXiv 2212.13899; nguyenthanhasia/paraformer): which articles of a law decide a case?

use std::collections::BTreeSet;

use super::catalogue::{Form, Metric, Source, metric};

const SOURCE: Source = Source {
    benchmark: "COLIEE statute retrieval",
    citation: "arXiv 2212.13899; nguyenthanhasia/paraformer; COLIEE's rule, macro and micro",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 2] = [
    metric(
        SOURCE,
        "coliee_legal.macro_p_r_f2",
        "Macro F2 of the articles named, micro averages beside",
        Form::Official,
        1.0,
    ),
    metric(SOURCE, "coliee_legal.f2", "F2 of the articles named for one case", Form::Official, 1.0),
];

/// Precision, recall and their F-measures, 0..1; 0 for 0/0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prf2 {
    /// Right articles over those named.
    pub precision: f64,
    /// Right articles over those that decide the case.
    pub recall: f64,
    /// Harmonic mean.
    pub f1: f64,
    /// 5PR / (4P + R): recall weighs four times.
    pub f2: f64,
}

impl Prf2 {
    fn of(correct: usize, named: usize, gold: usize) -> Self {
        let over = |whole: usize| if whole == 0 { 0.0 } else { correct as f64 / whole as f64 };
        let (precision, recall) = (over(named), over(gold));
        let f = |square: f64| {
            let below = square * precision + recall;
            if below > 0.0 { (1.0 + square) * precision * recall / below } else { 0.0 }
        };
        Self { precision, recall, f1: f(1.0), f2: f(4.0) }
    }
}

/// Scores of a set of queries.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Retrieval {
    /// Means over the queries, COLIEE's own; its `f1` is the mean of F1 too.
    pub macros: Prf2,
    /// Of the counts of all queries together.
    pub micro: Prf2,
}

/// Right, named and gold articles of one query; an article named twice is one.
fn counts(named: &[String], gold: &[String]) -> (usize, usize, usize) {
    let (named, gold): (BTreeSet<&String>, BTreeSet<&String>) = (named.iter().collect(), gold.iter().collect());
    (named.intersection(&gold).count(), named.len(), gold.len())
}

/// Scores of one query.
#[must_use]
pub fn one(named: &[String], gold: &[String]) -> Prf2 {
    let (correct, named, gold) = counts(named, gold);
    Prf2::of(correct, named, gold)
}

/// Scores of queries: the articles named and those that decide each.
#[must_use]
pub fn retrieval(named: &[Vec<String>], gold: &[Vec<String>]) -> Retrieval {
    let (mut sum, mut pooled, mut queries) = (Prf2::default(), (0, 0, 0), 0_usize);
    for (named, gold) in named.iter().zip(gold) {
        let counts = counts(named, gold);
        let own = Prf2::of(counts.0, counts.1, counts.2);
        sum.precision += own.precision;
        sum.recall += own.recall;
        sum.f1 += own.f1;
        sum.f2 += own.f2;
        pooled = (pooled.0 + counts.0, pooled.1 + counts.1, pooled.2 + counts.2);
        queries += 1;
    }
    let mean = |sum: f64| if queries == 0 { 0.0 } else { sum / queries as f64 };
    let macros = Prf2 { precision: mean(sum.precision), recall: mean(sum.recall), f1: mean(sum.f1), f2: mean(sum.f2) };
    Retrieval { macros, micro: Prf2::of(pooled.0, pooled.1, pooled.2) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn articles(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn recall_weighs_more() {
        let all = one(&articles(&["1", "2", "3", "4"]), &articles(&["1"]));
        let few = one(&articles(&["1"]), &articles(&["1", "2", "3", "4"]));
        assert!((all.f2 - 0.625).abs() < 1e-12 && few.f2 < 0.3, "{all:?} {few:?}");
        assert_eq!(one(&[], &articles(&["1"])), Prf2::default());
        assert_eq!(one(&articles(&["1", "1"]), &articles(&["1"])).f2, 1.0);
    }

    proptest! {
        #[test]
        fn equals_score_in_full_and_one_query_is_its_own_mean(
            named in proptest::collection::btree_set("[a-f]", 0..5),
            gold in proptest::collection::btree_set("[a-f]", 1..5),
        ) {
            let (named, gold): (Vec<String>, Vec<String>) = (named.into_iter().collect(), gold.into_iter().collect());
            prop_assert_eq!(one(&gold, &gold).f2, 1.0);
            let both = retrieval(std::slice::from_ref(&named), std::slice::from_ref(&gold));
            prop_assert_eq!(both.macros, both.micro);
            let own = one(&named, &gold);
            prop_assert!(own.f2 <= own.precision.max(own.recall) + 1e-12 && own.f2 >= own.precision.min(own.recall) - 1e-12);
        }
    }
}
