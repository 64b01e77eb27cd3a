//! Rank statements that hold all at once: rank sets, the group tied for first, and the chance of being best.

use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use crate::{StatsError, as_f64};

/// Draws behind a published critical value.
pub const DRAWS: usize = 10_000;
/// Fewest draws that are accepted: below, the 95 % quantile is noise.
pub const MIN_DRAWS: usize = 1_000;
/// Share of the largest eigenvalue below which an eigenvalue counts as 0.
const NEGLIGIBLE: f64 = 1e-12;
/// Share of the largest eigenvalue up to which a negative eigenvalue is rounding.
const ROUNDING: f64 = 1e-8;

/// What the data say about the order of K entries, in the order they were given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RankSets {
    /// `[best, worst]` rank of each entry, all true at once with 95 %.
    pub sets: Vec<[u32; 2]>,
    /// Distance in standard errors of the difference beyond which two entries differ; 0 when no pair is random.
    pub critical: f64,
    /// Share of the draws around the estimates in which the entry is the best; adds up to 1.
    pub p_best: Vec<f64>,
    /// Entries that may be first (`best` is 1), highest estimate first.
    pub top_group: Vec<usize>,
}

/// Max-t rank sets of `estimates` (larger is better) with their K x K `covariance`.
///
/// Z ~ N(0, V) is drawn `draws` times; q is the 95 % quantile of `max_{a<b} |Z_a − Z_b| / SE_ab` with
/// `SE_ab² = V_aa + V_bb − 2·V_ab`, so differences must be estimable but V may be singular, e.g. along 1 in a
/// Bradley-Terry fit. `best(a) = 1 + #{b: θ_b − θ_a > q·SE_ab}`, `worst(a) = K − #{b: θ_a − θ_b > q·SE_ab}`.
/// Source: single-step max-t of Hothorn, Bretz and Westfall 2008 (section 3) on all pairs; sets as in Mogstad,
/// Romano, Shaikh and Wilhelm 2024.
///
/// # Errors
/// [`StatsError::Unequal`] when the matrix is not K x K, [`StatsError::OutOfRange`] for values that are not finite or
/// a matrix that is no covariance, [`StatsError::TooFew`] below [`MIN_DRAWS`] draws.
pub fn simultaneous(
    estimates: &[f64],
    covariance: &DMatrix<f64>,
    draws: usize,
    seed: u64,
) -> Result<RankSets, StatsError> {
    check(estimates, covariance, draws)?;
    if estimates.is_empty() {
        return Ok(RankSets::default());
    }
    let covariance = (covariance + covariance.transpose()) / 2.0;
    let errors = pair_errors(&covariance);
    let factor = factor(covariance)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut gaussian = vec![0.0; factor.ncols()];
    let mut noise = vec![0.0; estimates.len()];
    let mut largest = Vec::with_capacity(draws);
    let mut best = vec![0.0; estimates.len()];
    for _ in 0..draws {
        gaussian.iter_mut().for_each(|value| *value = StandardNormal.sample(&mut rng));
        multiply(&factor, &gaussian, &mut noise);
        largest.push(pairs(&noise).zip(&errors).fold(0.0, |most, ((a, b), inverse)| {
            let distance: f64 = (a - b).abs() * inverse.unwrap_or(0.0);
            distance.max(most)
        }));
        credit_best(estimates, &noise, &mut best);
    }
    let critical = upper_quantile(largest, 0.95);
    let sets = sets(estimates, &errors, critical);
    best.iter_mut().for_each(|count| *count /= as_f64(draws));
    Ok(RankSets { top_group: top_group(estimates, &sets), sets, critical, p_best: best })
}

fn check(estimates: &[f64], covariance: &DMatrix<f64>, draws: usize) -> Result<(), StatsError> {
    for side in [covariance.nrows(), covariance.ncols()] {
        if side != estimates.len() {
            return Err(StatsError::Unequal { left: estimates.len(), right: side });
        }
    }
    if draws < MIN_DRAWS {
        return Err(StatsError::TooFew { have: draws, need: MIN_DRAWS });
    }
    if estimates.iter().any(|value| !value.is_finite()) {
        return Err(StatsError::OutOfRange("estimates"));
    }
    if covariance.iter().any(|value| !value.is_finite()) {
        return Err(StatsError::OutOfRange("covariance"));
    }
    Ok(())
}

/// Pairs a < b in the order (0,1), (0,2), …, (1,2), ….
fn pairs(values: &[f64]) -> impl Iterator<Item = (f64, f64)> + '_ {
    values.iter().enumerate().flat_map(|(index, &a)| values.iter().skip(index + 1).map(move |&b| (a, b)))
}

/// `1 / SE_ab` of each pair, none where the difference has no noise.
fn pair_errors(covariance: &DMatrix<f64>) -> Vec<Option<f64>> {
    let size = covariance.nrows();
    let negligible = NEGLIGIBLE * covariance.diagonal().max();
    let at = |a: usize, b: usize| covariance.get((a, b)).copied().unwrap_or(0.0);
    (0..size)
        .flat_map(|a| (a + 1..size).map(move |b| (a, b)))
        .map(|(a, b)| at(a, a) + at(b, b) - 2.0 * at(a, b))
        .map(|variance| (variance > negligible).then(|| variance.sqrt().recip()))
        .collect()
}

/// F with `F·Fᵀ = V`, one column per eigenvalue that matters.
fn factor(covariance: DMatrix<f64>) -> Result<DMatrix<f64>, StatsError> {
    let eigen = covariance.symmetric_eigen();
    let largest = eigen.eigenvalues.iter().copied().fold(0.0, f64::max);
    if eigen.eigenvalues.iter().any(|&value| value.is_nan() || value < -ROUNDING * largest.max(f64::MIN_POSITIVE)) {
        return Err(StatsError::OutOfRange("covariance"));
    }
    let columns: Vec<_> = eigen
        .eigenvalues
        .iter()
        .zip(eigen.eigenvectors.column_iter())
        .filter(|(value, _)| **value > NEGLIGIBLE * largest)
        .map(|(value, column)| column * value.sqrt())
        .collect();
    Ok(if columns.is_empty() { DMatrix::zeros(eigen.eigenvalues.len(), 0) } else { DMatrix::from_columns(&columns) })
}

fn multiply(factor: &DMatrix<f64>, gaussian: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for (column, value) in factor.column_iter().zip(gaussian) {
        for (sum, weight) in out.iter_mut().zip(column.iter()) {
            *sum += weight * value;
        }
    }
}

/// Gives the draw to the entry with the largest value, in equal parts to entries that tie.
fn credit_best(estimates: &[f64], noise: &[f64], best: &mut [f64]) {
    let values = || estimates.iter().zip(noise).map(|(estimate, noise)| estimate + noise);
    let top = values().fold(f64::NEG_INFINITY, f64::max);
    let winners = values().filter(|value| *value >= top).count();
    for (count, value) in best.iter_mut().zip(values()) {
        if value >= top {
            *count += 1.0 / as_f64(winners);
        }
    }
}

/// Smallest value with at least the share `probability` of the values at or below it.
fn upper_quantile(mut values: Vec<f64>, probability: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is a length")]
    let index = (as_f64(values.len()) * probability).ceil() as usize;
    values.get(index.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn sets(estimates: &[f64], errors: &[Option<f64>], critical: f64) -> Vec<[u32; 2]> {
    let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let mut sets = vec![[1, size(estimates.len())]; estimates.len()];
    let ids = (0..estimates.len()).flat_map(|a| (a + 1..estimates.len()).map(move |b| (a, b)));
    for ((ids, (a, b)), inverse) in ids.zip(pairs(estimates)).zip(errors) {
        let bound = inverse.map_or(0.0, |inverse| critical / inverse);
        let (above, below) = match (a - b > bound, b - a > bound) {
            (true, _) => ids,
            (_, true) => (ids.1, ids.0),
            _ => continue,
        };
        if let Some([_, worst]) = sets.get_mut(above) {
            *worst -= 1;
        }
        if let Some([best, _]) = sets.get_mut(below) {
            *best += 1;
        }
    }
    sets
}

fn top_group(estimates: &[f64], sets: &[[u32; 2]]) -> Vec<usize> {
    let mut group: Vec<(usize, f64)> = (0..)
        .zip(estimates.iter().zip(sets))
        .filter(|(_, (_, [best, _]))| *best == 1)
        .map(|(index, (&estimate, _))| (index, estimate))
        .collect();
    group.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    group.into_iter().map(|(index, _)| index).collect()
}

/// How many more items separate two entries, if the difference and the noise per item stay as they are.
///
/// The error falls with √n, so `n' = n·(critical·SE/|d|)²` items are needed; 0 when `n` already suffice, none when no
/// number would (no difference, or more than can be counted).
#[must_use]
pub fn more_to_separate(difference: f64, standard_error: f64, critical: f64, n: u64) -> Option<u64> {
    let ratio = critical * standard_error / difference.abs();
    if difference == 0.0 || !ratio.is_finite() || ratio < 0.0 {
        return None;
    }
    if ratio < 1.0 {
        return Some(0);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let needed = (n as f64 * ratio * ratio).floor() + 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against 2^53")]
    (needed < 9_007_199_254_740_992.0).then(|| (needed as u64).saturating_sub(n))
}

#[cfg(test)]
#[path = "rank_tests.rs"]
mod tests;
