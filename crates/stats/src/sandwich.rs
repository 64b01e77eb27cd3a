//! Covariances of a fit: Fisher information, battle-level sandwich, sandwich clustered by question.
//!
//! All are in the mean-zero gauge: rows and columns of the strengths sum to 0.

use nalgebra::DMatrix;

use crate::StatsError;
use crate::dense::{add, at, put};
use crate::design::{Row, by_cluster};
use crate::fit::{Cell, Fit, Problem, add_square};
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
    let sorted: Vec<&Row> = by_cluster(rows).iter().filter_map(|&place| rows.get(place as usize)).collect();
    let mut sums = ClusterSums::new(problem, fit);
    let mut clusters = 0;
    for cluster in sorted.chunk_by(|left, right| left.cluster == right.cluster) {
        clusters += 1;
        sums.add(cluster);
    }
    let mut meat = sums.finish();
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

/// What one vote of a cell adds to the score of its cluster.
#[derive(Clone, Copy)]
struct Share {
    first: u32,
    second: u32,
    /// By outcome, times the scale of the judge.
    strengths: [f64; 3],
}

/// Sum over clusters of the outer products of their scores.
struct ClusterSums<'a> {
    problem: &'a Problem,
    shares: Vec<Share>,
    /// Scores by outcome where there are more parameters than strengths, else empty.
    scores: Vec<[[f64; 2]; 3]>,
    sum: Vec<f64>,
    touched: Vec<usize>,
    /// Columns of clusters with many votes, waiting for one product of matrices.
    block: Vec<f64>,
    meat: DMatrix<f64>,
}

impl<'a> ClusterSums<'a> {
    fn new(problem: &'a Problem, fit: &Fit) -> Self {
        let scores = cell_scores(problem, fit);
        let index = |model: usize| u32::try_from(model).unwrap_or(u32::MAX);
        let share = |(cell, scores): (&Cell, &[[f64; 2]; 3])| Share {
            first: index(cell.first),
            second: index(cell.second),
            strengths: scores.map(|[d, _]| d * cell.scale),
        };
        let shares = problem.cells.iter().zip(&scores).map(share).collect();
        let width = problem.width();
        let scores = if width > problem.models { scores } else { Vec::new() };
        let meat = DMatrix::zeros(width, width);
        Self { problem, shares, scores, sum: vec![0.0; width], touched: Vec::new(), block: Vec::new(), meat }
    }

    fn add(&mut self, cluster: &[&Row]) {
        let dense = cluster.len() * 4 > self.sum.len();
        for row in cluster {
            self.add_row(row, dense);
        }
        if dense {
            self.block.extend_from_slice(&self.sum);
            self.sum.fill(0.0);
            if self.block.len() >= BLOCK * self.sum.len() {
                self.flush();
            }
        } else {
            self.close();
        }
    }

    fn add_row(&mut self, row: &Row, dense: bool) {
        let Some(share) = self.shares.get(row.cell as usize).copied() else { return };
        let value = row.weight * share.strengths.get(row.winner.place()).copied().unwrap_or_default();
        let (first, second) = (share.first as usize, share.second as usize);
        for (index, value) in [(first, value), (second, -value)] {
            if let Some(sum) = self.sum.get_mut(index) {
                *sum += value;
            }
        }
        if !dense {
            self.touched.extend([first, second]);
        }
        if !self.scores.is_empty() {
            self.add_effects(row, dense);
        }
    }

    fn add_effects(&mut self, row: &Row, dense: bool) {
        let place = row.cell as usize;
        let (Some(cell), Some(scores)) = (self.problem.cells.get(place), self.scores.get(place)) else { return };
        let Some(&[d, tie]) = scores.get(row.winner.place()) else { return };
        let [order, length] = cell.extras.map(|(index, value)| (index, d * value));
        let tie_place = self.problem.models + self.problem.extras;
        for (index, value) in [order, length, (tie_place, tie)].into_iter().filter(|(_, value)| *value != 0.0) {
            if let Some(sum) = self.sum.get_mut(index) {
                *sum += row.weight * value;
            }
            if !dense {
                self.touched.push(index);
            }
        }
    }

    /// Adds the outer product of a cluster that touches few parameters.
    fn close(&mut self) {
        self.touched.sort_unstable();
        self.touched.dedup();
        for (place, &column) in self.touched.iter().enumerate() {
            let factor = self.sum.get(column).copied().unwrap_or_default();
            for &row in self.touched.iter().skip(place) {
                add(&mut self.meat, row, column, factor * self.sum.get(row).copied().unwrap_or_default());
            }
        }
        for index in self.touched.drain(..) {
            if let Some(sum) = self.sum.get_mut(index) {
                *sum = 0.0;
            }
        }
    }

    fn flush(&mut self) {
        let width = self.sum.len().max(1);
        let block = DMatrix::from_column_slice(width, self.block.len() / width, &self.block);
        self.meat.gemm(1.0, &block, &block.transpose(), 1.0);
        self.block.clear();
    }

    fn finish(mut self) -> DMatrix<f64> {
        self.flush();
        self.meat
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
