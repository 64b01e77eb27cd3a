//! Intervals, aggregates over lengths, effective length, rank sets, paired tests and the health of judges.
//!
//! Pure functions on slices; every formula names its source. Scores are in whatever unit the caller uses, intervals
//! are at 95 % unless a name says otherwise.

pub mod aggregate;
pub mod agreement;
pub mod bootstrap;
pub mod correlation;
pub mod covariance;
pub mod cycle;
mod dense;
pub mod design;
pub mod equivalence;
pub mod fit;
pub mod formula;
pub mod fragility;
pub mod graph;
pub mod interval;
pub mod judge;
pub mod jury;
pub mod length;
pub mod multiplicity;
pub mod pair;
pub mod paired;
pub mod panel;
pub mod power;
pub mod prediction_powered;
pub mod rank;
pub mod rating;
pub mod repeats;
pub mod sandwich;
pub mod slope;
pub mod stopping;
pub mod tally;
pub mod tie;
pub mod vote;
pub mod vote_file;
pub mod win_matrix;

pub use nalgebra;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Inputs that have no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatsError {
    /// Fewer observations (or clusters) than the formula needs.
    #[error("{have} observations are too few: give at least {need}")]
    TooFew {
        /// What there is.
        have: usize,
        /// What is needed.
        need: usize,
    },
    /// Slices that must run in parallel have different lengths.
    #[error("lists of {left} and {right} values do not belong together: give one value each")]
    Unequal {
        /// Length of the first.
        left: usize,
        /// Length of the second.
        right: usize,
    },
    /// A value outside its range, or not finite.
    #[error("`{0}` is out of range")]
    OutOfRange(&'static str),
    /// A vote that leaves out a name.
    #[error("a vote has no name for its {0} model: name both models of each vote")]
    Unnamed(&'static str),
    /// An index that belongs to no model.
    #[error("there is no model number {index}: the log names {models}")]
    UnknownModel {
        /// The index asked for.
        index: usize,
        /// How many models there are.
        models: usize,
    },
    /// No finite maximum: some models never met, or never lost to, the others.
    #[error("the votes do not fix every rating: give a prior, or rate one strongly connected group at a time")]
    Unbounded,
    /// Failures and successes on either side of a value, or nothing but one of them.
    #[error("failures and successes do not overlap: no finite slope fits best")]
    Separated,
    /// An iteration that did not settle.
    #[error("the fit did not settle after {0} iterations: look for votes with extreme weights or lengths")]
    NotSettled(usize),
}

/// An estimate with its standard error and 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// Point estimate.
    pub value: f64,
    /// Standard error.
    pub standard_error: f64,
    /// 95 % interval.
    pub ci95: [f64; 2],
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / as_f64(values.len()) }
}

/// Standard normal quantile.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// Quantile of Student's t; normal for absurd degrees of freedom.
#[must_use]
pub fn t_quantile(probability: f64, degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom)
        .map_or_else(|_| normal_quantile(probability), |t| t.inverse_cdf(probability))
}
