//! Length buckets in canonical tokens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A length bucket in canonical tokens (o200k_base). Written `1k`, `4k`, `1m`; 1k = 1024, 1m = 1024k.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Length(u32);

impl Length {
    /// Smallest and largest length that Longboard generates, in tokens.
    pub const RANGE: std::ops::RangeInclusive<u32> = 256..=2 * 1024 * 1024;

    /// A length of `tokens` canonical tokens.
    ///
    /// # Errors
    /// [`LengthError`] outside [`Length::RANGE`].
    pub fn new(tokens: u32) -> Result<Self, LengthError> {
        if Self::RANGE.contains(&tokens) { Ok(Self(tokens)) } else { Err(LengthError(tokens.to_string())) }
    }

    /// Canonical tokens.
    #[must_use]
    pub const fn tokens(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Length {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const K: u32 = 1024;
        match self.0 {
            tokens if tokens % (K * K) == 0 => write!(out, "{}m", tokens / (K * K)),
            tokens if tokens % K == 0 => write!(out, "{}k", tokens / K),
            tokens => write!(out, "{tokens}"),
        }
    }
}

impl FromStr for Length {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        let (digits, unit) = match lower.strip_suffix('k') {
            Some(digits) => (digits, 1024),
            None => match lower.strip_suffix('m') {
                Some(digits) => (digits, 1024 * 1024),
                None => (lower.as_str(), 1),
            },
        };
        digits
            .parse::<u32>()
            .ok()
            .and_then(|count| count.checked_mul(unit))
            .and_then(|tokens| Self::new(tokens).ok())
            .ok_or_else(|| LengthError(text.to_owned()))
    }
}

impl TryFrom<String> for Length {
    type Error = LengthError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length.to_string()
    }
}

/// A length that is not written like `4k`, or lies outside [`Length::RANGE`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length: write 1k, 4k, 128k or 1m, from 256 tokens to 2m")]
pub struct LengthError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_round_trip() {
        for (text, tokens) in [("1k", 1024), ("128k", 131_072), ("1m", 1_048_576), ("1500", 1500)] {
            let length: Length = text.parse().unwrap();
            assert_eq!(length.tokens(), tokens);
            assert_eq!(length.to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_named() {
        for text in ["", "k", "0k", "-4k", "4g", "99999999k", "5m"] {
            assert!(text.parse::<Length>().unwrap_err().to_string().contains("not a length"), "{text}");
        }
    }
}
