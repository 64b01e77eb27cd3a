//! Many tests at once: adjusted p values in the order of the input.

use crate::StatsError;

/// Holm 1979: `p̃_(i) = max_{j≤i} min(1, (m−j+1)·p_(j))`. Controls the chance of any false claim.
///
/// # Errors
/// [`StatsError::OutOfRange`] for a p outside 0..1.
pub fn holm(p: &[f64]) -> Result<Vec<f64>, StatsError> {
    let order = ascending(p)?;
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 0.0_f64;
    for ((place, value), left) in order.into_iter().zip((1..=p.len()).rev()) {
        least = least.max((crate::as_f64(left) * value).min(1.0));
        set(&mut adjusted, place, least);
    }
    Ok(adjusted)
}

/// Benjamini and Hochberg 1995: `p̃_(i) = min_{j≥i} min(1, m/j·p_(j))`. Controls the share of false claims.
///
/// # Errors
/// [`StatsError::OutOfRange`] for a p outside 0..1.
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>, StatsError> {
    let order = ascending(p)?;
    let mut adjusted = vec![1.0; p.len()];
    let mut most = 1.0_f64;
    for ((place, value), rank) in order.into_iter().rev().zip((1..=p.len()).rev()) {
        most = most.min(value * (crate::as_f64(p.len()) / crate::as_f64(rank)));
        set(&mut adjusted, place, most);
    }
    Ok(adjusted)
}

fn ascending(p: &[f64]) -> Result<Vec<(usize, f64)>, StatsError> {
    if p.iter().any(|value| !(0.0..=1.0).contains(value)) {
        return Err(StatsError::OutOfRange("p"));
    }
    let mut order: Vec<(usize, f64)> = p.iter().copied().enumerate().collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1));
    Ok(order)
}

fn set(values: &mut [f64], place: usize, value: f64) {
    if let Some(entry) = values.get_mut(place) {
        *entry = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const P: [f64; 25] = [
        0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341,
        0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986,
    ];

    #[test]
    fn golden_values() {
        let (holm, hochberg) = (holm(&P).unwrap(), benjamini_hochberg(&P).unwrap());
        for (found, known) in holm.iter().zip([0.025, 0.192, 0.897, 0.902, 0.902]) {
            assert!((found - known).abs() < 1e-6, "{found} {known}");
        }
        for (found, known) in hochberg.iter().zip([0.025, 0.1, 0.21, 0.21, 0.21, 0.25]) {
            assert!((found - known).abs() < 1e-6, "{found} {known}");
        }
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert!(holm(&[0.5, f64::NAN]).is_err());
        assert!(benjamini_hochberg(&[1.5]).is_err());
        assert_eq!(holm(&[]).unwrap(), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn adjusted_values_follow_the_input(p in proptest::collection::vec(0.0_f64..=1.0, 1..30)) {
            let (holm, hochberg) = (holm(&p).unwrap(), benjamini_hochberg(&p).unwrap());
            for ((raw, holm), hochberg) in p.iter().zip(&holm).zip(&hochberg) {
                prop_assert!(raw <= hochberg && *hochberg <= holm + 1e-12 && *holm <= 1.0);
            }
        }
    }
}
