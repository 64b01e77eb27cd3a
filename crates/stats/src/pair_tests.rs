use super::*;

fn covariance() -> DMatrix<f64> {
    DMatrix::from_diagonal(&nalgebra::DVector::from_vec(vec![0.04, 0.04, 0.01, 0.01]))
}

const ALL: [(usize, usize); 6] = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];

fn choice<'a>(covariance: &'a DMatrix<f64>, costs: &'a [f64]) -> Choice<'a> {
    Choice {
        estimates: &[1.0, 0.8, -1.0, -3.0],
        covariance,
        allowed: &ALL,
        costs,
        critical: 3.0,
        exploration: EXPLORATION,
    }
}

#[test]
fn undecided_neighbours_are_judged_directly() {
    let covariance = covariance();
    let choice = choice(&covariance, &[1.0; 6]);
    let chosen: Vec<Chosen> = (0..2000).map(|seed| choose(&choice, seed).unwrap()).collect();
    assert!(chosen.iter().all(|chosen| chosen.target == Some((0, 1))));
    let direct = chosen.iter().filter(|chosen| chosen.pair == (0, 1)).count();
    let expected = 0.8 + 0.2 / 6.0;
    assert!((crate::as_f64(direct) / 2000.0 - expected).abs() < 0.04);
    for one in &chosen {
        let want = if one.pair == (0, 1) { expected } else { 0.2 / 6.0 };
        assert!((one.probability - want).abs() < 1e-12);
    }
    for pair in ALL {
        assert!(chosen.iter().any(|chosen| chosen.pair == pair), "{pair:?} is never explored");
    }
}

#[test]
fn a_dear_pair_gives_way() {
    let covariance = covariance();
    let costs = [100.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let choice = Choice { exploration: 1e-9, ..choice(&covariance, &costs) };
    assert_ne!(choose(&choice, 1).unwrap().pair, (0, 1));
}

#[test]
fn decided_boards_are_explored_alike() {
    let covariance = covariance() * 1e-6;
    let chosen = choose(&choice(&covariance, &[1.0; 6]), 4).unwrap();
    assert_eq!(chosen.target, None);
    assert!((chosen.probability - 1.0 / 6.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_chosen_from_is_named() {
    let covariance = covariance();
    let good = choice(&covariance, &[1.0; 6]);
    let error = |choice: Choice| choose(&choice, 0).unwrap_err();
    assert_eq!(error(Choice { costs: &[1.0], ..good }), StatsError::Unequal { left: 1, right: 6 });
    assert_eq!(error(Choice { allowed: &[], costs: &[], ..good }), StatsError::TooFew { have: 0, need: 1 });
    assert_eq!(
        error(Choice { allowed: &[(0, 9)], costs: &[1.0], ..good }),
        StatsError::UnknownModel { index: 9, models: 4 }
    );
    assert_eq!(error(Choice { allowed: &[(1, 1)], costs: &[1.0], ..good }), StatsError::OutOfRange("allowed"));
    assert_eq!(error(Choice { exploration: 0.0, ..good }), StatsError::OutOfRange("exploration"));
    assert_eq!(error(Choice { critical: f64::NAN, ..good }), StatsError::OutOfRange("critical"));
    assert_eq!(error(choice(&covariance, &[1.0, 1.0, 1.0, 1.0, 1.0, f64::NAN])), StatsError::OutOfRange("costs"));
    assert_eq!(error(Choice { estimates: &[f64::NAN; 4], ..good }), StatsError::OutOfRange("estimates"));
}
