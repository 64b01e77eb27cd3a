//! The ten ways a sample can end.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::item::Scored;

/// How a sample ended: exactly one of these, so that counts add up to n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Full score.
    Correct,
    /// Some of the score.
    Partial,
    /// Well formed, and wrong.
    Wrong,
    /// No answer in the required form.
    Format,
    /// The endpoint saw only part of the prompt.
    TruncatedInput,
    /// The answer was cut off at the output budget, and what there is does not score in full.
    CutOffOutput,
    /// Refused by the model or a content filter.
    Refused,
    /// Longer than the endpoint's declared limit; nothing was sent.
    OverLength,
    /// A deadline passed.
    Timeout,
    /// The endpoint failed for good.
    EndpointError,
}

impl Outcome {
    /// All outcomes, in the order pages show them.
    pub const ALL: [Self; 10] = [
        Self::Correct,
        Self::Partial,
        Self::Wrong,
        Self::Format,
        Self::TruncatedInput,
        Self::CutOffOutput,
        Self::Refused,
        Self::OverLength,
        Self::Timeout,
        Self::EndpointError,
    ];

    /// Stable name in the database, JSON and CSV.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Partial => "partial",
            Self::Wrong => "wrong",
            Self::Format => "format",
            Self::TruncatedInput => "truncated_input",
            Self::CutOffOutput => "cut_off_output",
            Self::Refused => "refused",
            Self::OverLength => "over_length",
            Self::Timeout => "timeout",
            Self::EndpointError => "endpoint_error",
        }
    }

    /// Name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Partial => "partly correct",
            Self::Wrong => "wrong",
            Self::Format => "wrong format",
            Self::TruncatedInput => "input truncated",
            Self::CutOffOutput => "output cut off",
            Self::Refused => "refused",
            Self::OverLength => "over length",
            Self::Timeout => "timeout",
            Self::EndpointError => "endpoint error",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.slug())
    }
}

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|outcome| outcome.slug() == text).ok_or_else(|| UnknownOutcome(text.to_owned()))
    }
}

/// A name that is no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an outcome")]
pub struct UnknownOutcome(String);

/// What is known about a completed exchange besides its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// `finish_reason` as reported.
    pub finish_reason: Option<&'a str>,
    /// Canonical tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens the endpoint reported for the prompt.
    pub reported_prompt_tokens: Option<u32>,
    /// Reported over canonical tokens on a short prompt, measured by the probe.
    pub token_ratio: Option<f64>,
}

/// Share of the expected count below which reported prompt tokens mean that input was cut. Counts of one tokenizer
/// vary by a few percent with the text; a cut prompt loses more.
const TRUNCATION_SHARE: f64 = 0.8;

impl Evidence<'_> {
    /// Whether the endpoint's own count shows that it read only part of the prompt.
    #[must_use]
    pub fn shows_truncation(&self) -> bool {
        let (Some(reported), Some(ratio)) = (self.reported_prompt_tokens, self.token_ratio) else {
            return false;
        };
        reported > 0 && f64::from(reported) < TRUNCATION_SHARE * ratio * f64::from(self.prompt_tokens)
    }
}

/// Names the outcome of a completed exchange.
///
/// A full score is `correct` whatever else happened; below that, the earliest cause in the chain (refusal, cut
/// input, cut output, form) names the loss before the score does.
#[must_use]
pub fn classify(text: &str, scored: &Scored, evidence: Evidence<'_>) -> Outcome {
    if scored.score >= 1.0 {
        return Outcome::Correct;
    }
    if evidence.finish_reason == Some("content_filter") || is_refusal(text) {
        return Outcome::Refused;
    }
    if evidence.shows_truncation() {
        return Outcome::TruncatedInput;
    }
    if evidence.finish_reason == Some("length") {
        return Outcome::CutOffOutput;
    }
    if scored.score > 0.0 {
        return Outcome::Partial;
    }
    if scored.well_formed { Outcome::Wrong } else { Outcome::Format }
}

/// Openings with which models decline, lower case, apostrophes normalised.
const REFUSALS: [&str; 9] = [
    "i'm sorry, but i can",
    "i am sorry, but i can",
    "sorry, but i can",
    "i can't assist",
    "i cannot assist",
    "i can't help with",
    "i'm unable to assist",
    "抱歉，我无法",
    "对不起，我无法",
];

fn is_refusal(text: &str) -> bool {
    let head: String = text.trim_start().chars().take(80).collect();
    let head = head.to_lowercase().replace('\u{2019}', "'");
    REFUSALS.iter().any(|opening| head.starts_with(opening))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(score: f64, well_formed: bool) -> Scored {
        Scored { score, strict: None, extracted: String::new(), well_formed }
    }

    #[test]
    fn the_earliest_cause_names_the_loss() {
        let cut = Evidence {
            prompt_tokens: 1000,
            reported_prompt_tokens: Some(500),
            token_ratio: Some(1.0),
            ..Default::default()
        };
        let length = Evidence { finish_reason: Some("length"), ..Default::default() };
        let cases = [
            ("x", scored(1.0, true), cut, Outcome::Correct),
            ("I’m sorry, but I can’t do that", scored(0.0, true), cut, Outcome::Refused),
            ("x", scored(0.5, true), cut, Outcome::TruncatedInput),
            ("x", scored(0.5, true), length, Outcome::CutOffOutput),
            ("x", scored(0.5, true), Evidence::default(), Outcome::Partial),
            ("x", scored(0.0, true), Evidence::default(), Outcome::Wrong),
            ("", scored(0.0, false), Evidence::default(), Outcome::Format),
        ];
        for (text, scored, evidence, expected) in cases {
            assert_eq!(classify(text, &scored, evidence), expected);
        }
    }

    #[test]
    fn truncation_needs_a_measured_ratio() {
        let mut evidence = Evidence { prompt_tokens: 1000, reported_prompt_tokens: Some(700), ..Default::default() };
        assert!(!evidence.shows_truncation());
        evidence.token_ratio = Some(0.7);
        assert!(!evidence.shows_truncation());
        evidence.token_ratio = Some(1.0);
        assert!(evidence.shows_truncation());
    }

    #[test]
    fn slugs_round_trip() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.slug().parse(), Ok(outcome));
        }
    }
}
