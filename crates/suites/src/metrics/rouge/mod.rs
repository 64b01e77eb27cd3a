//! The ROUGEs in use. They share a name and little else, so each is a metric of its own.
//!
//! | module | package | words | counting | used by |
//! |---|---|---|---|---|
//! | [`unique`] | `rouge` 1.0.1 | blanks, pieces at `.` | sets | LongBench, LooGLE, CNNSum, M4LE (en) |
//! | [`scored`] | `rouge_score` 0.1.2 | runs of `[a-z0-9]` | bags | L-Eval; with stemmer HELMET |
//! | [`lsum`] | the same, by lines | runs of `[a-z0-9]` | bags | InfiniteBench; with stemmer HELMET |
//! | [`chinese`] | `rouge_chinese` 1.0.3 | given tokens | plain subsequence | M4LE (zh) |

pub mod chinese;
pub mod lsum;
mod porter;
pub mod scored;
pub mod unique;
mod vocabulary;

pub use porter::stem;

/// Precision, recall and F-measure, 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prf {
    /// Share of the candidate.
    pub precision: f64,
    /// Share of the reference.
    pub recall: f64,
    /// Their combination, as the package combines them.
    pub f: f64,
}

impl Prf {
    /// From counts; an empty side has no share, and F is 0 where nothing is shared.
    #[must_use]
    pub fn of(hits: usize, candidate: usize, reference: usize) -> Self {
        Self::damped(hits, candidate, reference, 0.0)
    }

    /// [`Prf::of`] with `damping` added to the denominator of F.
    pub(super) fn damped(hits: usize, candidate: usize, reference: usize, damping: f64) -> Self {
        let (precision, recall) = (share(hits, candidate), share(hits, reference));
        let f = if hits == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall + damping) };
        Self { precision, recall, f }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
