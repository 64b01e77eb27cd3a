//! A board from a vote log: strengths, intervals, rank sets and what else one should know.
//!
//! Models without a finite estimate get a flag and null, never an infinite number; a weak prior says where they would
//! stand. The scale is that of the largest group of models connected by wins and losses both ways.

mod connected;
mod fitted;
mod report;

use crate::StatsError;
use crate::cycle;
use crate::rank;
use crate::tally::Tally;
use crate::tie::Ties;
use crate::vote::{VoteLog, Winner};
use crate::win_matrix;

use connected::Connected;
use fitted::Fitted;
pub use report::{BoardFlag, Counts, Effect, Interval, ModelFlag, ModelRating, Neighbours, Rating};

/// Elo per natural-log unit: `400/ln 10`.
pub const ELO: f64 = 173.717_792_761_247_06;
/// Elo of strength 0.
pub const ELO_MEAN: f64 = 1000.0;
/// Level of all two-sided intervals.
const Z: f64 = 1.959_963_984_540_054;
/// More judges than this get no order effect or discrimination of their own.
pub const MOST_JUDGES: usize = 200;

/// How to rate.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingOptions {
    /// What a tie means. The default is half wins; see [`RatingOptions::recommended`].
    pub ties: Ties,
    /// Correct strengths for the first-shown advantage.
    pub order_effect: bool,
    /// Correct strengths for the relative length difference.
    pub control_length: bool,
    /// Ridge `½λ(β² + …)` on order and length effects, on the summed loss; at most 1 is sensible, the default is 0.
    pub ridge: f64,
    /// `λ` of the prior `½λΣθ²` behind `prior_elo`.
    pub prior: f64,
    /// Kind of the intervals.
    pub interval: Interval,
    /// Multiply the clustered sandwich by `C/(C − 1)`.
    pub small_sample: bool,
    /// Rounds of [`Interval::Bootstrap`].
    pub bootstrap_rounds: usize,
    /// Fit the judge-aware view too.
    pub judge_aware: bool,
    /// Search how few votes and questions flip the first two.
    pub fragility: bool,
    /// Draws behind the rank sets.
    pub draws: usize,
    /// Seed of all draws.
    pub seed: u64,
}

impl Default for RatingOptions {
    fn default() -> Self {
        Self {
            ties: Ties::HalfWin,
            order_effect: false,
            control_length: false,
            ridge: 0.0,
            prior: 0.1,
            interval: Interval::Clustered,
            small_sample: true,
            bootstrap_rounds: 1000,
            judge_aware: false,
            fragility: true,
            draws: rank::DRAWS,
            seed: 0,
        }
    }
}

impl RatingOptions {
    /// What a headline should use: Davidson with an order effect where more than a tenth of the votes are ties, else half
    /// wins with an order effect.
    #[must_use]
    pub fn recommended(log: &VoteLog) -> Self {
        let ties = if many_ties(log) { Ties::Davidson } else { Ties::HalfWin };
        Self { ties, order_effect: true, ..Self::default() }
    }

    fn check(&self) -> Result<(), StatsError> {
        let fine = |value: f64| value.is_finite() && value >= 0.0;
        if !fine(self.ridge) {
            return Err(StatsError::OutOfRange("ridge"));
        }
        if !(fine(self.prior) && self.prior > 0.0) {
            return Err(StatsError::OutOfRange("prior"));
        }
        Ok(())
    }
}

fn tie_count(log: &VoteLog) -> usize {
    log.votes().iter().filter(|vote| vote.winner == Winner::Tie).count()
}

fn many_ties(log: &VoteLog) -> bool {
    tie_count(log) * 10 > log.votes().len()
}

/// Elo of a strength.
#[must_use]
pub fn elo(theta: f64) -> f64 {
    ELO_MEAN + ELO * theta
}

/// Rank by intervals, as arenas show it: `1 + #{b: lower_b > upper_a}`. The board uses rank sets instead.
#[must_use]
pub fn interval_ranks(intervals: &[[f64; 2]]) -> Vec<u64> {
    let above = |upper: f64| intervals.iter().filter(|[lower, _]| *lower > upper).count();
    intervals.iter().map(|[_, upper]| 1 + u64::try_from(above(*upper)).unwrap_or(u64::MAX)).collect()
}

/// Fits a board.
///
/// # Errors
/// Options out of range, too many models, draws below [`rank::MIN_DRAWS`]. Votes that fix no ratings are no error: the
/// models are flagged.
pub fn rate(log: &VoteLog, options: &RatingOptions) -> Result<Rating, StatsError> {
    options.check()?;
    let log = &log.canonical();
    let tally = Tally::of(log)?;
    let connected = Connected::of(&tally, options.prior)?;
    let mut flags = Vec::new();
    if connected.members.len() < log.models().len() {
        flags.push(BoardFlag::NotConnected);
    }
    if options.ties == Ties::HalfWin && many_ties(log) {
        flags.push(BoardFlag::ManyTies);
    }
    let records = win_matrix::records(log);
    let cycles = cycle::cycles(&records, 0.05);
    let fitted = Fitted::fit(log, &tally, &connected.members, options, &mut flags)?;
    let mut rating = Rating {
        ties: options.ties,
        tie_parameter: None,
        interval: options.interval,
        models: connected.ratings(log, &tally),
        flags,
        counts: counts(log, &connected),
        order: None,
        length: None,
        critical: None,
        top_group: Vec::new(),
        neighbours: Vec::new(),
        win_matrix: records,
        cycles,
        fragility: None,
        judge_aware: None,
        remarks: log.remarks(),
        bootstrap_rounds: None,
        seed: options.seed,
    };
    if let Some(fitted) = fitted {
        fitted.write(&mut rating)?;
    }
    rating.models.sort_by(|left, right| {
        let by_theta = right.theta.is_some().cmp(&left.theta.is_some());
        let value = |model: &ModelRating| model.elo.unwrap_or(model.prior_elo);
        by_theta.then(value(right).total_cmp(&value(left))).then_with(|| left.model.cmp(&right.model))
    });
    Ok(rating)
}

fn counts(log: &VoteLog, connected: &Connected) -> Counts {
    Counts {
        models: log.models().len(),
        rated: connected.members.len(),
        votes: log.votes().len(),
        ties: tie_count(log),
        questions: log.question_count(),
        judges: log.judges().len(),
    }
}
