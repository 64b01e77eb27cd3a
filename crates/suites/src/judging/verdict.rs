//! The strict grammar of a judge's reply.

use serde::{Deserialize, Serialize};

/// Outcome of one comparison, in the order in which the answers were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// The answer shown first is better.
    First,
    /// The answer shown second is better.
    Second,
    /// Neither is better.
    Tie,
    /// No verdict could be read, even after asking again; counted, never a game.
    Invalid,
}

impl Label {
    /// All labels.
    pub const ALL: [Self; 4] = [Self::First, Self::Second, Self::Tie, Self::Invalid];

    /// Name in the store and in JSON.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Tie => "tie",
            Self::Invalid => "invalid",
        }
    }

    /// The label of that name.
    #[must_use]
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.slug() == slug)
    }

    /// The same verdict with the answers shown the other way round.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
            same => same,
        }
    }
}

/// The verdict of a judge's reply: its last non-empty line must read `VERDICT: FIRST`, `VERDICT: SECOND` or
/// `VERDICT: TIE`, and nothing else. `None` otherwise: ask once more with [`super::reask`], then record
/// [`Label::Invalid`].
#[must_use]
pub fn parse_verdict(text: &str) -> Option<Label> {
    match last_line(text)?.strip_prefix("VERDICT: ")? {
        "FIRST" => Some(Label::First),
        "SECOND" => Some(Label::Second),
        "TIE" => Some(Label::Tie),
        _ => None,
    }
}

/// The rating of a judge's reply: its last non-empty line must read `RATING: n` with n from 1 to 10 in plain digits.
#[must_use]
pub fn parse_rating(text: &str) -> Option<u8> {
    let digits = last_line(text)?.strip_prefix("RATING: ")?;
    (1..=10_u8).find(|rating| rating.to_string() == digits)
}

/// The score of a judge's reply: its last non-empty line must read `SCORE: n` with n from 1 to 5 in plain digits.
#[must_use]
pub fn parse_score(text: &str) -> Option<u8> {
    let digits = last_line(text)?.strip_prefix("SCORE: ")?;
    (1..=5_u8).find(|score| score.to_string() == digits)
}

/// The last line that holds more than blanks, without the blanks around it.
fn last_line(text: &str) -> Option<&str> {
    text.lines().map(|line| line.trim_matches([' ', '\t', '\r'])).rfind(|line| !line.trim().is_empty())
}
