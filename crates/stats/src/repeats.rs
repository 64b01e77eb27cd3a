//! Repeated answers to the same items: noise between items and noise within them (arXiv 2411.00640, section 3).

use crate::interval::mean_interval;
use crate::{Estimate, StatsError, as_f64, mean};

/// Mean over items with its variance taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// Mean of the item means, t of n−1 degrees of freedom: repeats are not items.
    pub estimate: Estimate,
    /// Variance of the items' true scores, at least 0.
    pub between: f64,
    /// Variance of one answer around its item's score; none when no item has two answers.
    pub within: Option<f64>,
    /// Items.
    pub items: usize,
}

/// Components of `items`, the scores of each item's repeats.
///
/// `Var(mean) = Var(mean_i)/n`; within: the mean over items with two or more answers of their sample variance;
/// between: `Var(mean_i) − within·mean(1/K_i)`, cut at 0.
///
/// # Errors
/// [`StatsError::TooFew`] below two items or for an item without answers, [`StatsError::OutOfRange`] for scores that
/// are not finite.
pub fn components(items: &[Vec<f64>]) -> Result<Components, StatsError> {
    if items.iter().any(Vec::is_empty) {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    }
    let means: Vec<f64> = items.iter().map(|scores| mean(scores)).collect();
    let estimate = mean_interval(&means)?;
    let spreads: Vec<f64> = items.iter().filter(|scores| scores.len() > 1).map(|scores| variance(scores)).collect();
    let within = (!spreads.is_empty()).then(|| mean(&spreads));
    let shares: Vec<f64> = items.iter().map(|scores| 1.0 / as_f64(scores.len())).collect();
    let between = (variance(&means) - within.unwrap_or(0.0) * mean(&shares)).max(0.0);
    Ok(Components { estimate, between, within, items: items.len() })
}

fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (as_f64(values.len()) - 1.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_is_taken_apart() {
        let found = components(&[vec![1.0, 0.0], vec![1.0, 1.0], vec![0.0, 0.0]]).unwrap();
        assert!((found.estimate.value - 0.5).abs() < 1e-12);
        // Item means ½, 1, 0 have variance ¼; within (½ + 0 + 0)/3 = 1/6.
        assert!((found.estimate.standard_error - (0.25_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((found.within.unwrap() - 1.0 / 6.0).abs() < 1e-12);
        assert!((found.between - (0.25 - 1.0 / 12.0)).abs() < 1e-12);
    }

    #[test]
    fn copies_of_an_answer_add_nothing() {
        let once = components(&[vec![1.0], vec![0.0], vec![1.0]]).unwrap();
        let thrice = components(&[vec![1.0; 3], vec![0.0; 3], vec![1.0; 3]]).unwrap();
        assert_eq!(once.estimate, thrice.estimate);
        assert_eq!((once.within, thrice.within), (None, Some(0.0)));
        assert!(components(&[vec![1.0], vec![]]).is_err());
        assert!(components(&[vec![1.0]]).is_err());
    }
}
