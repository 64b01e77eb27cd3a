use super::*;
use proptest::prelude::*;

fn diagonal(variances: &[f64]) -> DMatrix<f64> {
    DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(variances))
}

fn close(left: f64, right: f64, tolerance: f64) {
    assert!((left - right).abs() < tolerance, "{left} {right}");
}

#[test]
fn the_critical_value_is_the_studentized_range() {
    // q(.95; K, ∞)/√2 of Tukey's table: 1.960, 2.344, 2.569, 3.164 for K = 2, 3, 4, 10.
    for (count, expected) in [(2, 1.960), (3, 2.344), (4, 2.569), (10, 3.164)] {
        let found = simultaneous(&vec![0.0; count], &diagonal(&vec![2.5; count]), 40_000, 7).unwrap();
        close(found.critical, expected, 0.04);
    }
}

#[test]
fn clear_gaps_are_ranked_and_overlaps_are_tied() {
    let found = simultaneous(&[50.0, 90.0, 89.5], &diagonal(&[1.0; 3]), DRAWS, 1).unwrap();
    assert_eq!(found.sets, [[3, 3], [1, 2], [1, 2]]);
    assert_eq!(found.top_group, [1, 2]);
    // P(N(0.5, √2) > 0) = 0.638.
    close(found.p_best[1], 0.638, 0.02);
    close(found.p_best.iter().sum::<f64>(), 1.0, 1e-9);
}

#[test]
fn shared_noise_separates_what_independent_noise_cannot() {
    let shared = DMatrix::from_row_slice(2, 2, &[4.0, 3.9, 3.9, 4.0]);
    assert_eq!(simultaneous(&[52.0, 50.0], &shared, DRAWS, 1).unwrap().sets, [[1, 1], [2, 2]]);
    assert_eq!(simultaneous(&[52.0, 50.0], &diagonal(&[4.0; 2]), DRAWS, 1).unwrap().sets, [[1, 2], [1, 2]]);
}

#[test]
fn a_matrix_that_is_singular_along_one_is_fine() {
    let centred = DMatrix::identity(4, 4) - DMatrix::from_element(4, 4, 0.25);
    let found = simultaneous(&[3.0, 1.0, -1.0, -3.0], &(centred * 0.01), DRAWS, 3).unwrap();
    assert_eq!(found.sets, [[1, 1], [2, 2], [3, 3], [4, 4]]);
    close(found.critical, 2.569, 0.06);
}

#[test]
fn without_noise_the_order_is_the_rank_and_ties_share() {
    let found = simultaneous(&[1.0, 2.0, 2.0], &diagonal(&[0.0; 3]), MIN_DRAWS, 1).unwrap();
    assert_eq!(found.sets, [[3, 3], [1, 2], [1, 2]]);
    assert_eq!(found.critical, 0.0);
    close(found.p_best[2], 0.5, 1e-9);
}

#[test]
fn one_entry_and_none() {
    assert_eq!(simultaneous(&[10.0], &diagonal(&[1.0]), MIN_DRAWS, 1).unwrap().sets, [[1, 1]]);
    assert_eq!(simultaneous(&[], &diagonal(&[]), MIN_DRAWS, 1).unwrap(), RankSets::default());
}

#[test]
fn what_is_no_covariance_is_refused() {
    let negative = DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 1.0]);
    let refused =
        |estimates: &[f64], matrix: &DMatrix<f64>, draws| simultaneous(estimates, matrix, draws, 1).unwrap_err();
    assert_eq!(refused(&[1.0, 2.0], &negative, DRAWS), StatsError::OutOfRange("covariance"));
    assert_eq!(refused(&[1.0, 2.0], &diagonal(&[1.0, f64::NAN]), DRAWS), StatsError::OutOfRange("covariance"));
    assert_eq!(refused(&[1.0, f64::INFINITY], &diagonal(&[1.0; 2]), DRAWS), StatsError::OutOfRange("estimates"));
    assert_eq!(refused(&[1.0], &diagonal(&[1.0; 2]), DRAWS), StatsError::Unequal { left: 1, right: 2 });
    assert_eq!(refused(&[1.0], &diagonal(&[1.0]), 10), StatsError::TooFew { have: 10, need: MIN_DRAWS });
}

#[test]
fn equal_entries_are_rarely_called_different() {
    let covariance = diagonal(&[1.0; 8]);
    let critical = simultaneous(&[0.0; 8], &covariance, DRAWS, 5).unwrap().critical;
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let false_claims = (0..2_000)
        .filter(|_| {
            let estimates: Vec<f64> = (0..8).map(|_| StandardNormal.sample(&mut rng)).collect();
            sets(&estimates, &pair_errors(&covariance), critical).iter().any(|set| *set != [1, 8])
        })
        .count();
    // 5 % of 2,000 is 100 with a standard deviation of 10.
    assert!((60..=140).contains(&false_claims), "{false_claims}");
}

#[test]
fn more_items_to_separate() {
    assert_eq!(more_to_separate(2.0, 1.0, 1.96, 100), Some(0));
    assert_eq!(more_to_separate(-1.0, 1.0, 2.0, 100), Some(301));
    assert_eq!(more_to_separate(0.0, 1.0, 2.0, 100), None);
    assert_eq!(more_to_separate(1e-300, 1.0, 2.0, 100), None);
    assert_eq!(more_to_separate(f64::NAN, 1.0, 2.0, 100), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn sets_hold_the_observed_rank_and_the_same_seed_repeats(
        list in proptest::collection::vec((0.0_f64..100.0, 0.0_f64..10.0), 1..12), seed in any::<u64>(),
    ) {
        let (estimates, variances): (Vec<f64>, Vec<f64>) = list.into_iter().unzip();
        let found = simultaneous(&estimates, &diagonal(&variances), MIN_DRAWS, seed).unwrap();
        for (estimate, [best, worst]) in estimates.iter().zip(&found.sets) {
            let rank = 1 + estimates.iter().filter(|other| *other > estimate).count();
            prop_assert!(*best as usize <= rank && rank <= *worst as usize);
        }
        prop_assert!(!found.top_group.is_empty());
        prop_assert!((found.p_best.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert_eq!(found, simultaneous(&estimates, &diagonal(&variances), MIN_DRAWS, seed).unwrap());
    }
}
