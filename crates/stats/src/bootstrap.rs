//! Seeded bootstrap of a fit, each round an exact refit.
//!
//! A round starts at the full fit and reuses its Hessian factor (chord steps), with full Newton where that is too slow.

use std::collections::HashMap;

use nalgebra::DVector;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardUniform, Uniform};
use statrs::function::gamma::ln_gamma;

use crate::StatsError;
use crate::design::{Prepared, Row, by_cluster};
use crate::fit::{Fit, Problem};

/// Chord steps end when the largest component is below this: 1e-9 of a natural-log unit is 2e-7 Elo.
const SETTLED: f64 = 1e-9;
const MOST_CHORDS: usize = 40;

/// What is drawn with replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resample {
    /// Votes, from the pair counts alone. Unequal weights inside one count enter by their effective number.
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

/// `rounds` resamples of the counts of a problem: no votes are needed.
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

/// Effective number of votes behind a sum of weights, and what one of them weighs.
fn effective(weight: f64, square: f64) -> Option<(f64, f64)> {
    (square > 0.0).then(|| (weight * weight / square, square / weight))
}

/// How often the votes of each cell and outcome are drawn: each vote `Poisson(1)` times. Given their number that is the
/// multinomial resample, and a fit does not see the number (Hanley and MacGibbon 2006).
struct Counts {
    /// Table of each cell and outcome, and what one vote weighs.
    parts: Vec<[Option<(usize, f64)>; 3]>,
    tables: Vec<PoissonTable>,
}

impl Counts {
    fn new(problem: &Problem) -> Self {
        let mut places: HashMap<u64, usize> = HashMap::new();
        let mut tables = Vec::new();
        let mut part = |weight: f64, square: f64| {
            let (count, unit) = effective(weight, square)?;
            let place = *places.entry(count.to_bits()).or_insert_with(|| {
                tables.push(PoissonTable::new(count));
                tables.len() - 1
            });
            Some((place, unit))
        };
        let parts = problem
            .cells
            .iter()
            .map(|cell| {
                let ([a, b, c], [d, e, f]) = (cell.weights, cell.squares);
                [part(a, d), part(b, e), part(c, f)]
            })
            .collect();
        Self { parts, tables }
    }

    fn fill(&self, problem: &mut Problem, rng: &mut ChaCha8Rng) {
        for (cell, parts) in problem.cells.iter_mut().zip(&self.parts) {
            for (weight, part) in cell.weights.iter_mut().zip(parts) {
                *weight = part.map_or(0.0, |(place, unit)| {
                    self.tables.get(place).map_or(0.0, |table| table.draw(StandardUniform.sample(rng))) * unit
                });
            }
        }
    }
}

/// Inversion of a Poisson distribution with a guide table; all but 1e-15 of its mass.
struct PoissonTable {
    lowest: f64,
    cumulative: Vec<f64>,
    guide: Vec<u32>,
}

impl PoissonTable {
    fn new(mean: f64) -> Self {
        let reach = 9.0 * mean.sqrt() + 20.0;
        let lowest = (mean - reach).floor().max(0.0);
        let mut masses = Vec::new();
        let mut value = lowest;
        while value <= mean + reach {
            masses.push((value * mean.ln() - mean - ln_gamma(value + 1.0)).exp());
            value += 1.0;
        }
        let total: f64 = masses.iter().sum();
        let mut sum = 0.0;
        let cumulative: Vec<f64> = masses
            .iter()
            .map(|mass| {
                sum += mass / total;
                sum
            })
            .collect();
        let mut guide = Vec::with_capacity(cumulative.len());
        let mut place = 0_u32;
        for step in 0..cumulative.len() {
            let from = crate::as_f64(step) / crate::as_f64(cumulative.len());
            while cumulative.get(place as usize).is_some_and(|sum| *sum <= from) {
                place += 1;
            }
            guide.push(place);
        }
        Self { lowest, cumulative, guide }
    }

    /// The value at `uniform` in [0, 1).
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    fn draw(&self, uniform: f64) -> f64 {
        let step = (uniform * crate::as_f64(self.guide.len())) as usize;
        let mut place = self.guide.get(step).map_or(0, |place| *place as usize);
        while self.cumulative.get(place).is_some_and(|sum| *sum <= uniform) {
            place += 1;
        }
        self.lowest + crate::as_f64(place.min(self.cumulative.len().saturating_sub(1)))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_moments_of_poisson() {
        for mean in [0.3, 1.0, 7.5, 40.0, 3000.0] {
            let table = PoissonTable::new(mean);
            let points = 200_000;
            let draws: Vec<f64> =
                (0..points).map(|point| table.draw((crate::as_f64(point) + 0.5) / crate::as_f64(points))).collect();
            let average = crate::mean(&draws);
            let variance = draws.iter().map(|draw| (draw - average).powi(2)).sum::<f64>() / crate::as_f64(points);
            assert!((average - mean).abs() < 1e-3 * mean, "{average} is not {mean}");
            assert!((variance - mean).abs() < 2e-3 * mean, "{variance} is not {mean}");
        }
    }
}
