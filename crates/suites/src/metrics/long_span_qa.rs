//! Scores of `long_span_qa`; the scorer stands with its family.

use super::catalogue::{Form, Metric, Source, metric};

const SOURCE: Source = Source {
    benchmark: "Long-Span QA",
    citation: "arXiv 2406.00179; no official code, facts and score are Longboard's",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 2] = [
    metric(SOURCE, "long_span_qa.fact_recall", "Share of the facts stated right", Form::Strict, 1.0),
    metric(SOURCE, "long_span_qa.fact_recall.strict", "Facts right less facts wrong", Form::Strict, 1.0),
];
