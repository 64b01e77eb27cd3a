//! Canonical tokens: o200k_base.
//!
//! Counts are additive over pre-tokens, the pieces that the tokenizer's split pattern makes, so text assembled from
//! pieces that end on a pre-token boundary needs no second count.

/// Name of the canonical tokenizer.
pub const TOKENIZER: &str = "o200k_base";

/// Canonical tokens of `text`, exact.
#[must_use]
pub fn count(text: &str) -> u32 {
    u32::try_from(bpe_openai::o200k_base().count(text)).unwrap_or(u32::MAX)
}
