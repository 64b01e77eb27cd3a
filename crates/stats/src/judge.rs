//! The health of a judge: what its verdicts say about the judge instead of the contestants.

use crate::vote::Winner;
use std::collections::{BTreeMap, BTreeSet};

use crate::interval::wilson;
use crate::paired::mcnemar;
use crate::{StatsError, as_f64};

/// Flip rate above which a judge is dropped or weighted by half.
pub const FLIP_LIMIT: f64 = 0.25;

/// One verdict of one judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Question the answers are to.
    pub question: u32,
    /// Judge.
    pub judge: u32,
    /// Contestant shown first.
    pub first: u32,
    /// Contestant shown second.
    pub second: u32,
    /// Winner by place.
    pub winner: Winner,
}

impl Verdict {
    /// The two contestants, smaller number first.
    fn pair(&self) -> (u32, u32) {
        (self.first.min(self.second), self.first.max(self.second))
    }

    /// The contestant that won.
    fn won(&self) -> Option<u32> {
        match self.winner {
            Winner::First => Some(self.first),
            Winner::Second => Some(self.second),
            Winner::Tie => None,
        }
    }
}

/// A share of cases with its Wilson interval; none without cases.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Share {
    /// Cases that count.
    pub hits: u64,
    /// All cases.
    pub n: u64,
    /// `hits / n`.
    pub value: f64,
    /// Wilson 95 % interval.
    pub ci95: [f64; 2],
}

impl Share {
    /// The share, none for n = 0 or more hits than cases.
    #[must_use]
    pub fn of(hits: u64, n: u64) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        wilson(hits, n).ok().map(|ci95| Self { hits, n, value: hits as f64 / n as f64, ci95 })
    }
}

/// What one judge's verdicts show.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Verdicts.
    pub verdicts: u64,
    /// Of the pairs judged in both orders, those where the other contestant won when the order changed.
    pub flips: Option<Share>,
    /// Of the pairs judged in both orders, those where the verdict changed at all, also from or to a tie.
    pub changes: Option<Share>,
    /// Of the decided verdicts, those for the answer shown first; no position bias is one half.
    pub first_wins: Option<Share>,
    /// Of all verdicts, the ties.
    pub ties: Option<Share>,
    /// Exact p of "place does not matter": among flipped pairs, "first both times" and "second both times" are equally
    /// likely without an order effect.
    pub order_effect_p: f64,
    /// Of the triples of contestants fully decided on a question, those that go in a circle.
    pub cycles: Option<Share>,
}

impl Health {
    /// Whether the flip rate is above [`FLIP_LIMIT`].
    #[must_use]
    pub fn flips_too_often(&self) -> bool {
        self.flips.is_some_and(|flips| flips.value > FLIP_LIMIT)
    }
}

/// Health of each judge. A pair judged several times in one order counts with its last verdict in that order.
///
/// Both-order rule and flip rate: MT-bench (arXiv 2306.05685, section 3.4).
///
/// # Errors
/// [`StatsError::OutOfRange`] for a verdict of a contestant against itself.
pub fn health(verdicts: &[Verdict]) -> Result<BTreeMap<u32, Health>, StatsError> {
    if verdicts.iter().any(|verdict| verdict.first == verdict.second) {
        return Err(StatsError::OutOfRange("contestants"));
    }
    let mut by_judge: BTreeMap<u32, Vec<&Verdict>> = BTreeMap::new();
    for verdict in verdicts {
        by_judge.entry(verdict.judge).or_default().push(verdict);
    }
    by_judge.into_iter().map(|(judge, list)| Ok((judge, of_judge(&list)?))).collect()
}

fn of_judge(verdicts: &[&Verdict]) -> Result<Health, StatsError> {
    let count = |wanted: Winner| verdicts.iter().filter(|verdict| verdict.winner == wanted).count() as u64;
    let (first, second, ties) = (count(Winner::First), count(Winner::Second), count(Winner::Tie));
    let mut orders: BTreeMap<_, BTreeMap<u32, &Verdict>> = BTreeMap::new();
    for verdict in verdicts {
        orders.entry((verdict.question, verdict.pair())).or_default().insert(verdict.first, verdict);
    }
    let both: Vec<(&Verdict, &Verdict)> = orders
        .values()
        .filter_map(|orders| Some((*orders.first_key_value()?.1, *orders.last_key_value()?.1)))
        .filter(|(one, other)| one.first != other.first)
        .collect();
    let flipped = |winner| both.iter().filter(|(one, other)| (one.winner, other.winner) == (winner, winner)).count();
    let (by_first, by_second) = (flipped(Winner::First) as u64, flipped(Winner::Second) as u64);
    let changes = both.iter().filter(|(one, other)| one.won() != other.won()).count() as u64;
    let pairs = both.len() as u64;
    Ok(Health {
        verdicts: verdicts.len() as u64,
        flips: Share::of(by_first + by_second, pairs),
        changes: Share::of(changes, pairs),
        first_wins: Share::of(first, first + second),
        ties: Share::of(ties, first + second + ties),
        order_effect_p: mcnemar(by_first, by_second)?,
        cycles: cycles(verdicts),
    })
}

/// Net winner of each pair on each question, then the triples that go in a circle.
fn cycles(verdicts: &[&Verdict]) -> Option<Share> {
    let mut net: BTreeMap<u32, BTreeMap<(u32, u32), i64>> = BTreeMap::new();
    for verdict in verdicts {
        let pair = verdict.pair();
        let score = verdict.won().map_or(0, |won| if won == pair.0 { 1 } else { -1 });
        *net.entry(verdict.question).or_default().entry(pair).or_default() += score;
    }
    let (mut circles, mut triples) = (0, 0);
    for pairs in net.values() {
        let names: BTreeSet<u32> = pairs.keys().flat_map(|pair| [pair.0, pair.1]).collect();
        let beats = |a, b| pairs.get(&(a, b)).copied().filter(|score| *score != 0).map(|score| score > 0);
        for &(a, b) in pairs.keys() {
            for &c in names.range(b + 1..) {
                let (Some(ab), Some(bc), Some(ac)) = (beats(a, b), beats(b, c), beats(a, c)) else { continue };
                triples += 1;
                circles += u64::from(ab == bc && ab != ac);
            }
        }
    }
    Share::of(circles, triples)
}

/// Verdicts per order of a pair, as a fit of the order effect takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderCounts {
    /// Wins of the contestant shown first.
    pub first_wins: u64,
    /// Wins of the contestant shown second.
    pub second_wins: u64,
    /// Ties.
    pub ties: u64,
}

/// Counts by (first shown, second shown), all questions and judges together.
#[must_use]
pub fn order_counts<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> BTreeMap<(u32, u32), OrderCounts> {
    let mut counts: BTreeMap<(u32, u32), OrderCounts> = BTreeMap::new();
    for verdict in verdicts {
        let entry = counts.entry((verdict.first, verdict.second)).or_default();
        match verdict.winner {
            Winner::First => entry.first_wins += 1,
            Winner::Second => entry.second_wins += 1,
            Winner::Tie => entry.ties += 1,
        }
    }
    counts
}

/// Result of a pair on a question under MT-bench's rule, from the first contestant's view: 1 when it wins in both
/// orders, 0 when it loses in both, else ½; none unless both orders were judged.
#[must_use]
pub fn both_order_scores(verdicts: &[Verdict]) -> BTreeMap<(u32, u32, u32), f64> {
    let mut won: BTreeMap<_, BTreeMap<u32, Vec<Option<u32>>>> = BTreeMap::new();
    for verdict in verdicts {
        let (a, b) = verdict.pair();
        won.entry((verdict.question, a, b)).or_default().entry(verdict.first).or_default().push(verdict.won());
    }
    won.into_iter()
        .filter(|(_, orders)| orders.len() == 2)
        .map(|(key, orders)| {
            let all: Vec<Option<u32>> = orders.into_values().flatten().collect();
            let share = |name| as_f64(all.iter().filter(|won| **won == Some(name)).count()) / as_f64(all.len().max(1));
            let score = if share(key.1) == 1.0 {
                1.0
            } else if share(key.2) == 1.0 {
                0.0
            } else {
                0.5
            };
            (key, score)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(question: u32, first: u32, second: u32, winner: Winner) -> Verdict {
        Verdict { question, judge: 7, first, second, winner }
    }

    #[test]
    fn flips_changes_and_places() {
        use Winner::{First, Second, Tie};
        let list = [
            // The same contestant wins both times.
            verdict(1, 1, 2, First),
            verdict(1, 2, 1, Second),
            // The first place wins both times.
            verdict(2, 1, 2, First),
            verdict(2, 2, 1, First),
            // A win becomes a tie.
            verdict(3, 1, 2, First),
            verdict(3, 2, 1, Tie),
            // One order only.
            verdict(4, 1, 2, Second),
        ];
        let health = &health(&list).unwrap()[&7];
        let counts = |share: Option<Share>| share.map(|share| (share.hits, share.n));
        assert_eq!(health.verdicts, 7);
        assert_eq!(counts(health.flips), Some((1, 3)));
        assert_eq!(counts(health.changes), Some((2, 3)));
        assert_eq!(counts(health.first_wins), Some((4, 6)));
        assert_eq!(counts(health.ties), Some((1, 7)));
        assert!((health.order_effect_p - 1.0).abs() < 1e-9 && health.cycles.is_none());
        assert!(health.flips_too_often());
        assert_eq!(both_order_scores(&list), [((1, 1, 2), 1.0), ((2, 1, 2), 0.5), ((3, 1, 2), 0.5)].into());
        assert_eq!(order_counts(&list)[&(2, 1)], OrderCounts { first_wins: 1, second_wins: 1, ties: 1 });
    }

    #[test]
    fn a_judge_that_reads_only_the_first_answer_is_found() {
        let list: Vec<Verdict> =
            (0..8).flat_map(|id| [verdict(id, 1, 2, Winner::First), verdict(id, 2, 1, Winner::First)]).collect();
        let health = &health(&list).unwrap()[&7];
        assert!((health.order_effect_p - 2.0 / 256.0).abs() < 1e-12);
        assert_eq!(health.first_wins.unwrap().value, 1.0);
    }

    #[test]
    fn circles_are_counted_once_per_triple() {
        use Winner::First;
        let circle = [verdict(1, 1, 2, First), verdict(1, 2, 3, First), verdict(1, 3, 1, First)];
        let line = [verdict(2, 1, 2, First), verdict(2, 2, 3, First), verdict(2, 1, 3, First)];
        let undecided =
            [verdict(3, 1, 2, First), verdict(3, 2, 1, First), verdict(3, 2, 3, First), verdict(3, 1, 3, First)];
        let all = [circle.as_slice(), &line, &undecided].concat();
        let cycles = health(&all).unwrap()[&7].cycles.unwrap();
        assert_eq!((cycles.hits, cycles.n), (1, 2));
    }

    #[test]
    fn nobody_fights_itself() {
        assert!(health(&[verdict(1, 1, 1, Winner::Tie)]).is_err());
        assert!(health(&[]).unwrap().is_empty());
    }
}
