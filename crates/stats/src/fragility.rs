//! How few votes or questions decide who leads.
//!
//! Deleting votes with summed score `s` moves a gap `θ_a − θ_b` by about `−(H⁻¹(e_a − e_b))·s`; the deletions that hurt
//! the leader most are accumulated until the gap closes, and the number is checked by refits.

use std::collections::HashMap;

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use crate::StatsError;
use crate::bootstrap::refit;
use crate::dense::{add_entry, entry};
use crate::design::Prepared;
use crate::fit::Fit;
use crate::sandwich::cell_scores;

/// Fewest deletions that put the runner-up first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Deletion {
    /// By influence; null when even all that favour the leader are not enough.
    pub predicted: Option<usize>,
    /// Found by refits in the order of influence; null when no refit with the runner-up first was found.
    pub refit: Option<usize>,
    /// `refit` as a share of all.
    pub share: Option<f64>,
}

/// What holds the leader up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fragility {
    /// Highest strength.
    pub leader: String,
    /// Second highest.
    pub runner_up: String,
    /// Single votes.
    pub votes: Deletion,
    /// Whole questions.
    pub questions: Deletion,
}

/// Deletions that would flip `leader` and `runner_up` (indices among the strengths of the fit, in this order).
///
/// Returns those of single votes and those of whole questions.
///
/// # Errors
/// [`StatsError::UnknownModel`].
pub fn deletions(prepared: &Prepared, fit: &Fit, leader: usize, runner_up: usize) -> Result<[Deletion; 2], StatsError> {
    for index in [leader, runner_up] {
        if index >= fit.models {
            return Err(StatsError::UnknownModel { index, models: fit.models });
        }
    }
    let influence = influence(prepared, fit, leader, runner_up);
    let gap = entry(&fit.parameters, leader) - entry(&fit.parameters, runner_up);
    let search = Search { prepared, fit, pair: [leader, runner_up], gap };
    let votes: Vec<Vec<u32>> = (0..u32::try_from(influence.len()).unwrap_or(u32::MAX)).map(|row| vec![row]).collect();
    Ok([search.fewest(&votes, &influence), search.fewest(&questions(prepared), &influence)])
}

/// How much each row holds the gap up: the fall of the gap when it is deleted.
fn influence(prepared: &Prepared, fit: &Fit, leader: usize, runner_up: usize) -> Vec<f64> {
    let problem = &prepared.problem;
    let mut direction = DVector::zeros(problem.width());
    add_entry(&mut direction, leader, 1.0);
    add_entry(&mut direction, runner_up, -1.0);
    fit.factor.solve_mut(&mut direction);
    let tie = if problem.ties.has_parameter() { entry(&direction, problem.models + problem.extras) } else { 0.0 };
    let along: Vec<f64> = problem.cells.iter().map(|cell| cell.predictor(&direction)).collect();
    let scores = cell_scores(problem, fit);
    let of = |row: &crate::design::Row| {
        let [d, t] = *scores.get(row.cell as usize)?.get(row.winner.place())?;
        Some(row.weight * (d * along.get(row.cell as usize)? + t * tie))
    };
    prepared.rows.iter().map(|row| of(row).unwrap_or_default()).collect()
}

/// Rows of each question.
fn questions(prepared: &Prepared) -> Vec<Vec<u32>> {
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for (number, row) in prepared.rows.iter().enumerate() {
        let place = *places.entry(row.cluster).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.get_mut(place) {
            group.push(u32::try_from(number).unwrap_or(u32::MAX));
        }
    }
    groups
}

struct Search<'a> {
    prepared: &'a Prepared,
    fit: &'a Fit,
    pair: [usize; 2],
    gap: f64,
}

impl Search<'_> {
    fn fewest(&self, groups: &[Vec<u32>], influence: &[f64]) -> Deletion {
        let sum = |group: &Vec<u32>| group.iter().filter_map(|row| influence.get(*row as usize)).sum::<f64>();
        let mut order: Vec<(f64, &Vec<u32>)> =
            groups.iter().map(|group| (sum(group), group)).filter(|(sum, _)| *sum > 0.0).collect();
        order.sort_by(|left, right| right.0.total_cmp(&left.0));
        let mut left = self.gap;
        let predicted = order
            .iter()
            .position(|(fall, _)| {
                left -= fall;
                left < 0.0
            })
            .map(|place| place + 1);
        let refit = predicted.and_then(|predicted| self.confirm(&order, predicted));
        let share = refit.map(|refit| crate::as_f64(refit) / crate::as_f64(groups.len()));
        Deletion { predicted, refit, share }
    }

    /// Smallest number near `predicted` whose refit flips: gallop to a bracket, then halve it.
    fn confirm(&self, order: &[(f64, &Vec<u32>)], predicted: usize) -> Option<usize> {
        let (mut below, mut above) = (0, order.len() + 1);
        let (mut try_at, mut stride) = (predicted, 1);
        let mut rising = None;
        while above - below > 1 {
            let flipped = self.flips(order, try_at);
            if flipped {
                above = try_at;
            } else {
                below = try_at;
            }
            if *rising.get_or_insert(!flipped) == flipped {
                rising = Some(!flipped);
                stride = 0;
            }
            try_at = match (stride, flipped) {
                (0, _) => usize::midpoint(below, above),
                (_, true) => try_at.saturating_sub(stride).max(below + 1),
                (_, false) => (try_at + stride).min(above - 1),
            };
            stride *= 2;
        }
        (above <= order.len()).then_some(above)
    }

    fn flips(&self, order: &[(f64, &Vec<u32>)], count: usize) -> bool {
        let mut problem = self.prepared.problem.clone();
        for row in order.iter().take(count).flat_map(|(_, group)| group.iter()) {
            let Some(row) = self.prepared.rows.get(*row as usize) else { continue };
            let cell = problem.cells.get_mut(row.cell as usize);
            if let Some(sum) = cell.and_then(|cell| cell.weights.get_mut(row.winner.place())) {
                *sum = (*sum - row.weight).max(0.0);
            }
        }
        let [leader, runner_up] = self.pair;
        refit(&problem, self.fit).is_some_and(|parameters| entry(&parameters, leader) < entry(&parameters, runner_up))
    }
}
