//! Likelihoods of one comparison under three ways with ties.

use serde::{Deserialize, Serialize};

/// What a tie means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// Half a win for each side (quasi-likelihood).
    #[default]
    HalfWin,
    /// `P(tie)` in proportion to `ν` times the geometric mean of the strengths (Davidson 1970).
    Davidson,
    /// A win needs a margin `κ`: `P(first) = σ(d − κ)` (Rao and Kupper 1967).
    RaoKupper,
}

impl Ties {
    /// True if the model has a tie parameter.
    #[must_use]
    pub const fn has_parameter(self) -> bool {
        !matches!(self, Self::HalfWin)
    }
}

/// Negative log-likelihood of `[first, tie, second]` counts at gap `d`, with derivatives in `d` and in the tie
/// parameter `t` (`ln ν` for Davidson, `κ` for Rao-Kupper).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Curve {
    pub(crate) loss: f64,
    pub(crate) slope: [f64; 2],
    /// `dd`, `dt`, `tt`.
    pub(crate) bend: [f64; 3],
}

/// `ln(1 + e^x)` without overflow.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

/// The logistic function.
pub(crate) fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let odds = x.exp();
        odds / (1.0 + odds)
    }
}

pub(crate) fn curve(ties: Ties, d: f64, t: f64, counts: [f64; 3]) -> Curve {
    let [won, tied, lost] = counts;
    let n = won + tied + lost;
    match ties {
        Ties::HalfWin => {
            let p = logistic(d);
            Curve {
                loss: n * softplus(d) - (won + 0.5 * tied) * d,
                slope: [n * p - won - 0.5 * tied, 0.0],
                bend: [n * p * (1.0 - p), 0.0, 0.0],
            }
        }
        Ties::Davidson => {
            let [p, q, r] = probabilities(ties, d, t);
            let top = (0.5 * d).abs().max(t);
            let sum = (0.5 * d - top).exp() + (-0.5 * d - top).exp() + (t - top).exp();
            let mean = 0.5 * (p - r);
            Curve {
                loss: n * (top + sum.ln()) - 0.5 * (won - lost) * d - tied * t,
                slope: [n * mean - 0.5 * (won - lost), n * q - tied],
                bend: [n * (0.25 * (p + r) - mean * mean), -n * mean * q, n * q * (1.0 - q)],
            }
        }
        Ties::RaoKupper => {
            let (up, down) = (logistic(d - t), logistic(-d - t));
            let (wins, losses) = (won + tied, lost + tied);
            let (up_bend, down_bend) = (wins * up * (1.0 - up), losses * down * (1.0 - down));
            let room = if tied > 0.0 { (2.0 * t).exp_m1() } else { 1.0 };
            let (room_slope, room_bend) = if tied > 0.0 {
                (tied * 2.0 * (1.0 + 1.0 / room), tied * 4.0 * (1.0 + 1.0 / room) / room)
            } else {
                (0.0, 0.0)
            };
            Curve {
                loss: wins * softplus(t - d) + losses * softplus(d + t) - tied * room.ln(),
                slope: [
                    losses * (1.0 - down) - wins * (1.0 - up),
                    wins * (1.0 - up) + losses * (1.0 - down) - room_slope,
                ],
                bend: [up_bend + down_bend, down_bend - up_bend, up_bend + down_bend + room_bend],
            }
        }
    }
}

/// Only the slopes of [`curve`].
pub(crate) fn slope(ties: Ties, d: f64, t: f64, counts: [f64; 3]) -> [f64; 2] {
    let [won, tied, lost] = counts;
    if ties == Ties::HalfWin {
        return [(won + tied + lost) * logistic(d) - won - 0.5 * tied, 0.0];
    }
    let [first, tie, second] = scores(ties, d, t);
    let sum = |part: usize| -> f64 {
        [(won, first), (tied, tie), (lost, second)]
            .iter()
            .filter(|(count, _)| *count > 0.0)
            .map(|(count, score)| count * score.get(part).copied().unwrap_or_default())
            .sum()
    };
    [-sum(0), -sum(1)]
}

/// `[first, tie, second]` probabilities; with half wins `[σ(d), 0, σ(−d)]`.
pub(crate) fn probabilities(ties: Ties, d: f64, t: f64) -> [f64; 3] {
    match ties {
        Ties::HalfWin => [logistic(d), 0.0, logistic(-d)],
        Ties::Davidson => {
            let top = (0.5 * d).abs().max(t);
            let [first, tie, second] = [0.5 * d - top, t - top, -0.5 * d - top].map(f64::exp);
            let sum = first + tie + second;
            [first / sum, tie / sum, second / sum]
        }
        Ties::RaoKupper => {
            let (up, down) = (logistic(d - t), logistic(-d - t));
            [up, (1.0 - up - down).max(0.0), down]
        }
    }
}

/// Scores (derivatives of the log-likelihood in `d` and `t`) of one vote for each outcome `[first, tie, second]`.
pub(crate) fn scores(ties: Ties, d: f64, t: f64) -> [[f64; 2]; 3] {
    match ties {
        Ties::HalfWin => {
            let p = logistic(d);
            [[1.0 - p, 0.0], [0.5 - p, 0.0], [-p, 0.0]]
        }
        Ties::Davidson => {
            let [p, q, r] = probabilities(ties, d, t);
            let mean = 0.5 * (p - r);
            [[0.5 - mean, -q], [-mean, 1.0 - q], [-0.5 - mean, -q]]
        }
        Ties::RaoKupper => {
            let (up, down) = (1.0 - logistic(d - t), 1.0 - logistic(-d - t));
            let room = 2.0 * (1.0 + 1.0 / (2.0 * t).exp_m1());
            [[up, -up], [up - down, room - up - down], [-down, -down]]
        }
    }
}
