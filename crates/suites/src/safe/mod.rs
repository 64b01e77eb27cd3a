//! Factuality of long answers after SAFE (arXiv 2403.18802, section 3): facts of an answer, each checked against a
//! source, then F1@K.
//!
//! Live search is not reproducible, so the source is a frozen text or the world's fact store. [`rate`] needs no model;
//! [`FactRater`] walks the paper's steps with one, without doing any I/O itself.

mod rater;
mod source;
mod split;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub use rater::{FactRater, REPLY_TRIES, RESULTS, SEARCHES, Step, atomic_facts_prompt, read_atomic_facts};
pub use source::{Evidence, FactStore, Passages, Source};
pub use split::{atomic_facts, sentences};

use crate::judging::fact::normalised;
use crate::metrics::longfact;

/// Median number of facts of an answer in the paper: the usual K.
pub const K_MEDIAN: u64 = 64;
/// Largest number of facts of an answer in the paper: the other K.
pub const K_MAXIMUM: u64 = 178;

/// What a source says of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// The source says so.
    Supported,
    /// The source says otherwise, or nothing.
    NotSupported,
    /// The fact has nothing to do with the question; it does not count.
    Irrelevant,
}

/// A fact of an answer with its verdict, as stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatedFact {
    /// The fact, standing alone.
    pub text: String,
    /// The verdict.
    pub label: Support,
    /// What the verdict rests on, best first.
    pub evidence: Vec<Evidence>,
}

/// All facts of one answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Facts in the order of the answer.
    pub facts: Vec<RatedFact>,
    /// Facts that got no verdict in all tries. The paper's code drops them in silence; here they are counted.
    pub dropped: u64,
}

impl Report {
    /// Facts with this label.
    #[must_use]
    pub fn count(&self, label: Support) -> u64 {
        self.facts.iter().filter(|fact| fact.label == label).count() as u64
    }

    /// F1@K as the official code counts: a fact said twice counts twice. `None` when `k` is 0.
    #[must_use]
    pub fn f1_at(&self, k: u64) -> Option<f64> {
        longfact::f1_at_k(self.count(Support::Supported), self.count(Support::NotSupported), k)
    }

    /// F1@K where a supported fact counts once however often it is said; unsupported ones count each time.
    #[must_use]
    pub fn strict_f1_at(&self, k: u64) -> Option<f64> {
        let supported = self.facts.iter().filter(|fact| fact.label == Support::Supported);
        let distinct: HashSet<Vec<String>> = supported.map(|fact| key(&fact.text)).collect();
        longfact::f1_at_k(distinct.len() as u64, self.count(Support::NotSupported), k)
    }
}

/// Words of a fact in alphabetical order: the same words in another order are the same fact.
fn key(text: &str) -> Vec<String> {
    let mut words: Vec<String> = normalised(text)
        .split(|scalar: char| !scalar.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Rates an answer without a model: rules cut it into facts, `source` finds evidence and decides.
#[must_use]
pub fn rate(answer: &str, source: &dyn Source) -> Report {
    let rated = atomic_facts(answer).into_iter().map(|text| {
        let evidence = source.evidence(&text, RESULTS);
        let label = source.verdict(&text, &evidence);
        RatedFact { text, label, evidence }
    });
    Report { facts: rated.collect(), dropped: 0 }
}

#[cfg(test)]
mod tests;
