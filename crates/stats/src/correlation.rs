//! Rank correlation.

use crate::StatsError;

/// Spearman's rank correlation of paired values: Pearson's correlation of ranks, ties at their mean rank (Spearman 1904,
/// <https://doi.org/10.2307/1412159>). −1..1; `None` when one side is constant.
///
/// # Errors
/// [`StatsError::TooFew`] below three pairs; [`StatsError::OutOfRange`] for lists of different lengths or values that
/// are not finite.
pub fn spearman(first: &[f64], second: &[f64]) -> Result<Option<f64>, StatsError> {
    if first.len() != second.len() || first.iter().chain(second).any(|value| !value.is_finite()) {
        return Err(StatsError::OutOfRange("paired values"));
    }
    if first.len() < 3 {
        return Err(StatsError::TooFew { have: first.len(), need: 3 });
    }
    Ok(pearson(&ranks(first), &ranks(second)))
}

/// Ranks from 1, ties at their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        #[expect(clippy::cast_precision_loss, reason = "counts of entries")]
        let rank = below as f64 + (equal as f64 + 1.0) / 2.0;
        rank
    };
    values.iter().map(rank).collect()
}

fn pearson(first: &[f64], second: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of entries")]
    let n = first.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (one, other) = (mean(first), mean(second));
    let (mut products, mut ones, mut others) = (0.0, 0.0, 0.0);
    for (a, b) in first.iter().zip(second) {
        products += (a - one) * (b - other);
        ones += (a - one).powi(2);
        others += (b - other).powi(2);
    }
    let scale = (ones * others).sqrt();
    (scale > 0.0).then(|| (products / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_decide_and_ties_share_them() {
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 40.0, 90.0]).unwrap(), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).unwrap(), Some(-1.0));
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
        let tied = spearman(&[1.0, 2.0, 2.0, 5.0], &[1.0, 2.0, 3.0, 4.0]).unwrap().unwrap();
        assert!((tied - 4.5 / (4.5_f64 * 5.0).sqrt()).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_correlated_is_named() {
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, 2.0]), Err(StatsError::TooFew { have: 2, need: 3 }));
        assert!(spearman(&[1.0, f64::NAN, 3.0], &[1.0, 2.0, 3.0]).is_err());
        assert!(spearman(&[1.0, 2.0, 3.0], &[1.0, 2.0]).is_err());
    }
}
