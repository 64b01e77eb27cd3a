//! LooGLE (arXiv 2311.04939; bigai-nlco/LooGLE @ 67343822): BLEU, ROUGE recall, clozes and timelines.

mod bleu;
mod cloze;
mod reorder;

use super::catalogue::{Form, Metric, Source, metric};
use super::rouge::unique;

pub use bleu::bleu1_bleu4;
pub use cloze::{Filled, cloze, share};
pub use reorder::{Deviation, deviation, max_deviation, numeral, numerals, order_score};

const SOURCE: Source = Source { benchmark: "LooGLE", citation: "arXiv 2311.04939; bigai-nlco/LooGLE @ 67343822" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 10] = [
    metric(SOURCE, "loogle.bleu1_bleu4", "BLEU-1 and 4-gram precision", Form::Official, 1.0),
    metric(SOURCE, "loogle.rouge1_rouge2_rougeL_recall", "ROUGE recall", Form::Official, 1.0),
    metric(SOURCE, "loogle.rougeL_recall", "ROUGE-L recall", Form::Official, 1.0),
    metric(SOURCE, "loogle.rougeL_recall.strict", "ROUGE-L recall within the reference's length", Form::Strict, 1.0),
    metric(SOURCE, "loogle.cloze_exact_partial", "Masks filled", Form::Official, 1.0),
    metric(SOURCE, "loogle.cloze_partial", "Masks filled in part", Form::Official, 1.0),
    metric(SOURCE, "loogle.reorder_deviation", "Deviations of an order", Form::Official, f64::MAX),
    metric(SOURCE, "loogle.reorder_max_deviation", "Largest deviations", Form::Official, f64::MAX),
    metric(SOURCE, "loogle.reorder_lsd.normalised", "1 - LSD over its largest value", Form::Strict, 1.0),
    metric(SOURCE, "loogle.reorder_lsd.strict", "The right order", Form::Strict, 1.0),
];

/// Recall of ROUGE-1, ROUGE-2 (which the paper's table calls ROUGE-4) and ROUGE-L by the package `rouge` 1.0.1, 0..1.
///
/// An empty answer stands for the word `None`, as upstream. `None` where the package raises: full stops alone.
#[must_use]
pub fn rouge_recalls(prediction: &str, reference: &str) -> Option<[f64; 3]> {
    let prediction = if prediction.is_empty() { "None" } else { prediction };
    unique::score(reference, prediction).map(|found| [found.rouge1, found.rouge2, found.rouge_l].map(|one| one.recall))
}

/// Recall of ROUGE-L, 0 where the package raises.
#[must_use]
pub fn rouge_l_recall(prediction: &str, reference: &str) -> f64 {
    rouge_recalls(prediction, reference).map_or(0.0, |[_, _, l]| l)
}

/// Words of an answer beyond those of its reference that the strict form still takes for an answer.
const SPARE_WORDS: usize = 12;

/// ROUGE-L recall, 0 for an answer of more than twice the reference's words and a few: recall alone rewards an answer
/// that recites the document.
#[must_use]
pub fn rouge_l_recall_strict(prediction: &str, reference: &str) -> f64 {
    let count = |text: &str| super::python_text::words(text).count();
    let short = count(prediction) <= 2 * count(reference) + SPARE_WORDS;
    if short && count(prediction) > 0 { rouge_l_recall(prediction, reference) } else { 0.0 }
}
