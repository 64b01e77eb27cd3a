//! Bounds on what an endpoint writes.

use longboard_suites::chunk;

/// Bytes of the longest canonical token.
const LONGEST_TOKEN: usize = 128;

/// The start of `text` without blanks around it, at most `limit` canonical tokens.
pub(super) fn bounded(text: &str, limit: u32) -> &str {
    let text = text.trim();
    // No more can stand in so many tokens, so nothing longer is encoded.
    let most = text.floor_char_boundary((limit as usize).saturating_mul(LONGEST_TOKEN).min(text.len()));
    chunk::start(text.get(..most).unwrap_or_default(), limit).trim_end()
}

/// Whether a reply says that there is nothing.
pub(super) fn is_none(text: &str) -> bool {
    let plain = text.trim_matches(|letter: char| !letter.is_alphanumeric());
    plain.is_empty() || plain.eq_ignore_ascii_case("none")
}
