//! LongEmbed (arXiv 2404.12096; dwzhu-pku/LongEmbed @ 033dc4a1): retrieval over documents of 256 to 32,768 tokens.

use super::catalogue::{Form, Metric, Source, metric};
use super::ranking::{Judgements, NdcgTable, Run, ndcg_table};

const SOURCE: Source = Source {
    benchmark: "LongEmbed",
    citation: "arXiv 2404.12096; dwzhu-pku/LongEmbed @ 033dc4a1; trec_eval by pytrec_eval-terrier 0.5.11",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 2] = [
    metric(SOURCE, "longembed.ndcg", "NDCG at 10 of the real tasks, at 1 of the synthetic ones", Form::Official, 1.0),
    metric(SOURCE, "longembed.ndcg_at_10", "NDCG at 10 of one query", Form::Official, 1.0),
];

/// Cut-offs that the benchmark reports: 1 for passkeys and needles, where it is called accuracy, and 10.
pub const CUTS: [usize; 2] = [1, 10];

/// NDCG at [`CUTS`], linear gain, ties by document id descending.
#[must_use]
pub fn ndcg(run: &Run, judgements: &Judgements) -> NdcgTable {
    ndcg_table(run, judgements, &CUTS)
}
