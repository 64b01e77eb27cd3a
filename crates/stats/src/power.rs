//! What a number of items can show (arXiv 2411.00640, section 5).

use crate::{StatsError, normal_quantile};

/// The noise of a planned comparison of two models on the same items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// ω²: variance over items of the difference of the two models' true scores.
    pub between: f64,
    /// σ²/K of the first model: variance of one answer over the repeats per item.
    pub first_within: f64,
    /// σ²/K of the second model.
    pub second_within: f64,
    /// Two-sided level, e.g. 0.05.
    pub level: f64,
    /// Wanted chance of seeing the difference, e.g. 0.8.
    pub power: f64,
}

impl Plan {
    /// Level 5 %, power 80 %, all noise in one variance of paired differences.
    #[must_use]
    pub const fn of_differences(variance: f64) -> Self {
        Self { between: variance, first_within: 0.0, second_within: 0.0, level: 0.05, power: 0.8 }
    }

    fn variance(&self) -> Result<f64, StatsError> {
        let parts = [self.between, self.first_within, self.second_within];
        if parts.iter().any(|part| !part.is_finite() || *part < 0.0) {
            return Err(StatsError::OutOfRange("variance"));
        }
        Ok(parts.iter().sum())
    }

    /// `z_{α/2} + z_β`: 2.80 for level 5 % and power 80 %.
    fn reach(&self) -> Result<f64, StatsError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(StatsError::OutOfRange("level"));
        }
        if !(self.power > 0.0 && self.power < 1.0) {
            return Err(StatsError::OutOfRange("power"));
        }
        Ok(normal_quantile(1.0 - self.level / 2.0) + normal_quantile(self.power))
    }

    /// Items needed to see a difference of `delta`: `(z_{α/2}+z_β)²(ω²+σ_A²/K_A+σ_B²/K_B)/δ²`, not rounded.
    ///
    /// # Errors
    /// [`StatsError::OutOfRange`] for negative variances, a level or power outside 0..1, or delta 0.
    pub fn items(&self, delta: f64) -> Result<f64, StatsError> {
        if delta == 0.0 || !delta.is_finite() {
            return Err(StatsError::OutOfRange("delta"));
        }
        Ok(self.reach()?.powi(2) * self.variance()? / (delta * delta))
    }

    /// Smallest difference that `items` items show with the wanted power.
    ///
    /// # Errors
    /// As [`Plan::items`]; [`StatsError::TooFew`] for no items.
    pub fn detectable(&self, items: u64) -> Result<f64, StatsError> {
        if items == 0 {
            return Err(StatsError::TooFew { have: 0, need: 1 });
        }
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        Ok(self.reach()? * (self.variance()? / items as f64).sqrt())
    }
}

/// Minimum detectable difference at level 5 % and power 80 %: 2.80 standard errors of the paired difference.
#[must_use]
pub fn minimum_detectable(standard_error: f64) -> f64 {
    (normal_quantile(0.975) + normal_quantile(0.8)) * standard_error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_values() {
        let within = 1.0 / 6.0;
        let plan = Plan { first_within: within, second_within: within, ..Plan::of_differences(1.0 / 9.0) };
        assert!((plan.items(0.03).unwrap() - 3875.99).abs() < 5e-3);
        assert!((Plan::of_differences(0.2).items(0.05).unwrap() - 627.91).abs() < 5e-3);
        assert!((minimum_detectable(1.0) - 2.80).abs() < 5e-3);
    }

    #[test]
    fn detectable_is_the_inverse_of_items() {
        let plan = Plan::of_differences(0.25);
        let delta = plan.detectable(400).unwrap();
        assert!((plan.items(delta).unwrap() - 400.0).abs() < 1e-6);
        assert!((delta - minimum_detectable((0.25_f64 / 400.0).sqrt())).abs() < 1e-12);
        assert!(plan.items(0.0).is_err());
        assert!(plan.detectable(0).is_err());
        assert!(Plan { power: 1.0, ..plan }.items(0.1).is_err());
        assert!(Plan::of_differences(-1.0).items(0.1).is_err());
    }
}
