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
    /// Persian.
    #[serde(rename = "fa")]
    Persian,
}

impl Language {
    /// BCP 47 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
            Self::Persian => "fa",
        }
    }

    /// Whether it is written from right to left.
    #[must_use]
    pub const fn is_right_to_left(self) -> bool {
        matches!(self, Self::Persian)
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
    /// Tokens of o200k_base (MRCR).
    O200kTokens,
    /// Tokens of Llama's tokenizers.
    LlamaTokens,
    /// Tokens of Yi's tokenizer (CNNSum).
    YiTokens,
    /// Characters (Needle Threading).
    Characters,
    /// White-space separated words.
    Words,
    /// Words in English, characters in Chinese (LongBench, M4LE).
    WordsOrCharacters,
    /// The prompt is short; length is that of the answer.
    AnswerTokens,
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
            Self::O200kTokens => "o200k_base tokens",
            Self::LlamaTokens => "Llama tokens",
            Self::YiTokens => "Yi tokens",
            Self::Characters => "characters",
            Self::Words => "words",
            Self::WordsOrCharacters => "words (en) or characters (zh)",
            Self::AnswerTokens => "tokens of the answer",
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

/// How the official benchmark sends prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialogue {
    /// In the model's chat template.
    Chat,
    /// As raw text to continue.
    Completion,
}

/// What an official benchmark cuts when a prompt is longer than the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Nothing: items are made to measure.
    Nothing,
    /// The middle; half of the window is kept at either end.
    Middle,
    /// The end.
    Right,
    /// The beginning.
    Left,
}

/// How prompts are sent, cut and read: frozen with a task version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Protocol {
    /// Chat template or raw continuation.
    pub dialogue: Dialogue,
    /// What is cut from prompts that are too long.
    pub truncation: Side,
    /// What the cut counts in; empty where nothing is cut.
    pub truncation_unit: &'static str,
    /// Texts at which the answer ends.
    pub stop: &'static [&'static str],
    /// What happens to an answer before it is scored, in words.
    pub post_processing: &'static str,
}

impl Protocol {
    /// Items made to measure, sent as chat, answers scored as they are.
    pub const GENERATED: Self = Self {
        dialogue: Dialogue::Chat,
        truncation: Side::Nothing,
        truncation_unit: "",
        stop: &[],
        post_processing: "none",
    };
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
    /// How prompts are sent, cut and read.
    pub protocol: Protocol,
    /// Licence and terms of the official data files that can be imported; `None` where there are none.
    pub importable: Option<&'static str>,
}
