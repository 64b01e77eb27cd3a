//! LongICLBench, first named LIConBench (arXiv 2404.02060; TIGER-AI-Lab/LongICLBench @ 9c5da3df).
//!
//! Labels are read out of the answer as the inference scripts do: where the answer repeats the query, what follows its
//! last occurrence and the label field; up to the next demonstration; the first line.

use std::collections::BTreeMap;

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::strip;

const SOURCE: Source =
    Source { benchmark: "LongICLBench", citation: "arXiv 2404.02060; TIGER-AI-Lab/LongICLBench @ 9c5da3df" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 8] = [
    metric(SOURCE, "longiclbench.banking77_accuracy", "Intent label", Form::Official, 1.0),
    metric(SOURCE, "longiclbench.goemotion_accuracy", "Emotion label", Form::Official, 1.0),
    metric(SOURCE, "longiclbench.discovery_accuracy", "Connective", Form::Official, 1.0),
    metric(SOURCE, "longiclbench.tacred_f1", "Relation of two entities", Form::Official, 1.0),
    metric(SOURCE, "longiclbench.dialogre_f1", "Relations in a dialogue, by position", Form::Official, 100.0),
    metric(SOURCE, "longiclbench.dialogre_f1.strict", "Relations in a dialogue, by pair", Form::Strict, 1.0),
    metric(SOURCE, "longiclbench.fewnerd_f1", "Entities with types", Form::Official, 1.0),
    metric(SOURCE, "longiclbench.fewnerd_f1.strict", "Entities with types, 0 without a hit", Form::Strict, 1.0),
];

/// How a data set's demonstrations are written.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// Field that opens the next demonstration.
    next: Option<&'static str>,
    /// Field before the label.
    label: &'static str,
}

const BANKING77: Layout = Layout { next: Some("service query"), label: "intent category:" };
const GO_EMOTION: Layout = Layout { next: Some("comment: "), label: "emotion category:" };
const DISCOVERY: Layout = Layout { next: None, label: "the most suitable conjunction word in the previous ( ) is" };
const TACRED_LAYOUT: Layout = Layout { next: Some("sentence:"), label: "the relation between the two entities is:" };

/// The label in an answer, its first line, stripped.
fn label<'a>(layout: Layout, prediction: &'a str, query: &str) -> &'a str {
    let until_next = |text: &'a str| match layout.next {
        Some(next) => text.split(next).next().unwrap_or_default(),
        None => text,
    };
    let found = match after_last(prediction, query) {
        None => until_next(prediction),
        Some(after) => {
            let mut pieces = strip(after).split(layout.label);
            let first = pieces.next().unwrap_or_default();
            pieces.next().map_or(first, until_next)
        }
    };
    strip(strip(found).split('\n').next().unwrap_or_default())
}

/// What follows the last occurrence of `query`, counted from the left without overlap as Python splits.
fn after_last<'a>(prediction: &'a str, query: &str) -> Option<&'a str> {
    if query.is_empty() || !prediction.contains(query) { None } else { prediction.split(query).last() }
}

/// Intent label read out of an answer to `query`, lower-cased.
#[must_use]
pub fn banking77_label(prediction: &str, query: &str) -> String {
    strip(&label(BANKING77, prediction, query).to_lowercase()).to_owned()
}

/// Emotion label read out of an answer to `query`, lower-cased.
#[must_use]
pub fn goemotion_label(prediction: &str, query: &str) -> String {
    strip(&label(GO_EMOTION, prediction, query).to_lowercase()).to_owned()
}

/// Connective read out of an answer to a pair whose second sentence is `query`, lower-cased, without `“”,."`.
#[must_use]
pub fn discovery_label(prediction: &str, query: &str) -> String {
    strip(&plain_connective(label(DISCOVERY, prediction, query))).to_owned()
}

/// A connective as both sides are compared: lower-cased, without `“”,."`.
#[must_use]
pub fn plain_connective(text: &str) -> String {
    strip(text).replace(['“', '”', ',', '.', '"'], "").to_lowercase()
}

/// Relation read out of an answer to `query`.
#[must_use]
pub fn tacred_label(prediction: &str, query: &str) -> String {
    label(TACRED_LAYOUT, prediction, query).to_owned()
}

/// Counts behind an F1, with 1e-8 added to every denominator as upstream does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Labels asked for.
    pub labels: usize,
    /// Predictions that count.
    pub predicted: usize,
    /// Right ones.
    pub correct: usize,
}

const SMOOTHING: f64 = 1e-8;

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
impl Counts {
    /// Right over predicted, 0..1.
    #[must_use]
    pub fn precision(self) -> f64 {
        self.correct as f64 / (self.predicted as f64 + SMOOTHING)
    }

    /// Right over asked, 0..1.
    #[must_use]
    pub fn recall(self) -> f64 {
        self.correct as f64 / (self.labels as f64 + SMOOTHING)
    }

    /// F1 with the smoothing of TacRED and DialogRE, 0..1.
    #[must_use]
    pub fn f1(self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        2.0 * precision * recall / (precision + recall + SMOOTHING)
    }

    /// F1 as Few-NERD's script has it, 0..1; `None` where it divides by zero, which counts as 0 here.
    #[must_use]
    pub fn f1_unsmoothed(self) -> Option<f64> {
        let (precision, recall) = (self.precision(), self.recall());
        (precision + recall > 0.0).then(|| 2.0 * precision * recall / (precision + recall))
    }

    /// Exact F1 without smoothing, 0..1; 0 without a hit.
    #[must_use]
    pub fn exact_f1(self) -> f64 {
        let sides = self.predicted + self.labels;
        if sides == 0 { 0.0 } else { 2.0 * self.correct as f64 / sides as f64 }
    }
}

/// Counts of relation labels: predictions in the label set, and those equal to their label.
#[must_use]
pub fn tacred_counts(predictions: &[String], labels: &[String]) -> Counts {
    relation_counts(predictions, labels, |label| TACRED.contains(&label))
}

/// [`tacred_counts`] over any label set.
pub fn relation_counts(predictions: &[String], labels: &[String], known: impl Fn(&str) -> bool) -> Counts {
    Counts {
        labels: labels.len(),
        predicted: predictions.iter().filter(|prediction| known(prediction)).count(),
        correct: predictions.iter().zip(labels).filter(|(prediction, label)| prediction == label).count(),
    }
}

/// Labels after which the official DialogRE evaluation stops reading.
const DIALOG_RE_LIMIT: usize = 500;

/// Counts of comma-separated relations: a prediction counts when it contains any known relation, and is right when it
/// contains the label at its own position. Reading stops once 500 labels were counted.
#[must_use]
pub fn dialogre_counts(predictions: &[String], labels: &[String]) -> Counts {
    let mut counts = Counts::default();
    for (prediction, label) in predictions.iter().zip(labels) {
        let listed: Vec<&str> = prediction.split(',').map(strip).collect();
        let wanted: Vec<&str> = label.split(',').map(strip).collect();
        counts.labels += wanted.len();
        let known = |one: &&&str| DIALOG_RE.iter().any(|relation| one.contains(relation));
        counts.predicted += listed.iter().filter(known).count();
        counts.correct += wanted.iter().zip(&listed).filter(|(wanted, one)| one.contains(**wanted)).count();
        if counts.labels >= DIALOG_RE_LIMIT {
            break;
        }
    }
    counts
}

/// Counts of relations compared as sets, position aside.
#[must_use]
pub fn relation_set_counts(prediction: &str, label: &str) -> Counts {
    let set = |text: &str| -> std::collections::BTreeSet<String> {
        text.split(',').map(strip).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    let (found, wanted) = (set(prediction), set(label));
    Counts { labels: wanted.len(), predicted: found.len(), correct: found.intersection(&wanted).count() }
}

/// Entities with types: lines `entity: type` up to the first other line or the next sentence; later lines overwrite.
#[must_use]
pub fn fewnerd_entities(prediction: &str, sentence: &str) -> BTreeMap<String, String> {
    let text = strip(after_last(prediction, sentence).unwrap_or(prediction));
    let mut entities = BTreeMap::new();
    for line in text.split('\n') {
        let mut fields = line.split(": ");
        let (Some(entity), Some(kind)) = (fields.next(), fields.next()) else { break };
        if line.starts_with("Sentence") || line.starts_with("sentence") {
            break;
        }
        let _ = entities.insert(entity.to_owned(), kind.to_owned());
    }
    entities
}

/// Counts of (entity, type) pairs over sentences.
#[must_use]
pub fn fewnerd_counts(predictions: &[BTreeMap<String, String>], labels: &[BTreeMap<String, String>]) -> Counts {
    let mut counts = Counts::default();
    for (found, wanted) in predictions.iter().zip(labels) {
        counts.predicted += found.len();
        counts.labels += wanted.len();
        counts.correct += found.iter().filter(|(entity, kind)| wanted.get(*entity) == Some(*kind)).count();
    }
    counts
}

const TACRED: [&str; 41] = [
    "org:founded_by",
    "per:employee_of",
    "org:alternate_names",
    "per:cities_of_residence",
    "per:children",
    "per:title",
    "per:siblings",
    "per:religion",
    "per:age",
    "org:website",
    "per:stateorprovinces_of_residence",
    "org:member_of",
    "org:top_members/employees",
    "per:countries_of_residence",
    "org:city_of_headquarters",
    "org:members",
    "org:country_of_headquarters",
    "per:spouse",
    "org:stateorprovince_of_headquarters",
    "org:number_of_employees/members",
    "org:parents",
    "org:subsidiaries",
    "per:origin",
    "org:political/religious_affiliation",
    "per:other_family",
    "per:stateorprovince_of_birth",
    "org:dissolved",
    "per:date_of_death",
    "org:shareholders",
    "per:alternate_names",
    "per:parents",
    "per:schools_attended",
    "per:cause_of_death",
    "per:city_of_death",
    "per:stateorprovince_of_death",
    "org:founded",
    "per:country_of_birth",
    "per:date_of_birth",
    "per:city_of_birth",
    "per:charges",
    "per:country_of_death",
];

const DIALOG_RE: [&str; 34] = [
    "per:alternate_names",
    "per:alumni",
    "per:place_of_residence",
    "per:employee_or_member_of",
    "per:girl/boyfriend",
    "per:title",
    "per:positive_impression",
    "gpe:residents_of_place",
    "org:employees_or_members",
    "per:children",
    "per:parents",
    "per:siblings",
    "per:spouse",
    "per:friends",
    "per:negative_impression",
    "per:client",
    "per:pet",
    "per:place_of_work",
    "per:boss",
    "per:subordinate",
    "per:acquaintance",
    "per:roommate",
    "per:dates",
    "per:other_family",
    "per:age",
    "per:visited_place",
    "gpe:visitors_of_place",
    "per:origin",
    "per:neighbor",
    "per:works",
    "per:schools_attended",
    "org:students",
    "per:major",
    "per:date_of_birth",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_continued_demonstration_is_cut_off() {
        let answer = "service query: where is it\nintent category: card_arrival\nservice query: next";
        assert_eq!(banking77_label(answer, "where is it"), "card_arrival");
        assert_eq!(banking77_label("Card_Arrival\nservice query: next", "where is it"), "card_arrival");
        assert_eq!(discovery_label("“However,”", "it rained."), "however");
        assert_eq!(tacred_label(" per:age \nsentence: x", ""), "per:age");
    }

    #[test]
    fn relations_count_by_position_officially_and_by_set_strictly() {
        let (prediction, label) = ("per:spouse, per:age".to_owned(), "per:age, per:spouse".to_owned());
        assert_eq!(dialogre_counts(std::slice::from_ref(&prediction), std::slice::from_ref(&label)).correct, 0);
        assert_eq!(relation_set_counts(&prediction, &label).exact_f1(), 1.0);
    }

    proptest! {
        #[test]
        fn any_text_is_scored(text in "(\\PC{0,200}|(query|label: |Sentence|a: b|,|per:age|\n){0,30})") {
            for read in [banking77_label, goemotion_label, discovery_label, tacred_label] {
                prop_assert!(read(&text, "query").lines().count() <= 1 || text.contains('\r') || !text.is_ascii());
            }
            let entities = fewnerd_entities(&text, "query");
            let counts = fewnerd_counts(&[entities], &[BTreeMap::from([("a".to_owned(), "b".to_owned())])]);
            prop_assert!((0.0..=1.0).contains(&counts.f1_unsmoothed().unwrap_or(0.0)));
            prop_assert!((0.0..=1.0).contains(&relation_set_counts(&text, "per:age").exact_f1()));
            prop_assert!((0.0..=1.1).contains(&dialogre_counts(&[text], &["per:age, x".to_owned()]).recall()));
        }
    }

    #[test]
    fn a_megabyte_is_scored() {
        let text = "service query: a: b, per:age\n".repeat(36_000);
        assert_eq!(banking77_label(&text, "a: b"), ", per:age");
        assert!(fewnerd_entities(&text, "").is_empty() || fewnerd_entities(&text, "").len() == 1);
        assert_eq!(relation_set_counts(&text, "per:age").labels, 1);
    }
}
