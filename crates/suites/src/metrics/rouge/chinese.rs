//! Package `rouge_chinese` 1.0.3: plain longest common subsequence over given tokens.

use super::Prf;
use super::vocabulary::Vocabulary;
use crate::metrics::lcs;

/// ROUGE-L of token lists; F as `2PR/(P+R+1e-8)`.
#[must_use]
pub fn rouge_l(reference: &[String], candidate: &[String]) -> Prf {
    let mut vocabulary = Vocabulary::default();
    let [reference, candidate] =
        [reference, candidate].map(|tokens| tokens.iter().map(|token| vocabulary.id(token)).collect::<Vec<u32>>());
    Prf::damped(lcs::length(&reference, &candidate), candidate.len(), reference.len(), 1e-8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_counts_and_repeats_do() {
        let [candidate, reference] =
            ["甲乙甲。丙", "甲丙乙。"].map(|text| text.chars().map(String::from).collect::<Vec<_>>());
        let prf = rouge_l(&reference, &candidate);
        assert_eq!((prf.precision, prf.recall), (0.6, 0.75));
        assert_eq!(rouge_l(&reference, &[]), Prf::default());
    }
}
