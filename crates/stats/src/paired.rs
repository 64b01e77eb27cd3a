//! Comparing two models on the same items (arXiv 2411.00640, section 4).

use statrs::distribution::{Binomial, ContinuousCDF, Discrete, DiscreteCDF, StudentsT};

use crate::interval::{mean_interval, mean_interval_clustered};
use crate::{Estimate, StatsError};

/// Exact McNemar: `p = min(1, 2·P(Bin(b+c, ½) ≤ min(b, c)))`, from the counts of items only one of the two solves.
///
/// # Errors
/// [`StatsError::OutOfRange`] when the counts cannot be added.
pub fn mcnemar(only_a: u64, only_b: u64) -> Result<f64, StatsError> {
    let total = only_a.checked_add(only_b).ok_or(StatsError::OutOfRange("counts"))?;
    if total == 0 {
        return Ok(1.0);
    }
    let binomial = Binomial::new(0.5, total).map_err(|_| StatsError::OutOfRange("counts"))?;
    Ok((2.0 * binomial.cdf(only_a.min(only_b))).min(1.0))
}

/// McNemar's mid-p: the exact p less half the chance of the observed split on each side; closer to its level on average,
/// without the exact test's guarantee (Fagerland, Lydersen and Laake 2013).
///
/// # Errors
/// As [`mcnemar`].
pub fn mcnemar_mid_p(only_a: u64, only_b: u64) -> Result<f64, StatsError> {
    let total = only_a.checked_add(only_b).ok_or(StatsError::OutOfRange("counts"))?;
    if only_a == only_b {
        let even = if total == 0 { 0.0 } else { density(total, only_a)? };
        return Ok(1.0 - even / 2.0);
    }
    Ok((mcnemar(only_a, only_b)? - density(total, only_a.min(only_b))?).max(0.0))
}

fn density(total: u64, count: u64) -> Result<f64, StatsError> {
    Ok(Binomial::new(0.5, total).map_err(|_| StatsError::OutOfRange("counts"))?.pmf(count))
}

/// Items by who solved them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Table {
    /// Both.
    pub both: u64,
    /// Only the first.
    pub only_first: u64,
    /// Only the second.
    pub only_second: u64,
    /// Neither.
    pub neither: u64,
}

impl Table {
    /// Counts pairs of right (true) and wrong.
    #[must_use]
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        pairs.into_iter().fold(Self::default(), |mut table, pair| {
            *match pair {
                (true, true) => &mut table.both,
                (true, false) => &mut table.only_first,
                (false, true) => &mut table.only_second,
                (false, false) => &mut table.neither,
            } += 1;
            table
        })
    }

    /// Items.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.both + self.only_first + self.only_second + self.neither
    }

    /// Difference of the two proportions with McNemar's exact p. Error and interval are Wald's after half an item more
    /// in each cell (Agresti and Min 2005): they are not 0 when the two never differ.
    ///
    /// # Errors
    /// [`StatsError::TooFew`] below two items.
    pub fn difference(&self) -> Result<Difference, StatsError> {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        let float = |count: u64| count as f64;
        if self.n() < 2 {
            return Err(StatsError::TooFew { have: usize::from(self.n() == 1), need: 2 });
        }
        let n = float(self.n());
        let (b, c, m) = (float(self.only_first) + 0.5, float(self.only_second) + 0.5, n + 2.0);
        let centre = (b - c) / m;
        let standard_error = ((b + c - (b - c) * centre).max(0.0)).sqrt() / m;
        let half = crate::normal_quantile(0.975) * standard_error;
        let value = (float(self.only_first) - float(self.only_second)) / n;
        let ci95 = [(centre - half).clamp(-1.0, value), (centre + half).clamp(value, 1.0)];
        Ok(Difference {
            estimate: Estimate { value, standard_error, ci95 },
            p: mcnemar(self.only_first, self.only_second)?,
            degrees_of_freedom: n - 1.0,
        })
    }
}

/// A difference of two means on shared items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// First minus second.
    pub estimate: Estimate,
    /// Two-sided p of "no difference"; 1 when all differences are 0.
    pub p: f64,
    /// Degrees of freedom of its t, items or clusters less one.
    pub degrees_of_freedom: f64,
}

/// Paired t over items.
///
/// # Errors
/// [`StatsError::Unequal`] for lists of different length, [`StatsError::TooFew`] below two items.
pub fn paired_difference(first: &[f64], second: &[f64]) -> Result<Difference, StatsError> {
    let differences = differences(first, second)?;
    let estimate = mean_interval(&differences)?;
    Ok(with_p(estimate, crate::as_f64(differences.len()) - 1.0))
}

/// Paired t over clusters of items, e.g. questions on one document.
///
/// # Errors
/// As [`paired_difference`], counting clusters.
pub fn paired_difference_clustered<C: Ord>(
    first: &[f64],
    second: &[f64],
    clusters: &[C],
) -> Result<Difference, StatsError> {
    let differences = differences(first, second)?;
    let estimate = mean_interval_clustered(&differences, clusters)?;
    let distinct = clusters.iter().collect::<std::collections::BTreeSet<_>>().len();
    Ok(with_p(estimate, crate::as_f64(distinct) - 1.0))
}

impl Difference {
    /// The same difference in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let Estimate { value, standard_error, ci95 } = self.estimate;
        let estimate = Estimate {
            value: factor * value,
            standard_error: factor.abs() * standard_error,
            ci95: ci95.map(|bound| factor * bound),
        };
        Self { estimate, ..self }
    }
}

fn differences(first: &[f64], second: &[f64]) -> Result<Vec<f64>, StatsError> {
    if first.len() != second.len() {
        return Err(StatsError::Unequal { left: first.len(), right: second.len() });
    }
    Ok(first.iter().zip(second).map(|(a, b)| a - b).collect())
}

fn with_p(estimate: Estimate, degrees_of_freedom: f64) -> Difference {
    let p = if estimate.value == 0.0 {
        1.0
    } else if estimate.standard_error == 0.0 {
        0.0
    } else {
        let t = (estimate.value / estimate.standard_error).abs();
        StudentsT::new(0.0, 1.0, degrees_of_freedom).map_or(1.0, |student| 2.0 * student.sf(t))
    };
    Difference { estimate, p, degrees_of_freedom }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mcnemar_golden_values() {
        for (b, c, p) in [
            (18, 18, 1.0),
            (33, 31, 0.900_653),
            (37, 31, 0.544_612),
            (10, 2, 0.038_574),
            (1, 8, 0.039_062),
            (0, 5, 0.0625),
            (0, 0, 1.0),
        ] {
            assert!((mcnemar(b, c).unwrap() - p).abs() < 1e-6, "{b} {c}");
        }
    }

    #[test]
    fn paired_golden_values() {
        let bits = |text: &str| text.chars().map(|bit| if bit == '1' { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
        let difference = paired_difference(&bits("1101101110"), &bits("1001100110")).unwrap();
        assert!((difference.estimate.value - 0.2).abs() < 1e-12);
        assert!((difference.estimate.standard_error - 0.133_333).abs() < 1e-6);
        assert!((difference.p - 0.167_85).abs() < 1e-4);
    }

    #[test]
    fn tables_do_not_claim_certainty_from_few_items() {
        let table = Table::of([(true, false), (true, true), (false, false), (true, false)]);
        assert_eq!(table, Table { both: 1, only_first: 2, only_second: 0, neither: 1 });
        // (2.5 − 0.5)/6 ± 1.96·√(3 − 2²/6)/6.
        let found = table.difference().unwrap();
        assert!((found.estimate.value - 0.5).abs() < 1e-12);
        assert!((found.estimate.standard_error - (3.0 - 4.0 / 6.0_f64).sqrt() / 6.0).abs() < 1e-12);
        assert!((found.p - 0.5).abs() < 1e-9);
        let same = Table { both: 10, ..Table::default() }.difference().unwrap();
        assert_eq!((same.estimate.value, same.p), (0.0, 1.0));
        assert!(same.estimate.ci95[0] < -0.1 && same.estimate.ci95[1] > 0.1);
        assert!(Table::default().difference().is_err());
        assert!((same.scaled(100.0).estimate.standard_error - 100.0 * same.estimate.standard_error).abs() < 1e-9);
    }

    #[test]
    fn mid_p_golden_values() {
        // Bin(6, ½): P(≤1) = 7/64, P(1) = 6/64; 2·7/64 − 6/64 = 1/8.
        assert!((mcnemar_mid_p(1, 5).unwrap() - 0.125).abs() < 1e-12);
        // Even splits: 1 − ½·P(observed).
        assert!((mcnemar_mid_p(1, 1).unwrap() - 0.75).abs() < 1e-12);
        assert!((mcnemar_mid_p(0, 5).unwrap() - 0.031_25).abs() < 1e-12);
        for (b, c) in [(18, 18), (33, 31), (10, 2)] {
            assert!(mcnemar_mid_p(b, c).unwrap() < mcnemar(b, c).unwrap());
        }
        assert_eq!(mcnemar_mid_p(0, 0).unwrap(), 1.0);
        assert!(mcnemar_mid_p(u64::MAX, 1).is_err());
    }

    #[test]
    fn an_unpaired_error_is_larger_here() {
        let bits = |text: &str| text.chars().map(|bit| if bit == '1' { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
        let error = |text| mean_interval(&bits(text)).unwrap().standard_error;
        assert!((error("1101101110").hypot(error("1001100110")) - 0.226_078).abs() < 1e-6);
    }

    #[test]
    fn unequal_lists_are_refused() {
        assert_eq!(paired_difference(&[1.0], &[]), Err(StatsError::Unequal { left: 1, right: 0 }));
    }
}
