//! One number over several lengths.

use crate::covariance::Means;
use crate::{Estimate, StatsError, as_f64};

/// The published aggregates over length buckets, each with its interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Aggregates {
    /// Plain mean.
    pub plain: Estimate,
    /// Weights 1, 2, 3, … (RULER's wAvg(inc), arXiv 2404.06654).
    pub increasing: Estimate,
    /// Weights …, 3, 2, 1 (RULER's wAvg(dec)).
    pub decreasing: Estimate,
    /// Area under the curve over log₂ length by trapezoids, divided by its width.
    pub area: Estimate,
}

/// The aggregates of `means`, one column per length in tokens, short to long; intervals follow the covariance.
///
/// # Errors
/// [`StatsError::TooFew`] without lengths, [`StatsError::Unequal`] unless there is one mean per length,
/// [`StatsError::OutOfRange`] when lengths do not rise.
pub fn aggregates(lengths: &[u32], means: &Means) -> Result<Aggregates, StatsError> {
    if lengths.is_empty() {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    }
    if !lengths.is_sorted_by(|left, right| left < right) {
        return Err(StatsError::OutOfRange("lengths"));
    }
    let rising: Vec<f64> = (1..=lengths.len()).map(as_f64).collect();
    Ok(Aggregates {
        plain: means.weighted(&scaled(vec![1.0; lengths.len()]))?,
        increasing: means.weighted(&scaled(rising.clone()))?,
        decreasing: means.weighted(&scaled(rising.into_iter().rev().collect()))?,
        area: means.weighted(&trapezoids(lengths))?,
    })
}

/// Weights that add up to 1.
fn scaled(weights: Vec<f64>) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// Half of the log₂ distances to both neighbours; all weight on a single length.
fn trapezoids(lengths: &[u32]) -> Vec<f64> {
    if lengths.len() == 1 {
        return vec![1.0];
    }
    let place = |length: &u32| f64::from((*length).max(1)).log2();
    let steps: Vec<f64> = lengths.iter().zip(lengths.iter().skip(1)).map(|(a, b)| place(b) - place(a)).collect();
    let before = std::iter::once(0.0).chain(steps.iter().copied());
    let after = steps.iter().copied().chain(std::iter::once(0.0));
    scaled(before.zip(after).map(|(before, after)| f64::midpoint(before, after)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(points: &[(u32, f64)]) -> Aggregates {
        let (lengths, scores): (Vec<u32>, Vec<f64>) = points.iter().copied().unzip();
        aggregates(&lengths, &Means::independent(&scores, &vec![2.0; scores.len()]).unwrap()).unwrap()
    }

    #[test]
    fn ruler_rows_average_as_published() {
        let rows = [
            // Gemini-1.5-Pro and GPT-4-1106, arXiv 2404.06654 table 3.
            ([96.7, 95.8, 96.0, 95.9, 95.9, 94.4], [95.78, 95.51, 96.05]),
            ([96.6, 96.3, 95.2, 93.2, 87.0, 81.2], [91.58, 89.04, 94.13]),
            ([95.5, 93.8, 91.6, 87.4, 84.7, 77.0], [88.33, 85.4, 91.3]),
        ];
        for (scores, [plain, increasing, decreasing]) in rows {
            let points: Vec<(u32, f64)> = (2..8).map(|power| 1024 << power).zip(scores).collect();
            let found = of(&points);
            assert!((found.plain.value - plain).abs() < 6e-3, "{}", found.plain.value);
            assert!((found.increasing.value - increasing).abs() < 5e-2, "{}", found.increasing.value);
            assert!((found.decreasing.value - decreasing).abs() < 5e-2, "{}", found.decreasing.value);
        }
    }

    #[test]
    fn the_area_of_a_flat_curve_is_its_height() {
        assert!((of(&[(1024, 70.0), (4096, 70.0), (8192, 70.0)]).area.value - 70.0).abs() < 1e-12);
        assert_eq!(of(&[(1024, 70.0)]).area.value, 70.0);
        // Over 1k..4k (width 2) the mean is 80, over 4k..8k (width 1) it is 50.
        assert!((of(&[(1024, 100.0), (4096, 60.0), (8192, 40.0)]).area.value - 70.0).abs() < 1e-12);
    }

    #[test]
    fn intervals_follow_the_weights() {
        let found = of(&[(1024, 90.0), (2048, 80.0)]);
        assert!((found.plain.standard_error - 2.0_f64.sqrt()).abs() < 1e-12);
        assert!((found.increasing.standard_error - 2.0 * 5.0_f64.sqrt() / 3.0).abs() < 1e-12);
    }

    #[test]
    fn lengths_must_rise() {
        let means = Means::independent(&[1.0, 2.0], &[0.0, 0.0]).unwrap();
        assert_eq!(aggregates(&[2, 1], &means), Err(StatsError::OutOfRange("lengths")));
        assert!(aggregates(&[1], &means).is_err());
    }
}
