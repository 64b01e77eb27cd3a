//! Newswire and HEADLINES (dell-research-harvard/newswire @ b63746cf): which articles are one article, and which are on a
//! topic. Agreement of clusterings as scikit-learn computes it.

mod records;

use std::collections::BTreeMap;

use super::catalogue::{Form, Metric, Source, metric};

pub use records::{FIELDS, NUMBER, Record, RecordCounts, count, record};

const SOURCE: Source = Source {
    benchmark: "Newswire and HEADLINES",
    citation: "Silcock et al. 2024, Newswire, arXiv 2406.09490; dell-research-harvard/newswire @ b63746cf; scikit-learn",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 6] = [
    Metric {
        range: (-1.0, 1.0),
        ..metric(
            SOURCE,
            "newswire_headlines.clustering_agreement",
            "ARI, NMI and AMI of two clusterings",
            Form::Official,
            1.0,
        )
    },
    metric(
        SOURCE,
        "newswire_headlines.clustering_agreement.strict",
        "ARI of what a cosine of 0.9 links, 0 where it is negative",
        Form::Strict,
        1.0,
    ),
    metric(SOURCE, "newswire_headlines.pair_prf", "F1 of pairs in one cluster", Form::Official, 1.0),
    metric(SOURCE, "newswire_headlines.record_fields", "F1 of the fields of records", Form::Strict, 1.0),
    metric(SOURCE, "newswire_headlines.whole_records", "F1 of records right in every field", Form::Strict, 1.0),
    metric(SOURCE, "newswire_headlines.binary_topic_prf", "Accuracy and F1 of a topic", Form::Official, 1.0),
];

/// Agreement of two clusterings of the same things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Rand index adjusted for chance (Hubert and Arabie 1985): 1 for equal ones, about 0 by chance, -0.5..1.
    pub ari: f64,
    /// Mutual information over the mean of the entropies, 0..1.
    pub nmi: f64,
    /// The same adjusted for chance (Vinh et al. 2010), at most 1.
    pub ami: f64,
}

/// How many things lie in each pair of clusters, and in each cluster.
struct Contingency {
    count: usize,
    cells: BTreeMap<(i64, i64), usize>,
    rows: BTreeMap<i64, usize>,
    columns: BTreeMap<i64, usize>,
}

impl Contingency {
    fn of(one: &[i64], other: &[i64]) -> Self {
        let mut table = Self { count: 0, cells: BTreeMap::new(), rows: BTreeMap::new(), columns: BTreeMap::new() };
        for (row, column) in one.iter().zip(other) {
            table.count += 1;
            *table.cells.entry((*row, *column)).or_default() += 1;
            *table.rows.entry(*row).or_default() += 1;
            *table.columns.entry(*column).or_default() += 1;
        }
        table
    }

    /// Whether both clusterings are the same but for the clusters' names.
    fn same(&self) -> bool {
        self.cells.len() == self.rows.len() && self.cells.len() == self.columns.len()
    }

    fn pairs(&self) -> Pairs {
        let squares =
            |counts: &mut dyn Iterator<Item = &usize>| counts.map(|count| (*count as f64).powi(2)).sum::<f64>();
        let both = squares(&mut self.cells.values());
        let (rows, columns) = (squares(&mut self.rows.values()), squares(&mut self.columns.values()));
        let count = self.count as f64;
        Pairs {
            both: both - count,
            first: rows - both,
            second: columns - both,
            neither: count * count - rows - columns + both,
        }
    }

    /// Mutual information in nats.
    fn information(&self) -> f64 {
        let count = self.count as f64;
        let term = |((row, column), cell): (&(i64, i64), &usize)| {
            let margin = |side: &BTreeMap<i64, usize>, name: &i64| side.get(name).copied().unwrap_or_default() as f64;
            let cell = *cell as f64;
            cell / count * ((cell * count).ln() - (margin(&self.rows, row) * margin(&self.columns, column)).ln())
        };
        self.cells.iter().map(term).sum::<f64>().max(0.0)
    }

    /// Expected mutual information of two clusterings with these cluster sizes (Vinh et al. 2010, equation 24a).
    fn expected_information(&self) -> f64 {
        let factorials = log_factorials(self.count);
        let log = |number: usize| factorials.get(number).copied().unwrap_or_default();
        let n = self.count;
        let sizes = |side: &BTreeMap<i64, usize>| {
            let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
            side.values().for_each(|size| *sizes.entry(*size).or_default() += 1);
            sizes
        };
        let mut sum = 0.0;
        for (a, times) in sizes(&self.rows) {
            for (b, often) in sizes(&self.columns) {
                let fixed = log(a) + log(b) + log(n - a) + log(n - b) - log(n);
                let mut own = 0.0;
                for k in (a + b).saturating_sub(n).max(1)..=a.min(b) {
                    let ways = fixed - log(k) - log(a - k) - log(b - k) - log(n + k - a - b);
                    let gain = (n as f64 * k as f64).ln() - (a as f64 * b as f64).ln();
                    own += k as f64 / n as f64 * gain * ways.exp();
                }
                sum += own * (times * often) as f64;
            }
        }
        sum
    }
}

/// Pairs of things, each counted twice, by which clustering holds them together.
struct Pairs {
    both: f64,
    first: f64,
    second: f64,
    neither: f64,
}

/// ln(0!), ln(1!), … ln(`top`!).
fn log_factorials(top: usize) -> Vec<f64> {
    let mut sum = 0.0;
    std::iter::once(0.0)
        .chain((1..=top).map(|number| {
            sum += (number as f64).ln();
            sum
        }))
        .collect()
}

/// Entropy of cluster sizes in nats.
fn entropy(sizes: &BTreeMap<i64, usize>, count: usize) -> f64 {
    let part = |size: &usize| *size as f64 / count as f64;
    -sizes.values().map(|size| part(size) * part(size).ln()).sum::<f64>()
}

/// Agreement of two clusterings, given as a cluster's number per thing. Equal ones give 1 throughout, whatever they are.
#[must_use]
pub fn clustering_agreement(prediction: &[i64], reference: &[i64]) -> Agreement {
    let table = Contingency::of(reference, prediction);
    if table.same() {
        return Agreement { ari: 1.0, nmi: 1.0, ami: 1.0 };
    }
    let Pairs { both, first, second, neither } = table.pairs();
    let ari = 2.0 * (both * neither - first * second)
        / ((both + first) * (first + neither) + (both + second) * (second + neither));
    let mean = (entropy(&table.rows, table.count) + entropy(&table.columns, table.count)) / 2.0;
    let information = table.information();
    if information <= f64::EPSILON {
        return Agreement { ari, nmi: 0.0, ami: adjusted(0.0, table.expected_information(), mean) };
    }
    let expected = table.expected_information();
    Agreement { ari, nmi: information / mean, ami: adjusted(information, expected, mean) }
}

fn adjusted(information: f64, expected: f64, mean: f64) -> f64 {
    let room = mean - expected;
    let room = if room < 0.0 { room.min(-f64::EPSILON) } else { room.max(f64::EPSILON) };
    (information - expected) / room
}

/// Precision, recall and F1, 0..1; 0 for 0/0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prf {
    /// Right ones over those predicted.
    pub precision: f64,
    /// Right ones over those in the reference.
    pub recall: f64,
    /// Harmonic mean.
    pub f1: f64,
}

impl Prf {
    fn of(correct: f64, predicted: f64, gold: f64) -> Self {
        let over = |whole: f64| if whole > 0.0 { correct / whole } else { 0.0 };
        let sum = predicted + gold;
        Self { precision: over(predicted), recall: over(gold), f1: if sum > 0.0 { 2.0 * correct / sum } else { 0.0 } }
    }
}

/// Duplicate detection: pairs that the prediction puts in one cluster against those that lie in one.
#[must_use]
pub fn pair_prf(prediction: &[i64], reference: &[i64]) -> Prf {
    let Pairs { both, first, second, .. } = Contingency::of(reference, prediction).pairs();
    Prf::of(both, both + second, both + first)
}

/// Accuracy, 0..1, and precision, recall and F1 of the true class.
#[must_use]
pub fn binary_topic_prf(prediction: &[bool], reference: &[bool]) -> (f64, Prf) {
    let pairs = || prediction.iter().zip(reference);
    let count = |keep: &dyn Fn(bool, bool) -> bool| pairs().filter(|(a, b)| keep(**a, **b)).count() as f64;
    let prf = Prf::of(count(&|a, b| a && b), count(&|a, _| a), count(&|_, b| b));
    (count(&|a, b| a == b) / pairs().count().max(1) as f64, prf)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clusters() -> impl Strategy<Value = (Vec<i64>, Vec<i64>)> {
        proptest::collection::vec((0_i64..5, 0_i64..5), 1..40).prop_map(|pairs| pairs.into_iter().unzip())
    }

    #[test]
    fn a_hand_worked_table() {
        let found = clustering_agreement(&[0, 0, 1, 2], &[0, 0, 1, 1]);
        assert!((found.ari - 4.0 / 7.0).abs() < 1e-12 && (found.nmi - 0.8).abs() < 1e-12, "{found:?}");
        assert_eq!(pair_prf(&[0, 0, 1, 2], &[0, 0, 1, 1]), Prf { precision: 1.0, recall: 0.5, f1: 2.0 / 3.0 });
        assert_eq!(binary_topic_prf(&[], &[]), (0.0, Prf::default()));
    }

    proptest! {
        #[test]
        fn agreement_is_symmetric((one, other) in clusters()) {
            let (there, back) = (clustering_agreement(&one, &other), clustering_agreement(&other, &one));
            for (a, b) in [(there.ari, back.ari), (there.nmi, back.nmi), (there.ami, back.ami)] {
                prop_assert!((a - b).abs() < 1e-9, "{a} {b}");
                prop_assert!(a <= 1.0 + 1e-9);
            }
        }

        #[test]
        fn names_of_clusters_do_not_matter((one, _) in clusters()) {
            let renamed: Vec<i64> = one.iter().map(|name| 100 - 7 * name).collect();
            prop_assert_eq!(clustering_agreement(&one, &renamed), Agreement { ari: 1.0, nmi: 1.0, ami: 1.0 });
        }
    }
}
