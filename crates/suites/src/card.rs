//! What a task declares about itself.

use serde::Serialize;

/// Language of prompt and haystack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Language {
    /// English.
    #[serde(rename = "en")]
    English,
    /// Chinese, simplified.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// BCP 47 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }
}

/// Unit in which the benchmark's own paper states lengths. Buckets are canonical tokens whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    /// Tokens of the model under test (RULER).
    ModelTokens,
    /// Tokens of cl100k_base (NeedleBench).
    Cl100kTokens,
    /// Characters (Needle Threading).
    Characters,
    /// No haystack; difficulty is the number of facts (Ancestral Trace Challenge).
    Facts,
}

impl LengthUnit {
    /// Name for pages and lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ModelTokens => "model tokens",
            Self::Cl100kTokens => "cl100k_base tokens",
            Self::Characters => "characters",
            Self::Facts => "facts",
        }
    }
}

/// How hidden the evidence is: the diffusion axis of difficulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Diffusion {
    /// Asked for in the words it is written in.
    Low,
    /// Competes with look-alikes, or must be followed through names.
    Medium,
    /// Must be combined or counted over the whole input.
    High,
}

/// How much of the input is needed: the scope axis of difficulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One sentence.
    Narrow,
    /// Several places.
    Several,
    /// Nearly all of it.
    Wide,
}

/// Declared facts of a task version.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    /// Benchmark the family belongs to, e.g. `RULER`.
    pub benchmark: &'static str,
    /// One sentence: what the model has to do.
    pub what: String,
    /// Paper and code version.
    pub citation: &'static str,
    /// Licence of the official code or data, and what is ours here.
    pub licence: &'static str,
    /// Language of prompt and haystack.
    pub language: Language,
    /// Unit of the official benchmark.
    pub length_unit: LengthUnit,
    /// Tokenizer of the official benchmark.
    pub tokenizer: &'static str,
    /// Abilities, e.g. `retrieval`, `tracing`, `counting`.
    pub abilities: &'static [&'static str],
    /// Diffusion axis.
    pub diffusion: Diffusion,
    /// Scope axis.
    pub scope: Scope,
    /// Expected score of a guesser, 0..1.
    pub random_guess: f64,
    /// Tokens reserved for the answer; also sent as `max_tokens`.
    pub output_tokens: u32,
    /// Metric slug with its form, e.g. `ruler.string_match_all`.
    pub metric: &'static str,
    /// Metric that is reported beside it, where the official one has a known bug.
    pub strict_metric: Option<&'static str>,
    /// Smallest bucket whose length can be met within [0.98, 1.00], in canonical tokens.
    pub min_tokens: u32,
    /// Whether answers are open-ended, so that judges can compare them beside the metric.
    pub open_ended: bool,
}
