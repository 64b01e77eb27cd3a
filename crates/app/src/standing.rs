//! Where contestants stand while they are being judged: what the next pairs are chosen from, and when it is enough.

use std::collections::BTreeMap;

use longboard_stats::fit::Problem;
use longboard_stats::nalgebra::DMatrix;
use longboard_stats::stopping::{Decision, Race};
use longboard_stats::tally::Tally;
use longboard_stats::tie::Ties;
use longboard_stats::vote::{Vote, Winner};
use longboard_stats::{StatsError, rank, sandwich};
use longboard_store::judging::Verdict;
use longboard_suites::judging::Label;

/// Battles' worth of the prior that keeps an unbeaten contestant finite while pairs are chosen; boards have none.
const PRIOR: f64 = 0.5;

/// Chance of declaring any pair of neighbours decided that is not, over the whole judging.
const ALPHA: f64 = 0.05;

/// Draws behind the critical value.
const DRAWS: usize = 10_000;

/// Strengths by contestant.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Natural-log units.
    pub estimates: Vec<f64>,
    /// Their covariance.
    pub covariance: DMatrix<f64>,
    /// Standard errors beyond which neighbours count as decided.
    pub critical: f64,
}

/// What the verdicts so far say.
#[derive(Debug, Clone)]
pub enum Stand {
    /// Too little to tell.
    Unknown,
    /// Some neighbours are undecided.
    Open(Standing),
    /// All neighbours are decided, whenever one looks.
    Decided,
}

/// The standing of `contestants` by verdicts, people's and invalid ones left out.
#[must_use]
pub fn stand(contestants: &[&str], asked: &[Verdict]) -> Stand {
    let votes: Vec<(Vote, ItemOf)> = asked.iter().filter_map(|verdict| vote(contestants, verdict)).collect();
    let places = 0..u32::try_from(contestants.len()).unwrap_or(u32::MAX);
    let met = |place: u32| votes.iter().any(|(vote, _)| vote.first == place || vote.second == place);
    if votes.is_empty() || !places.into_iter().all(met) {
        return Stand::Unknown;
    }
    let Ok((estimates, covariance)) = fitted(contestants.len(), &votes) else { return Stand::Unknown };
    if all_decided(&estimates, &votes) {
        return Stand::Decided;
    }
    match rank::simultaneous(&estimates, &covariance, DRAWS, 0) {
        Ok(sets) => Stand::Open(Standing { estimates, covariance, critical: sets.critical }),
        Err(_) => Stand::Unknown,
    }
}

fn fitted(contestants: usize, votes: &[(Vote, ItemOf)]) -> Result<(Vec<f64>, DMatrix<f64>), StatsError> {
    let mut tally = Tally::new(contestants)?;
    for (vote, _) in votes {
        tally.add(vote)?;
    }
    let problem = Problem { prior: PRIOR, ..Problem::of(&tally, Ties::HalfWin, false) };
    let fit = problem.solve(None)?;
    Ok((fit.theta(), sandwich::battles(&problem, &fit)))
}

/// Task, bucket and item of a verdict: one question.
type ItemOf = (String, i32, i32);

fn vote(contestants: &[&str], verdict: &Verdict) -> Option<(Vote, ItemOf)> {
    if !verdict.labeller.is_empty() {
        return None;
    }
    let winner = winner(verdict)?;
    let place = |slug: &str| contestants.iter().position(|known| *known == slug);
    let (first, second) = (place(&verdict.first_entry)?, place(verdict.second_entry.as_deref()?)?);
    let narrow = |place: usize| u32::try_from(place).ok();
    let vote = Vote { first: narrow(first)?, second: narrow(second)?, question: 0, judge: 0, weight: 1.0, winner };
    Some((vote, (verdict.task_slug.clone(), verdict.length_tokens, verdict.item_index)))
}

/// The winner of a decided comparison; `None` for ratings, invalid and open ones.
pub(crate) fn winner(verdict: &Verdict) -> Option<Winner> {
    verdict.second_entry.as_ref()?;
    match Label::parse(verdict.label.as_deref()?)? {
        Label::First => Some(Winner::First),
        Label::Second => Some(Winner::Second),
        Label::Tie => Some(Winner::Tie),
        Label::Invalid => None,
    }
}

/// Whether every two neighbours are decided by an e-value over their own questions, which holds under peeking.
fn all_decided(estimates: &[f64], votes: &[(Vote, ItemOf)]) -> bool {
    let mut order: Vec<(u32, f64)> = (0..).zip(estimates.iter().copied()).collect();
    order.sort_by(|left, right| right.1.total_cmp(&left.1));
    let pairs = f64::from(u32::try_from(order.len().saturating_sub(1)).unwrap_or(u32::MAX)).max(1.0);
    order.windows(2).all(|pair| match pair {
        [(above, _), (below, _)] => decided(*above, *below, votes, ALPHA / pairs),
        _ => true,
    })
}

fn decided(above: u32, below: u32, votes: &[(Vote, ItemOf)], alpha: f64) -> bool {
    let mut questions: BTreeMap<&ItemOf, (f64, f64)> = BTreeMap::new();
    for (vote, item) in votes {
        let turned = match (vote.first, vote.second) {
            pair if pair == (above, below) => vote.winner,
            pair if pair == (below, above) => vote.winner.swapped(),
            _ => continue,
        };
        let sum = questions.entry(item).or_default();
        sum.0 += match turned {
            Winner::First => 1.0,
            Winner::Tie => 0.5,
            Winner::Second => 0.0,
        };
        sum.1 += 1.0;
    }
    let mut race = Race::default();
    for (points, votes) in questions.values() {
        if race.push(points / votes).is_err() {
            return false;
        }
    }
    matches!(race.decision(alpha), Ok(Decision::First | Decision::Second))
}
