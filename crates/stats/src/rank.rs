//! Simultaneous rank sets: which ranks the data allow for each entry.

use crate::normal_quantile;

/// A score with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Score, larger is better.
    pub score: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// `[best, worst]` rank of each entry, all true at once with 95 %.
///
/// Two entries differ when their distance exceeds `q·sqrt(SE_a² + SE_b²)` with Bonferroni's q over all pairs:
/// conservative where entries share items. `best(a) = 1 + #{b surely above a}`, `worst(a) = K − #{b surely below a}`.
#[must_use]
pub fn rank_sets(entries: &[Ranked]) -> Vec<[u32; 2]> {
    let count = entries.len();
    let pairs = crate::as_f64(count * count.saturating_sub(1) / 2).max(1.0);
    let critical = normal_quantile(1.0 - 0.025 / pairs);
    let above = |a: &Ranked, b: &Ranked| {
        let error = a.standard_error.hypot(b.standard_error);
        a.score - b.score > critical * error && a.score > b.score
    };
    let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    entries
        .iter()
        .map(|entry| {
            let better = entries.iter().filter(|other| above(other, entry)).count();
            let worse = entries.iter().filter(|other| above(entry, other)).count();
            [size(1 + better), size(count - worse)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clear_gaps_are_ranked_and_overlaps_are_tied() {
        let entry = |score| Ranked { score, standard_error: 1.0 };
        assert_eq!(rank_sets(&[entry(90.0), entry(89.5), entry(50.0)]), [[1, 2], [1, 2], [3, 3]]);
        assert_eq!(rank_sets(&[entry(10.0)]), [[1, 1]]);
        assert_eq!(rank_sets(&[]), Vec::<[u32; 2]>::new());
    }

    proptest! {
        #[test]
        fn rank_sets_hold_the_observed_rank(list in proptest::collection::vec((0.0_f64..100.0, 0.0_f64..10.0), 1..12)) {
            let entries: Vec<Ranked> =
                list.iter().map(|&(score, standard_error)| Ranked { score, standard_error }).collect();
            for (entry, [best, worst]) in entries.iter().zip(rank_sets(&entries)) {
                let rank = 1 + entries.iter().filter(|other| other.score > entry.score).count();
                prop_assert!(best as usize <= rank && rank <= worst as usize);
            }
        }
    }
}
