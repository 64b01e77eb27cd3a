//! How far a context really reaches: as measured, and as certified.

use crate::StatsError;
use crate::covariance::Means;

/// What a score must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// At least this share of the score at the first (short) length: 0.85 (NoLiMa), 0.5 (half-life).
    Relative(f64),
    /// Strictly more than this score: 85.6 (RULER).
    Absolute(f64),
}

impl Threshold {
    /// NoLiMa's rule (arXiv 2502.05167).
    pub const NOLIMA: Self = Self::Relative(0.85);
    /// Half of the short-context score.
    pub const HALF_LIFE: Self = Self::Relative(0.5);
    /// RULER's rule: Llama-2-7B-chat at 4K.
    pub const RULER: Self = Self::Absolute(85.6);
}

/// The answers to "how far".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EffectiveLength {
    /// Largest length up to which every length holds the threshold.
    pub point: Option<u32>,
    /// Largest length that holds it, whatever happens before.
    pub largest: Option<u32>,
    /// Largest length up to which a one-sided 95 % bound holds it, tested from short to long.
    pub certified: Option<u32>,
    /// What the length after the certified one would take; none when all are certified.
    pub next: Option<Next>,
}

/// The first length that is not certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Length in tokens.
    pub length: u32,
    /// Factor by which the items (clusters) of each length must grow, in thousandths and rounded up, if scores and
    /// noise stay as they are; none when the measured score itself does not hold the threshold.
    pub factor_permille: Option<u64>,
}

impl Next {
    /// Items (clusters) per length to add to `have`.
    #[must_use]
    pub fn more(&self, have: u64) -> Option<u64> {
        let needed = self.factor_permille?.checked_mul(have)?.div_ceil(1000);
        Some(needed.saturating_sub(have).max(1))
    }
}

/// Effective length over `lengths`, short to long; the first is the reference of a relative threshold.
///
/// Certified: the lower one-sided 95 % bound of `m(L) − τ·m₀` with variance `Var(m_L) + τ²·Var(m₀) − 2τ·Cov(m_L, m₀)`
/// is at least 0 for every length up to it, so lengths that share documents are handled by their covariance and
/// independent draws by a diagonal one. Fixed-sequence testing from short to long needs no correction.
///
/// # Errors
/// [`StatsError::Unequal`] unless there is one mean per length, [`StatsError::OutOfRange`] when lengths do not rise.
pub fn effective_length(lengths: &[u32], means: &Means, threshold: Threshold) -> Result<EffectiveLength, StatsError> {
    if lengths.len() != means.means.len() {
        return Err(StatsError::Unequal { left: lengths.len(), right: means.means.len() });
    }
    if !lengths.is_sorted_by(|left, right| left < right) {
        return Err(StatsError::OutOfRange("lengths"));
    }
    let quantile = means.quantile(0.95);
    let tests: Vec<(u32, Test)> =
        (0..).zip(lengths).map(|(at, &length)| (length, test(means, at, threshold))).collect();
    let holds = |(_, test): &&(u32, Test)| test.holds;
    let certain = |(_, test): &&(u32, Test)| test.holds && test.margin - quantile * test.error >= 0.0;
    let first_open = tests.iter().find(|test| !certain(test));
    Ok(EffectiveLength {
        point: tests.iter().take_while(holds).last().map(|(length, _)| *length),
        largest: tests.iter().rev().find(holds).map(|(length, _)| *length),
        certified: tests.iter().take_while(certain).last().map(|(length, _)| *length),
        next: first_open.map(|(length, test)| Next { length: *length, factor_permille: test.factor(quantile) }),
    })
}

/// `m(L) − τ·m₀` (or minus the absolute bound) with its standard error.
struct Test {
    holds: bool,
    margin: f64,
    error: f64,
}

impl Test {
    fn factor(&self, quantile: f64) -> Option<u64> {
        let factor = (quantile * self.error / self.margin).powi(2) * 1000.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against 2^53")]
        (self.holds && self.margin > 0.0 && factor < 9_007_199_254_740_992.0).then(|| factor.ceil() as u64)
    }
}

fn test(means: &Means, at: usize, threshold: Threshold) -> Test {
    let score = |at: usize| means.means.get(at).copied().unwrap_or(0.0);
    match threshold {
        Threshold::Absolute(bound) => {
            let margin = score(at) - bound;
            Test { holds: margin > 0.0, margin, error: means.at(at, at).max(0.0).sqrt() }
        }
        Threshold::Relative(share) => {
            let margin = score(at) - share * score(0);
            let variance = if at == 0 {
                (1.0 - share).powi(2) * means.at(0, 0)
            } else {
                means.at(at, at) + share * share * means.at(0, 0) - 2.0 * share * means.at(at, 0)
            };
            Test { holds: score(0) > 0.0 && score(at) >= share * score(0), margin, error: variance.max(0.0).sqrt() }
        }
    }
}

#[cfg(test)]
#[path = "length_tests.rs"]
mod tests;
