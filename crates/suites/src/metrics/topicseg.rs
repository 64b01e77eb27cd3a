//! Topic segmentation (arXiv 2310.11772; alibaba-damo-academy/SpokenNLP @ 30fc9df9): F1 of boundaries, P_k (Beeferman et
//! al. 1999) and WindowDiff (Pevzner and Hearst 2002) as segeval 2.0.11 computes them.
//!
//! A segmentation is a label per sentence, true at the last sentence of a topic. Sentences behind the last boundary form
//! a segment of their own.

use super::catalogue::{Form, Metric, Source, metric};
use super::ranking::average;
use super::ruler::round;

const SOURCE: Source = Source {
    benchmark: "Topic segmentation",
    citation: "arXiv 2310.11772; alibaba-damo-academy/SpokenNLP @ 30fc9df9, seqeval.py; segeval 2.0.11",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 4] = [
    metric(SOURCE, "topicseg.pk_windowdiff", "P_k and WindowDiff of a document, lower is better", Form::Official, 1.0),
    metric(
        SOURCE,
        "topicseg.corpus_f1_pk_wd",
        "F1 pooled over sentences, mean 1 - P_k and 1 - WindowDiff",
        Form::Official,
        1.0,
    ),
    metric(SOURCE, "topicseg.boundary_f1", "F1 of the boundaries of one document", Form::Strict, 1.0),
    metric(SOURCE, "topicseg.window_similarity", "1 - WindowDiff of one document", Form::Official, 1.0),
];

/// Lengths of the segments, in sentences.
#[must_use]
pub fn segments(labels: &[bool]) -> Vec<usize> {
    labels.split_inclusive(|last| *last).map(<[bool]>::len).collect()
}

/// Half the mean length of the reference's segments, rounded to the even number where it lies in the middle, at least 2.
#[must_use]
pub fn window(reference: &[bool]) -> usize {
    let halves = 2 * segments(reference).len().max(1);
    let (whole, rest) = (reference.len() / halves, reference.len() % halves);
    let up = 2 * rest > halves || (2 * rest == halves && whole % 2 == 1);
    (whole + usize::from(up)).max(2)
}

/// How far two segmentations of a document are apart; lower is better.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Distance {
    /// Share of windows whose ends the two disagree on: in one segment or not, 0..1.
    pub pk: f64,
    /// Share of windows with another number of boundaries, 0..1.
    pub window_diff: f64,
}

/// P_k and WindowDiff; `None` where the window is as long as the document, which upstream skips. One sentence gives 0.
/// A prediction that is too short has no more boundaries.
#[must_use]
pub fn distance(prediction: &[bool], reference: &[bool]) -> Option<Distance> {
    let count = reference.len();
    let window = window(reference);
    if count == 1 {
        return Some(Distance::default());
    }
    let windows = count.checked_sub(window).filter(|windows| *windows > 0)?;
    let (ours, theirs) = (numbers(prediction, count), numbers(reference, count));
    let across = |numbers: &[usize]| -> Vec<usize> {
        numbers.iter().zip(numbers.iter().skip(window)).map(|(from, to)| to - from).collect()
    };
    let (ours, theirs) = (across(&ours), across(&theirs));
    let share = |differ: &dyn Fn(usize, usize) -> bool| {
        ours.iter().zip(&theirs).filter(|(a, b)| differ(**a, **b)).count() as f64 / windows as f64
    };
    Some(Distance { pk: share(&|a, b| (a == 0) != (b == 0)), window_diff: share(&|a, b| a != b) })
}

/// Number of the segment that each of `count` sentences lies in.
fn numbers(labels: &[bool], count: usize) -> Vec<usize> {
    let mut segment = 0;
    let label = |at: usize| labels.get(at).copied().unwrap_or_default();
    (0..count)
        .map(|at| {
            let own = segment;
            segment += usize::from(label(at));
            own
        })
        .collect()
}

/// Counts of boundaries, pooled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Boundaries {
    /// In both.
    pub correct: usize,
    /// In the prediction.
    pub predicted: usize,
    /// In the reference.
    pub gold: usize,
}

impl Boundaries {
    /// Counts of one document, over the sentences of the reference.
    #[must_use]
    pub fn of(prediction: &[bool], reference: &[bool]) -> Self {
        let mut counts = Self { gold: reference.iter().filter(|label| **label).count(), ..Self::default() };
        for (predicted, gold) in prediction.iter().zip(reference) {
            counts.predicted += usize::from(*predicted);
            counts.correct += usize::from(*predicted && *gold);
        }
        counts
    }

    /// Precision, recall and F1, 0..1; 0 for 0/0.
    #[must_use]
    pub fn prf(self) -> (f64, f64, f64) {
        let over = |whole: usize| if whole == 0 { 0.0 } else { self.correct as f64 / whole as f64 };
        let (precision, recall) = (over(self.predicted), over(self.gold));
        let sum = precision + recall;
        (precision, recall, if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 })
    }
}

/// Scores of a corpus, as the official table prints them: rounded to four decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Corpus {
    /// Precision of the boundaries of all documents together.
    pub precision: f64,
    /// Their recall.
    pub recall: f64,
    /// Their F1.
    pub f1: f64,
    /// 1 - P_k, mean over the documents that have one.
    pub pk_similarity: f64,
    /// 1 - WindowDiff, mean over the documents that have one.
    pub window_similarity: f64,
}

/// Scores of pairs of prediction and reference.
#[must_use]
pub fn corpus(documents: &[(Vec<bool>, Vec<bool>)]) -> Corpus {
    let mut pooled = Boundaries::default();
    let mut distances = Vec::new();
    for (prediction, reference) in documents {
        let one = Boundaries::of(prediction, reference);
        pooled.correct += one.correct;
        pooled.predicted += one.predicted;
        pooled.gold += one.gold;
        distances.extend(distance(prediction, reference));
    }
    let (precision, recall, f1) = pooled.prf();
    let similarity = |value: fn(&Distance) -> f64| {
        let values: Vec<f64> = distances.iter().map(value).collect();
        if values.is_empty() { 0.0 } else { round(1.0 - average(&values), 4) }
    };
    Corpus {
        precision: round(precision, 4),
        recall: round(recall, 4),
        f1: round(f1, 4),
        pk_similarity: similarity(|distance| distance.pk),
        window_similarity: similarity(|distance| distance.window_diff),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(text: &str) -> Vec<bool> {
        text.chars().map(|label| label == '1').collect()
    }

    #[test]
    fn windows_are_rounded_to_even() {
        assert_eq!(segments(&labels("0010010")), [3, 3, 1]);
        assert_eq!(segments(&labels("01")), [2]);
        assert_eq!((window(&labels("00001")), window(&labels("0000001")), window(&[])), (2, 4, 2));
    }

    #[test]
    fn no_boundary_is_cheap_by_windows_and_worth_nothing_by_f1() {
        let reference = labels("00001000010000100001");
        let none = vec![false; reference.len()];
        let apart = distance(&none, &reference).unwrap();
        assert!(apart.pk < 0.4 && apart.window_diff < 0.4, "{apart:?}");
        assert_eq!(Boundaries::of(&none, &reference).prf().2, 0.0);
        assert_eq!(distance(&labels("10"), &labels("01")), None);
        assert_eq!(corpus(&[]), Corpus::default());
    }

    proptest! {
        #[test]
        fn equal_segmentations_are_not_apart(labels in proptest::collection::vec(any::<bool>(), 1..60)) {
            let apart = distance(&labels, &labels);
            prop_assert!(apart.is_none_or(|apart| apart == Distance::default()));
            prop_assert_eq!(apart.is_none(), labels.len() == window(&labels));
            if labels.contains(&true) {
                prop_assert_eq!(Boundaries::of(&labels, &labels).prf(), (1.0, 1.0, 1.0));
            }
        }

        #[test]
        fn pk_is_at_most_window_diff(
            one in proptest::collection::vec(any::<bool>(), 0..50),
            other in proptest::collection::vec(any::<bool>(), 0..50),
        ) {
            if let Some(apart) = distance(&one, &other) {
                prop_assert!(0.0 <= apart.pk && apart.pk <= apart.window_diff && apart.window_diff <= 1.0);
            }
        }
    }
}
