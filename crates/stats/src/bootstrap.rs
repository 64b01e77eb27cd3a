//! Seeded bootstrap of a fit, each round an exact refit.
//!
//! A round starts at the full fit and reuses its Hessian factor (chord steps), with full Newton where that is too slow.

use nalgebra::DVector;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution, Uniform};

use crate::StatsError;
use crate::design::{Prepared, Row, by_cluster};
use crate::fit::{Fit, Problem};

/// Chord steps end when the largest component is below this: 1e-9 of a natural-log unit is 2e-7 Elo.
const SETTLED: f64 = 1e-9;
const MOST_CHORDS: usize = 40;

/// What is drawn with replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resample {
    /// Votes, from the pair counts alone (multinomial). Unequal weights inside one count enter by their mean.
    Cells,
    /// Whole questions.
    Clusters,
}

/// Strengths of the rounds that had a finite maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Rounds asked for.
    pub rounds: usize,
    /// Strengths by model, each list sorted, one value per kept round.
    pub sorted: Vec<Vec<f64>>,
}

impl Sample {
    /// Rounds with a finite maximum.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.sorted.first().map_or(0, Vec::len)
    }

    /// Quantile of a model's strength, linear between order statistics.
    #[must_use]
    pub fn quantile(&self, model: usize, probability: f64) -> Option<f64> {
        let list = self.sorted.get(model)?;
        let place = probability.clamp(0.0, 1.0) * crate::as_f64(list.len().checked_sub(1)?);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
        let below = place.floor() as usize;
        let low = *list.get(below)?;
        let high = list.get(below + 1).copied().unwrap_or(low);
        Some(low + (high - low) * place.fract())
    }

    /// Standard deviation of a model's strength over the rounds.
    #[must_use]
    pub fn deviation(&self, model: usize) -> Option<f64> {
        let list = self.sorted.get(model).filter(|list| list.len() > 1)?;
        let mean = crate::mean(list);
        let sum: f64 = list.iter().map(|value| (value - mean).powi(2)).sum();
        Some((sum / crate::as_f64(list.len() - 1)).sqrt())
    }
}

/// `rounds` resamples of `prepared`, each fitted.
///
/// # Errors
/// Fewer than two rounds or votes; no round with a finite maximum.
pub fn run(prepared: &Prepared, fit: &Fit, resample: Resample, rounds: usize, seed: u64) -> Result<Sample, StatsError> {
    for have in [rounds, prepared.rows.len()] {
        if have < 2 {
            return Err(StatsError::TooFew { have, need: 2 });
        }
    }
    match resample {
        Resample::Cells => cells(&prepared.problem, fit, rounds, seed),
        Resample::Clusters => {
            let mut draw = Clusters::new(prepared)?;
            repeat(&prepared.problem, fit, rounds, seed, |problem, rng| draw.fill(problem, rng))
        }
    }
}

/// `rounds` multinomial resamples of the counts of a problem: no votes are needed.
///
/// # Errors
/// As [`run`].
pub fn cells(problem: &Problem, fit: &Fit, rounds: usize, seed: u64) -> Result<Sample, StatsError> {
    let counts = Counts::new(problem);
    repeat(problem, fit, rounds, seed, |problem, rng| counts.fill(problem, rng))
}

fn repeat(
    problem: &Problem,
    fit: &Fit,
    rounds: usize,
    seed: u64,
    mut fill: impl FnMut(&mut Problem, &mut ChaCha8Rng),
) -> Result<Sample, StatsError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = problem.clone();
    let mut sorted = vec![Vec::with_capacity(rounds); problem.models];
    for _ in 0..rounds {
        fill(&mut drawn, &mut rng);
        let Some(parameters) = refit(&drawn, fit) else { continue };
        for (list, theta) in sorted.iter_mut().zip(parameters.iter()) {
            list.push(*theta);
        }
    }
    sorted.iter_mut().for_each(|list| list.sort_by(f64::total_cmp));
    let sample = Sample { rounds, sorted };
    if sample.kept() == 0 { Err(StatsError::Unbounded) } else { Ok(sample) }
}

/// The maximum near `fit`; `None` if there is no finite one.
pub(crate) fn refit(problem: &Problem, fit: &Fit) -> Option<DVector<f64>> {
    let mut parameters = fit.parameters.clone();
    let mut last = f64::INFINITY;
    for _ in 0..MOST_CHORDS {
        let mut step = problem.gradient(&parameters);
        fit.factor.solve_mut(&mut step);
        let size = step.amax();
        if !size.is_finite() || size > 0.5 * last {
            break;
        }
        last = size;
        parameters -= step;
        problem.centre(&mut parameters);
        if size < SETTLED {
            return Some(parameters);
        }
    }
    problem.solve(Some(&fit.parameters)).ok().map(|fit| fit.parameters)
}

/// Effective numbers of votes by cell and outcome, and what one of them weighs.
struct Counts {
    total: u64,
    parts: Vec<[(f64, f64); 3]>,
}

impl Counts {
    fn new(problem: &Problem) -> Self {
        let part = |weight: f64, square: f64| {
            if square > 0.0 { (weight * weight / square, square / weight) } else { (0.0, 0.0) }
        };
        let parts: Vec<[(f64, f64); 3]> = problem
            .cells
            .iter()
            .map(|cell| {
                let ([a, b, c], [d, e, f]) = (cell.weights, cell.squares);
                [part(a, d), part(b, e), part(c, f)]
            })
            .collect();
        let sum: f64 = parts.iter().flatten().map(|(count, _)| count).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of votes")]
        let total = sum.round() as u64;
        Self { total, parts }
    }

    /// Multinomial by conditional binomials.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    fn fill(&self, problem: &mut Problem, rng: &mut ChaCha8Rng) {
        let mut left = self.total;
        let mut share: f64 = self.parts.iter().flatten().map(|(count, _)| count).sum();
        for (cell, parts) in problem.cells.iter_mut().zip(&self.parts) {
            for (weight, &(count, unit)) in cell.weights.iter_mut().zip(parts) {
                let drawn = if count > 0.0 && left > 0 { binomial(left, (count / share).min(1.0), rng) } else { 0 };
                share -= count;
                left -= drawn;
                *weight = drawn as f64 * unit;
            }
        }
    }
}

fn binomial(n: u64, p: f64, rng: &mut ChaCha8Rng) -> u64 {
    Binomial::new(n, p).map_or(0, |binomial| binomial.sample(rng))
}

/// Rows with questions together.
struct Clusters {
    rows: Vec<Row>,
    /// End of each question in `rows`.
    ends: Vec<usize>,
    pick: Uniform<usize>,
    times: Vec<f64>,
}

impl Clusters {
    fn new(prepared: &Prepared) -> Result<Self, StatsError> {
        let order = by_cluster(&prepared.rows);
        let rows: Vec<Row> = order.iter().filter_map(|&place| prepared.rows.get(place as usize).copied()).collect();
        let mut ends = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            if rows.get(place + 1).is_none_or(|next| next.cluster != row.cluster) {
                ends.push(place + 1);
            }
        }
        let few = StatsError::TooFew { have: ends.len(), need: 2 };
        let pick = Uniform::new(0, ends.len()).map_err(|_| few.clone())?;
        if ends.len() < 2 {
            return Err(few);
        }
        Ok(Self { rows, times: vec![0.0; ends.len()], ends, pick })
    }

    fn fill(&mut self, problem: &mut Problem, rng: &mut ChaCha8Rng) {
        problem.cells.iter_mut().for_each(|cell| cell.weights = [0.0; 3]);
        self.times.fill(0.0);
        for _ in 0..self.ends.len() {
            if let Some(times) = self.times.get_mut(self.pick.sample(rng)) {
                *times += 1.0;
            }
        }
        let mut start = 0;
        for (&end, &times) in self.ends.iter().zip(&self.times) {
            for row in self.rows.get(start..end).into_iter().flatten().filter(|_| times > 0.0) {
                let cell = problem.cells.get_mut(row.cell as usize);
                if let Some(sum) = cell.and_then(|cell| cell.weights.get_mut(row.winner.place())) {
                    *sum += times * row.weight;
                }
            }
            start = end;
        }
    }
}
