//! Sets of concepts that answer a question over the graph. The questions and their score are ours.

use std::collections::BTreeSet;

/// How a set of concepts compares with the right one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ConceptSet {
    /// Set F1, 0..1; 0 where either side is empty.
    pub f1: f64,
    /// Whether both sets are the same and not empty.
    pub exact: bool,
}

/// A concept as it is compared: words in lower case, without the article before them.
fn plain(concept: &str) -> String {
    let words = concept.split(|scalar: char| !scalar.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    match words.split_first() {
        Some((first, rest)) if first == "the" && !rest.is_empty() => rest.join(" "),
        _ => words.join(" "),
    }
}

/// Compares two lists of concepts as sets.
#[must_use]
pub fn concept_set(named: &[String], gold: &[String]) -> ConceptSet {
    let set = |concepts: &[String]| -> BTreeSet<String> {
        concepts.iter().map(|concept| plain(concept)).filter(|concept| !concept.is_empty()).collect()
    };
    let (named, gold) = (set(named), set(gold));
    let right = named.intersection(&gold).count();
    let both = named.len() + gold.len();
    ConceptSet {
        f1: if right == 0 { 0.0 } else { 2.0 * right as f64 / both as f64 },
        exact: right > 0 && 2 * right == both,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(concepts: &[&str]) -> Vec<String> {
        concepts.iter().map(|concept| (*concept).to_owned()).collect()
    }

    #[test]
    fn articles_case_and_repeats_do_not_matter() {
        let gold = list(&["Heron-4 spectrometer", "tidal gauge"]);
        let found = concept_set(&list(&["the heron 4 Spectrometer", "Tidal gauge.", "tidal gauge"]), &gold);
        assert_eq!(found, ConceptSet { f1: 1.0, exact: true });
        let half = concept_set(&list(&["tidal gauge"]), &gold);
        assert!((half.f1 - 2.0 / 3.0).abs() < 1e-12 && !half.exact);
        assert_eq!(concept_set(&[], &[]), ConceptSet::default());
    }

    proptest! {
        #[test]
        fn only_equal_sets_are_exact(one in proptest::collection::btree_set("[a-d]", 0..4), other in proptest::collection::btree_set("[a-d]", 0..4)) {
            let (a, b): (Vec<String>, Vec<String>) = (one.iter().cloned().collect(), other.iter().cloned().collect());
            let found = concept_set(&a, &b);
            prop_assert_eq!(found.exact, one == other && !one.is_empty());
            prop_assert_eq!(found.exact, found.f1 == 1.0);
        }
    }
}
