//! Single linkage of documents whose similarity reaches a threshold.

use std::collections::HashMap;
use std::ops::Range;

use super::clustering_agreement;
use crate::retrieval::{Rankings, document_id};

/// Similarities of documents that were searched with each other, the same both ways.
pub struct Similarities {
    rows: Vec<Vec<f32>>,
}

impl Similarities {
    /// Means of both directions. Pairs that no ranking holds are as unlike as can be.
    pub fn of(rankings: &Rankings, documents: usize) -> Self {
        let numbers: HashMap<String, usize> =
            (0..).zip(0..documents).map(|(number, at)| (document_id(number), at)).collect();
        let mut found = vec![vec![-1.0_f32; documents]; documents];
        for (row, ranking) in found.iter_mut().zip(&rankings.rankings) {
            for (id, score) in ranking {
                if let Some(cell) = numbers.get(id).and_then(|at| row.get_mut(*at)) {
                    *cell = *score;
                }
            }
        }
        let at = |row: usize, column: usize| found.get(row).and_then(|row| row.get(column)).copied().unwrap_or(-1.0);
        let mean = |row: usize, column: usize| at(row, column) / 2.0 + at(column, row) / 2.0;
        let rows = (0..documents).map(|row| (0..documents).map(|column| mean(row, column)).collect()).collect();
        Self { rows }
    }

    /// A cluster's number for every document of `part`.
    fn clusters(&self, part: Range<usize>, threshold: f32) -> Vec<i64> {
        let mut cluster: Vec<usize> = part.clone().collect();
        let pairs = part.clone().flat_map(|one| (one + 1..part.end).map(move |other| (one, other)));
        for (one, other) in pairs {
            let linked = self.rows.get(one).and_then(|row| row.get(other)).is_some_and(|near| *near >= threshold);
            let of = |document: usize| cluster.get(document - part.start).copied();
            if let (true, Some(kept), Some(merged)) = (linked, of(one), of(other)) {
                cluster.iter_mut().filter(|name| **name == merged).for_each(|name| *name = kept);
            }
        }
        cluster.into_iter().map(|name| i64::try_from(name).unwrap_or(i64::MAX)).collect()
    }

    /// Adjusted Rand index of the clusters of `part` at a threshold.
    pub fn agreement(&self, events: &[i64], part: Range<usize>, threshold: f32) -> f64 {
        let gold = events.get(part.clone()).unwrap_or_default();
        clustering_agreement(&self.clusters(part, threshold), gold).ari
    }

    /// The threshold with the best agreement on `part`: between two similarities that occur, and of equal ones in the
    /// widest gap.
    pub fn best_threshold(&self, events: &[i64], part: Range<usize>) -> f32 {
        let pairs = part.clone().flat_map(|one| (one + 1..part.end).map(move |other| (one, other)));
        let near = |(one, other): (usize, usize)| self.rows.get(one).and_then(|row| row.get(other)).copied();
        let mut found: Vec<f32> = pairs.filter_map(near).collect();
        found.sort_by(f32::total_cmp);
        found.dedup();
        let gaps = found.iter().zip(found.iter().skip(1)).map(|(low, high)| (low / 2.0 + high / 2.0, high - low));
        let top = found.last().map(|top| (*top, 0.0));
        let mut best = (f64::NEG_INFINITY, 0.0, FALLBACK);
        for (threshold, gap) in gaps.chain(top) {
            let agreement = self.agreement(events, part.clone(), threshold);
            if (agreement, gap) > (best.0, best.1) {
                best = (agreement, gap, threshold);
            }
        }
        best.2
    }
}

/// Where nothing was compared.
const FALLBACK: f32 = super::FIXED;

#[cfg(test)]
mod tests {
    use super::*;

    fn similarities(rows: [[f32; 5]; 5]) -> Similarities {
        let mut rankings = Rankings::default();
        for row in rows {
            rankings.push((0..).zip(row).map(|(number, score)| (document_id(number), score)).collect());
        }
        Similarities::of(&rankings, 5)
    }

    const ROWS: [[f32; 5]; 5] = [
        [1.0, 0.8, 0.2, 0.1, 0.1],
        [0.6, 1.0, 0.6, 0.1, 0.1],
        [0.2, 0.8, 1.0, 0.3, 0.1],
        [0.1, 0.1, 0.3, 1.0, 0.9],
        [0.1, 0.1, 0.1, 0.9, 1.0],
    ];

    #[test]
    fn what_hangs_together_is_one_cluster() {
        let found = similarities(ROWS);
        // The first and the third are joined by the second, whose two directions are averaged.
        let clusters = found.clusters(0..5, 0.65);
        assert!(clusters[0] == clusters[1] && clusters[1] == clusters[2] && clusters[3] == clusters[4]);
        assert_ne!(clusters[0], clusters[3]);
        assert_eq!(found.agreement(&[7, 7, 7, 9, 9], 0..5, 0.65), 1.0);
    }

    #[test]
    fn the_best_threshold_lies_in_the_widest_gap_that_separates() {
        let found = similarities(ROWS);
        let threshold = found.best_threshold(&[7, 7, 7, 9, 9], 0..5);
        assert!((threshold - 0.5).abs() < 1e-6, "{threshold}");
        assert_eq!(found.best_threshold(&[1], 0..1), FALLBACK);
    }
}
