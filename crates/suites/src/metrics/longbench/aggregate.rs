//! Scores of data sets, and of LongBench-E's length buckets.

use serde::Serialize;

use super::{Rule, postprocess};

/// Means of the samples of each length, 0..100 with two decimals; `None` without samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Buckets {
    /// Shorter than 4,000 words or characters.
    #[serde(rename = "0-4k")]
    pub below_4k: Option<f64>,
    /// From 4,000, shorter than 8,000.
    #[serde(rename = "4-8k")]
    pub below_8k: Option<f64>,
    /// From 8,000.
    #[serde(rename = "8k+")]
    pub from_8k: Option<f64>,
}

/// Mean over samples of the best reference's score, 0..100 with two decimals. `None` without samples, or for a data
/// set that the benchmark does not have.
#[must_use]
pub fn dataset_score(dataset: &str, answers: &[String], references: &[Vec<String>], classes: &[String]) -> Option<f64> {
    mean(&scores(dataset, answers, references, classes)?)
}

/// [`dataset_score`] by the length that the data file states.
#[must_use]
pub fn dataset_score_e(
    dataset: &str,
    answers: &[String],
    references: &[Vec<String>],
    lengths: &[u64],
    classes: &[String],
) -> Option<Buckets> {
    let scores = scores(dataset, answers, references, classes)?;
    let bucket = |from: u64, below: u64| {
        let inside = scores.iter().zip(lengths).filter(|(_, length)| (from..below).contains(*length));
        mean(&inside.map(|(score, _)| *score).collect::<Vec<f64>>())
    };
    Some(Buckets { below_4k: bucket(0, 4000), below_8k: bucket(4000, 8000), from_8k: bucket(8000, u64::MAX) })
}

fn scores(dataset: &str, answers: &[String], references: &[Vec<String>], classes: &[String]) -> Option<Vec<f64>> {
    let rule = Rule::of(dataset)?;
    let score = |(answer, references): (&String, &Vec<String>)| {
        let answer = postprocess(dataset, answer);
        references.iter().map(|reference| rule.score(answer, reference, classes)).fold(0.0, f64::max)
    };
    Some(answers.iter().zip(references).map(score).collect())
}

/// Two decimals of the mean in percent, ties to even as Python rounds.
fn mean(scores: &[f64]) -> Option<f64> {
    if scores.is_empty() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let mean = 100.0 * scores.iter().sum::<f64>() / scores.len() as f64;
    format!("{mean:.2}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_fall_in_buckets_by_length() {
        let answers = ["1", "2", "3"].map(str::to_owned);
        let references = ["1", "1", "3"].map(|reference| vec![reference.to_owned()]);
        assert_eq!(dataset_score("passage_count", &answers, &references, &[]), Some(66.67));
        let buckets = dataset_score_e("passage_count", &answers, &references, &[3999, 4000, 7999], &[]).unwrap();
        assert_eq!((buckets.below_4k, buckets.below_8k, buckets.from_8k), (Some(100.0), Some(50.0), None));
        assert_eq!(dataset_score("nosuch", &answers, &references, &[]), None);
    }
}
