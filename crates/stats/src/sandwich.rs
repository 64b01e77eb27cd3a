//! Covariances of a fit: Fisher information, battle-level sandwich, sandwich clustered by question.
//!
//! All are in the mean-zero gauge: rows and columns of the strengths sum to 0.

use nalgebra::DMatrix;

use crate::StatsError;
use crate::dense::{add, at, put};
use crate::design::{Row, by_cluster};
use crate::fit::{Fit, Problem, add_square};
use crate::tie;

/// Inverse Hessian without its gauge. With half wins a tie weighs as a full observation at ½.
#[must_use]
pub fn fisher(fit: &Fit) -> DMatrix<f64> {
    let mut inverse = fit.factor.inverse();
    let share = 1.0 / (fit.gauge * crate::as_f64(fit.models.max(1)));
    inverse.view_mut((0, 0), (fit.models, fit.models)).add_scalar_mut(-share);
    inverse
}

/// `H⁻¹BH⁻¹` with `B` the sum over votes of squared scores: right when votes are independent.
#[must_use]
pub fn battles(problem: &Problem, fit: &Fit) -> DMatrix<f64> {
    let t = problem.tie_parameter(&fit.parameters);
    let tie_place = problem.models + problem.extras;
    let mut meat = DMatrix::zeros(problem.width(), problem.width());
    for cell in &problem.cells {
        let design = cell.design();
        let scores = tie::scores(problem.ties, cell.predictor(&fit.parameters), t);
        let mut sums = [0.0; 3];
        for (square, [d, tie]) in cell.squares.iter().zip(scores).filter(|(square, _)| **square > 0.0) {
            sums = [sums[0] + square * d * d, sums[1] + square * d * tie, sums[2] + square * tie * tie];
        }
        add_square(&mut meat, &design, sums[0]);
        if problem.ties.has_parameter() {
            add(&mut meat, tie_place, tie_place, sums[2]);
            for (index, value) in design.into_iter().filter(|&(_, value)| value != 0.0) {
                add(&mut meat, tie_place, index, sums[1] * value);
            }
        }
    }
    sandwich(fit, meat)
}

/// `H⁻¹BH⁻¹` with scores summed inside each cluster first; `small_sample` multiplies by `C/(C − 1)`.
///
/// # Errors
/// Fewer than two clusters when `small_sample` is asked for.
pub fn clustered(problem: &Problem, fit: &Fit, rows: &[Row], small_sample: bool) -> Result<DMatrix<f64>, StatsError> {
    let mut meat = DMatrix::zeros(problem.width(), problem.width());
    let mut sum = Scores::new(problem, fit);
    let mut clusters = 0;
    let order = by_cluster(rows);
    let mut open = None;
    for row in order.iter().filter_map(|&place| rows.get(place as usize)) {
        if open != Some(row.cluster) {
            sum.close(&mut meat);
            open = Some(row.cluster);
            clusters += 1;
        }
        sum.add(row);
    }
    sum.close(&mut meat);
    sum.flush(&mut meat);
    if small_sample {
        if clusters < 2 {
            return Err(StatsError::TooFew { have: clusters, need: 2 });
        }
        meat *= crate::as_f64(clusters) / crate::as_f64(clusters - 1);
    }
    Ok(sandwich(fit, meat))
}

/// Clusters whose outer products are taken together where they touch many models.
const BLOCK: usize = 256;

/// Score of one cluster, sparse over what it touches.
struct Scores<'a> {
    problem: &'a Problem,
    cells: Vec<[[f64; 2]; 3]>,
    sum: Vec<f64>,
    touched: Vec<usize>,
    /// Columns of clusters that touch many models, waiting for one product of matrices.
    block: Vec<f64>,
}

impl<'a> Scores<'a> {
    fn new(problem: &'a Problem, fit: &Fit) -> Self {
        let cells = cell_scores(problem, fit);
        Self { problem, cells, sum: vec![0.0; problem.width()], touched: Vec::new(), block: Vec::new() }
    }

    fn add(&mut self, row: &Row) {
        let place = row.cell as usize;
        let (Some(cell), Some(scores)) = (self.problem.cells.get(place), self.cells.get(place)) else { return };
        let Some(&[d, tie]) = scores.get(row.winner.place()) else { return };
        for (index, value) in cell.design() {
            self.put(index, row.weight * d * value);
        }
        if self.problem.ties.has_parameter() {
            self.put(self.problem.models + self.problem.extras, row.weight * tie);
        }
    }

    fn put(&mut self, index: usize, value: f64) {
        if let (true, Some(sum)) = (value != 0.0, self.sum.get_mut(index)) {
            if *sum == 0.0 {
                self.touched.push(index);
            }
            *sum += value;
        }
    }

    /// Adds the outer product to the lower triangle, or lays it by, and starts over.
    fn close(&mut self, meat: &mut DMatrix<f64>) {
        if self.touched.len() * 4 > self.sum.len() {
            self.block.extend_from_slice(&self.sum);
            if self.block.len() >= BLOCK * self.sum.len() {
                self.flush(meat);
            }
        } else {
            self.touched.sort_unstable();
            self.touched.dedup();
            for (place, &column) in self.touched.iter().enumerate() {
                let factor = self.sum.get(column).copied().unwrap_or_default();
                for &row in self.touched.iter().skip(place) {
                    add(meat, row, column, factor * self.sum.get(row).copied().unwrap_or_default());
                }
            }
        }
        for index in self.touched.drain(..) {
            if let Some(sum) = self.sum.get_mut(index) {
                *sum = 0.0;
            }
        }
    }

    fn flush(&mut self, meat: &mut DMatrix<f64>) {
        let width = self.sum.len().max(1);
        let block = DMatrix::from_column_slice(width, self.block.len() / width, &self.block);
        meat.gemm(1.0, &block, &block.transpose(), 1.0);
        self.block.clear();
    }
}

/// Scores of one vote of each cell, by outcome.
pub(crate) fn cell_scores(problem: &Problem, fit: &Fit) -> Vec<[[f64; 2]; 3]> {
    let t = problem.tie_parameter(&fit.parameters);
    problem.cells.iter().map(|cell| tie::scores(problem.ties, cell.predictor(&fit.parameters), t)).collect()
}

fn sandwich(fit: &Fit, mut meat: DMatrix<f64>) -> DMatrix<f64> {
    meat.fill_upper_triangle_with_lower_triangle();
    let half = fit.factor.solve(&meat);
    let mut whole = fit.factor.solve(&half.transpose());
    symmetrise(&mut whole);
    whole
}

fn symmetrise(matrix: &mut DMatrix<f64>) {
    for column in 0..matrix.ncols() {
        for row in column + 1..matrix.nrows() {
            let mean = f64::midpoint(at(matrix, row, column), at(matrix, column, row));
            put(matrix, row, column, mean);
            put(matrix, column, row, mean);
        }
    }
}

/// Standard error of `θ_a − θ_b`: `sqrt(V_aa + V_bb − 2V_ab)`; `None` outside the matrix.
#[must_use]
pub fn difference_error(covariance: &DMatrix<f64>, a: usize, b: usize) -> Option<f64> {
    let inside = a < covariance.nrows() && b < covariance.nrows();
    let within = |row: usize, column: usize| inside.then(|| at(covariance, row, column));
    let variance = within(a, a)? + within(b, b)? - 2.0 * within(a, b)?;
    Some(variance.max(0.0).sqrt())
}
