//! HELMET (princeton-nlp/HELMET): recall, re-ranking and the scores of short answers.

mod ranking;
mod short_answer;

use super::catalogue::{Form, Metric, Source, metric};

pub use super::ranking::{Measures, measures, reciprocal_rank};
pub use ranking::{ndcg10, order, parse_rankings};
pub use short_answer::{ShortAnswer, parse_output, short_answer, substring_exact_match};

const SOURCE: Source = Source { benchmark: "HELMET", citation: "arXiv 2410.02694; princeton-nlp/HELMET" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 8] = [
    metric(SOURCE, "helmet.default_post_process", "Scores of raw and parsed answer", Form::Official, 1.0),
    metric(SOURCE, "helmet.substring_exact_match", "Answer contained", Form::Official, 1.0),
    metric(SOURCE, "helmet.substring_exact_match.strict", "Answer contained in a short answer", Form::Strict, 1.0),
    metric(SOURCE, "helmet.parse_rankings", "Ranking read from an answer", Form::Official, f64::MAX),
    metric(SOURCE, "helmet.rerank_metrics", "Measures of a ranking", Form::Official, 1.0),
    metric(SOURCE, "helmet.ndcg10", "NDCG at 10", Form::Official, 1.0),
    metric(SOURCE, "helmet.ndcg10.strict", "NDCG at 10 of an answer that is a ranking", Form::Strict, 1.0),
    metric(SOURCE, "helmet.ruler_recall", "Share of values contained", Form::Official, 1.0),
];

/// Share of `references` contained in the answer whatever their case, 0..1; no references score 0.
#[must_use]
pub fn recall(prediction: &str, references: &[String]) -> f64 {
    let answer = prediction.to_lowercase();
    let found = references.iter().filter(|reference| answer.contains(&reference.to_lowercase())).count();
    if references.is_empty() { 0.0 } else { found as f64 / references.len() as f64 }
}
