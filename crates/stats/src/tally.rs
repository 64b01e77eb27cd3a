//! Sufficient statistics of a vote log: three numbers for each ordered pair.

use crate::StatsError;
use crate::vote::{Vote, VoteLog};

/// Most models a tally indexes (its pair index grows with the square).
pub const MOST_MODELS: usize = 8192;
const EMPTY: u32 = u32::MAX;

/// Votes of one ordered pair; each list is `[first won, tie, second won]`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PairCount {
    /// Index of the model shown first.
    pub first: u32,
    /// Index of the model shown second.
    pub second: u32,
    /// How many votes.
    pub votes: [f64; 3],
    /// Sums of weights.
    pub weights: [f64; 3],
    /// Sums of squared weights (the battle-level sandwich needs them).
    pub squares: [f64; 3],
}

/// Pair counts that grow vote by vote; a fit never looks at the votes again.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    models: usize,
    stride: usize,
    index: Vec<u32>,
    pairs: Vec<PairCount>,
}

impl Tally {
    /// An empty tally of so many models; it grows when a vote names a later one.
    ///
    /// # Errors
    /// More than [`MOST_MODELS`].
    pub fn new(models: usize) -> Result<Self, StatsError> {
        let mut tally = Self::default();
        tally.reserve(models)?;
        Ok(tally)
    }

    /// All votes of a log, in one pass.
    ///
    /// # Errors
    /// More than [`MOST_MODELS`].
    pub fn of(log: &VoteLog) -> Result<Self, StatsError> {
        let mut tally = Self::new(log.models().len())?;
        for vote in log.votes() {
            tally.add(vote)?;
        }
        Ok(tally)
    }

    /// Counts a vote.
    ///
    /// # Errors
    /// A model against itself, an index past [`MOST_MODELS`], a weight that is not positive and finite.
    pub fn add(&mut self, vote: &Vote) -> Result<(), StatsError> {
        self.change(vote, 1.0)
    }

    /// Takes a counted vote back.
    ///
    /// # Errors
    /// As [`Tally::add`].
    pub fn remove(&mut self, vote: &Vote) -> Result<(), StatsError> {
        self.change(vote, -1.0)
    }

    fn change(&mut self, vote: &Vote, sign: f64) -> Result<(), StatsError> {
        if vote.first == vote.second {
            return Err(StatsError::OutOfRange("second"));
        }
        if !(vote.weight > 0.0 && vote.weight.is_finite()) {
            return Err(StatsError::OutOfRange("weight"));
        }
        let place = vote.winner.place();
        let pair = self.pair_mut(vote.first, vote.second)?;
        for (list, value) in
            [(&mut pair.votes, 1.0), (&mut pair.weights, vote.weight), (&mut pair.squares, vote.weight * vote.weight)]
        {
            if let Some(sum) = list.get_mut(place) {
                *sum += sign * value;
            }
        }
        Ok(())
    }

    fn pair_mut(&mut self, first: u32, second: u32) -> Result<&mut PairCount, StatsError> {
        self.reserve(first.max(second) as usize + 1)?;
        let cell = first as usize * self.stride + second as usize;
        let models = self.models;
        let unknown = StatsError::UnknownModel { index: first.max(second) as usize, models };
        let slot = self.index.get_mut(cell).ok_or_else(|| unknown.clone())?;
        if *slot == EMPTY {
            *slot = u32::try_from(self.pairs.len()).unwrap_or(EMPTY);
            self.pairs.push(PairCount { first, second, ..PairCount::default() });
        }
        self.pairs.get_mut(*slot as usize).ok_or(unknown)
    }

    fn reserve(&mut self, models: usize) -> Result<(), StatsError> {
        if models > MOST_MODELS {
            return Err(StatsError::UnknownModel { index: models - 1, models: MOST_MODELS });
        }
        self.models = self.models.max(models);
        if models <= self.stride {
            return Ok(());
        }
        self.stride = models.max(self.stride * 2).min(MOST_MODELS);
        self.index = vec![EMPTY; self.stride * self.stride];
        for (number, pair) in self.pairs.iter().enumerate() {
            if let Some(slot) = self.index.get_mut(pair.first as usize * self.stride + pair.second as usize) {
                *slot = u32::try_from(number).unwrap_or(EMPTY);
            }
        }
        Ok(())
    }

    /// How many models the tally knows.
    #[must_use]
    pub fn models(&self) -> usize {
        self.models
    }

    /// Counts of the ordered pairs that have been seen, in the order they came.
    #[must_use]
    pub fn pairs(&self) -> &[PairCount] {
        &self.pairs
    }

    /// `(first, second, summed weights)` of each ordered pair.
    pub fn results(&self) -> impl Iterator<Item = (usize, usize, [f64; 3])> {
        self.pairs.iter().map(|pair| (pair.first as usize, pair.second as usize, pair.weights))
    }

    /// Position in [`Tally::pairs`] of an ordered pair.
    #[must_use]
    pub fn position(&self, first: u32, second: u32) -> Option<usize> {
        if first as usize >= self.stride || second as usize >= self.stride {
            return None;
        }
        let slot = self.index.get(first as usize * self.stride + second as usize)?;
        (*slot != EMPTY).then_some(*slot as usize)
    }

    /// Votes among some models only; model `members[i]` becomes `i`.
    ///
    /// # Errors
    /// More than [`MOST_MODELS`].
    pub fn among(&self, members: &[usize]) -> Result<Self, StatsError> {
        let mut places = vec![None; self.models];
        for (place, &member) in members.iter().enumerate() {
            if let Some(slot) = places.get_mut(member) {
                *slot = u32::try_from(place).ok();
            }
        }
        let mut part = Self::new(members.len())?;
        for pair in &self.pairs {
            let place = |model: u32| places.get(model as usize).copied().flatten();
            if let (Some(first), Some(second)) = (place(pair.first), place(pair.second)) {
                *part.pair_mut(first, second)? = PairCount { first, second, ..*pair };
            }
        }
        Ok(part)
    }

    pub(crate) fn position_of(&self, first: usize, second: usize) -> Option<usize> {
        self.position(u32::try_from(first).ok()?, u32::try_from(second).ok()?)
    }

    /// Sums of weights over all pairs: `[first won, tie, second won]`.
    #[must_use]
    pub fn totals(&self) -> [f64; 3] {
        let mut totals = [0.0; 3];
        for pair in &self.pairs {
            for (total, weight) in totals.iter_mut().zip(pair.weights) {
                *total += weight;
            }
        }
        totals
    }
}
