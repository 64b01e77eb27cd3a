//! FollowIR (arXiv 2403.15246; orionw/FollowIR @ 61ad33e0): do documents move when the instruction is narrowed?

use std::collections::BTreeMap;

use super::catalogue::{Form, Metric, Source, metric};
use super::ranking::{Run, average, order};

const SOURCE: Source = Source {
    benchmark: "FollowIR",
    citation: "arXiv 2403.15246; orionw/FollowIR @ 61ad33e0; mteb, calculate_pmrr and rank_score",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 3] = [
    signed("followir.p_mrr", "p-MRR: how far documents move down once the instruction excludes them"),
    metric(
        SOURCE,
        "followir.p_mrr.strict",
        "p-MRR over the largest that the pool allows, 0 where it is negative",
        Form::Strict,
        1.0,
    ),
    signed("followir.rank_change_score", "Move of one document, positive where it moves down"),
];

const fn signed(slug: &'static str, title: &'static str) -> Metric {
    let Source { benchmark, citation } = SOURCE;
    Metric { slug, title, benchmark, form: Form::Official, citation, range: (-1.0, 1.0) }
}

/// Ends of query names in the run with the original instruction and in the one with the changed instruction.
pub const SUFFIXES: (&str, &str) = ("-og", "-changed");

/// The move of a document between two ranks counted from 1, -1..1: positive where it moves down, 0 where it stays.
#[must_use]
pub fn rank_change(original: usize, changed: usize) -> f64 {
    let ratio = |small: usize, large: usize| if large == 0 { 1.0 } else { small as f64 / large as f64 };
    if original >= changed { ratio(changed, original) - 1.0 } else { 1.0 - ratio(original, changed) }
}

/// p-MRR, -1..1: the mean over queries of the mean over the documents that the changed instruction excludes.
///
/// `excluded` names queries without [`SUFFIXES`]. A document that a run does not hold stands one place behind its last;
/// queries that one of the runs does not hold are left out. 0 where none is left.
#[must_use]
pub fn p_mrr(original: &Run, changed: &Run, excluded: &BTreeMap<String, Vec<String>>) -> f64 {
    let (before, after) = SUFFIXES;
    let per_query = excluded.iter().filter(|(_, documents)| !documents.is_empty()).filter_map(|(query, documents)| {
        let old = places(original.get(&format!("{query}{before}"))?);
        let new = places(changed.get(&format!("{query}{after}"))?);
        let place =
            |places: &BTreeMap<&str, usize>, document: &str| places.get(document).copied().unwrap_or(places.len() + 1);
        let moves = documents.iter().map(|document| rank_change(place(&old, document), place(&new, document)));
        Some(average(&moves.collect::<Vec<_>>()))
    });
    average(&per_query.collect::<Vec<_>>())
}

fn places(scores: &BTreeMap<String, f64>) -> BTreeMap<&str, usize> {
    order(scores).into_iter().zip(1..).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(suffix: &str, scores: &[u8]) -> Run {
        let found = scores.iter().enumerate().map(|(at, score)| (format!("d{at:02}"), f64::from(*score))).collect();
        Run::from([(format!("q{suffix}"), found)])
    }

    #[test]
    fn moving_down_is_positive() {
        assert_eq!((rank_change(1, 4), rank_change(4, 1), rank_change(3, 3)), (0.75, -0.75, 0.0));
        let excluded = BTreeMap::from([("q".to_owned(), vec!["d00".to_owned()]), ("absent".to_owned(), vec![])]);
        assert_eq!(p_mrr(&run("-og", &[9, 1]), &run("-changed", &[0, 1]), &excluded), 0.5);
        let gone = BTreeMap::from([("q".to_owned(), vec!["d09".to_owned()])]);
        assert!((p_mrr(&run("-og", &[9, 1]), &run("-changed", &[0, 1, 2]), &gone) - 0.25).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn swapping_the_runs_turns_the_sign(
            one in proptest::collection::vec(0_u8..9, 1..30),
            other in proptest::collection::vec(0_u8..9, 1..30),
            documents in proptest::collection::vec(0_u8..32, 1..6),
        ) {
            let excluded = BTreeMap::from([("q".to_owned(), documents.iter().map(|at| format!("d{at:02}")).collect())]);
            let there = p_mrr(&run("-og", &one), &run("-changed", &other), &excluded);
            let back = p_mrr(&run("-og", &other), &run("-changed", &one), &excluded);
            prop_assert!((there + back).abs() < 1e-12);
            prop_assert!((-1.0..=1.0).contains(&there));
            let still = p_mrr(&run("-og", &one), &run("-changed", &one), &excluded);
            prop_assert_eq!(still, 0.0);
        }
    }
}
