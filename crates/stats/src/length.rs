//! Aggregates over length buckets, and how far a context really reaches.

use crate::{StatsError, as_f64, mean, normal_quantile};

/// Aggregates of one score per length, short to long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregates {
    /// Plain mean.
    pub plain: f64,
    /// Weights 1, 2, 3, … (RULER's wAvg(inc), arXiv 2404.06654).
    pub increasing: f64,
    /// Weights …, 3, 2, 1 (RULER's wAvg(dec)).
    pub decreasing: f64,
    /// Area under the curve over log₂ length by trapezoids, divided by its width.
    pub area: f64,
}

/// The aggregates of `points`, pairs of length in tokens and score, lengths rising.
///
/// # Errors
/// [`StatsError::TooFew`] without points, [`StatsError::OutOfRange`] when lengths do not rise.
pub fn aggregates(points: &[(u32, f64)]) -> Result<Aggregates, StatsError> {
    let ((Some(first), Some(last)), true) = ((points.first(), points.last()), !points.is_empty()) else {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    };
    if !points.is_sorted_by(|left, right| left.0 < right.0) {
        return Err(StatsError::OutOfRange("lengths"));
    }
    let scores: Vec<f64> = points.iter().map(|point| point.1).collect();
    let width = log2(last.0) - log2(first.0);
    let area: f64 = points
        .iter()
        .zip(points.iter().skip(1))
        .map(|(left, right)| (log2(right.0) - log2(left.0)) * f64::midpoint(left.1, right.1))
        .sum();
    Ok(Aggregates {
        plain: mean(&scores),
        increasing: weighted(scores.iter().zip(1..)),
        decreasing: weighted(scores.iter().rev().zip(1..)),
        area: if width > 0.0 { area / width } else { first.1 },
    })
}

fn log2(length: u32) -> f64 {
    f64::from(length.max(1)).log2()
}

fn weighted<'a>(pairs: impl Iterator<Item = (&'a f64, usize)>) -> f64 {
    let (sum, total) =
        pairs.fold((0.0, 0.0), |(sum, total), (score, weight)| (sum + score * as_f64(weight), total + as_f64(weight)));
    if total > 0.0 { sum / total } else { 0.0 }
}

/// Score at one length with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthScore {
    /// Length in tokens.
    pub length: u32,
    /// Score.
    pub score: f64,
    /// Its standard error; 0 when unknown makes the certified length equal the point.
    pub standard_error: f64,
}

/// What a score must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// At least this share of the score at the first (short) length: 0.85 (NoLiMa), 0.5 (half-life).
    Relative(f64),
    /// Strictly more than this score: 85.6 (RULER).
    Absolute(f64),
}

impl Threshold {
    /// NoLiMa's rule (arXiv 2502.05167).
    pub const NOLIMA: Self = Self::Relative(0.85);
    /// Half of the short-context score.
    pub const HALF_LIFE: Self = Self::Relative(0.5);
    /// RULER's rule: Llama-2-7B-chat at 4K.
    pub const RULER: Self = Self::Absolute(85.6);
}

/// The three answers to "how far".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EffectiveLength {
    /// Largest length up to which every length holds the threshold.
    pub point: Option<u32>,
    /// Largest length that holds it, whatever happens before.
    pub largest: Option<u32>,
    /// Largest length up to which a one-sided 95 % bound holds it, tested from short to long.
    pub certified: Option<u32>,
}

/// Effective length of `points`, short to long; the first is the reference of a relative threshold.
///
/// Certified: the lower bound of `m(L) − τ·m₀` with variance `Var(m_L) + τ²·Var(m₀)` (independent lengths) is at
/// least 0. Fixed-sequence testing needs no correction.
#[must_use]
pub fn effective_length(points: &[LengthScore], threshold: Threshold) -> EffectiveLength {
    let Some(reference) = points.first() else { return EffectiveLength::default() };
    let z = normal_quantile(0.95);
    let holds = |point: &LengthScore| match threshold {
        Threshold::Relative(share) => reference.score > 0.0 && point.score >= share * reference.score,
        Threshold::Absolute(bound) => point.score > bound,
    };
    let certain = |point: &LengthScore| holds(point) && bound(point, reference, threshold, z) >= 0.0;
    EffectiveLength {
        point: points.iter().take_while(|point| holds(point)).last().map(|point| point.length),
        largest: points.iter().rev().find(|point| holds(point)).map(|point| point.length),
        certified: points.iter().take_while(|point| certain(point)).last().map(|point| point.length),
    }
}

fn bound(point: &LengthScore, reference: &LengthScore, threshold: Threshold, z: f64) -> f64 {
    match threshold {
        Threshold::Relative(share) if point.length == reference.length => {
            (1.0 - share) * (reference.score - z * reference.standard_error)
        }
        Threshold::Relative(share) => {
            let variance = point.standard_error.powi(2) + (share * reference.standard_error).powi(2);
            point.score - share * reference.score - z * variance.sqrt()
        }
        Threshold::Absolute(limit) => point.score - limit - z * point.standard_error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(scores: &[(u32, f64)], standard_error: f64) -> Vec<LengthScore> {
        scores.iter().map(|&(length, score)| LengthScore { length, score, standard_error }).collect()
    }

    #[test]
    fn ruler_rows_average_as_published() {
        let llama = [(4, 95.5), (8, 93.8), (16, 91.6), (32, 87.4), (64, 84.7), (128, 77.0)];
        let averages = aggregates(&llama).unwrap();
        assert!((averages.plain - 88.3).abs() < 0.05);
        assert!((averages.increasing - 85.4).abs() < 0.1);
        assert!((averages.decreasing - 91.3).abs() < 0.1);
        assert_eq!(effective_length(&row(&llama, 0.0), Threshold::RULER).point, Some(32));
        let dbrx = [(4, 95.1), (8, 93.8), (16, 83.6), (32, 63.1), (64, 2.4), (128, 0.0)];
        assert_eq!(effective_length(&row(&dbrx, 0.0), Threshold::RULER).point, Some(8));
    }

    #[test]
    fn point_is_monotone_and_largest_is_not() {
        let scores = row(&[(1, 100.0), (2, 80.0), (4, 90.0)], 0.0);
        let effective = effective_length(&scores, Threshold::NOLIMA);
        assert_eq!((effective.point, effective.largest, effective.certified), (Some(1), Some(4), Some(1)));
    }

    #[test]
    fn nothing_holds_for_a_model_that_scores_nothing() {
        assert_eq!(effective_length(&row(&[(1, 0.0), (2, 0.0)], 0.0), Threshold::NOLIMA), EffectiveLength::default());
    }

    #[test]
    fn the_area_of_a_flat_curve_is_its_height() {
        assert!((aggregates(&[(1024, 70.0), (4096, 70.0), (8192, 70.0)]).unwrap().area - 70.0).abs() < 1e-12);
        assert_eq!(aggregates(&[(1024, 70.0)]).unwrap().area, 70.0);
    }

    proptest! {
        #[test]
        fn certified_never_exceeds_the_point(scores in proptest::collection::vec((0.0_f64..100.0, 0.0_f64..20.0), 1..8)) {
            let points: Vec<LengthScore> = scores.iter().zip(1_u32..)
                .map(|(&(score, standard_error), length)| LengthScore { length, score, standard_error }).collect();
            for threshold in [Threshold::NOLIMA, Threshold::HALF_LIFE, Threshold::RULER] {
                let effective = effective_length(&points, threshold);
                prop_assert!(effective.certified <= effective.point && effective.point <= effective.largest);
            }
        }
    }
}
