//! What a rating says.

use serde::{Deserialize, Serialize};

use crate::fragility::Fragility;
use crate::jury::Jury;
use crate::tie::Ties;
use crate::vote::Remarks;
use crate::win_matrix::PairRecord;

/// Where the standard errors come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// Sandwich with scores summed by question. Without any question in the log it is `Battles`.
    #[default]
    Clustered,
    /// Sandwich that takes votes for independent.
    Battles,
    /// Inverse information: right only if the model is.
    Fisher,
    /// Percentiles of a bootstrap over questions; standard errors stay the clustered ones.
    Bootstrap,
}

/// Something to know about one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFlag {
    /// No finite estimate on the board's scale: `theta` is null, `prior_elo` is where a weak prior puts it.
    Unbounded,
    /// No vote against another model.
    NoVotes,
    /// Never lost and never tied.
    Unbeaten,
    /// Never won and never tied.
    Winless,
    /// No chain of votes leads to the rated models.
    Disconnected,
    /// Votes with the rated models all went one way.
    Separated,
    /// All its votes are on one question or carry no spread: the standard error is 0 and means nothing.
    NoSpread,
}

/// Something to know about the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoardFlag {
    /// The votes leave models without a finite estimate.
    NotConnected,
    /// The tie parameter has no finite maximum: strengths are those of half wins.
    TieParameterUnbounded,
    /// Order or length effect have no finite maximum: they are left out.
    EffectsUnbounded,
    /// Lengths were to be controlled, but none are known or they do not vary.
    LengthsUnusable,
    /// Only one question: intervals take votes for independent.
    OneQuestion,
    /// More than a tenth of the votes are ties and they count as half wins: consider Davidson with an order effect.
    ManyTies,
    /// A judge-aware view was asked for, but there are fewer than two judges, too many, or it did not settle.
    JudgesUnusable,
    /// The fit did not settle: no strengths beyond the prior's.
    NotSettled,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRating {
    /// Name.
    pub model: String,
    /// Strength, natural-log units, mean 0 over the rated models; null without a finite estimate.
    pub theta: Option<f64>,
    /// `1000 + (400/ln 10)·theta`.
    pub elo: Option<f64>,
    /// Standard error of `elo`.
    pub se_elo: Option<f64>,
    /// 95 % interval of `elo`.
    pub ci95_elo: Option<[f64; 2]>,
    /// `[best, worst]` rank, all true at once with 95 %.
    pub rank: [u32; 2],
    /// Chance of being the best of the rated models.
    pub p_best: Option<f64>,
    /// What to know.
    pub flags: Vec<ModelFlag>,
    /// Votes won, tied and lost (weights).
    pub record: [f64; 3],
    /// Number of the group within which votes fix the strengths.
    pub component: u32,
    /// Strength within that group, its mean 0, half wins; null in a group of one.
    pub component_theta: Option<f64>,
    /// Elo under a weak prior on all models: always finite, not comparable across `disconnected` groups.
    pub prior_elo: f64,
}

/// Two neighbours on the board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    /// The higher.
    pub above: String,
    /// The lower.
    pub below: String,
    /// Their distance.
    pub gap_elo: f64,
    /// Its standard error, from the covariance of both.
    pub se_gap_elo: f64,
    /// The distance exceeds the critical value of the rank sets.
    pub separated: bool,
    /// Questions (or votes, where there are none) to add until the present distance would be separated; null when it is
    /// 0 or not estimable.
    pub more_questions: Option<u64>,
}

/// An effect besides the strengths.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Natural-log units.
    pub estimate: f64,
    /// Standard error (same kind as the strengths').
    pub standard_error: f64,
    /// Likelihood ratio against no effect, chi-squared with one degree of freedom.
    pub likelihood_ratio: f64,
    /// Its p-value (with half wins a guide only: that is a quasi-likelihood).
    pub p_value: f64,
    /// Whether strengths are corrected for it.
    pub controlled: bool,
}

/// How much there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Models named.
    pub models: usize,
    /// Models on the board's scale.
    pub rated: usize,
    /// Votes that count.
    pub votes: usize,
    /// Of them ties.
    pub ties: usize,
    /// Questions.
    pub questions: usize,
    /// Judges.
    pub judges: usize,
}

/// A fitted board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// What a tie means.
    pub ties: Ties,
    /// `ν` (Davidson) or `κ` (Rao-Kupper); null for half wins and when unbounded.
    pub tie_parameter: Option<f64>,
    /// Kind of the intervals.
    pub interval: Interval,
    /// Highest first; those without estimate last, by `prior_elo`.
    pub models: Vec<ModelRating>,
    /// What to know about the whole.
    pub flags: Vec<BoardFlag>,
    /// How much there was.
    pub counts: Counts,
    /// First-shown advantage, as fitted beside the strengths.
    pub order: Option<Effect>,
    /// Effect of one standard deviation of relative length difference, if controlled.
    pub length: Option<Effect>,
    /// Standard errors of the difference beyond which two models differ.
    pub critical: Option<f64>,
    /// Models that may be first.
    pub top_group: Vec<String>,
    /// Neighbours on the board.
    pub neighbours: Vec<Neighbours>,
    /// Raw results of each pair that met.
    pub win_matrix: Vec<PairRecord>,
    /// Cycles of which every edge is significant after Holm's correction over all pairs.
    pub cycles: Vec<Vec<String>>,
    /// How little would change the leader.
    pub fragility: Option<Fragility>,
    /// The judge-aware view.
    pub judge_aware: Option<Jury>,
    /// Votes ignored or odd.
    pub remarks: Remarks,
    /// Bootstrap rounds asked for and kept.
    pub bootstrap_rounds: Option<[usize; 2]>,
    /// Seed of all draws.
    pub seed: u64,
}
