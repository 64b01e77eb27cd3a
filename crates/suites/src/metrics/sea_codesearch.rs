//! SEA (arXiv 2208.11271; fly-dragon211/SEA @ 8bb61b1b): search for a function by its description over a code base.

use super::catalogue::{Form, Metric, Source, metric};
use super::ranking::{average, rank_of_index};

const SOURCE: Source =
    Source { benchmark: "SEA code search", citation: "arXiv 2208.11271; fly-dragon211/SEA @ 8bb61b1b" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 1] = [metric(
    SOURCE,
    "sea_codesearch.mrr",
    "Mean reciprocal rank of the right code, 0 beyond 3,000",
    Form::Official,
    1.0,
)];

/// The last rank that counts.
pub const RANK_CUTOFF: usize = 3000;

/// Scores of a set of queries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CodeSearch {
    /// Mean reciprocal rank, 0..1.
    pub mrr: f64,
    /// Reciprocal rank of each query, 0..1.
    pub per_query: Vec<f64>,
    /// Percent of queries whose code is among the first k, with k: 1, 5, 10.
    pub recall: [(usize, f64); 3],
}

/// Scores rows of similarities, one row per query, one column per code; `right` names the column of each query's code. A
/// column outside of the row is a code that is not in the corpus and scores 0.
#[must_use]
pub fn code_search(similarities: &[Vec<f64>], right: &[usize]) -> CodeSearch {
    let ranks: Vec<Option<usize>> =
        similarities.iter().zip(right).map(|(row, right)| rank_of_index(row, *right)).collect();
    let reciprocal = |rank: &Option<usize>| match rank {
        Some(rank) if *rank <= RANK_CUTOFF => 1.0 / *rank as f64,
        _ => 0.0,
    };
    let per_query: Vec<f64> = ranks.iter().map(reciprocal).collect();
    let recall = [1, 5, 10].map(|k| {
        let hits: Vec<f64> = ranks.iter().map(|rank| f64::from(rank.is_some_and(|rank| rank <= k))).collect();
        (k, 100.0 * average(&hits))
    });
    CodeSearch { mrr: average(&per_query), per_query, recall }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_beyond_the_cut_off_and_absent_codes_score_nothing() {
        let row: Vec<f64> = (0..4000).map(f64::from).collect();
        let found = code_search(&[row.clone(), row.clone(), row.clone(), row], &[3999, 1000, 999, 4000]);
        assert_eq!(found.per_query, [1.0, 1.0 / 3000.0, 0.0, 0.0]);
        assert_eq!(found.recall, [(1, 25.0), (5, 25.0), (10, 25.0)]);
    }

    #[test]
    fn equal_scores_are_no_hit() {
        assert_eq!(code_search(&[vec![0.5; 100]], &[0]).mrr, 0.01);
    }
}
