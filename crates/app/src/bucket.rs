//! Scores of official records by the length that their file states, as LongBench-E reports them.

use std::collections::BTreeMap;

use longboard_protocol::bucket::{Bucket, BucketReport};
use longboard_store::dataset::Dataset as DatasetRow;
use longboard_store::run::Run;
use longboard_suites::length::Length;
use longboard_suites::task::Task;

use crate::sample::record_order;
use crate::sums::Sums;
use crate::{AppError, Longboard};

impl Longboard {
    /// Scores by official length of those tasks of a run whose benchmark reports them so.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub(crate) async fn official_buckets(&self, run: &Run) -> Result<Vec<BucketReport>, AppError> {
        let mut sorters: BTreeMap<String, Sorter> = BTreeMap::new();
        for task in &run.tasks.0 {
            if let Some(sorter) = self.sorter(&task.slug, task.version).await? {
                sorters.insert(task.slug.clone(), sorter);
            }
        }
        if sorters.is_empty() {
            return Ok(Vec::new());
        }
        let mut sums: BTreeMap<(String, i32), BTreeMap<usize, Sums>> = BTreeMap::new();
        for ((task, window, index), _, score) in self.store.scores(run.id).await? {
            if let Some(bucket) = sorters.get(&task).and_then(|sorter| sorter.bucket(index)) {
                sums.entry((task, window)).or_default().entry(bucket).or_default().add(score);
            }
        }
        let report = |((task, window), buckets): ((String, i32), BTreeMap<usize, Sums>)| {
            let sorter = sorters.get(&task)?;
            Some(BucketReport {
                length: Length::new(window.cast_unsigned()).ok()?.to_string(),
                unit: sorter.unit.to_owned(),
                buckets: buckets.iter().filter_map(|(place, sums)| bucket(*place, sorter.edges, sums)).collect(),
                task,
            })
        };
        Ok(sums.into_iter().filter_map(report).collect())
    }

    async fn sorter(&self, slug: &str, version: i32) -> Result<Option<Sorter>, AppError> {
        let Some(row) = self.store.task(slug, Some(version)).await? else { return Ok(None) };
        let Some(sha256) = &row.data_sha256 else { return Ok(None) };
        let (Some(data), Ok(task)) = (self.store.dataset(sha256).await?, Task::new(row.definition())) else {
            return Ok(None);
        };
        let Some(edges) = edges(&task, &data) else { return Ok(None) };
        let lengths = self.store.official_lengths(sha256).await?;
        let order = record_order(sha256, data.records);
        let lengths = order.iter().map(|ordinal| lengths.get(ordinal).copied().flatten()).collect();
        Ok(Some(Sorter { edges, unit: task.card().length_unit.name(), lengths }))
    }
}

/// Where the buckets of a data set begin; `None` where its benchmark has none.
fn edges(task: &Task, data: &DatasetRow) -> Option<&'static [u64]> {
    let dataset = task.family().dataset()?;
    let subset = dataset.subsets().iter().find(|subset| subset.name == data.subset)?;
    Some(dataset.buckets(subset)).filter(|edges| !edges.is_empty())
}

/// Puts the items of a task into buckets.
struct Sorter {
    edges: &'static [u64],
    unit: &'static str,
    /// By item index.
    lengths: Vec<Option<u64>>,
}

impl Sorter {
    fn bucket(&self, index: i32) -> Option<usize> {
        let length = (*self.lengths.get(usize::try_from(index).ok()?)?)?;
        Some(self.edges.iter().filter(|edge| **edge <= length).count())
    }
}

/// The bucket at a place between edges; `None` without samples.
fn bucket(place: usize, edges: &[u64], sums: &Sums) -> Option<Bucket> {
    Some(Bucket {
        from: place.checked_sub(1).and_then(|before| edges.get(before).copied()).unwrap_or(0),
        below: edges.get(place).copied(),
        score: sums.score()?,
        n: sums.n,
        ci95: sums.ci95(),
    })
}
