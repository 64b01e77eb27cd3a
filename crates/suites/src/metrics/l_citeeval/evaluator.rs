//! Who decides whether passages support a claim. Upstream asks an entailment model; any evaluator can stand in its place,
//! and given the same decisions the scores are the same.

use std::collections::BTreeSet;

use super::citation::{Prf, citation_prf, citation_prf_strict};
use crate::metrics::rouge::stem;
use crate::metrics::token_f1::normalise;

/// Decides about premises and claims; the same input has the same decision.
pub trait Evaluator: Sync {
    /// Name and version, as cards and scores state it.
    fn name(&self) -> &'static str;

    /// Whether the premise, passages one a line, supports the claim.
    fn entails(&self, premise: &str, claim: &str) -> bool;
}

/// Longboard's own evaluator: a claim is supported when the premise has all of its numbers and at least seven in ten of
/// its content words by their stems. It knows words, not truth, and is no entailment model.
pub struct Lexical;

/// Words without content, in order. Articles are gone already.
const STOP: [&str; 41] = [
    "and", "are", "as", "at", "be", "because", "been", "but", "by", "can", "did", "for", "from", "had", "has", "have",
    "he", "her", "his", "in", "is", "it", "its", "not", "of", "on", "or", "she", "that", "their", "they", "this", "to",
    "was", "were", "which", "who", "will", "with", "would", "you",
];

impl Evaluator for Lexical {
    fn name(&self) -> &'static str {
        "lexical evaluator, version 1"
    }

    fn entails(&self, premise: &str, claim: &str) -> bool {
        let (premise, claim) = (content(premise), content(claim));
        let number = |word: &&String| word.chars().any(|scalar| scalar.is_ascii_digit());
        let found = claim.iter().filter(|word| premise.contains(*word)).count();
        !claim.is_empty()
            && found * 10 >= claim.len() * 7
            && claim.iter().filter(number).all(|word| premise.contains(word))
    }
}

fn content(text: &str) -> BTreeSet<String> {
    let normalised = normalise(text);
    normalised.split_whitespace().filter(|word| STOP.binary_search(word).is_err()).map(stem).collect()
}

/// Citation scores of an answer's sentences over passages, official and strict; see [`citation_prf`].
pub fn citation_prf_by<S: AsRef<str>, P: AsRef<str>>(
    evaluator: &dyn Evaluator,
    sentences: &[S],
    passages: &[P],
) -> Option<((Prf, usize), Prf)> {
    let mut decide = |cited: &[usize], claim: &str| {
        let lines =
            cited.iter().filter_map(|place| passages.get(*place)).map(|text| format!("Passage: {}", text.as_ref()));
        evaluator.entails(&lines.collect::<Vec<_>>().join("\n"), claim)
    };
    let official = citation_prf(sentences, passages.len(), &mut decide)?;
    let (strict, _) = citation_prf_strict(sentences, passages.len(), &mut decide)?;
    Some((official, strict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_in_order() {
        assert!(STOP.is_sorted());
    }

    #[test]
    fn words_and_numbers_support_a_claim() {
        let premise = "Passage: In 911 the miller Brun sold the old ferry to Orla.";
        assert!(Lexical.entails(premise, "Brun was selling the ferry to Orla in 911."));
        assert!(!Lexical.entails(premise, "Brun sold the ferry to Orla in 912."), "a number that is not there");
        assert!(!Lexical.entails(premise, "The bridge at Arva burned."));
        assert!(!Lexical.entails(premise, "") && !Lexical.entails(premise, "It was."));
    }

    /// Decisions given beforehand, as golden rows give them.
    struct Given;

    impl Evaluator for Given {
        fn name(&self) -> &'static str {
            "given"
        }

        fn entails(&self, premise: &str, claim: &str) -> bool {
            match claim {
                "Both." => premise == "Passage: a\nPassage: b",
                "One." => premise.contains("Passage: c"),
                _ => false,
            }
        }
    }

    #[test]
    fn any_evaluator_decides() {
        let sentences = ["Both [1][2].", "One [3].", "Neither [1]."];
        let ((prf, cited), strict) = citation_prf_by(&Given, &sentences, &["a", "b", "c"]).unwrap();
        assert_eq!((cited, prf.recall, prf.precision), (4, 2.0 / 3.0, 0.75));
        assert_eq!(strict, prf);
        let ((zero, _), strict) = citation_prf_by(&Given, &["One [0]."], &["a", "b", "c"]).unwrap();
        assert_eq!((zero.f1, strict.f1), (1.0, 0.0), "[0] cites the last passage upstream");
    }
}
