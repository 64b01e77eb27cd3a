//! Re-ranking: the parser of `a > b > c`, and its NDCG.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::metrics::python_text::{is_digit, strip};
use crate::metrics::ranking::measures;
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

/// NDCG at 10 of an answer, rounded to five digits as the official code rounds it, 0..1.
#[must_use]
pub fn ndcg10(answer: &str, grades: &BTreeMap<String, u32>) -> f64 {
    let scores = parse_rankings(answer);
    round(measures(&order(&scores), grades, 10).ndcg, 5)
}
