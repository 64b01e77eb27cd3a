//! Maximum likelihood by damped Newton on pair counts.
//!
//! The loss is convex in all parameters for each [`Ties`]; the flat direction (all strengths moved together) is closed
//! by adding `c·11ᵀ/K` to the Hessian, so strengths keep mean 0.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use crate::StatsError;
use crate::dense::{add, add_entry, at, entry, put};
use crate::graph;
use crate::tally::Tally;
use crate::tie::{self, Ties};

/// Newton steps allowed.
const MOST_STEPS: usize = 200;
/// A step below this is the last one: Newton is quadratic, so about its square (2e-12 Elo) is left.
const SETTLED: f64 = 1e-7;
/// Order and length effects beyond this (`e^30` to one) are taken for a maximum at infinity.
const FARTHEST: f64 = 30.0;
/// Tie parameters beyond this are checked for a maximum at infinity.
const SUSPECT: f64 = 5.0;

/// One group of votes with the same predictor `scale·(θ_first − θ_second) + Σ value·extra`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Index of the model shown first.
    pub first: usize,
    /// Index of the model shown second.
    pub second: usize,
    /// Discrimination of the judge; 1 without.
    pub scale: f64,
    /// `(parameter, value)` of order effect and length; value 0 for none.
    pub extras: [(usize, f64); 2],
    /// Summed weights `[first, tie, second]`.
    pub weights: [f64; 3],
    /// Summed squared weights.
    pub squares: [f64; 3],
}

impl Cell {
    /// Non-zero entries of the design row.
    pub(crate) fn design(&self) -> [(usize, f64); 4] {
        let [a, b] = self.extras;
        [(self.first, self.scale), (self.second, -self.scale), a, b]
    }

    fn take_in(&mut self, other: &Self) {
        for (sum, value) in self.weights.iter_mut().zip(other.weights) {
            *sum += value;
        }
        for (sum, value) in self.squares.iter_mut().zip(other.squares) {
            *sum += value;
        }
    }

    pub(crate) fn predictor(&self, parameters: &DVector<f64>) -> f64 {
        let gap = entry(parameters, self.first) - entry(parameters, self.second);
        let extras = self.extras.iter().filter(|(_, value)| *value != 0.0);
        self.scale * gap + extras.map(|&(index, value)| value * entry(parameters, index)).sum::<f64>()
    }
}

/// Everything a fit needs. Parameters are laid out `[θ; extras; tie]`.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Models.
    pub models: usize,
    /// Order effects and covariates.
    pub extras: usize,
    /// What a tie means.
    pub ties: Ties,
    /// Groups of votes.
    pub cells: Vec<Cell>,
    /// `λ` of the prior `½λΣθ²` on the summed loss; 0 for none.
    pub prior: f64,
    /// `λ` of the ridge on extras, on the summed loss; 0 for none.
    pub ridge: f64,
}

/// A maximum and the curvature there.
#[derive(Debug, Clone)]
pub struct Fit {
    /// `[θ; extras; tie]`; θ has mean 0.
    pub parameters: DVector<f64>,
    /// Negative log-likelihood, without penalties and combinatorial constants.
    pub loss: f64,
    /// Newton steps taken.
    pub steps: usize,
    /// Factor of the gauged Hessian.
    pub factor: Cholesky<f64, Dyn>,
    /// The `c` of the gauge `c·11ᵀ/K`.
    pub gauge: f64,
    /// Models.
    pub models: usize,
}

impl Fit {
    /// Strengths, natural-log units, mean 0.
    #[must_use]
    pub fn theta(&self) -> Vec<f64> {
        self.parameters.iter().take(self.models).copied().collect()
    }
}

impl Problem {
    /// Votes of a tally under one global order effect or none.
    #[must_use]
    pub fn of(tally: &Tally, ties: Ties, order_effect: bool) -> Self {
        let models = tally.models();
        let value = f64::from(u8::from(order_effect));
        let cells = tally.pairs().iter().filter(|pair| pair.weights.iter().sum::<f64>() > 0.0);
        let cells = cells.map(|pair| Cell {
            first: pair.first as usize,
            second: pair.second as usize,
            scale: 1.0,
            extras: [(models, value), (models, 0.0)],
            weights: pair.weights,
            squares: pair.squares,
        });
        let cells: Vec<Cell> = if order_effect { cells.collect() } else { fold(tally, cells) };
        let tied = cells.iter().any(|cell| cell.weights[1] > 0.0);
        let ties = if tied { ties } else { Ties::HalfWin };
        Self { models, extras: usize::from(order_effect), ties, cells, prior: 0.0, ridge: 0.0 }
    }

    /// Length of the parameter vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.models + self.extras + usize::from(self.ties.has_parameter())
    }

    pub(crate) fn tie_parameter(&self, parameters: &DVector<f64>) -> f64 {
        if self.ties.has_parameter() {
            parameters.get(self.models + self.extras).copied().unwrap_or_default()
        } else {
            0.0
        }
    }

    /// Equal strengths, the tie parameter that gives the observed share of ties among equals.
    fn start(&self) -> DVector<f64> {
        let mut parameters = DVector::zeros(self.width());
        let tied: f64 = self.cells.iter().map(|cell| cell.weights[1]).sum();
        let total: f64 = self.cells.iter().flat_map(|cell| cell.weights).sum();
        let share = (tied / total).clamp(1e-3, 0.999);
        if let Some(tie) = parameters.get_mut(self.models + self.extras) {
            *tie = match self.ties {
                Ties::RaoKupper => ((1.0 + share) / (1.0 - share)).ln(),
                _ => (2.0 * share / (1.0 - share)).ln(),
            };
        }
        parameters
    }

    fn penalty(&self, parameters: &DVector<f64>) -> f64 {
        let squares = |from: usize, count: usize| parameters.iter().skip(from).take(count).map(|x| x * x).sum::<f64>();
        0.5 * self.prior * squares(0, self.models) + 0.5 * self.ridge * squares(self.models, self.extras)
    }

    /// Negative log-likelihood at a point, without penalties.
    #[must_use]
    pub fn loss(&self, parameters: &DVector<f64>) -> f64 {
        let t = self.tie_parameter(parameters);
        if self.ties == Ties::RaoKupper && t <= 0.0 {
            return f64::INFINITY;
        }
        self.cells.iter().map(|cell| tie::curve(self.ties, cell.predictor(parameters), t, cell.weights).loss).sum()
    }

    /// Gradient of the penalised loss.
    pub(crate) fn gradient(&self, parameters: &DVector<f64>) -> DVector<f64> {
        let t = self.tie_parameter(parameters);
        let mut gradient = self.penalty_gradient(parameters);
        let tie_place = self.models + self.extras;
        for cell in &self.cells {
            let [d, tie] = tie::slope(self.ties, cell.predictor(parameters), t, cell.weights);
            add_row(&mut gradient, &cell.design(), d);
            if self.ties.has_parameter() {
                add_entry(&mut gradient, tie_place, tie);
            }
        }
        gradient
    }

    fn penalty_gradient(&self, parameters: &DVector<f64>) -> DVector<f64> {
        let mut gradient = DVector::zeros(self.width());
        for (index, (slope, value)) in gradient.iter_mut().zip(parameters.iter()).enumerate() {
            *slope = value * self.penalty_weight(index);
        }
        gradient
    }

    fn penalty_weight(&self, index: usize) -> f64 {
        if index < self.models {
            self.prior
        } else if index < self.models + self.extras {
            self.ridge
        } else {
            0.0
        }
    }

    /// Value, gradient and lower triangle of the Hessian of the penalised loss, without gauge.
    fn at(&self, parameters: DVector<f64>) -> Point {
        let t = self.tie_parameter(&parameters);
        let gradient = self.penalty_gradient(&parameters);
        let hessian = DMatrix::zeros(self.width(), self.width());
        let mut point = Point { loss: f64::INFINITY, value: f64::INFINITY, gradient, hessian, parameters };
        if self.ties == Ties::RaoKupper && t <= 0.0 {
            return point;
        }
        for index in 0..self.models + self.extras {
            put(&mut point.hessian, index, index, self.penalty_weight(index));
        }
        let tie_place = self.models + self.extras;
        point.loss = 0.0;
        for cell in &self.cells {
            let curve = tie::curve(self.ties, cell.predictor(&point.parameters), t, cell.weights);
            let design = cell.design();
            point.loss += curve.loss;
            add_row(&mut point.gradient, &design, curve.slope[0]);
            add_square(&mut point.hessian, &design, curve.bend[0]);
            if self.ties.has_parameter() {
                add_entry(&mut point.gradient, tie_place, curve.slope[1]);
                add(&mut point.hessian, tie_place, tie_place, curve.bend[2]);
                for (index, value) in design.into_iter().filter(|&(_, value)| value != 0.0) {
                    add(&mut point.hessian, tie_place, index, curve.bend[1] * value);
                }
            }
        }
        point.value = point.loss + self.penalty(&point.parameters);
        point
    }

    /// Factor of the Hessian with its gauge, and the gauge.
    fn factor(&self, hessian: &DMatrix<f64>) -> Result<(Cholesky<f64, Dyn>, f64), StatsError> {
        let count = crate::as_f64(self.models.max(1));
        let trace: f64 = (0..self.models).map(|index| at(hessian, index, index)).sum();
        let gauge = (trace / count).max(f64::MIN_POSITIVE);
        let mut lift = 0.0;
        for _ in 0..8 {
            let mut lifted = hessian.clone();
            lifted.view_mut((0, 0), (self.models, self.models)).add_scalar_mut(gauge / count);
            for index in 0..self.width() {
                add(&mut lifted, index, index, lift);
            }
            if let Some(factor) = Cholesky::new(lifted) {
                return Ok((factor, gauge));
            }
            lift = if lift == 0.0 { gauge * 1e-12 } else { lift * 100.0 };
        }
        Err(StatsError::Unbounded)
    }

    /// The maximum, from `start` (parameters of a fit with the same layout) or from equal strengths.
    ///
    /// # Errors
    /// [`StatsError::Unbounded`] when the maximum is at infinity, [`StatsError::NotSettled`].
    pub fn solve(&self, start: Option<&DVector<f64>>) -> Result<Fit, StatsError> {
        if self.prior == 0.0 && !self.connected() {
            return Err(StatsError::Unbounded);
        }
        let mut point = self.at(self.begin(start));
        for steps in 1..=MOST_STEPS {
            let (factor, gauge) = self.factor(&point.hessian)?;
            let step = factor.solve(&point.gradient);
            if step.amax() < SETTLED {
                return self.finish(point, &step, steps, factor, gauge);
            }
            let Some(next) = self.descend(&point, &step) else {
                return self.finish(point, &DVector::zeros(self.width()), steps, factor, gauge);
            };
            point = next;
            let effects = point.parameters.rows(self.models, self.extras);
            if effects.iter().any(|effect| effect.abs() > FARTHEST) || !point.value.is_finite() {
                return Err(StatsError::Unbounded);
            }
        }
        Err(StatsError::NotSettled(MOST_STEPS))
    }

    /// `(first, second, weights)` of each cell.
    fn results(&self) -> impl Iterator<Item = (usize, usize, [f64; 3])> {
        self.cells.iter().map(|cell| (cell.first, cell.second, cell.weights))
    }

    /// A finite maximum of the strengths exists only inside one strong component.
    fn connected(&self) -> bool {
        graph::strong_components(self.models, &graph::beat_or_tied(self.results())).len() == 1
    }

    fn begin(&self, start: Option<&DVector<f64>>) -> DVector<f64> {
        let mut parameters = self.start();
        if let Some(start) = start {
            for (value, known) in parameters.iter_mut().zip(start.iter()) {
                *value = *known;
            }
        }
        self.centre(&mut parameters);
        parameters
    }

    /// Removes the mean of the strengths (rounding, and models that joined since `start`).
    pub(crate) fn centre(&self, parameters: &mut DVector<f64>) {
        let mean = parameters.rows(0, self.models).sum() / crate::as_f64(self.models.max(1));
        parameters.rows_mut(0, self.models).add_scalar_mut(-mean);
    }

    /// The step, halved until the loss does not rise by more than rounding; `None` if no part of it is a step down.
    fn descend(&self, from: &Point, step: &DVector<f64>) -> Option<Point> {
        let slack = 1e-13 * from.value.abs().max(1.0);
        let mut length = 1.0;
        for _ in 0..60 {
            let mut next = &from.parameters - step * length;
            self.centre(&mut next);
            let next = self.at(next);
            if next.value <= from.value + slack {
                return Some(next);
            }
            length *= 0.5;
        }
        None
    }

    /// Takes the last step. The factor belongs to the point before it, which is the same to rounding.
    fn finish(
        &self,
        point: Point,
        step: &DVector<f64>,
        steps: usize,
        factor: Cholesky<f64, Dyn>,
        gauge: f64,
    ) -> Result<Fit, StatsError> {
        let mut parameters = point.parameters - step;
        self.centre(&mut parameters);
        let far = self.ties.has_parameter() && self.tie_parameter(&parameters) > SUSPECT;
        if far && graph::ties_run_away(self.models, self.results()) {
            return Err(StatsError::Unbounded);
        }
        Ok(Fit { parameters, loss: point.loss, steps, factor, gauge, models: self.models })
    }
}

/// The penalised loss around one point.
struct Point {
    parameters: DVector<f64>,
    loss: f64,
    value: f64,
    gradient: DVector<f64>,
    hessian: DMatrix<f64>,
}

/// Both orders of a pair in one cell, for fits without an order effect.
fn fold(tally: &Tally, cells: impl Iterator<Item = Cell>) -> Vec<Cell> {
    let mut places: Vec<Option<usize>> = vec![None; tally.pairs().len()];
    let mut folded: Vec<Cell> = Vec::with_capacity(places.len());
    for cell in cells {
        let cell = if cell.first < cell.second { cell } else { turn(cell) };
        let known = |first, second| places.get(tally.position_of(first, second)?).copied().flatten();
        let place = known(cell.first, cell.second).or_else(|| known(cell.second, cell.first));
        if let Some(sum) = place.and_then(|place| folded.get_mut(place)) {
            sum.take_in(&cell);
            continue;
        }
        let position =
            tally.position_of(cell.first, cell.second).or_else(|| tally.position_of(cell.second, cell.first));
        if let Some(slot) = position.and_then(|position| places.get_mut(position)) {
            *slot = Some(folded.len());
        }
        folded.push(cell);
    }
    folded
}

fn turn(cell: Cell) -> Cell {
    let [a, b, c] = cell.weights;
    let [d, e, f] = cell.squares;
    Cell { first: cell.second, second: cell.first, weights: [c, b, a], squares: [f, e, d], ..cell }
}

fn add_row(gradient: &mut DVector<f64>, design: &[(usize, f64); 4], factor: f64) {
    for &(index, value) in design.iter().filter(|&&(_, value)| value != 0.0) {
        add_entry(gradient, index, factor * value);
    }
}

/// Lower triangle of `factor·xxᵀ`.
pub(crate) fn add_square(matrix: &mut DMatrix<f64>, design: &[(usize, f64); 4], factor: f64) {
    for (place, &(row, left)) in design.iter().enumerate().filter(|(_, (_, value))| *value != 0.0) {
        for &(column, right) in design.iter().take(place + 1).filter(|(_, value)| *value != 0.0) {
            add(matrix, row.max(column), row.min(column), factor * left * right);
        }
    }
}

/// Maximum-likelihood strengths of a tally, from an earlier fit if there is one: what it knew is kept, models that joined
/// since start at the mean. Costs nothing per vote.
///
/// # Errors
/// [`StatsError::Unbounded`] when no finite maximum exists.
pub fn maximum(tally: &Tally, ties: Ties, order_effect: bool, start: Option<&Fit>) -> Result<Fit, StatsError> {
    let problem = Problem::of(tally, ties, order_effect);
    let start = start.map(|fit| {
        let joined = problem.models.saturating_sub(fit.models);
        let known = fit.parameters.iter().copied();
        let strengths = known.clone().take(fit.models).chain(std::iter::repeat_n(0.0, joined));
        DVector::from_vec(strengths.chain(known.skip(fit.models)).collect())
    });
    problem.solve(start.as_ref())
}
