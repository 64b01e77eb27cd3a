//! Sums of scores in 0..1, from which a mean and its interval follow.

use crate::board::{CellStatistics, interval_of_sums};

/// Sums over samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums {
    /// Samples.
    pub n: u32,
    /// Sum of scores.
    pub sum: f64,
    sum_of_squares: f64,
    /// Whether every score is 0 or 1.
    binary: bool,
}

impl Default for Sums {
    fn default() -> Self {
        Self { n: 0, sum: 0.0, sum_of_squares: 0.0, binary: true }
    }
}

impl Sums {
    /// Adds one score.
    pub fn add(&mut self, score: f64) {
        self.n += 1;
        self.sum += score;
        self.sum_of_squares += score * score;
        self.binary &= score == 0.0 || score == 1.0;
    }

    /// With the samples of a cell.
    pub fn with(self, cell: &CellStatistics) -> Self {
        Self {
            n: self.n.saturating_add(cell.n()),
            sum: self.sum + cell.sum,
            sum_of_squares: self.sum_of_squares + cell.sum_of_squares,
            binary: self.binary && (cell.binary || cell.n() == 0),
        }
    }

    /// Mean, 0..100; `None` without samples.
    pub fn score(&self) -> Option<f64> {
        (self.n > 0).then(|| 100.0 * self.sum / f64::from(self.n))
    }

    /// 95 % interval of the mean, 0..100.
    pub fn ci95(&self) -> Option<[f64; 2]> {
        interval_of_sums(self.n, self.sum, self.sum_of_squares, self.binary)
    }
}
