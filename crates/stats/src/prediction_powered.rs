//! Few human labels, many judge labels: the power-tuned prediction-powered mean (PPI++, arXiv 2311.01453).

use crate::interval::mean_interval;
use crate::{Estimate, StatsError, as_f64, mean, normal_quantile};

/// A prediction-powered mean beside the one from human labels alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictionPowered {
    /// `λ·mean_N f + mean_n(y − λf)`, normal interval.
    pub estimate: Estimate,
    /// Mean of the human labels alone, t interval.
    pub human_only: Estimate,
    /// Weight of the judge, `Cov(y,f)/((1+n/N)·Var f)` held in 0..1; 0 when its labels do not vary.
    pub lambda: f64,
}

/// The mean human label. `human` and `judge_on_human` are labels of the same n items, `judge_elsewhere` the judge's labels
/// of N other items of the same kind.
///
/// `Var = λ²·Var_N(f)/N + Var_n(y − λf)/n`. Asymptotic: wants about 100 human labels.
///
/// # Errors
/// [`StatsError::Unequal`] when the paired lists differ in length, [`StatsError::TooFew`] below two items in either
/// set, [`StatsError::OutOfRange`] for labels that are not finite.
pub fn prediction_powered(
    human: &[f64],
    judge_on_human: &[f64],
    judge_elsewhere: &[f64],
) -> Result<PredictionPowered, StatsError> {
    if human.len() != judge_on_human.len() {
        return Err(StatsError::Unequal { left: human.len(), right: judge_on_human.len() });
    }
    let (human_only, elsewhere) = (mean_interval(human)?, mean_interval(judge_elsewhere)?);
    let beside = mean_interval(judge_on_human)?;
    let (n, others) = (as_f64(human.len()), as_f64(judge_elsewhere.len()));
    let covariance =
        human.iter().zip(judge_on_human).map(|(y, f)| (y - human_only.value) * (f - beside.value)).sum::<f64>()
            / (n - 1.0);
    let spread = pooled_variance(judge_on_human, judge_elsewhere);
    let lambda = if spread > 1e-12 { (covariance / ((1.0 + n / others) * spread)).clamp(0.0, 1.0) } else { 0.0 };
    let rectified: Vec<f64> = human.iter().zip(judge_on_human).map(|(y, f)| y - lambda * f).collect();
    let rest = mean_interval(&rectified)?;
    let value = lambda * elsewhere.value + rest.value;
    let standard_error = (lambda * elsewhere.standard_error).hypot(rest.standard_error);
    let half = normal_quantile(0.975) * standard_error;
    Ok(PredictionPowered {
        estimate: Estimate { value, standard_error, ci95: [value - half, value + half] },
        human_only,
        lambda,
    })
}

fn pooled_variance(first: &[f64], second: &[f64]) -> f64 {
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let centre = mean(&all);
    all.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (as_f64(all.len()) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{RngCore, SeedableRng};

    fn uniform(rng: &mut ChaCha8Rng) -> f64 {
        (rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Human labels of chance 0.6 and a judge that repeats them with chance 0.85.
    fn labels(rng: &mut ChaCha8Rng, n: usize) -> (Vec<f64>, Vec<f64>) {
        (0..n)
            .map(|_| {
                let human = f64::from(u8::from(uniform(rng) < 0.6));
                (human, if uniform(rng) < 0.85 { human } else { 1.0 - human })
            })
            .unzip()
    }

    fn run(rng: &mut ChaCha8Rng) -> PredictionPowered {
        let (human, beside) = labels(rng, 200);
        let (_, elsewhere) = labels(rng, 2_000);
        prediction_powered(&human, &beside, &elsewhere).unwrap()
    }

    /// Share of runs whose interval holds the truth, mean error with and without the judge.
    fn coverage(runs: u32, seed: u64) -> (f64, f64, f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let found: Vec<PredictionPowered> = (0..runs).map(|_| run(&mut rng)).collect();
        let held = found.iter().filter(|found| found.estimate.ci95[0] <= 0.6 && 0.6 <= found.estimate.ci95[1]).count();
        let average = |of: fn(&PredictionPowered) -> f64| found.iter().map(of).sum::<f64>() / f64::from(runs);
        (
            held as f64 / f64::from(runs),
            average(|found| found.estimate.standard_error),
            average(|found| found.human_only.standard_error),
        )
    }

    #[test]
    fn a_judge_narrows_the_interval_and_keeps_its_coverage() {
        let (held, powered, alone) = coverage(300, 5);
        assert!((0.91..=0.99).contains(&held), "{held}");
        // About 85 % agreement: 0.0347 becomes 0.0270.
        assert!((alone - 0.0347).abs() < 5e-4 && (powered - 0.0270).abs() < 1.5e-3, "{alone} {powered}");
    }

    #[test]
    #[ignore = "20,000 repetitions"]
    fn slow_coverage_of_the_prediction_powered_mean() {
        let (held, powered, alone) = coverage(20_000, 1);
        eprintln!("coverage {held:.4}, SE {powered:.4} instead of {alone:.4}");
        assert!((0.94..=0.96).contains(&held));
    }

    #[test]
    fn a_judge_that_says_nothing_changes_nothing() {
        let human = [1.0, 0.0, 1.0, 1.0];
        let found = prediction_powered(&human, &[1.0; 4], &[1.0; 9]).unwrap();
        assert_eq!(found.lambda, 0.0);
        assert_eq!(found.estimate.value, found.human_only.value);
        assert_eq!(found.estimate.standard_error, found.human_only.standard_error);
    }

    #[test]
    fn a_small_example_by_hand() {
        // Cov(y, f) = 1/3; pooled f = 1,1,0,0,1,0 has variance 0.3; λ = (1/3)/(3·0.3).
        let found = prediction_powered(&[1.0, 1.0, 0.0, 0.0], &[1.0, 1.0, 0.0, 0.0], &[1.0, 0.0]).unwrap();
        assert!((found.lambda - 10.0 / 27.0).abs() < 1e-12);
        assert!((found.estimate.value - 0.5).abs() < 1e-12);
        let variance = (10.0_f64 / 27.0).powi(2) * 0.5 / 2.0 + (17.0_f64 / 27.0).powi(2) / 3.0 / 4.0;
        assert!((found.estimate.standard_error - variance.sqrt()).abs() < 1e-12);
        assert!(prediction_powered(&[1.0], &[1.0, 2.0], &[1.0, 2.0]).is_err());
        assert!(prediction_powered(&[1.0, 0.0], &[1.0, 0.0], &[1.0]).is_err());
    }
}
