//! LongProc (arXiv 2501.05414; princeton-pli/LongProc @ 78e873ae): six procedures whose every step is written out.

mod countdown;
mod program;
mod route;
mod table;
mod tracking;
mod travel;

pub use countdown::countdown;
pub use program::{RUN_SECONDS, TESTS, Test, preamble, program, pseudo_to_code, right_count, right_outputs};
pub use route::path_traversal;
pub use table::{TableScore, html_to_tsv, html_to_tsv_strict};
pub use tracking::tom_tracking;
pub use travel::{travel_planning, travel_planning_strict};

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::strip;

const SOURCE: Source =
    Source { benchmark: "LongProc", citation: "arXiv 2501.05414; princeton-pli/LongProc @ 78e873ae" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 8] = [
    metric(SOURCE, "longproc.html_to_tsv", "F1 of table rows", Form::Official, 1.0),
    metric(SOURCE, "longproc.html_to_tsv.strict", "F1 of table rows, each counted once", Form::Strict, 1.0),
    metric(SOURCE, "longproc.path_traversal", "The whole route is right", Form::Official, 1.0),
    metric(SOURCE, "longproc.tom_tracking", "Every step of the trace is right", Form::Official, 1.0),
    metric(SOURCE, "longproc.countdown", "The solution reaches the target", Form::Official, 1.0),
    metric(SOURCE, "longproc.travel_planning", "All stays of the plan are right", Form::Official, 1.0),
    metric(SOURCE, "longproc.travel_planning.strict", "The same stays and no more", Form::Strict, 1.0),
    metric(SOURCE, "longproc.pseudo_to_code", "The program passes its tests", Form::Official, 1.0),
];

/// What the official scorers say of one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcedureScore {
    /// 1 or 0: the number that is reported.
    pub accuracy: f64,
    /// How far the answer is right, a diagnosis: not monotone, and below 0 for a countdown trace that stops at once.
    pub partial: f64,
    /// Whether the answer had the required marks.
    pub extracted: bool,
}

impl ProcedureScore {
    const UNREADABLE: Self = Self { accuracy: 0.0, partial: 0.0, extracted: false };
    const RIGHT: Self = Self { accuracy: 1.0, partial: 1.0, extracted: true };
}

/// The text between the first `<tag>` and the first `</tag>`, blanks at its ends aside; empty when they stand the other
/// way round, `None` without either.
fn tagged<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let open = format!("<{tag}>");
    let start = text.find(&open)? + open.len();
    let end = text.find(&format!("</{tag}>"))?;
    Some(strip(text.get(start..end).unwrap_or_default()))
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests;
