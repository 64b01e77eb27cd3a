//! Pairwise votes with interned names.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::StatsError;

/// Who won, in shown order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Winner {
    /// The model shown first.
    First,
    /// The model shown second.
    Second,
    /// Neither.
    Tie,
}

impl Winner {
    /// Place in `[first, tie, second]`.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::First => 0,
            Self::Tie => 1,
            Self::Second => 2,
        }
    }

    /// The same verdict with the two models shown the other way round.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
            Self::Tie => Self::Tie,
        }
    }
}

/// One verdict as it comes from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ballot<'a> {
    /// Model shown first.
    pub first: &'a str,
    /// Model shown second.
    pub second: &'a str,
    /// Verdict.
    pub winner: Winner,
    /// Question the two answered; empty: the vote stands alone.
    pub question: &'a str,
    /// Who judged; may be empty.
    pub judge: &'a str,
    /// Multiplies the log-likelihood of the vote; 1 unless there is a reason.
    pub weight: f64,
    /// Lengths of the two answers, in any one unit.
    pub lengths: Option<[f64; 2]>,
}

/// One verdict with names replaced by indices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vote {
    /// Index of the model shown first.
    pub first: u32,
    /// Index of the model shown second.
    pub second: u32,
    /// Index of the question; a vote without one has an index of its own.
    pub question: u32,
    /// Index of the judge.
    pub judge: u32,
    /// Weight.
    pub weight: f64,
    /// Verdict.
    pub winner: Winner,
}

/// What was odd about the votes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarks {
    /// Votes of a model against itself: ignored.
    pub self_votes: u64,
    /// Votes whose question, judge, order and pair were there before: kept, because a judge may be asked twice.
    pub duplicates: u64,
    /// Votes of weight 0: ignored.
    pub weightless: u64,
    /// Votes without a question: each is a cluster of its own.
    pub without_question: u64,
    /// Votes without lengths in a log that has some: taken as of mean length.
    pub without_lengths: u64,
}

#[derive(Debug, Clone, Default)]
struct Names {
    list: Vec<String>,
    index: HashMap<String, u32>,
}

impl Names {
    fn intern(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.index.get(name) {
            return index;
        }
        let index = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(name.to_owned());
        self.index.insert(name.to_owned(), index);
        index
    }
}

/// Votes in the order they came.
#[derive(Debug, Clone, Default)]
pub struct VoteLog {
    models: Names,
    questions: Names,
    judges: Names,
    votes: Vec<Vote>,
    lengths: Vec<Option<[f64; 2]>>,
    seen: HashSet<[u32; 4]>,
    loose: u32,
    remarks: Remarks,
}

impl VoteLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a vote. A self vote or one of weight 0 is counted and otherwise ignored.
    ///
    /// # Errors
    /// An empty model name, a weight that is negative or not finite, a length that is negative or not finite.
    pub fn push(&mut self, ballot: &Ballot) -> Result<(), StatsError> {
        check(ballot)?;
        let (first, second) = (self.models.intern(ballot.first), self.models.intern(ballot.second));
        if first == second {
            self.remarks.self_votes += 1;
            return Ok(());
        }
        if ballot.weight == 0.0 {
            self.remarks.weightless += 1;
            return Ok(());
        }
        let judge = self.judges.intern(ballot.judge);
        let question = self.question(ballot.question);
        if !ballot.question.is_empty() && !self.seen.insert([question, judge, first, second]) {
            self.remarks.duplicates += 1;
        }
        self.push_lengths(ballot.lengths);
        self.votes.push(Vote { first, second, question, judge, weight: ballot.weight, winner: ballot.winner });
        Ok(())
    }

    /// Loose votes count down from the top, so that questions named later keep their small indices.
    fn question(&mut self, name: &str) -> u32 {
        if !name.is_empty() {
            return self.questions.intern(name);
        }
        self.remarks.without_question += 1;
        let index = u32::MAX - self.loose;
        self.loose += 1;
        index
    }

    fn push_lengths(&mut self, lengths: Option<[f64; 2]>) {
        if lengths.is_none() && self.lengths.is_empty() {
            return;
        }
        self.lengths.resize(self.votes.len(), None);
        self.lengths.push(lengths);
    }

    /// Names of the models, in the order they came; indices of votes point here.
    #[must_use]
    pub fn models(&self) -> &[String] {
        &self.models.list
    }

    /// Names of the judges; a vote without one points at the empty name.
    #[must_use]
    pub fn judges(&self) -> &[String] {
        &self.judges.list
    }

    /// Questions, a vote without one counting as one.
    #[must_use]
    pub fn question_count(&self) -> usize {
        self.questions.list.len() + usize::try_from(self.loose).unwrap_or(usize::MAX)
    }

    /// The question of a vote, numbered without gaps: loose votes follow the named questions.
    pub(crate) fn cluster(&self, vote: &Vote) -> u32 {
        let named = u32::try_from(self.questions.list.len()).unwrap_or(u32::MAX);
        if vote.question < named { vote.question } else { named + (u32::MAX - vote.question) }
    }

    /// The votes that count.
    #[must_use]
    pub fn votes(&self) -> &[Vote] {
        &self.votes
    }

    /// Lengths of the two answers of a vote, if known.
    #[must_use]
    pub fn lengths(&self, vote: usize) -> Option<[f64; 2]> {
        self.lengths.get(vote).copied().flatten()
    }

    /// True if at least one vote has lengths.
    #[must_use]
    pub fn has_lengths(&self) -> bool {
        !self.lengths.is_empty()
    }

    /// Questions by number. Votes without one carry numbers beyond.
    #[must_use]
    pub fn questions(&self) -> &[String] {
        &self.questions.list
    }

    /// What was odd.
    #[must_use]
    pub fn remarks(&self) -> Remarks {
        let known = self.lengths.iter().filter(|lengths| lengths.is_some()).count();
        let without = if known == 0 { 0 } else { self.votes.len() - known };
        Remarks { without_lengths: u64::try_from(without).unwrap_or(u64::MAX), ..self.remarks }
    }

    /// The same votes, with models numbered by name and judges by name: the order of arrival no longer shows.
    #[must_use]
    pub(crate) fn canonical(&self) -> Self {
        let models = order(&self.models.list);
        let judges = order(&self.judges.list);
        let at = |places: &[u32], index: u32| places.get(index as usize).copied().unwrap_or(index);
        let mut log = self.clone();
        for vote in &mut log.votes {
            vote.first = at(&models, vote.first);
            vote.second = at(&models, vote.second);
            vote.judge = at(&judges, vote.judge);
        }
        log.models = sorted(&self.models.list);
        log.judges = sorted(&self.judges.list);
        log.seen = HashSet::new();
        log
    }
}

fn check(ballot: &Ballot) -> Result<(), StatsError> {
    if ballot.first.is_empty() {
        return Err(StatsError::Unnamed("first"));
    }
    if ballot.second.is_empty() {
        return Err(StatsError::Unnamed("second"));
    }
    if !(ballot.weight.is_finite() && ballot.weight >= 0.0) {
        return Err(StatsError::OutOfRange("weight"));
    }
    if ballot.lengths.is_some_and(|pair| pair.iter().any(|length| !(length.is_finite() && *length >= 0.0))) {
        return Err(StatsError::OutOfRange("lengths"));
    }
    Ok(())
}

/// Place of each name in the sorted list.
fn order(names: &[String]) -> Vec<u32> {
    let sorted = sorted(names);
    names.iter().map(|name| sorted.index.get(name).copied().unwrap_or_default()).collect()
}

fn sorted(names: &[String]) -> Names {
    let mut list: Vec<&String> = names.iter().collect();
    list.sort();
    let mut names = Names::default();
    for name in list {
        names.intern(name);
    }
    names
}
