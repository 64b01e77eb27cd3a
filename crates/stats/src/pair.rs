//! Which pair to judge next: the one that tells most about neighbours whose order is undecided.

use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardUniform, Uniform};

use crate::StatsError;
use crate::dense::at;
use crate::sandwich::difference_error;
use crate::tie::logistic;

/// Share of uniform exploration that keeps reweighting by propensity valid.
pub const EXPLORATION: f64 = 0.2;

/// What a choice is made from.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Strengths, natural-log units.
    pub estimates: &'a [f64],
    /// Their covariance.
    pub covariance: &'a DMatrix<f64>,
    /// Pairs that may be judged.
    pub allowed: &'a [(usize, usize)],
    /// Cost of one comparison of each allowed pair, any unit.
    pub costs: &'a [f64],
    /// Standard errors beyond which neighbours count as decided (that of the rank sets).
    pub critical: f64,
    /// Share of uniform exploration, above 0; [`EXPLORATION`].
    pub exploration: f64,
}

/// The pair drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    /// Index among the allowed pairs.
    pub place: usize,
    /// The pair.
    pub pair: (usize, usize),
    /// Probability with which it was drawn: store it with the vote, never show it to the judge.
    pub probability: f64,
    /// Neighbours it was meant to separate; `None` when all are decided (then the draw was uniform).
    pub target: Option<(usize, usize)>,
}

/// Draws the next pair: with `1 − exploration` the allowed pair that lowers the variance of the target gap most per
/// cost, `p(1−p)(vᵀx)²/(1 + p(1−p)xᵀVx)` with `x = e_a − e_b` and `v = V(e_i − e_j)`, otherwise any allowed pair alike.
/// The target is the undecided pair of neighbours that is nearest to being decided.
///
/// # Errors
/// Lists that do not belong together, no allowed pair, indices past the strengths, values that are not finite, costs that
/// are not positive, an exploration outside (0, 1].
pub fn choose(choice: &Choice, seed: u64) -> Result<Chosen, StatsError> {
    check(choice)?;
    let target = target(choice);
    let greedy = target.map(|(i, j)| best(choice, i, j));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let explore: f64 = StandardUniform.sample(&mut rng);
    let uniform =
        Uniform::new(0, choice.allowed.len()).map_err(|_| StatsError::TooFew { have: 0, need: 1 })?.sample(&mut rng);
    let place = greedy.filter(|_| explore >= choice.exploration).unwrap_or(uniform);
    let pair = *choice.allowed.get(place).ok_or(StatsError::TooFew { have: 0, need: 1 })?;
    Ok(Chosen { place, pair, probability: probability(choice, greedy, place), target })
}

/// The covariance to expect after `votes` more votes between the two of `pair`: `V − c·Vx(Vx)ᵀ/(1 + c·xᵀVx)` with
/// `c = votes·p(1−p)` and `x = e_a − e_b` (Sherman and Morrison 1950). Choices made before votes are in spread by it.
#[must_use]
pub fn expected(estimates: &[f64], covariance: &DMatrix<f64>, pair: (usize, usize), votes: f64) -> DMatrix<f64> {
    let (a, b) = pair;
    let strength = |model: usize| estimates.get(model).copied().unwrap_or_default();
    if a.max(b) >= covariance.ncols() {
        return covariance.clone();
    }
    let p = logistic(strength(a) - strength(b));
    let weight = votes * p * (1.0 - p);
    let turned = covariance.column(a) - covariance.column(b);
    let at = |model: usize| turned.get(model).copied().unwrap_or_default();
    let spread = at(a) - at(b);
    covariance - &turned * turned.transpose() * (weight / (1.0 + weight * spread))
}

fn probability(choice: &Choice, greedy: Option<usize>, place: usize) -> f64 {
    let each = 1.0 / crate::as_f64(choice.allowed.len());
    match greedy {
        None => each,
        Some(greedy) if greedy == place => 1.0 - choice.exploration + choice.exploration * each,
        Some(_) => choice.exploration * each,
    }
}

fn check(choice: &Choice) -> Result<(), StatsError> {
    let models = choice.estimates.len();
    for side in [choice.covariance.nrows(), choice.covariance.ncols()] {
        if side != models {
            return Err(StatsError::Unequal { left: models, right: side });
        }
    }
    if choice.costs.len() != choice.allowed.len() {
        return Err(StatsError::Unequal { left: choice.costs.len(), right: choice.allowed.len() });
    }
    if choice.allowed.is_empty() {
        return Err(StatsError::TooFew { have: 0, need: 1 });
    }
    for &(a, b) in choice.allowed {
        if a.max(b) >= models {
            return Err(StatsError::UnknownModel { index: a.max(b), models });
        }
        if a == b {
            return Err(StatsError::OutOfRange("allowed"));
        }
    }
    if choice.costs.iter().any(|cost| !(cost.is_finite() && *cost > 0.0)) {
        return Err(StatsError::OutOfRange("costs"));
    }
    if choice.estimates.iter().chain(choice.covariance.iter()).any(|value| !value.is_finite()) {
        return Err(StatsError::OutOfRange("estimates"));
    }
    if !(choice.exploration > 0.0 && choice.exploration <= 1.0) {
        return Err(StatsError::OutOfRange("exploration"));
    }
    if !(choice.critical.is_finite() && choice.critical >= 0.0) {
        return Err(StatsError::OutOfRange("critical"));
    }
    Ok(())
}

/// The undecided neighbours whose gap is the most standard errors wide.
fn target(choice: &Choice) -> Option<(usize, usize)> {
    let strength = |model: usize| choice.estimates.get(model).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..choice.estimates.len()).collect();
    order.sort_by(|a, b| strength(*b).total_cmp(&strength(*a)));
    let mut nearest: Option<(f64, (usize, usize))> = None;
    for pair in order.windows(2) {
        let &[above, below] = pair else { continue };
        let error = difference_error(choice.covariance, above, below)?;
        let ratio = if error > 0.0 { (strength(above) - strength(below)) / error } else { f64::INFINITY };
        if ratio <= choice.critical && nearest.is_none_or(|(best, _)| ratio > best) {
            nearest = Some((ratio, (above, below)));
        }
    }
    nearest.map(|(_, pair)| pair)
}

/// Allowed pair with the largest gain per cost; the first of equals.
fn best(choice: &Choice, i: usize, j: usize) -> usize {
    let v = |row: usize| at(choice.covariance, row, i) - at(choice.covariance, row, j);
    let mut best = (0, f64::NEG_INFINITY);
    for (place, (&(a, b), cost)) in choice.allowed.iter().zip(choice.costs).enumerate() {
        let gap = choice.estimates.get(a).zip(choice.estimates.get(b)).map_or(0.0, |(a, b)| a - b);
        let p = logistic(gap);
        let spread = difference_error(choice.covariance, a, b).unwrap_or_default().powi(2);
        let gain = p * (1.0 - p) * (v(a) - v(b)).powi(2) / (1.0 + p * (1.0 - p) * spread) / cost;
        if gain > best.1 {
            best = (place, gain);
        }
    }
    best.0
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;
