//! From votes to the groups a fit works on.

use std::collections::HashMap;

use crate::fit::{Cell, Fit, Problem};
use crate::tie::Ties;
use crate::vote::{Vote, VoteLog, Winner};

/// A vote as its cell sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Index into the cells of the problem.
    pub cell: u32,
    /// Verdict in the order of the cell.
    pub winner: Winner,
    /// Question, numbered without gaps over the log.
    pub cluster: u32,
    /// Weight.
    pub weight: f64,
}

/// Whether being shown first matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// It does not.
    #[default]
    Free,
    /// One effect for all.
    Global,
    /// One effect for each judge.
    PerJudge,
}

/// What the predictor of a vote is made of.
#[derive(Debug, Clone, Default)]
pub struct Design {
    /// What a tie means.
    pub ties: Ties,
    /// Order effect.
    pub order: Order,
    /// Length covariate: standardised `(len_a − len_b)/(len_a + len_b)`, population sd.
    pub length: bool,
    /// Discrimination of each judge (by index), for the judge-aware view; empty: all 1.
    pub scales: Vec<f64>,
    /// Keep judges apart even where all scales are 1.
    pub by_judge: bool,
}

/// A problem with the votes it was made of.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Groups of votes.
    pub problem: Problem,
    /// The votes, pointing at their groups.
    pub rows: Vec<Row>,
    /// Judge of each cell (0 where judges are pooled).
    pub cell_judges: Vec<u32>,
    /// Place of each row in the log.
    pub sources: Vec<u32>,
    /// Parameter of the length effect, if it is in.
    pub length_place: Option<usize>,
}

impl Prepared {
    /// Votes among `members` (indices of the log; their order is the order of the strengths), prepared for a fit.
    ///
    /// The length covariate is left out when lengths do not vary.
    #[must_use]
    pub fn new(log: &VoteLog, members: &[usize], design: &Design) -> Self {
        let mut places = vec![None; log.models().len()];
        for (place, &member) in members.iter().enumerate() {
            if let Some(slot) = places.get_mut(member) {
                *slot = u32::try_from(place).ok();
            }
        }
        let lengths = if design.length { standardised(log, &places) } else { None };
        let orders = match design.order {
            Order::Free => 0,
            Order::Global => 1,
            Order::PerJudge => log.judges().len(),
        };
        let extras = orders + usize::from(lengths.is_some());
        let problem =
            Problem { models: members.len(), extras, ties: design.ties, cells: Vec::new(), prior: 0.0, ridge: 0.0 };
        let length_place = lengths.is_some().then_some(members.len() + orders);
        let mut prepared =
            Self { problem, rows: Vec::new(), cell_judges: Vec::new(), sources: Vec::new(), length_place };
        prepared.fill(log, &places, design, lengths.as_deref());
        let tied = prepared.problem.cells.iter().any(|cell| cell.weights[1] > 0.0);
        if !tied {
            prepared.problem.ties = Ties::HalfWin;
        }
        prepared
    }

    /// Itself with its fit, if there is a finite maximum.
    #[must_use]
    pub fn solved(self) -> Option<(Self, Fit)> {
        let fit = self.problem.solve(None).ok()?;
        Some((self, fit))
    }

    fn fill(&mut self, log: &VoteLog, places: &[Option<u32>], design: &Design, lengths: Option<&[f64]>) {
        let mut index: HashMap<(u32, u32, u32), u32> = HashMap::new();
        let oriented = design.order != Order::Free || lengths.is_some();
        let apart = design.by_judge || design.order == Order::PerJudge || !design.scales.is_empty();
        for (number, vote) in log.votes().iter().enumerate() {
            let Some((first, second)) = both(places, vote) else { continue };
            let turned = !oriented && first > second;
            let (first, second) = if turned { (second, first) } else { (first, second) };
            let winner = if turned { vote.winner.swapped() } else { vote.winner };
            let judge = if apart { vote.judge } else { 0 };
            let fresh = u32::try_from(self.problem.cells.len()).unwrap_or(u32::MAX);
            let cell = match lengths {
                Some(_) => fresh,
                None => *index.entry((judge, first, second)).or_insert(fresh),
            };
            if cell == fresh {
                let length = lengths.and_then(|list| list.get(number)).copied().unwrap_or_default();
                self.open(first, second, judge, length, design);
            }
            self.count(cell, winner, vote.weight);
            self.rows.push(Row { cell, winner, cluster: log.cluster(vote), weight: vote.weight });
            self.sources.push(u32::try_from(number).unwrap_or(u32::MAX));
        }
    }

    fn open(&mut self, first: u32, second: u32, judge: u32, length: f64, design: &Design) {
        let models = self.problem.models;
        let order = match design.order {
            Order::Free => (models, 0.0),
            Order::Global => (models, 1.0),
            Order::PerJudge => (models + judge as usize, 1.0),
        };
        self.problem.cells.push(Cell {
            first: first as usize,
            second: second as usize,
            scale: design.scales.get(judge as usize).copied().unwrap_or(1.0),
            extras: [order, (self.length_place.unwrap_or(models), length)],
            weights: [0.0; 3],
            squares: [0.0; 3],
        });
        self.cell_judges.push(judge);
    }

    fn count(&mut self, cell: u32, winner: Winner, weight: f64) {
        let Some(cell) = self.problem.cells.get_mut(cell as usize) else { return };
        if let (Some(sum), Some(square)) = (cell.weights.get_mut(winner.place()), cell.squares.get_mut(winner.place()))
        {
            *sum += weight;
            *square += weight * weight;
        }
    }
}

fn both(places: &[Option<u32>], vote: &Vote) -> Option<(u32, u32)> {
    let place = |model: u32| places.get(model as usize).copied().flatten();
    Some((place(vote.first)?, place(vote.second)?))
}

/// Standardised relative length difference of each vote of the log (0 where unknown); `None` without spread.
fn standardised(log: &VoteLog, places: &[Option<u32>]) -> Option<Vec<f64>> {
    let raw = |number: usize, vote: &Vote| {
        both(places, vote)?;
        let [a, b] = log.lengths(number)?;
        Some(if a + b > 0.0 { (a - b) / (a + b) } else { 0.0 })
    };
    let raw: Vec<Option<f64>> = log.votes().iter().enumerate().map(|(number, vote)| raw(number, vote)).collect();
    let known: Vec<f64> = raw.iter().copied().flatten().collect();
    let mean = crate::mean(&known);
    let variance = known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / crate::as_f64(known.len().max(1));
    let sd = variance.sqrt();
    (sd > 1e-12).then(|| raw.into_iter().map(|value| value.map_or(0.0, |value| (value - mean) / sd)).collect())
}

/// Places of the rows, clusters together, otherwise in their order (counting sort).
pub(crate) fn by_cluster(rows: &[Row]) -> Vec<u32> {
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    if rows.is_sorted_by_key(|row| row.cluster) {
        return (0..count).collect();
    }
    let clusters = rows.iter().map(|row| row.cluster as usize + 1).max().unwrap_or_default();
    let mut next = vec![0_u32; clusters + 1];
    for row in rows {
        if let Some(count) = next.get_mut(row.cluster as usize + 1) {
            *count += 1;
        }
    }
    let mut total = 0;
    for slot in &mut next {
        total += *slot;
        *slot = total;
    }
    let mut order = vec![0; rows.len()];
    for (number, row) in (0..count).zip(rows) {
        let Some(slot) = next.get_mut(row.cluster as usize) else { continue };
        if let Some(place) = order.get_mut(*slot as usize) {
            *place = number;
        }
        *slot += 1;
    }
    order
}
