//! Short answers: six scores of the raw and of the parsed answer, the better one each.

use crate::metrics::python_text::strip;
use crate::metrics::rouge::Prf;
use crate::metrics::rouge::lsum::lsum;
use crate::metrics::rouge::scored::{Stemmer, score};
use crate::metrics::token_f1::{english, normalise};

/// Prfs of a short answer, 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ShortAnswer {
    /// The normalised answer is a reference.
    pub exact_match: f64,
    /// Token F1.
    pub f1: f64,
    /// A normalised reference occurs in the normalised answer.
    pub substring_exact_match: f64,
    /// ROUGE-L with stemming; recall and F are the largest, each on its own.
    pub rouge_l: Prf,
    /// The same over lines.
    pub rouge_lsum: Prf,
}

/// Prfs an answer as it is and as parsed after `prefix`, against the best reference.
#[must_use]
pub fn short_answer(answer: &str, references: &[String], prefix: &str) -> ShortAnswer {
    let parsed = parse_output(answer, prefix);
    let mut best = ShortAnswer::default();
    for text in [answer, &parsed] {
        for reference in references {
            let found = one(text, reference);
            best.exact_match = best.exact_match.max(found.exact_match);
            best.f1 = best.f1.max(found.f1);
            best.substring_exact_match = best.substring_exact_match.max(found.substring_exact_match);
            best.rouge_l = larger(best.rouge_l, found.rouge_l);
            best.rouge_lsum = larger(best.rouge_lsum, found.rouge_lsum);
        }
    }
    best
}

fn larger(one: Prf, other: Prf) -> Prf {
    Prf { precision: one.precision.max(other.precision), recall: one.recall.max(other.recall), f: one.f.max(other.f) }
}

fn one(text: &str, reference: &str) -> ShortAnswer {
    let (said, right) = (normalise(text), normalise(reference));
    ShortAnswer {
        exact_match: f64::from(said == right),
        f1: if is_closed(&said, &right) { 0.0 } else { english(text, reference).f },
        substring_exact_match: f64::from(said.contains(&right)),
        rouge_l: score(reference, text, Stemmer::Porter).rouge_l,
        rouge_lsum: lsum(reference, text, Stemmer::Porter),
    }
}

/// Yes and no score only as the whole answer.
fn is_closed(said: &str, right: &str) -> bool {
    let closed = |text: &str| ["yes", "no", "noanswer"].contains(&text);
    said != right && (closed(said) || closed(right))
}

/// Whether a reference occurs in the answer, both normalised.
#[must_use]
pub fn substring_exact_match(answer: &str, references: &[String]) -> f64 {
    let said = normalise(answer);
    f64::from(references.iter().any(|reference| said.contains(&normalise(reference))))
}

/// The line after the first `prefix`, whatever its case, or else the first line; trimmed, a repeated prefix removed.
#[must_use]
pub fn parse_output(output: &str, prefix: &str) -> String {
    let lower = output.to_ascii_lowercase();
    let from = lower.find(&prefix.to_ascii_lowercase()).map_or(0, |at| at + prefix.len());
    let line = strip(output.get(from..).unwrap_or_default().split('\n').next().unwrap_or_default());
    let (start, rest) = line.split_at_checked(prefix.len()).unwrap_or((line, ""));
    strip(if start.eq_ignore_ascii_case(prefix) { rest } else { line }).to_owned()
}
