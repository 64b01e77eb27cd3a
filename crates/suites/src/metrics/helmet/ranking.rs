//! Re-ranking: the parser of `a > b > c`, and the measures of trec_eval at cut-offs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::metrics::python_text::{is_digit, strip};
use crate::metrics::ruler::round;

/// Scores of documents: the first of the longest run of `a > b > c` gets as many points as the run is long, the last
/// one 1; a repeated document keeps its best place. An answer without a number is one document of that name.
#[must_use]
pub fn parse_rankings(answer: &str) -> BTreeMap<String, usize> {
    static RUN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\d+(?:[\s\x1c-\x1f]*>[\s\x1c-\x1f]*\d+)*").ok());
    let plain: String = answer.chars().filter(|scalar| !matches!(scalar, '[' | ']' | ':')).collect();
    let plain = plain.to_lowercase().replace("id", "");
    let mut longest = "";
    for run in RUN.iter().flat_map(|pattern| pattern.find_iter(&plain)) {
        if run.as_str().chars().count() > longest.chars().count() {
            longest = run.as_str();
        }
    }
    let ranked: Vec<&str> = if longest.is_empty() {
        vec![&plain]
    } else {
        longest.split('>').map(strip).filter(|number| !number.is_empty() && number.chars().all(is_digit)).collect()
    };
    let mut scores = BTreeMap::new();
    for (place, document) in ranked.iter().enumerate() {
        scores.entry((*document).to_owned()).or_insert(ranked.len() - place);
    }
    scores
}

/// The documents best first: by score, then by name descending, as trec_eval breaks ties.
#[must_use]
pub fn order(scores: &BTreeMap<String, usize>) -> Vec<&str> {
    let mut order: Vec<(&usize, &str)> = scores.iter().map(|(name, score)| (score, name.as_str())).collect();
    order.sort_unstable_by(|one, other| other.cmp(one));
    order.into_iter().map(|(_, name)| name).collect()
}

/// Measures of one ranking, 0..1, unrounded.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// Normalised discounted cumulative gain: linear gain, discount log2(rank + 1).
    pub ndcg: f64,
    /// Average precision over all relevant documents.
    pub map: f64,
    /// Relevant documents found over all relevant ones.
    pub recall: f64,
    /// Relevant documents found over the cut-off.
    pub precision: f64,
}

/// Measures of `order` at a cut-off. Documents without a grade are not relevant; no relevant document gives 0.
#[must_use]
pub fn measures(order: &[&str], grades: &BTreeMap<String, u32>, cut: usize) -> Measures {
    let grade = |document: &&str| grades.get(*document).copied().unwrap_or_default();
    let relevant = grades.values().filter(|grade| **grade > 0).count();
    if relevant == 0 || cut == 0 {
        return Measures::default();
    }
    let (mut found, mut precisions, mut gain) = (0_usize, 0.0, 0.0);
    for (document, rank) in order.iter().take(cut).zip(1_usize..) {
        let grade = grade(document);
        gain += discounted(grade, rank);
        if grade > 0 {
            found += 1;
            precisions += found as f64 / rank as f64;
        }
    }
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|one, other| other.cmp(one));
    let best: f64 = ideal.into_iter().take(cut).zip(1..).map(|(grade, rank)| discounted(grade, rank)).sum();
    let relevant = relevant as f64;
    Measures {
        ndcg: gain / best,
        map: precisions / relevant,
        recall: found as f64 / relevant,
        precision: found as f64 / cut as f64,
    }
}

fn discounted(grade: u32, rank: usize) -> f64 {
    f64::from(grade) / (rank as f64 + 1.0).log2()
}

/// One over the rank of the first relevant document, 0 without one.
#[must_use]
pub fn reciprocal_rank(order: &[&str], grades: &BTreeMap<String, u32>) -> f64 {
    let relevant = |document: &&str| grades.get(*document).is_some_and(|grade| *grade > 0);
    order.iter().position(relevant).map_or(0.0, |place| 1.0 / (place + 1) as f64)
}

/// NDCG at 10 of an answer, rounded to five digits as the official code rounds it, 0..1.
#[must_use]
pub fn ndcg10(answer: &str, grades: &BTreeMap<String, u32>) -> f64 {
    let scores = parse_rankings(answer);
    round(measures(&order(&scores), grades, 10).ndcg, 5)
}
