//! What's In Your Field (arXiv 2503.09894; chiral-carbon/kg-for-science @ b3d52613, MIT): concepts of nine kinds found in
//! abstracts, and the readers of annotated texts and of answers.

mod concept_set;
mod extract;

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Form, Metric, Source, metric};
use super::ruler::round;

pub use concept_set::{ConceptSet, concept_set};
pub use extract::{from_json, from_readable, tagged};

const SOURCE: Source =
    Source { benchmark: "What's In Your Field", citation: "arXiv 2503.09894; chiral-carbon/kg-for-science @ b3d52613" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 7] = [
    metric(
        SOURCE,
        "kg_for_science.tag_prf",
        "Micro F1 of phrases under their tags, by rounded parts",
        Form::Official,
        1.0,
    ),
    metric(
        SOURCE,
        "kg_for_science.tag_prf.strict",
        "Micro F1 of phrases under their tags, unrounded",
        Form::Strict,
        1.0,
    ),
    metric(
        SOURCE,
        "kg_for_science.extract_prediction_json",
        "Phrases read from a JSON answer",
        Form::Official,
        f64::MAX,
    ),
    metric(SOURCE, "kg_for_science.extract_prediction_readable", "Phrases read from lines", Form::Official, f64::MAX),
    metric(SOURCE, "kg_for_science.extract_tags", "Phrases read from an annotated text", Form::Official, f64::MAX),
    metric(SOURCE, "kg_for_science.concept_set_f1", "F1 of a set of concepts", Form::Strict, 1.0),
    metric(SOURCE, "kg_for_science.concept_set_exact", "All concepts of a set and no other", Form::Strict, 1.0),
];

/// The nine tags with what they mean, in the schema's order.
pub const SCHEMA: [(&str, &str); 9] = [
    (
        "model",
        "a representation of a (scientific) phenomenon using mathematical formalism and/or computational simulation",
    ),
    ("task", "a specific problem, objective or goal to be accomplished"),
    ("dataset", "a collection of data, measurements or observations"),
    ("field", "an academic (sub)discipline"),
    ("modality", "a class or type of data/observations with similar or the same structure"),
    ("method", "an approach, technique or procedure to complete a task"),
    ("object", "an entity that can be studied"),
    (
        "property",
        "a quantitative or qualitative descriptor, or an inherent attribute of an entity, data, modality or method",
    ),
    ("instrument", "a device or system used for making measurements"),
];

/// Whether `name` is one of the nine tags.
#[must_use]
pub fn is_tag(name: &str) -> bool {
    SCHEMA.iter().any(|(tag, _)| *tag == name)
}

/// Phrases by tag, in the order of the text.
pub type Phrases = BTreeMap<String, Vec<String>>;

/// Counts of phrases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In both.
    pub hits: usize,
    /// In the prediction alone.
    pub spurious: usize,
    /// In the reference alone.
    pub missed: usize,
}

impl Counts {
    fn add(&mut self, predicted: &BTreeSet<&str>, gold: &BTreeSet<&str>) {
        let hits = predicted.intersection(gold).count();
        self.hits += hits;
        self.spurious += predicted.len() - hits;
        self.missed += gold.len() - hits;
    }

    fn ratios(self) -> (f64, f64) {
        let over = |whole: usize| if whole == 0 { 0.0 } else { self.hits as f64 / whole as f64 };
        (over(self.hits + self.spurious), over(self.hits + self.missed))
    }

    /// Precision, recall and F1, 0..1, to four decimals; F1 is computed from the rounded two, as upstream does.
    #[must_use]
    pub fn rounded(self) -> (f64, f64, f64) {
        let (precision, recall) = self.ratios();
        let (precision, recall) = (round(precision, 4), round(recall, 4));
        (precision, recall, round(harmonic(precision, recall), 4))
    }

    /// F1, 0..1, unrounded; 0 for 0/0.
    #[must_use]
    pub fn f1(self) -> f64 {
        let (precision, recall) = self.ratios();
        harmonic(precision, recall)
    }
}

fn harmonic(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

/// Counts over sentences, under their tags and whatever the tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TagCounts {
    /// A phrase counts under each of its tags.
    pub tags: Counts,
    /// A phrase counts once, under whatever tag.
    pub union: Counts,
}

impl TagCounts {
    /// Adds a sentence. Phrases are compared as they are written; repeats under one tag count once.
    pub fn add(&mut self, prediction: &Phrases, reference: &Phrases) {
        let tags: BTreeSet<&String> = prediction.keys().chain(reference.keys()).collect();
        for tag in tags {
            self.tags.add(&texts(prediction.get(tag)), &texts(reference.get(tag)));
        }
        self.union.add(&texts(prediction.values()), &texts(reference.values()));
    }
}

fn texts<'a>(phrases: impl IntoIterator<Item = &'a Vec<String>>) -> BTreeSet<&'a str> {
    phrases.into_iter().flatten().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phrases() -> impl Strategy<Value = Phrases> {
        let tag = proptest::sample::select(SCHEMA.map(|(tag, _)| tag.to_owned()).to_vec());
        proptest::collection::btree_map(tag, proptest::collection::vec("[a-d]{1,2}", 0..4), 0..6)
    }

    #[test]
    fn f1_is_of_the_rounded_parts() {
        let counts = Counts { hits: 4, spurious: 3, missed: 1 };
        assert_eq!(counts.rounded(), (0.5714, 0.8, 0.6666));
        assert!((counts.f1() - 2.0 / 3.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_union_never_counts_more((one, other) in (phrases(), phrases())) {
            let mut counts = TagCounts::default();
            counts.add(&one, &other);
            let TagCounts { tags, union } = counts;
            prop_assert!(union.hits + union.spurious <= tags.hits + tags.spurious);
            prop_assert!(union.hits + union.missed <= tags.hits + tags.missed);
            let mut same = TagCounts::default();
            same.add(&one, &one);
            prop_assert_eq!((same.tags.spurious, same.tags.missed, same.union.spurious, same.union.missed), (0, 0, 0, 0));
        }

        #[test]
        fn what_is_written_as_json_is_read_back(phrases in phrases()) {
            let text = serde_json::to_string(&phrases).unwrap();
            prop_assert_eq!(from_json(&format!("Extractions: {text}\n\nSentence: next")), phrases);
        }
    }
}
