//! The frame of a chart: scores from 0 to 100 over a quantity on a logarithmic axis.

use std::fmt::Write;

use super::escaped;

/// Sizes in the units of the view box.
pub(super) struct Plot {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    /// Between the frame and the first and last tick.
    pub inset: f64,
}

/// The logarithms of a quantity between its ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// From the first to the last of `ticks`, all positive; none where there are none.
    pub(super) fn of(ticks: &[(f64, String)]) -> Option<Self> {
        let (least, most) = (ticks.first()?.0, ticks.last()?.0);
        Some(Self { low: least.log10(), high: most.log10() })
    }

    /// How far along `value` is, from 0 to 1; in the middle where the ends are one.
    fn share(self, value: f64) -> f64 {
        let span = self.high - self.low;
        if span > 0.0 { (value.log10() - self.low) / span } else { 0.5 }
    }
}

impl Plot {
    /// Where the frame ends.
    pub(super) fn end(&self) -> f64 {
        self.width - self.right
    }

    /// Where `value` lies.
    pub(super) fn x(&self, scale: Scale, value: f64) -> f64 {
        self.left + self.inset + scale.share(value) * (self.end() - self.left - 2.0 * self.inset)
    }

    /// Where a score of 0 to 100 lies.
    pub(super) fn y(&self, score: f64) -> f64 {
        self.top + (1.0 - score.clamp(0.0, 100.0) / 100.0) * (self.height - self.top - self.bottom)
    }

    /// Lines of scores, names of the quantity at their places, and what it is below.
    pub(super) fn frame(&self, svg: &mut String, scale: Scale, ticks: &[(f64, String)], over: &str) {
        let (left, end, label) = (self.left, self.end(), self.left - 8.0);
        for score in [0.0, 25.0, 50.0, 75.0, 100.0] {
            let y = self.y(score);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"tick end\" x=\"{label}\" y=\"{:.1}\">{score}</text>",
                y + 4.0
            );
        }
        for (value, name) in ticks {
            let (x, y) = (self.x(scale, *value), self.height - self.bottom + 18.0);
            let _ = write!(svg, "<text class=\"tick mid\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(name));
        }
        let (x, y) = (f64::midpoint(left, self.width), self.height - 4.0);
        let _ = write!(svg, "<text class=\"tick mid\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(over));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLOT: Plot =
        Plot { width: 200.0, height: 100.0, left: 40.0, right: 10.0, top: 5.0, bottom: 25.0, inset: 10.0 };

    #[test]
    fn the_axis_is_logarithmic_and_scores_fill_the_frame() {
        let scale = |least: f64, most: f64| Scale::of(&[(least, String::new()), (most, String::new())]).unwrap();
        let axis = scale(0.1, 1000.0);
        let places = [0.1, 10.0, 1000.0].map(|value| PLOT.x(axis, value));
        assert!((places[0] - 50.0).abs() < 1e-9 && (places[2] - 180.0).abs() < 1e-9, "{places:?}");
        assert!((places[1] - f64::midpoint(places[0], places[2])).abs() < 1e-9, "{places:?}");
        assert!((PLOT.x(scale(8.0, 8.0), 8.0) - 115.0).abs() < 1e-9, "one value lies in the middle");
        assert_eq!([100.0, 0.0, 120.0, -3.0].map(|score| PLOT.y(score)), [5.0, 75.0, 5.0, 75.0]);
    }

    #[test]
    fn ticks_and_axis_are_named_without_markup() {
        let mut svg = String::new();
        let ticks = [(1.0, "<1>".to_owned()), (10.0, "10".to_owned())];
        PLOT.frame(&mut svg, Scale::of(&ticks).unwrap(), &ticks, "cost & more");
        assert!(svg.contains(">&lt;1&gt;</text>") && svg.contains(">cost &amp; more</text>"), "{svg}");
        assert_eq!(svg.matches("class=\"grid\"").count(), 5);
    }
}
