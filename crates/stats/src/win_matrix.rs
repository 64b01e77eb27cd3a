//! Raw results of each pair, with intervals by question.

use serde::{Deserialize, Serialize};

use crate::interval::wilson;
use crate::paired::mcnemar;
use crate::t_quantile;
use crate::vote::{Vote, VoteLog, Winner};

/// What two models did against each other; no model of strengths involved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairRecord {
    /// First name in alphabetical order.
    pub a: String,
    /// The other.
    pub b: String,
    /// Votes.
    pub votes: usize,
    /// Questions.
    pub questions: usize,
    /// Questions `a` and `b` won on balance; the rest are even.
    pub questions_won: [u64; 2],
    /// Weighted share of the points `a` took, a tie being half.
    pub rate: f64,
    /// 95 % interval: t over questions, Wilson on questions where they all agree; null on one question.
    pub ci95: Option<[f64; 2]>,
    /// Exact sign test over questions of "both are as likely to win a question".
    pub p_value: f64,
}

struct Point {
    pair: (u32, u32),
    cluster: u32,
    weight: f64,
    points: f64,
}

fn point(vote: &Vote) -> Point {
    let points = match vote.winner {
        Winner::First => 1.0,
        Winner::Tie => 0.5,
        Winner::Second => 0.0,
    };
    let (pair, points) = if vote.first < vote.second {
        ((vote.first, vote.second), points)
    } else {
        ((vote.second, vote.first), 1.0 - points)
    };
    Point { pair, cluster: vote.question, weight: vote.weight, points }
}

/// Records of all pairs that met, by index of the models in the log.
#[must_use]
pub fn records(log: &VoteLog) -> Vec<PairRecord> {
    let mut points: Vec<Point> = log.votes().iter().map(point).collect();
    points.sort_by_key(|point| (point.pair, point.cluster));
    let name = |model: u32| log.models().get(model as usize).cloned().unwrap_or_default();
    points
        .chunk_by(|left, right| left.pair == right.pair)
        .filter_map(|list| {
            let (a, b) = list.first()?.pair;
            Some(record(name(a), name(b), list))
        })
        .collect()
}

fn record(a: String, b: String, list: &[Point]) -> PairRecord {
    let total: f64 = list.iter().map(|point| point.weight).sum();
    let rate = list.iter().map(|point| point.weight * point.points).sum::<f64>() / total;
    let clusters = list.chunk_by(|left, right| left.cluster == right.cluster);
    let (mut questions, mut squares, mut above, mut below) = (0_u64, 0.0_f64, 0_u64, 0_u64);
    for cluster in clusters {
        let sum = |centre: f64| cluster.iter().map(|point| point.weight * (point.points - centre)).sum::<f64>();
        let net = sum(0.5);
        questions += 1;
        squares += sum(rate).powi(2);
        above += u64::from(net > 0.0);
        below += u64::from(net < 0.0);
    }
    PairRecord {
        a,
        b,
        votes: list.len(),
        questions: usize::try_from(questions).unwrap_or(usize::MAX),
        questions_won: [above, below],
        rate,
        ci95: interval(rate, squares.sqrt() / total, questions),
        p_value: mcnemar(above, below).unwrap_or(1.0),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts far below 2^53, rate between 0 and 1"
)]
fn interval(rate: f64, error: f64, questions: u64) -> Option<[f64; 2]> {
    if questions < 2 {
        return None;
    }
    let count = questions as f64;
    if error < 1e-12 {
        return wilson((rate * count).round() as u64, questions).ok();
    }
    let half = t_quantile(0.975, count - 1.0) * error * (count / (count - 1.0)).sqrt();
    Some([(rate - half).max(0.0), (rate + half).min(1.0)])
}
