//! Charts as inline SVG: pure functions, readable in light and dark, each with a title and a description. The pages put
//! the same data beside them as a table.

mod curve;
mod heatmap;
mod outcome;

pub(crate) use curve::{CurvePoint, Series, curve, spark};
pub(crate) use heatmap::{HeatCell, heatmap};
pub(crate) use outcome::outcome_bar;

/// Text for SVG.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
