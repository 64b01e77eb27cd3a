//! Intervals of one mean (arXiv 2411.00640; Wilson 1927) and of a weighted group.

use std::collections::BTreeMap;

use crate::{Estimate, StatsError, as_f64, mean, normal_quantile, t_quantile};

/// Wilson 95 % interval of a proportion: `(p + z²/2n ± z·sqrt(p(1−p)/n + z²/4n²)) / (1 + z²/n)`.
///
/// # Errors
/// [`StatsError::TooFew`] for n = 0, [`StatsError::OutOfRange`] for more successes than trials.
pub fn wilson(successes: u64, n: u64) -> Result<[f64; 2], StatsError> {
    if n == 0 {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    }
    if successes > n {
        return Err(StatsError::OutOfRange("successes"));
    }
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let (successes, n) = (successes as f64, n as f64);
    let (p, z2) = (successes / n, normal_quantile(0.975).powi(2));
    let half = (z2 * (p * (1.0 - p) / n + z2 / (4.0 * n * n))).sqrt();
    let (centre, scale) = (p + z2 / (2.0 * n), 1.0 + z2 / n);
    Ok([((centre - half) / scale).clamp(0.0, p), ((centre + half) / scale).clamp(p, 1.0)])
}

/// Mean with `s/√n` and t of n−1 degrees of freedom.
///
/// # Errors
/// [`StatsError::TooFew`] below two scores.
pub fn mean_interval(scores: &[f64]) -> Result<Estimate, StatsError> {
    let n = scores.len();
    let sum: f64 = scores.iter().sum();
    let squares: f64 = scores.iter().map(|score| score * score).sum();
    if scores.iter().any(|score| !score.is_finite()) {
        return Err(StatsError::OutOfRange("scores"));
    }
    mean_interval_of_sums(n, sum, squares)
}

/// [`mean_interval`] from the count, the sum and the sum of squares.
///
/// # Errors
/// [`StatsError::TooFew`] below two scores.
pub fn mean_interval_of_sums(n: usize, sum: f64, squares: f64) -> Result<Estimate, StatsError> {
    if n < 2 {
        return Err(StatsError::TooFew { have: n, need: 2 });
    }
    let count = as_f64(n);
    let value = sum / count;
    let variance = ((squares - count * value * value) / (count - 1.0)).max(0.0);
    Ok(estimate(value, (variance / count).sqrt(), count - 1.0))
}

/// Clustered mean: `SE² = (1/n²)·Σ_c(Σ_{i∈c}(s_i − s̄))²·C/(C−1)`, t of C−1 degrees of freedom.
///
/// `clusters` names the cluster of each score, e.g. its source document.
///
/// # Errors
/// [`StatsError::Unequal`] for lists of different length, [`StatsError::TooFew`] below two clusters.
pub fn mean_interval_clustered<C: Ord>(scores: &[f64], clusters: &[C]) -> Result<Estimate, StatsError> {
    if scores.len() != clusters.len() {
        return Err(StatsError::Unequal { left: scores.len(), right: clusters.len() });
    }
    let value = mean(scores);
    let mut sums: BTreeMap<&C, f64> = BTreeMap::new();
    for (score, cluster) in scores.iter().zip(clusters) {
        *sums.entry(cluster).or_default() += score - value;
    }
    if sums.len() < 2 {
        return Err(StatsError::TooFew { have: sums.len(), need: 2 });
    }
    let (count, groups) = (as_f64(scores.len()), as_f64(sums.len()));
    let squares: f64 = sums.values().map(|sum| sum * sum).sum();
    let error = (squares * groups / (groups - 1.0)).sqrt() / count;
    Ok(estimate(value, error, groups - 1.0))
}

fn estimate(value: f64, standard_error: f64, degrees_of_freedom: f64) -> Estimate {
    let half = t_quantile(0.975, degrees_of_freedom) * standard_error;
    Estimate { value, standard_error, ci95: [value - half, value + half] }
}

/// One part of a group score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Weight; weights need not add up to 1.
    pub weight: f64,
    /// Mean of the part.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// Weighted mean of independent parts with variance `Σ w²·SE²`, weights scaled to 1, normal interval.
///
/// # Errors
/// [`StatsError::TooFew`] without parts, [`StatsError::OutOfRange`] when the weights do not add up to a positive number.
pub fn group(parts: &[Part]) -> Result<Estimate, StatsError> {
    if parts.is_empty() {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    }
    let total: f64 = parts.iter().map(|part| part.weight).sum();
    if !(total > 0.0 && total.is_finite()) {
        return Err(StatsError::OutOfRange("weights"));
    }
    let value = parts.iter().map(|part| part.weight / total * part.value).sum::<f64>();
    let variance: f64 = parts.iter().map(|part| (part.weight / total * part.standard_error).powi(2)).sum();
    let half = normal_quantile(0.975) * variance.sqrt();
    Ok(Estimate { value, standard_error: variance.sqrt(), ci95: [value - half, value + half] })
}

/// Score with the random guesser at 0 and the best at 100, from scores in 0..1; below the guesser it is 0.
///
/// Source: normalisation of the Open LLM Leaderboard.
///
/// # Errors
/// [`StatsError::OutOfRange`] when the guess is not in [0, 1).
pub fn normalised(score: f64, random_guess: f64) -> Result<f64, StatsError> {
    if !(0.0..1.0).contains(&random_guess) {
        return Err(StatsError::OutOfRange("random_guess"));
    }
    Ok(((score - random_guess) / (1.0 - random_guess)).max(0.0) * 100.0)
}

/// [`normalised`] on an estimate of 0..1: the interval is scaled with the score and cut at 0.
///
/// # Errors
/// As [`normalised`].
pub fn normalised_estimate(estimate: &Estimate, random_guess: f64) -> Result<Estimate, StatsError> {
    let [low, high] = estimate.ci95;
    Ok(Estimate {
        value: normalised(estimate.value, random_guess)?,
        standard_error: 100.0 * estimate.standard_error / (1.0 - random_guess),
        ci95: [normalised(low, random_guess)?, normalised(high, random_guess)?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-6, "{left} {right}");
    }

    #[test]
    fn wilson_golden_values() {
        for (successes, n, low, high) in [
            (8, 10, 0.490_162, 0.943_318),
            (0, 20, 0.0, 0.161_125),
            (20, 20, 0.838_875, 1.0),
            (85, 100, 0.767_164, 0.906_940),
            (57, 500, 0.089_037, 0.144_849),
            (1, 3, 0.061_492, 0.792_340),
        ] {
            let ci = wilson(successes, n).unwrap();
            close(ci[0], low);
            close(ci[1], high);
        }
    }

    #[test]
    fn clustered_golden_values() {
        let scores = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0];
        let clusters = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
        let plain = mean_interval(&scores).unwrap();
        close(plain.value, 0.583_333);
        close(plain.standard_error, 0.148_647);
        close(mean_interval_clustered(&scores, &clusters).unwrap().standard_error, 0.083_333);
    }

    #[test]
    fn normalisation_golden_values() {
        assert!((normalised(0.6, 0.25).unwrap() - 46.67).abs() < 5e-3);
        assert!((normalised(0.7, 0.5).unwrap() - 40.0).abs() < 5e-3);
        assert!((normalised(0.4, 0.2).unwrap() - 25.0).abs() < 5e-3);
        assert!((normalised(0.6, 0.333).unwrap() - 40.0).abs() < 5e-2);
        assert_eq!(normalised(0.1, 0.25).unwrap(), 0.0);
        assert!(normalised(0.5, 1.0).is_err());
    }

    #[test]
    fn normalised_intervals_keep_their_shape() {
        let found =
            normalised_estimate(&Estimate { value: 0.6, standard_error: 0.03, ci95: [0.2, 0.7] }, 0.25).unwrap();
        close(found.value, 46.666_667);
        close(found.standard_error, 4.0);
        close(found.ci95[0], 0.0);
        close(found.ci95[1], 60.0);
    }

    #[test]
    fn groups_are_weighted() {
        let part = |weight, value, standard_error| Part { weight, value, standard_error };
        let whole = group(&[part(1.0, 50.0, 3.0), part(3.0, 90.0, 4.0)]).unwrap();
        close(whole.value, 80.0);
        close(whole.standard_error, (0.75_f64.powi(2) + 9.0).sqrt());
        assert!(group(&[]).is_err());
    }

    proptest! {
        #[test]
        fn wilson_holds_the_proportion(n in 1_u64..10_000, share in 0.0_f64..=1.0) {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "test")]
            let successes = (share * n as f64) as u64;
            let [low, high] = wilson(successes, n).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "test")]
            let p = successes as f64 / n as f64;
            prop_assert!(0.0 <= low && low <= p && p <= high && high <= 1.0 && low < high);
        }
    }
}
