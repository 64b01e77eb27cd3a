//! Agreement between raters beyond chance.

use std::collections::BTreeMap;

use crate::judge::Share;
use crate::{StatsError, as_f64};

/// Cohen's kappa of two raters on the same units (Cohen 1960), with the raw agreement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kappa {
    /// `(p_o − p_e)/(1 − p_e)`; none when both raters use one and the same label only.
    pub kappa: Option<f64>,
    /// Units with the same label.
    pub agreement: Share,
}

/// Cohen's kappa and the agreement with, say, human labels.
///
/// # Errors
/// [`StatsError::Unequal`] for lists of different length, [`StatsError::TooFew`] for none.
pub fn cohen<L: Ord>(first: &[L], second: &[L]) -> Result<Kappa, StatsError> {
    if first.len() != second.len() {
        return Err(StatsError::Unequal { left: first.len(), right: second.len() });
    }
    let same = first.iter().zip(second).filter(|(a, b)| a == b).count();
    let agreement = Share::of(same as u64, first.len() as u64).ok_or(StatsError::TooFew { have: 0, need: 1 })?;
    let n = as_f64(first.len());
    let mut counts: BTreeMap<&L, (f64, f64)> = BTreeMap::new();
    first.iter().for_each(|label| counts.entry(label).or_default().0 += 1.0);
    second.iter().for_each(|label| counts.entry(label).or_default().1 += 1.0);
    let expected: f64 = counts.values().map(|(a, b)| a * b / (n * n)).sum();
    let kappa = (1.0 - expected > 1e-12).then(|| (agreement.value - expected) / (1.0 - expected));
    Ok(Kappa { kappa, agreement })
}

/// Krippendorff's alpha for nominal labels (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").
///
/// `units` holds the labels each unit got, from any number of raters; units with fewer than two say nothing.
/// `α = 1 − (n−1)·Σ_{c≠k} o_ck / Σ_{c≠k} n_c·n_k`. None when only one label was ever used.
///
/// # Errors
/// [`StatsError::TooFew`] without a unit that has two labels.
pub fn krippendorff<L: Ord>(units: &[Vec<L>]) -> Result<Option<f64>, StatsError> {
    let mut totals: BTreeMap<&L, f64> = BTreeMap::new();
    let (mut n, mut disagreement) = (0.0, 0.0);
    for labels in units.iter().filter(|labels| labels.len() > 1) {
        let size = as_f64(labels.len());
        let mut counts: BTreeMap<&L, f64> = BTreeMap::new();
        labels.iter().for_each(|label| *counts.entry(label).or_default() += 1.0);
        let same: f64 = counts.values().map(|count| count * (count - 1.0)).sum();
        disagreement += (size * (size - 1.0) - same) / (size - 1.0);
        n += size;
        counts.into_iter().for_each(|(label, count)| *totals.entry(label).or_default() += count);
    }
    if n == 0.0 {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    }
    let expected = n * n - totals.values().map(|total| total * total).sum::<f64>();
    Ok((expected > 1e-9).then(|| 1.0 - (n - 1.0) * disagreement / expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cohen_golden_values() {
        // 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: p_o 0.7, p_e 0.5.
        let rows = [(1, 1, 20), (1, 0, 5), (0, 1, 10), (0, 0, 15)];
        let (first, second): (Vec<u8>, Vec<u8>) =
            rows.iter().flat_map(|&(a, b, n)| std::iter::repeat_n((a, b), n)).unzip();
        let found = cohen(&first, &second).unwrap();
        assert!((found.kappa.unwrap() - 0.4).abs() < 1e-12);
        assert_eq!((found.agreement.hits, found.agreement.n), (35, 50));
        assert_eq!(cohen(&[1, 1], &[1, 1]).unwrap().kappa, None);
        assert!(cohen(&[1], &[1, 2]).is_err());
        assert!(cohen::<u8>(&[], &[]).is_err());
    }

    #[test]
    fn krippendorff_golden_values() {
        // Section C of the 2011 paper: four observers, twelve units, missing values; nominal alpha 0.743.
        let observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."];
        let units: Vec<Vec<char>> = (0..12)
            .map(|unit| observers.iter().filter_map(|row| row.chars().nth(unit)).filter(|c| *c != '.').collect())
            .collect();
        assert!((krippendorff(&units).unwrap().unwrap() - 0.743).abs() < 5e-4);
        // Section A: two observers, ten binary units; alpha 0.095.
        let (first, second) = ("0100000000", "1110010010");
        let units: Vec<Vec<char>> = first.chars().zip(second.chars()).map(|(a, b)| vec![a, b]).collect();
        assert!((krippendorff(&units).unwrap().unwrap() - 0.095).abs() < 5e-4);
        assert_eq!(krippendorff(&[vec![1, 1], vec![1]]).unwrap(), None);
        assert!(krippendorff(&[vec![1], vec![2]]).is_err());
    }

    proptest! {
        #[test]
        fn agreement_is_at_most_one(pairs in proptest::collection::vec((0_u8..4, 0_u8..4), 1..40)) {
            let (first, second): (Vec<u8>, Vec<u8>) = pairs.iter().copied().unzip();
            let units: Vec<Vec<u8>> = pairs.iter().map(|&(a, b)| vec![a, b]).collect();
            prop_assert!(cohen(&first, &second).unwrap().kappa.is_none_or(|kappa| (-1.0..=1.0).contains(&kappa)));
            prop_assert!(krippendorff(&units).unwrap().is_none_or(|alpha| alpha <= 1.0 + 1e-12));
            prop_assert_eq!(krippendorff(&units).unwrap(), krippendorff(&units.iter().map(|u| vec![u[1], u[0]]).collect::<Vec<_>>()).unwrap());
        }
    }
}
