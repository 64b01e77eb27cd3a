//! Judging open-ended answers: what a judge sees, what it must reply, the two built-in judges, and the injection suite.
//!
//! A judgement is made in both orders, always. A model judge sees question and reference, never the checkable facts:
//! those are the ground truth that its verdicts are compared with.

pub mod fact;
pub mod injection;
pub mod lexical;
pub mod prompt;
mod suspect;
pub mod verdict;

pub use fact::{CheckableFact, FactReport, Standing, fact};
pub use injection::{Injection, injections, plant};
pub use lexical::lexical;
pub use prompt::{
    ANSWER_CHARS, Ask, PROMPT_VERSION, SCORE_PROMPT_VERSION, SCORE_TEMPERATURE, pairwise_prompt, rating_prompt, reask,
    score_prompt,
};
pub use suspect::suspect;
pub use verdict::{Label, parse_rating, parse_score, parse_verdict};

/// What an open-ended item gives to its judges.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenEnded {
    /// The question or the writing task, without the long text.
    pub question: String,
    /// A model answer, where there is one.
    pub reference: Option<String>,
    /// Statements that code can check in an answer. Never shown to model judges.
    pub facts: Vec<CheckableFact>,
}

/// A comparison by a built-in judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Which answer is better.
    pub label: Label,
    /// Score of the first and of the second answer, 0..1; both 0 where the label is [`Label::Invalid`].
    pub scores: [f64; 2],
    /// Why, in words: stored as the raw verdict.
    pub reason: String,
}

/// An absolute judgement by a built-in judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Rated {
    /// 1 (worst) to 10 (best); `None` where the judge has nothing to go by.
    pub rating: Option<u8>,
    /// Score behind it, 0..1; 0 without a rating.
    pub score: f64,
    /// Why, in words: stored as the raw verdict.
    pub reason: String,
}

/// A judge that is code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuiltinJudge {
    /// Overlap of content words with the reference.
    Lexical,
    /// Facts of the world stated right, wrong or not at all.
    Fact,
}

impl BuiltinJudge {
    /// Both, in the order of lists.
    pub const ALL: [Self; 2] = [Self::Lexical, Self::Fact];

    /// Name under which verdicts are stored.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Lexical => "lexical-judge",
            Self::Fact => "fact-judge",
        }
    }

    /// The judge of that name.
    #[must_use]
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|judge| judge.slug() == slug)
    }

    /// Compares two answers. Swapping them swaps the verdict.
    #[must_use]
    pub fn compare(self, material: &OpenEnded, first: &str, second: &str) -> Judged {
        match self {
            Self::Lexical => lexical::lexical(material, first, second),
            Self::Fact => fact::fact(material, first, second),
        }
    }

    /// Rates one answer from 1 to 10.
    #[must_use]
    pub fn rate(self, material: &OpenEnded, answer: &str) -> Rated {
        let (score, reason) = match self {
            Self::Lexical => lexical::assess(material, answer),
            Self::Fact => fact::assess(material, answer),
        };
        Rated { rating: score.map(|score| on_scale(score, 10)), score: score.unwrap_or_default(), reason }
    }
}

/// The share 0..1 on the scale from 1 to `top`.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the top")]
pub fn on_scale(score: f64, top: u8) -> u8 {
    (1.0 + f64::from(top.max(1) - 1) * score.clamp(0.0, 1.0)).round() as u8
}

/// The verdict on two assessments; invalid unless both answers could be assessed.
fn weigh(first: (Option<f64>, String), second: (Option<f64>, String), margin: f64) -> Judged {
    let reason = format!("first: {}; second: {}", first.1, second.1);
    let (Some(one), Some(other)) = (first.0, second.0) else {
        return Judged { label: Label::Invalid, scores: [0.0, 0.0], reason };
    };
    let label = match one - other {
        gap if gap.abs() <= margin => Label::Tie,
        gap if gap > 0.0 => Label::First,
        _ => Label::Second,
    };
    Judged { label, scores: [one, other], reason }
}

#[cfg(test)]
mod tests;
