//! LongFact and SAFE (arXiv 2403.18802, sections 4 and 5; google-deepmind/long-form-factuality @ 9d27158d): F1@K and
//! the parsers of a rater's replies.

use std::sync::LazyLock;

use regex::Regex;

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::strip;

const SOURCE: Source =
    Source { benchmark: "LongFact", citation: "arXiv 2403.18802; google-deepmind/long-form-factuality @ 9d27158d" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 6] = [
    metric(SOURCE, "longfact.f1_at_k", "F1 of supported facts at K", Form::Official, 1.0),
    metric(SOURCE, "longfact.f1_at_k.strict", "F1 at K, a repeated fact counts once", Form::Strict, 1.0),
    metric(SOURCE, "longfact.extract_first_square_brackets", "First text in square brackets", Form::Official, 1.0),
    metric(SOURCE, "longfact.final_answer_label", "Supported or Not Supported", Form::Official, 1.0),
    metric(SOURCE, "longfact.extract_first_code_block", "First fenced block", Form::Official, 1.0),
    metric(SOURCE, "longfact.round_to_sigfigs", "Rounding to significant figures", Form::Official, 1.0),
];

/// F1@K: precision over rated facts, recall as supported facts against `k`, at most 1. Irrelevant facts do not count.
/// 0 without supported facts. `None` when `k` is 0: there is no such measure.
#[must_use]
pub fn f1_at_k(supported: u64, not_supported: u64, k: u64) -> Option<f64> {
    if k == 0 {
        return None;
    }
    if supported == 0 {
        return Some(0.0);
    }
    let precision = supported as f64 / (supported as f64 + not_supported as f64);
    let recall = (supported as f64 / k as f64).min(1.0);
    Some(2.0 * precision * recall / (precision + recall))
}

/// [`f1_at_k`] over numbers as the official function takes them; `None` where it raises.
pub(super) fn f1_at_signed_k(supported: i64, not_supported: i64, k: i64) -> Option<f64> {
    let count = |number: i64| u64::try_from(number).ok();
    f1_at_k(count(supported)?, count(not_supported)?, count(k)?)
}

/// The text between the first `[` and the next `]`, line ends included; empty when there is none.
#[must_use]
pub fn first_square_brackets(text: &str) -> &str {
    let inside = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    inside.map_or("", |(inside, _)| inside)
}

/// A rater's final answer about one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The evidence supports the fact.
    Supported,
    /// It does not.
    NotSupported,
}

impl Label {
    /// The words in a rater's reply.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supported => "Supported",
            Self::NotSupported => "Not Supported",
        }
    }
}

/// The label in the first square brackets, punctuation and outer blanks aside; `None` asks the rater again.
#[must_use]
pub fn final_label(text: &str) -> Option<Label> {
    let kept = |scalar: &char| scalar.is_alphanumeric() || *scalar == '_' || super::python_text::is_space(*scalar);
    let plain: String = first_square_brackets(text).chars().filter(kept).collect();
    [Label::Supported, Label::NotSupported].into_iter().find(|label| label.name() == strip(&plain))
}

/// The first fenced block without outer blanks, empty when there is none. `ignore_language` drops a first line that is
/// one word.
#[must_use]
pub fn first_code_block(text: &str, ignore_language: bool) -> &str {
    static PLAIN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)```(.*?)```").ok());
    static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)```(?:[\w+.-]+\n)?(.*?)```").ok());
    let pattern = if ignore_language { &NAMED } else { &PLAIN };
    let block = pattern.as_ref().and_then(|pattern| pattern.captures(text)?.get(1));
    block.map_or("", |block| strip(block.as_str()))
}

/// `number` to `digits` significant figures, ties to even as the upstream's rounding does; 0 and non-finite numbers
/// come back as they are.
#[must_use]
pub fn round_to_sigfigs(number: f64, digits: i32) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let places = digits - 1 - number.abs().log10().floor() as i32;
    let scale = 10_f64.powi(places.abs());
    if !scale.is_finite() {
        return number;
    }
    if places >= 0 { (number * scale).round_ties_even() / scale } else { (number / scale).round_ties_even() * scale }
}
