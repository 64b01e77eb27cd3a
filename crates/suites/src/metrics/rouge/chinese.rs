//! Package `rouge_chinese` 1.0.3: plain longest common subsequence over given tokens.

use super::{Numbers, Prf, share};
use crate::metrics::lcs;

/// ROUGE-L of token lists; F as `2PR/(P+R+1e-8)`.
#[must_use]
pub fn rouge_l(reference: &[String], candidate: &[String]) -> Prf {
    let mut numbers = Numbers::new();
    let one: Vec<u32> = reference.iter().map(|token| numbers.of(token.as_str())).collect();
    let other: Vec<u32> = candidate.iter().map(|token| numbers.of(token.as_str())).collect();
    let hits = lcs::length(&one, &other);
    let (precision, recall) = (share(hits, other.len()), share(hits, one.len()));
    Prf { precision, recall, f: 2.0 * precision * recall / (precision + recall + 1e-8) }
}
