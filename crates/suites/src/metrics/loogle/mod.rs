//! LooGLE (arXiv 2311.04939; bigai-nlco/LooGLE @ 67343822): BLEU, ROUGE recall, clozes and timelines.

mod bleu;
mod cloze;
mod reorder;

use super::catalogue::{Form, Metric, Source, metric};

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
