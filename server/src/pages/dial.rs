//! A dial of a board as a chart with its table.

use longboard_protocol::board::{DialCurve, DialLine};

use crate::charts::{CurvePoint, Series, curve_over};

/// Scores along a dial.
pub(super) struct DialView {
    pub title: String,
    pub values: Vec<u32>,
    pub chart: String,
    pub lines: Vec<LineView>,
}

/// One entry.
pub(super) struct LineView {
    pub entry: String,
    pub name: String,
    /// Score and what stands behind it, by value.
    pub scores: Vec<(String, String)>,
    pub slope: String,
}

impl DialView {
    /// The view of a curve.
    pub fn of(curve: &DialCurve) -> Self {
        let mut values: Vec<u32> = curve.lines.iter().flat_map(|line| &line.points).map(|point| point.value).collect();
        values.sort_unstable();
        values.dedup();
        let series: Vec<Series> = curve.lines.iter().map(series).collect();
        Self {
            title: curve.title.clone(),
            chart: curve_over(&series, &curve.title),
            lines: curve.lines.iter().map(|line| LineView::of(line, &values)).collect(),
            values,
        }
    }
}

fn series(line: &DialLine) -> Series {
    let points = line.points.iter().map(|point| CurvePoint {
        length: point.value.to_string(),
        tokens: point.value,
        score: point.score,
        ci95: point.ci95,
    });
    Series { name: line.name.clone(), points: points.collect() }
}

impl LineView {
    fn of(line: &DialLine, values: &[u32]) -> Self {
        let score = |value: &u32| {
            let Some(point) = line.points.iter().find(|point| point.value == *value) else {
                return ("–".to_owned(), "no samples".to_owned());
            };
            let interval = point.ci95.map(|[low, high]| format!("95 % interval {low:.1} to {high:.1}, "));
            (format!("{:.1}", point.score), format!("{}{} samples", interval.unwrap_or_default(), point.n))
        };
        let slope = line.slope.map_or_else(
            || "–".to_owned(),
            |slope| format!("{:+.2} ({:+.2} to {:+.2})", slope.per_doubling, slope.ci95[0], slope.ci95[1]),
        );
        Self { entry: line.entry.clone(), name: line.name.clone(), scores: values.iter().map(score).collect(), slope }
    }
}
