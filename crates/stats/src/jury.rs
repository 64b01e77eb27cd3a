//! Judge-aware Bradley-Terry: `P(a ≻ b | judge j) = σ(γ_j(θ_a − θ_b))` with a discrimination for each judge
//! (arXiv 2601.21817), `log γ ~ N(0, 1)`, geometric mean of γ 1. A second view only: a judge that is consistently wrong
//! gets a high γ too.

use nalgebra::DVector;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::StatsError;
use crate::dense::entry;
use crate::design::Prepared;
use crate::fit::Fit;
use crate::tie;

const STARTS: usize = 3;
const MOST_ROUNDS: usize = 500;
const SETTLED: f64 = 1e-8;

/// One judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeWeight {
    /// Name.
    pub judge: String,
    /// Votes among the rated models.
    pub votes: usize,
    /// Weighted share of the points that went to the model shown first.
    pub first_share: f64,
    /// Discrimination; the geometric mean over judges is 1.
    pub gamma: f64,
    /// First-shown advantage with this judge, natural-log units, if fitted.
    pub order_effect: Option<f64>,
}

/// One model in the judge-aware view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JuryRating {
    /// Name.
    pub model: String,
    /// Strength on the scale of a judge with γ = 1, mean 0.
    pub theta: f64,
    /// `1000 + (400/ln 10)·theta`.
    pub elo: f64,
    /// Standard error with γ taken as known.
    pub se_elo: f64,
}

/// The judge-aware view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Jury {
    /// Highest first.
    pub models: Vec<JuryRating>,
    /// By name.
    pub judges: Vec<JudgeWeight>,
}

/// Strengths and discriminations.
#[derive(Debug, Clone)]
pub struct JuryFit {
    /// The fit at the final discriminations.
    pub fit: Fit,
    /// γ by index of the judge; 1 for judges without votes.
    pub gamma: Vec<f64>,
    /// Negative log-likelihood plus prior.
    pub objective: f64,
}

/// Fits strengths and discriminations in turn, from the pooled fit and from two seeded starts, and keeps the best.
/// `prepared` must keep judges apart; its cell scales are set to the γ found.
///
/// # Errors
/// As a fit; no start that settles.
pub fn fit(prepared: &mut Prepared, judges: usize, seed: u64) -> Result<JuryFit, StatsError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut best: Option<JuryFit> = None;
    let mut failure = StatsError::NotSettled(MOST_ROUNDS);
    for start in 0..STARTS {
        let spread = if start == 0 { 0.0 } else { 0.5 };
        let draw = |_| spread * Distribution::<f64>::sample(&StandardNormal, &mut rng);
        let logs: Vec<f64> = (0..judges).map(draw).collect();
        match alternate(prepared, logs) {
            Ok(found) => {
                if best.as_ref().is_none_or(|best| found.objective < best.objective) {
                    best = Some(found);
                }
            }
            Err(error) => failure = error,
        }
    }
    let best = best.ok_or(failure)?;
    scale(prepared, &best.gamma);
    Ok(best)
}

fn scale(prepared: &mut Prepared, gamma: &[f64]) {
    for (cell, judge) in prepared.problem.cells.iter_mut().zip(&prepared.cell_judges) {
        cell.scale = gamma.get(*judge as usize).copied().unwrap_or(1.0);
    }
}

fn alternate(prepared: &mut Prepared, mut logs: Vec<f64>) -> Result<JuryFit, StatsError> {
    let cells = cells_by_judge(prepared, logs.len());
    let mut start: Option<DVector<f64>> = None;
    for _ in 0..MOST_ROUNDS {
        centre(&mut logs, &cells, start.as_mut(), prepared.problem.models);
        let gamma: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
        scale(prepared, &gamma);
        let fit = prepared.problem.solve(start.as_ref())?;
        let before = logs.clone();
        for (log, cells) in logs.iter_mut().zip(&cells).filter(|(_, cells)| !cells.is_empty()) {
            *log = discriminate(prepared, &fit.parameters, cells, *log);
        }
        let shift = mean_log(&logs, &cells);
        let moved = logs.iter().zip(&before).zip(&cells).filter(|(_, cells)| !cells.is_empty());
        let moved = moved.map(|((new, old), _)| (new - shift - old).abs()).fold(0.0, f64::max);
        if moved < SETTLED {
            let objective = fit.loss + 0.5 * before.iter().map(|log| log * log).sum::<f64>();
            return Ok(JuryFit { fit, gamma, objective });
        }
        start = Some(fit.parameters);
    }
    Err(StatsError::NotSettled(MOST_ROUNDS))
}

fn cells_by_judge(prepared: &Prepared, judges: usize) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); judges];
    for (cell, judge) in prepared.cell_judges.iter().enumerate() {
        if let Some(list) = lists.get_mut(*judge as usize) {
            list.push(cell);
        }
    }
    lists
}

fn mean_log(logs: &[f64], cells: &[Vec<usize>]) -> f64 {
    let active: Vec<f64> = logs.iter().zip(cells).filter(|(_, cells)| !cells.is_empty()).map(|(log, _)| *log).collect();
    crate::mean(&active)
}

/// Geometric mean of γ to 1; strengths take the scale over, so the likelihood stays.
fn centre(logs: &mut [f64], cells: &[Vec<usize>], start: Option<&mut DVector<f64>>, models: usize) {
    let mean = mean_log(logs, cells);
    for (log, cells) in logs.iter_mut().zip(cells) {
        *log = if cells.is_empty() { 0.0 } else { *log - mean };
    }
    if let Some(parameters) = start {
        parameters.iter_mut().take(models).for_each(|theta| *theta *= mean.exp());
    }
}

/// Newton in `log γ` of one judge, strengths fixed.
fn discriminate(prepared: &Prepared, parameters: &DVector<f64>, cells: &[usize], start: f64) -> f64 {
    let problem = &prepared.problem;
    let t = problem.tie_parameter(parameters);
    let value = |log: f64| {
        let (mut loss, mut slope, mut bend) = (0.5 * log * log, log, 1.0);
        for cell in cells.iter().filter_map(|&cell| problem.cells.get(cell)) {
            let gap = entry(parameters, cell.first) - entry(parameters, cell.second);
            let u = log.exp() * gap;
            let rest = cell.predictor(parameters) - cell.scale * gap;
            let curve = tie::curve(problem.ties, rest + u, t, cell.weights);
            loss += curve.loss;
            slope += curve.slope[0] * u;
            bend += curve.bend[0] * u * u + (curve.slope[0] * u).max(0.0);
        }
        (loss, slope, bend)
    };
    let mut log = start;
    for _ in 0..30 {
        let (loss, slope, bend) = value(log);
        let mut step = (slope / bend).clamp(-1.0, 1.0);
        while step.abs() > 1e-12 && value(log - step).0 > loss {
            step *= 0.5;
        }
        log -= step;
        if step.abs() < 1e-10 {
            break;
        }
    }
    log
}
