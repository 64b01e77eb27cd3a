//! Score over length, or over another number on a logarithmic axis.

use std::fmt::Write;

use super::escaped;
use super::plot::{Plot, Scale};

const PLOT: Plot = Plot { width: 720.0, height: 320.0, left: 44.0, right: 12.0, top: 12.0, bottom: 40.0, inset: 14.0 };

/// Lines that can be told apart.
const MOST: usize = 6;

/// One line of a curve.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub name: String,
    pub points: Vec<CurvePoint>,
}

/// A score, 0..100, at a length in tokens or at another number.
#[derive(Debug, Clone)]
pub(crate) struct CurvePoint {
    pub length: String,
    pub tokens: u32,
    pub score: f64,
    pub ci95: Option<[f64; 2]>,
}

/// Lengths that have a point, and their names.
fn ticks(series: &[Series]) -> Vec<(f64, String)> {
    let mut ticks: Vec<(u32, &str)> =
        series.iter().flat_map(|line| &line.points).map(|point| (point.tokens, point.length.as_str())).collect();
    ticks.sort_unstable();
    ticks.dedup();
    ticks.into_iter().map(|(tokens, name)| (place(tokens), name.to_owned())).collect()
}

/// On an axis of logarithms, which has no place for 0.
fn place(tokens: u32) -> f64 {
    f64::from(tokens.max(1))
}

/// Up to six lines over length, with their 95 % bands.
pub(crate) fn curve(series: &[Series]) -> String {
    curve_over(series, "length, tokens")
}

/// Up to six lines over what the axis counts, with their 95 % bands.
pub(crate) fn curve_over(series: &[Series], over: &str) -> String {
    let series: Vec<Series> = series.iter().filter(|line| !line.points.is_empty()).take(MOST).cloned().collect();
    let ticks = ticks(&series);
    let Some(scale) = Scale::of(&ticks) else {
        return "<p class=\"empty\">No scores yet.</p>".to_owned();
    };
    let names: Vec<String> = series.iter().map(|line| line.name.clone()).collect();
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\"><title>Score over {over}</title><desc>Score, 0 to 100, over {over} for {}</desc>",
        escaped(&names.join(", ")),
        over = escaped(over),
        width = PLOT.width,
        height = PLOT.height,
    );
    PLOT.frame(&mut svg, scale, &ticks, over);
    for (number, line) in series.iter().enumerate() {
        draw(&mut svg, scale, number, line);
    }
    svg.push_str("</svg>");
    if series.len() > 1 {
        svg.push_str("<ul class=\"legend\">");
        for (number, name) in names.iter().enumerate() {
            let _ = write!(svg, "<li><i class=\"s{number}\"></i>{}</li>", escaped(name));
        }
        svg.push_str("</ul>");
    }
    svg
}

fn draw(svg: &mut String, scale: Scale, number: usize, line: &Series) {
    let at = |point: &CurvePoint, score: f64| format!("{:.1},{:.1}", PLOT.x(scale, place(point.tokens)), PLOT.y(score));
    let band =
        |pick: usize| move |point: &CurvePoint| point.ci95.and_then(|ci| ci.get(pick).copied()).unwrap_or(point.score);
    let (low, high) = (band(0), band(1));
    let upper = line.points.iter().map(|point| at(point, high(point)));
    let lower = line.points.iter().rev().map(|point| at(point, low(point)));
    let outline: Vec<String> = upper.chain(lower).collect();
    let _ = write!(svg, "<polygon class=\"band s{number}\" points=\"{}\"/>", outline.join(" "));
    let path: Vec<String> = line.points.iter().map(|point| at(point, point.score)).collect();
    let _ = write!(svg, "<polyline class=\"line s{number}\" points=\"{}\"/>", path.join(" "));
    for point in &line.points {
        let interval = point.ci95.map(|[low, high]| format!(" (95 % {low:.1} to {high:.1})")).unwrap_or_default();
        let _ = write!(
            svg,
            "<circle class=\"dot s{number}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"><title>{} at {}: {:.1}{interval}</title></circle>",
            PLOT.x(scale, place(point.tokens)),
            PLOT.y(point.score),
            escaped(&line.name),
            escaped(&point.length),
            point.score
        );
    }
}

/// A line for a table cell: scores in order, absent ones left out.
pub(crate) fn spark(scores: &[Option<f64>]) -> String {
    let count = scores.len().max(2) - 1;
    #[expect(clippy::cast_precision_loss, reason = "a handful of lengths")]
    let point = |(number, score): (usize, &Option<f64>)| {
        score.map(|score| {
            format!(
                "{:.1},{:.1}",
                2.0 + 60.0 * number as f64 / count as f64,
                18.0 - 16.0 * score.clamp(0.0, 100.0) / 100.0
            )
        })
    };
    let points: Vec<String> = scores.iter().enumerate().filter_map(point).collect();
    if points.len() < 2 {
        return String::new();
    }
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 64 20\" aria-hidden=\"true\"><polyline points=\"{}\"/></svg>",
        points.join(" ")
    )
}

/// A score with its interval on 0 to 100, for a table cell that says both in figures.
pub(crate) fn whisker(score: f64, [low, high]: [f64; 2]) -> String {
    let x = |score: f64| 2.0 + 0.92 * score.clamp(0.0, 100.0);
    let (low, middle, high) = (x(low), x(score), x(high));
    format!(
        "<svg class=\"whiskers\" viewBox=\"0 0 96 14\" aria-hidden=\"true\"><path class=\"scale\" d=\"M2 7H94\"/><path d=\"M{low:.1} 7H{high:.1}M{low:.1} 3V11M{high:.1} 3V11\"/><circle cx=\"{middle:.1}\" cy=\"7\" r=\"2.5\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiskers_lie_between_0_and_100() {
        let svg = whisker(50.0, [-10.0, 100.0]);
        assert!(svg.contains("M2.0 7H94.0") && svg.contains("cx=\"48.0\""), "{svg}");
    }

    fn series(name: &str) -> Series {
        let point = |kilo: u32, score| CurvePoint {
            length: format!("{kilo}k"),
            tokens: kilo * 1024,
            score,
            ci95: Some([score - 5.0, score + 5.0]),
        };
        Series { name: name.to_owned(), points: vec![point(1, 100.0), point(4, 50.0), point(16, 0.0)] }
    }

    #[test]
    fn every_length_is_a_tick_once() {
        let found = ticks(&[series("a"), series("b")]);
        assert_eq!(found, [1, 4, 16].map(|kilo| (f64::from(kilo) * 1024.0, format!("{kilo}k"))));
    }

    #[test]
    fn names_are_escaped_and_nothing_is_said_in_words() {
        let chart = curve(&[series("<script>"), series("b")]);
        assert!(!chart.contains("<script>") && chart.contains("&lt;script&gt;"));
        assert!(chart.contains("4k: 50.0 (95 % 45.0 to 55.0)"));
        assert!(curve(&[]).contains("No scores yet"));
        assert_eq!(spark(&[Some(1.0), None]), "");
        assert!(spark(&[Some(100.0), None, Some(0.0)]).contains("2.0,2.0 62.0,18.0"));
    }
}
