//! Covariance of several means that rest on the same items or clusters, and weighted sums of them.

use std::collections::BTreeMap;

pub use nalgebra::DMatrix;
use nalgebra::DVector;

use crate::{Estimate, StatsError, as_f64, normal_quantile, t_quantile};

/// The scores of one cluster in one column: a document's questions at one length, or one item of one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterSum<C> {
    /// The cluster; equal names in two columns are the same cluster.
    pub cluster: C,
    /// Sum of the scores.
    pub sum: f64,
    /// Number of scores.
    pub count: u64,
}

/// Means of K columns and what is known about their noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Means {
    /// Mean of each column.
    pub means: Vec<f64>,
    /// K x K covariance of the means.
    pub covariance: DMatrix<f64>,
    /// Clusters of the column that has the fewest; 0 when only standard errors were given.
    pub clusters: u64,
}

impl Means {
    /// Means of columns whose rows are cluster sums: `Cov(j,k) = f·Σ_c r_jc·r_kc / (n_j·n_k)` with the cluster's sum of
    /// residuals r and `f = √(C_j/(C_j−1)·C_k/(C_k−1))`; the diagonal is the clustered error of arXiv 2411.00640.
    /// Columns without a common cluster are independent.
    ///
    /// # Errors
    /// [`StatsError::TooFew`] for a column below two clusters or without scores, [`StatsError::OutOfRange`] for sums
    /// that are not finite.
    pub fn of_clusters<C: Ord>(columns: &[Vec<ClusterSum<C>>]) -> Result<Self, StatsError> {
        let mut means = Vec::with_capacity(columns.len());
        let mut residuals: Vec<BTreeMap<&C, f64>> = Vec::with_capacity(columns.len());
        let mut fewest = usize::MAX;
        for column in columns {
            let (mean, residual) = column_residuals(column)?;
            fewest = fewest.min(residual.len());
            means.push(mean);
            residuals.push(residual);
        }
        let covariance = gram(&residuals);
        Ok(Self { means, covariance, clusters: if columns.is_empty() { 0 } else { fewest as u64 } })
    }

    /// Independent means with their standard errors.
    ///
    /// # Errors
    /// [`StatsError::Unequal`] for lists of different length, [`StatsError::OutOfRange`] for a negative or non-finite
    /// value.
    pub fn independent(means: &[f64], standard_errors: &[f64]) -> Result<Self, StatsError> {
        if means.len() != standard_errors.len() {
            return Err(StatsError::Unequal { left: means.len(), right: standard_errors.len() });
        }
        if means.iter().any(|value| !value.is_finite()) {
            return Err(StatsError::OutOfRange("means"));
        }
        if standard_errors.iter().any(|value| !value.is_finite() || *value < 0.0) {
            return Err(StatsError::OutOfRange("standard_errors"));
        }
        let variances = DVector::from_iterator(means.len(), standard_errors.iter().map(|error| error * error));
        Ok(Self { means: means.to_vec(), covariance: DMatrix::from_diagonal(&variances), clusters: 0 })
    }

    /// `Σ w·m` with variance `wᵀVw`; t of C−1 degrees of freedom when the clusters are known, else normal.
    ///
    /// # Errors
    /// [`StatsError::Unequal`] unless there is one weight per column, [`StatsError::OutOfRange`] for a result that is
    /// not finite.
    pub fn weighted(&self, weights: &[f64]) -> Result<Estimate, StatsError> {
        if weights.len() != self.means.len() {
            return Err(StatsError::Unequal { left: weights.len(), right: self.means.len() });
        }
        let value: f64 = weights.iter().zip(&self.means).map(|(weight, mean)| weight * mean).sum();
        let weights = DVector::from_column_slice(weights);
        let variance = (weights.transpose() * &self.covariance * &weights).sum().max(0.0);
        if !value.is_finite() || !variance.is_finite() {
            return Err(StatsError::OutOfRange("weights"));
        }
        let (standard_error, quantile) = (variance.sqrt(), self.quantile(0.975));
        let half = quantile * standard_error;
        Ok(Estimate { value, standard_error, ci95: [value - half, value + half] })
    }

    /// Quantile of t with C−1 degrees of freedom, normal when the clusters are unknown.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        match self.clusters {
            0 | 1 => normal_quantile(probability),
            clusters => t_quantile(probability, clusters as f64 - 1.0),
        }
    }

    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.covariance.get((row, column)).copied().unwrap_or(0.0)
    }
}

/// Mean of a column and each cluster's `√(C/(C−1))·Σ(s − mean)/n`.
fn column_residuals<C: Ord>(column: &[ClusterSum<C>]) -> Result<(f64, BTreeMap<&C, f64>), StatsError> {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let count = |count: u64| count as f64;
    let n: f64 = column.iter().map(|part| count(part.count)).sum();
    let sum: f64 = column.iter().map(|part| part.sum).sum();
    if !sum.is_finite() {
        return Err(StatsError::OutOfRange("sums"));
    }
    if n <= 0.0 {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    }
    let mean = sum / n;
    let mut residuals: BTreeMap<&C, f64> = BTreeMap::new();
    for part in column.iter().filter(|part| part.count > 0) {
        *residuals.entry(&part.cluster).or_default() += (part.sum - count(part.count) * mean) / n;
    }
    let clusters = residuals.len();
    if clusters < 2 {
        return Err(StatsError::TooFew { have: clusters, need: 2 });
    }
    let scale = (as_f64(clusters) / (as_f64(clusters) - 1.0)).sqrt();
    residuals.values_mut().for_each(|value| *value *= scale);
    Ok((mean, residuals))
}

/// Inner products of sparse rows.
fn gram<K: Ord>(rows: &[BTreeMap<K, f64>]) -> DMatrix<f64> {
    let product = |left: &BTreeMap<K, f64>, right: &BTreeMap<K, f64>| -> f64 {
        left.iter().filter_map(|(key, value)| Some(value * right.get(key)?)).sum()
    };
    let mut matrix = DMatrix::zeros(rows.len(), rows.len());
    for (a, left) in rows.iter().enumerate() {
        for (b, right) in rows.iter().enumerate().skip(a) {
            let value = product(left, right);
            for place in [(a, b), (b, a)] {
                if let Some(entry) = matrix.get_mut(place) {
                    *entry = value;
                }
            }
        }
    }
    matrix
}

/// Correlation of column means from scores by item; items that only one column has add to its noise alone.
///
/// The diagonal is 1. A column without spread is uncorrelated with all others. Positive semi-definite, so
/// `D·R·D` is a covariance for any standard errors D.
#[must_use]
pub fn item_correlation<K: Ord>(columns: &[BTreeMap<K, f64>]) -> DMatrix<f64> {
    let mut places: BTreeMap<&K, usize> = columns.iter().flat_map(BTreeMap::keys).map(|key| (key, 0)).collect();
    places.values_mut().zip(0..).for_each(|(place, number)| *place = number);
    let mut centred = DMatrix::zeros(columns.len(), places.len());
    for (row, column) in columns.iter().enumerate() {
        let mean = column.values().sum::<f64>() / as_f64(column.len().max(1));
        let length = column.values().map(|score| (score - mean).powi(2)).sum::<f64>().sqrt();
        for (key, score) in column.iter().filter(|_| length > 1e-12) {
            if let Some(entry) = places.get(key).and_then(|place| centred.get_mut((row, *place))) {
                *entry = (score - mean) / length;
            }
        }
    }
    let mut correlation = &centred * centred.transpose();
    correlation.fill_diagonal(1.0);
    correlation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::mean_interval_clustered;
    use proptest::prelude::*;

    fn sums(scores: &[f64], clusters: &[u32]) -> Vec<ClusterSum<u32>> {
        scores.iter().zip(clusters).map(|(&sum, &cluster)| ClusterSum { cluster, sum, count: 1 }).collect()
    }

    #[test]
    fn the_diagonal_is_the_clustered_error() {
        let (scores, clusters) = ([1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [0, 0, 1, 1, 2, 2, 3, 3]);
        let means = Means::of_clusters(&[sums(&scores, &clusters)]).unwrap();
        let known = mean_interval_clustered(&scores, &clusters).unwrap();
        assert_eq!(means.means, [known.value]);
        let found = means.weighted(&[1.0]).unwrap();
        assert!((found.standard_error - known.standard_error).abs() < 1e-12);
        assert!((found.ci95[0] - known.ci95[0]).abs() < 1e-9);
    }

    #[test]
    fn the_same_scores_have_no_noise_in_their_difference() {
        let column = sums(&[1.0, 0.0, 1.0, 0.0, 0.0], &[0, 1, 2, 3, 4]);
        let shared = Means::of_clusters(&[column.clone(), column.clone()]).unwrap();
        assert!(shared.weighted(&[1.0, -1.0]).unwrap().standard_error < 1e-12);
        let other: Vec<_> = column.iter().map(|part| ClusterSum { cluster: part.cluster + 100, ..*part }).collect();
        let apart = Means::of_clusters(&[column, other]).unwrap();
        let difference = apart.weighted(&[1.0, -1.0]).unwrap().standard_error.powi(2);
        assert!((difference - 2.0 * apart.at(0, 0)).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_answer_is_refused() {
        let one = vec![ClusterSum { cluster: 0, sum: 3.0, count: 4 }];
        assert_eq!(Means::of_clusters(&[one]), Err(StatsError::TooFew { have: 1, need: 2 }));
        assert_eq!(Means::of_clusters(&[Vec::<ClusterSum<u8>>::new()]), Err(StatsError::TooFew { have: 0, need: 1 }));
        let broken = sums(&[f64::NAN, 1.0], &[0, 1]);
        assert_eq!(Means::of_clusters(&[broken]), Err(StatsError::OutOfRange("sums")));
        assert!(Means::independent(&[1.0], &[-1.0]).is_err());
        assert!(Means::independent(&[1.0], &[1.0]).unwrap().weighted(&[1.0, 1.0]).is_err());
    }

    #[test]
    fn correlation_counts_shared_items_only() {
        let column = |pairs: &[(u8, f64)]| pairs.iter().copied().collect::<BTreeMap<u8, f64>>();
        let same = column(&[(0, 1.0), (1, 0.0), (2, 1.0), (3, 0.0)]);
        let opposite = column(&[(0, 0.0), (1, 1.0), (2, 0.0), (3, 1.0)]);
        let half = column(&[(0, 1.0), (1, 0.0), (12, 1.0), (13, 0.0)]);
        let flat = column(&[(0, 1.0), (1, 1.0)]);
        let found = item_correlation(&[same.clone(), same, opposite, half, flat]);
        for (other, known) in [(0, 1.0), (1, 1.0), (2, -1.0), (3, 0.5), (4, 0.0)] {
            assert!((found[(0, other)] - known).abs() < 1e-12, "{other}");
        }
        assert_eq!(found[(4, 4)], 1.0);
    }

    proptest! {
        #[test]
        fn correlations_are_a_covariance(rows in proptest::collection::vec(
            proptest::collection::btree_map(0_u8..20, 0.0_f64..1.0, 0..20), 1..6)) {
            let correlation = item_correlation(&rows);
            prop_assert!(correlation.clone().symmetric_eigen().eigenvalues.iter().all(|value| *value > -1e-9));
            prop_assert!(correlation.iter().all(|value| value.abs() < 1.0 + 1e-9));
        }
    }
}
