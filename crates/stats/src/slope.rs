//! How fast accuracy rises or falls along a scale: logistic regression of grouped counts on one covariate.

use crate::{Estimate, StatsError, normal_quantile};

/// Successes out of trials at a point of the scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Place on the scale, e.g. log2 of a count.
    pub x: f64,
    /// Sum of scores in 0..1; a fraction counts as part of a success.
    pub successes: f64,
    /// Samples.
    pub n: u32,
}

const STEPS: usize = 60;
/// Change of the slope below which it stands.
const STANDS: f64 = 1e-10;
/// Slopes beyond this, in logits per unit, are on their way to infinity.
const FINITE: f64 = 30.0;

/// Slope of `logit P = a + b·x` by maximum likelihood (Newton's method on grouped binomial counts), with the interval of
/// the Fisher information: McCullagh and Nelder 1989, Generalized Linear Models, section 4.4.
///
/// # Errors
/// [`StatsError::TooFew`] with fewer than two places on the scale; [`StatsError::Separated`] where no finite slope fits
/// best, as when all trials up to some place fail and all beyond it succeed.
pub fn logit_slope(shares: &[Share]) -> Result<Estimate, StatsError> {
    let shares: Vec<Share> = shares.iter().copied().filter(|share| share.n > 0 && share.x.is_finite()).collect();
    let mut places: Vec<f64> = shares.iter().map(|share| share.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    if places.len() < 2 {
        return Err(StatsError::TooFew { have: places.len(), need: 2 });
    }
    let total: f64 = shares.iter().map(|share| f64::from(share.n)).sum();
    let centre = shares.iter().map(|share| f64::from(share.n) * share.x).sum::<f64>() / total;
    let (mut level, mut slope) = (0.0, 0.0);
    for _ in 0..STEPS {
        let step = Step::at(&shares, centre, level, slope);
        let (to_level, to_slope) = step.solved().ok_or(StatsError::Separated)?;
        level += to_level;
        slope += to_slope;
        if !slope.is_finite() || slope.abs() > FINITE {
            return Err(StatsError::Separated);
        }
        if to_slope.abs() < STANDS && to_level.abs() < STANDS {
            let error = step.slope_variance().ok_or(StatsError::Separated)?.sqrt();
            let half = normal_quantile(0.975) * error;
            return Ok(Estimate { value: slope, standard_error: error, ci95: [slope - half, slope + half] });
        }
    }
    Err(StatsError::Separated)
}

/// Score and information of both coefficients.
#[derive(Default)]
struct Step {
    score: [f64; 2],
    /// Level, both, slope.
    information: [f64; 3],
}

impl Step {
    fn at(shares: &[Share], centre: f64, level: f64, slope: f64) -> Self {
        shares.iter().fold(Self::default(), |sum, share| {
            let (x, n) = (share.x - centre, f64::from(share.n));
            let p = crate::tie::logistic(level + slope * x);
            let (residual, weight) = (share.successes - n * p, n * p * (1.0 - p));
            let ([level_score, slope_score], [a, b, c]) = (sum.score, sum.information);
            Self {
                score: [level_score + residual, slope_score + residual * x],
                information: [a + weight, b + weight * x, c + weight * x * x],
            }
        })
    }

    fn determinant(&self) -> Option<f64> {
        let [a, b, c] = self.information;
        Some(a * c - b * b).filter(|determinant| *determinant > 1e-12 && determinant.is_finite())
    }

    fn solved(&self) -> Option<(f64, f64)> {
        let ([level, slope], [a, b, c]) = (self.score, self.information);
        let determinant = self.determinant()?;
        Some(((c * level - b * slope) / determinant, (a * slope - b * level) / determinant))
    }

    fn slope_variance(&self) -> Option<f64> {
        let [a, ..] = self.information;
        Some(a / self.determinant()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(x: f64, successes: f64, n: u32) -> Share {
        Share { x, successes, n }
    }

    /// With two places the fit is exact: the slope is the log odds ratio and its variance the sum of reciprocal counts.
    #[test]
    fn two_places_give_the_log_odds_ratio() {
        let found = logit_slope(&[share(0.0, 20.0, 80), share(2.0, 45.0, 60)]).unwrap();
        let ratio = ((45.0 / 15.0) / (20.0 / 60.0_f64)).ln();
        assert!((found.value - ratio / 2.0).abs() < 1e-9, "{found:?}");
        let variance = 1.0 / 45.0 + 1.0 / 15.0 + 1.0 / 20.0 + 1.0 / 60.0_f64;
        assert!((found.standard_error - variance.sqrt() / 2.0).abs() < 1e-9, "{found:?}");
    }

    /// The beetle mortality data of Bliss 1935 as in Dobson, table 7.2: slope 34.270, standard error 2.912.
    #[test]
    fn published_regression() {
        let dose = [1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839];
        let killed = [6.0, 13.0, 18.0, 28.0, 52.0, 53.0, 61.0, 60.0];
        let n = [59, 60, 62, 56, 63, 59, 62, 60];
        let shares: Vec<Share> =
            dose.iter().zip(killed).zip(n).map(|((x, killed), n)| share(10.0 * x, killed, n)).collect();
        let found = logit_slope(&shares).unwrap();
        assert!((10.0 * found.value - 34.270).abs() < 1e-3, "{found:?}");
        assert!((10.0 * found.standard_error - 2.912).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn flat_is_zero_and_separated_has_none() {
        let flat = logit_slope(&[share(0.0, 5.0, 10), share(1.0, 5.0, 10), share(2.0, 5.0, 10)]).unwrap();
        assert!(flat.value.abs() < 1e-12);
        let separated = logit_slope(&[share(0.0, 0.0, 10), share(1.0, 10.0, 10)]);
        assert_eq!(separated, Err(StatsError::Separated));
        assert_eq!(logit_slope(&[share(0.0, 10.0, 10), share(1.0, 10.0, 10)]), Err(StatsError::Separated));
        assert_eq!(
            logit_slope(&[share(1.0, 1.0, 2), share(1.0, 2.0, 2)]),
            Err(StatsError::TooFew { have: 1, need: 2 })
        );
    }
}
