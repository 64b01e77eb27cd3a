//! LoCoV1 (arXiv 2402.07440; HazyResearch/m2 @ 7d359e8c, Apache-2.0): retrieval of long documents.

use super::catalogue::{Form, Metric, Source, metric};
use super::ranking::{Judgements, NdcgTable, Run, ndcg_table};

const SOURCE: Source = Source {
    benchmark: "LoCoV1",
    citation: "arXiv 2402.07440; HazyResearch/m2 @ 7d359e8c, bert/loco_eval.py; trec_eval by pytrec_eval-terrier 0.5.11",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 1] =
    [metric(SOURCE, "locov1.ndcg", "NDCG at 10 over the 1,000 nearest documents", Form::Official, 1.0)];

/// Cut-offs that the runner prints; 10 is the benchmark's score.
pub const CUTS: [usize; 5] = [1, 3, 5, 10, 100];

/// Documents of a query that are ranked at all.
pub const DEPTH: usize = 1000;

/// NDCG at [`CUTS`], linear gain, ties by document id descending.
#[must_use]
pub fn ndcg(run: &Run, judgements: &Judgements) -> NdcgTable {
    ndcg_table(run, judgements, &CUTS)
}

/// A query's scores as the runner takes them: the document named like the query is left out, and a similarity that is
/// not a number counts as -1.
#[must_use]
pub fn without_itself(query: &str, scores: impl IntoIterator<Item = (String, f64)>) -> Run {
    let kept = scores.into_iter().filter(|(document, _)| document != query);
    let found = kept.map(|(document, score)| (document, if score.is_nan() { -1.0 } else { score })).collect();
    Run::from([(query.to_owned(), found)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_does_not_find_itself() {
        let run = without_itself("q", [("q".to_owned(), 1.0), ("a".to_owned(), f64::NAN), ("b".to_owned(), -0.5)]);
        let judged = Judgements::from([("q".to_owned(), [("b".to_owned(), 1)].into())]);
        assert_eq!(ndcg(&run, &judged).mean.get(&1), Some(&1.0));
    }
}
