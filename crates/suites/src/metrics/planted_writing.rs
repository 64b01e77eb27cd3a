//! Scores of `planted_writing`; the scorer stands with its family.

use super::catalogue::{Form, Metric, Source, metric};

const SOURCE: Source = Source { benchmark: "Planted Writing", citation: "Longboard's own; no paper" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 2] = [
    metric(SOURCE, "planted_writing.requirements_met", "Share of the requirements met", Form::Strict, 1.0),
    metric(SOURCE, "planted_writing.requirements_met.strict", "All requirements met", Form::Strict, 1.0),
];
