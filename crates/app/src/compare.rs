//! Comparing two models on the items that both answered.

use std::collections::BTreeMap;

use longboard_stats::paired::paired_difference_clustered;
use longboard_store::RunState;
use longboard_store::answer::ItemKey;
use longboard_store::run::Run;
use longboard_suites::length::Length;
use serde::Serialize;
use uuid::Uuid;

use crate::{AppError, Longboard};

/// Two models on one suite.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Suite slug.
    pub suite: String,
    /// First model.
    pub a: String,
    /// Second model.
    pub b: String,
    /// Runs the answers come from.
    pub runs: [Uuid; 2],
    /// On all common items.
    pub overall: Paired,
    /// Per length, short to long.
    pub by_length: Vec<Paired>,
    /// Per task, in the suite's order.
    pub by_task: Vec<Paired>,
}

/// Means on common items, 0..100, with the paired interval of their difference.
#[derive(Debug, Clone, Serialize)]
pub struct Paired {
    /// Length, task slug or `all`.
    pub name: String,
    /// Set for lengths.
    pub length_tokens: Option<u32>,
    /// Common items.
    pub n: usize,
    /// Mean of the first.
    pub a: f64,
    /// Mean of the second.
    pub b: f64,
    /// 95 % interval of first minus second, clustered by item; absent below two items.
    pub ci95: Option<[f64; 2]>,
    /// Two-sided p of "no difference".
    pub p: Option<f64>,
}

/// An answer's item, repetition and score, 0..1.
pub(crate) type Scored = (ItemKey, i32, f64);

/// A common answer: its item and both scores, 0..1.
pub(crate) type Common = (ItemKey, f64, f64);

impl Longboard {
    /// Compares the newest complete runs of two models on a suite.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when there is nothing to compare.
    pub async fn compare(&self, suite: &str, a: &str, b: &str) -> Result<Comparison, AppError> {
        if a == b {
            return Err(AppError::Invalid("choose two different models".to_owned()));
        }
        let (first, second) = (self.complete_run(suite, a).await?, self.complete_run(suite, b).await?);
        if !same_items(&first, &second) {
            return Err(AppError::Invalid("the two runs are of different seasons or task versions".to_owned()));
        }
        let common = common(self.store.scores(first.id).await?, self.store.scores(second.id).await?);
        if common.is_empty() {
            return Err(AppError::Invalid("the two models have no common items".to_owned()));
        }
        let of = |name: String, tokens: Option<u32>, wanted: &dyn Fn(&ItemKey) -> bool| {
            let part: Vec<&Common> = common.iter().filter(|(key, ..)| wanted(key)).collect();
            (!part.is_empty()).then(|| paired(name, tokens, &part))
        };
        let by_length = first.lengths.0.iter().filter_map(|length: &Length| {
            of(length.to_string(), Some(length.tokens()), &|key| key.1 == length.tokens().cast_signed())
        });
        let by_task = first.tasks.0.iter().filter_map(|task| of(task.slug.clone(), None, &|key| key.0 == task.slug));
        Ok(Comparison {
            suite: suite.to_owned(),
            a: a.to_owned(),
            b: b.to_owned(),
            runs: [first.id, second.id],
            by_length: by_length.collect(),
            by_task: by_task.collect(),
            overall: paired("all".to_owned(), None, &common.iter().collect::<Vec<_>>()),
        })
    }

    async fn complete_run(&self, suite: &str, model: &str) -> Result<Run, AppError> {
        let endpoint = self.model(model).await?;
        let runs = self.store.runs_of_endpoint(endpoint.id, 200).await?;
        let found = runs.into_iter().find(|run| run.suite_slug == suite && run.state == RunState::Done);
        found.ok_or_else(|| AppError::Invalid(format!("`{model}` has no finished run of `{suite}`")))
    }
}

/// Whether an item's key means the same prompt in both runs.
pub(crate) fn same_items(first: &Run, second: &Run) -> bool {
    first.seed == second.seed && first.tasks == second.tasks
}

/// Answers to the same item and repetition.
pub(crate) fn common(left: Vec<Scored>, right: Vec<Scored>) -> Vec<Common> {
    let mut right: BTreeMap<(ItemKey, i32), f64> =
        right.into_iter().map(|(key, repetition, score)| ((key, repetition), score)).collect();
    left.into_iter()
        .filter_map(|(key, repetition, score)| {
            let other = right.remove(&(key.clone(), repetition))?;
            Some((key, score, other))
        })
        .collect()
}

pub(crate) fn paired(name: String, length_tokens: Option<u32>, part: &[&Common]) -> Paired {
    let (first, second): (Vec<f64>, Vec<f64>) = part.iter().map(|(_, a, b)| (100.0 * a, 100.0 * b)).unzip();
    let clusters: Vec<&ItemKey> = part.iter().map(|(key, ..)| key).collect();
    let difference = paired_difference_clustered(&first, &second, &clusters).ok();
    #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    Paired {
        name,
        length_tokens,
        n: part.len(),
        a: mean(&first),
        b: mean(&second),
        ci95: difference.as_ref().map(|difference| difference.estimate.ci95),
        p: difference.map(|difference| difference.p),
    }
}
