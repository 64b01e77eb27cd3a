//! Panels of judges that each score an answer several times, as M-LongDoc's do (arXiv 2411.06176: three judges, five
//! samples each, the mean of all fifteen): the overall mean, and how far its judges are apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::interval::mean_interval;

/// One score of one answer by one judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelScore<'a> {
    /// Which answer.
    pub answer: i64,
    /// Who scored it.
    pub judge: &'a str,
    /// The score, in whatever unit.
    pub value: f64,
}

/// One judge of a panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelJudge {
    /// Name.
    pub judge: String,
    /// Answers with a score of this judge.
    pub answers: usize,
    /// Scores.
    pub scores: usize,
    /// Mean over answers of the mean of the judge's samples.
    pub mean: f64,
    /// Standard deviation of samples of one answer, pooled over answers; `None` where no answer has two.
    pub sample_sd: Option<f64>,
}

/// What a panel says of some answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// Answers with a score.
    pub answers: usize,
    /// Scores.
    pub scores: usize,
    /// Mean over answers of the mean over judges of the mean over samples: with as many samples of every judge the mean
    /// of all scores.
    pub mean: f64,
    /// Of the mean over answers, at 95 %; `None` for fewer than two answers.
    pub ci95: Option<[f64; 2]>,
    /// Highest less lowest mean of a judge.
    pub spread: f64,
    /// By name.
    pub judges: Vec<PanelJudge>,
}

/// Pools scores; `None` without any.
#[must_use]
pub fn panel(scores: &[PanelScore<'_>]) -> Option<Panel> {
    let mut by_judge: BTreeMap<&str, BTreeMap<i64, Vec<f64>>> = BTreeMap::new();
    for score in scores.iter().filter(|score| score.value.is_finite()) {
        by_judge.entry(score.judge).or_default().entry(score.answer).or_default().push(score.value);
    }
    let mut by_answer: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (answer, samples) in by_judge.values().flatten() {
        by_answer.entry(*answer).or_default().extend(mean(samples));
    }
    let answers: Vec<f64> = by_answer.values().filter_map(|means| mean(means)).collect();
    let judges: Vec<PanelJudge> = by_judge.iter().filter_map(|(judge, answers)| one(judge, answers)).collect();
    let means = || judges.iter().map(|judge| judge.mean);
    Some(Panel {
        answers: answers.len(),
        scores: judges.iter().map(|judge| judge.scores).sum(),
        mean: mean(&answers)?,
        ci95: mean_interval(&answers).ok().map(|estimate| estimate.ci95),
        spread: means().fold(f64::NEG_INFINITY, f64::max) - means().fold(f64::INFINITY, f64::min),
        judges,
    })
}

fn one(judge: &str, answers: &BTreeMap<i64, Vec<f64>>) -> Option<PanelJudge> {
    let means: Vec<f64> = answers.values().filter_map(|samples| mean(samples)).collect();
    let scores: usize = answers.values().map(Vec::len).sum();
    let freedom = scores - means.len();
    let squares: f64 = answers.values().map(|samples| squares(samples)).sum();
    Some(PanelJudge {
        judge: judge.to_owned(),
        answers: means.len(),
        scores,
        mean: mean(&means)?,
        sample_sd: (freedom > 0).then(|| (squares / freedom as f64).sqrt()),
    })
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Squared deviations from the mean, summed.
fn squares(values: &[f64]) -> f64 {
    let middle = mean(values).unwrap_or_default();
    values.iter().map(|value| (value - middle).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores<'a>(judge: &'a str, answer: i64, values: &[f64]) -> Vec<PanelScore<'a>> {
        values.iter().map(|value| PanelScore { answer, judge, value: *value }).collect()
    }

    #[test]
    fn three_judges_and_five_samples_have_a_mean_of_fifteen() {
        let all = [
            scores("a", 1, &[5.0, 5.0, 4.0, 5.0, 5.0]),
            scores("b", 1, &[3.0, 3.0, 3.0, 3.0, 3.0]),
            scores("c", 1, &[4.0, 5.0, 4.0, 5.0, 4.0]),
        ]
        .concat();
        let panel = panel(&all).unwrap();
        let sum: f64 = all.iter().map(|score| score.value).sum();
        assert!((panel.mean - sum / 15.0).abs() < 1e-12 && panel.scores == 15 && panel.answers == 1);
        assert!((panel.spread - 1.8).abs() < 1e-12 && panel.ci95.is_none());
        assert_eq!(panel.judges[1].sample_sd, Some(0.0));
        assert!((panel.judges[0].sample_sd.unwrap() - 0.2_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn nothing_scored_has_no_mean() {
        assert_eq!(panel(&[]), None);
        assert_eq!(panel(&scores("a", 1, &[f64::NAN])), None);
    }

    proptest::proptest! {
        #[test]
        fn the_mean_lies_between_the_judges(values in proptest::collection::vec((0_i64..5, 0_usize..3, 1_u8..6), 1..60)) {
            let names = ["a", "b", "c"];
            let scores: Vec<PanelScore<'_>> = values
                .iter()
                .map(|(answer, judge, value)| PanelScore { answer: *answer, judge: names[*judge], value: f64::from(*value) })
                .collect();
            let panel = panel(&scores).unwrap();
            proptest::prop_assert!((1.0..=5.0).contains(&panel.mean) && panel.spread >= 0.0);
            proptest::prop_assert_eq!(panel.scores, scores.len());
        }
    }
}
