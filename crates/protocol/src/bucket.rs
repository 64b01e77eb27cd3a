//! Scores by the length that an official file states for its records.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One (task, window) of a run, by official length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BucketReport {
    /// Task slug.
    pub task: String,
    /// Window.
    pub length: String,
    /// What the official length counts, e.g. `words`.
    pub unit: String,
    /// From short to long; buckets without samples are absent.
    pub buckets: Vec<Bucket>,
}

/// Samples whose records have an official length within bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bucket {
    /// Least length.
    pub from: u64,
    /// Length from which the next bucket begins; null for the last one.
    pub below: Option<u64>,
    /// Mean score, 0..100.
    pub score: f64,
    /// Samples.
    pub n: u32,
    /// 95 % interval of `score`.
    pub ci95: Option<[f64; 2]>,
}
