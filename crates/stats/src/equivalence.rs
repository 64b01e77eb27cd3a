//! Whether a difference is small enough to call two models equal: two one-sided tests (Schuirmann 1987).

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::StatsError;
use crate::paired::Difference;

/// Margin in score points of 0..100 within which two models count as equal.
pub const MARGIN: f64 = 2.0;
/// Level of every claim.
pub const LEVEL: f64 = 0.05;

/// What a comparison says at 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first is better.
    FirstBetter,
    /// The second is better.
    SecondBetter,
    /// No difference is shown, and one as large as the margin is ruled out.
    Equivalent,
    /// Neither a difference nor equivalence is shown.
    NotEnoughData,
}

/// p of "the difference is at least `margin` in one direction": the larger of the two one-sided p values.
///
/// # Errors
/// [`StatsError::OutOfRange`] unless the margin is positive and finite.
pub fn equivalence(difference: &Difference, margin: f64) -> Result<f64, StatsError> {
    if !(margin > 0.0 && margin.is_finite()) {
        return Err(StatsError::OutOfRange("margin"));
    }
    let (value, error) = (difference.estimate.value, difference.estimate.standard_error);
    let slack = margin - value.abs();
    if error == 0.0 {
        return Ok(if slack > 0.0 { 0.0 } else { 1.0 });
    }
    let t =
        StudentsT::new(0.0, 1.0, difference.degrees_of_freedom).map_err(|_| StatsError::OutOfRange("difference"))?;
    Ok(t.sf(slack / error))
}

/// The verdict on a difference, each test at 5 %. A difference that is both real and inside the margin counts as real.
///
/// # Errors
/// As [`equivalence`].
pub fn verdict(difference: &Difference, margin: f64) -> Result<Verdict, StatsError> {
    let equal = equivalence(difference, margin)? < LEVEL;
    Ok(match (difference.p < LEVEL, difference.estimate.value > 0.0) {
        (true, true) => Verdict::FirstBetter,
        (true, false) => Verdict::SecondBetter,
        (false, _) if equal => Verdict::Equivalent,
        (false, _) => Verdict::NotEnoughData,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paired::paired_difference;

    #[test]
    fn the_four_verdicts() {
        let of = |differences: &[f64]| {
            let zeros = vec![0.0; differences.len()];
            verdict(&paired_difference(differences, &zeros).unwrap(), MARGIN).unwrap()
        };
        assert_eq!(of(&[5.0, 6.0, 7.0, 5.0]), Verdict::FirstBetter);
        assert_eq!(of(&[-5.0, -6.0, -7.0, -5.0]), Verdict::SecondBetter);
        assert_eq!(of(&[0.5, -0.5, 0.4, -0.4, 0.1]), Verdict::Equivalent);
        assert_eq!(of(&[50.0, -40.0, 30.0, -30.0]), Verdict::NotEnoughData);
    }

    #[test]
    fn two_one_sided_tests_agree_with_the_ninety_percent_interval() {
        for shift in [0.0, 0.5, 1.0, 1.5, 1.9] {
            let first: Vec<f64> = [1.0, -1.0, 0.5, -0.5, 2.0, -2.0].iter().map(|value| value + shift).collect();
            let difference = paired_difference(&first, &[0.0; 6]).unwrap();
            let half = crate::t_quantile(0.95, 5.0) * difference.estimate.standard_error;
            let inside = difference.estimate.value.abs() + half < MARGIN;
            assert_eq!(equivalence(&difference, MARGIN).unwrap() < LEVEL, inside, "{shift}");
        }
    }

    #[test]
    fn no_spread_is_certain() {
        let same = paired_difference(&[1.0, 1.0], &[1.0, 1.0]).unwrap();
        assert_eq!(verdict(&same, MARGIN).unwrap(), Verdict::Equivalent);
        assert!(equivalence(&same, 0.0).is_err());
    }
}
