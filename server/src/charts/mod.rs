//! Charts as inline SVG: pure functions, readable in light and dark, each with a title and a description. The pages put
//! the same data beside them as a table.

mod concepts;
mod curve;
mod heatmap;
mod outcome;
mod pareto;
mod plot;

pub(crate) use concepts::concepts;
pub(crate) use curve::{CurvePoint, Series, curve, curve_over, spark, whisker};
pub(crate) use heatmap::{HeatCell, heatmap};
pub(crate) use outcome::outcome_bar;
pub(crate) use pareto::{ParetoPoint, pareto};

/// A quantity with three significant digits.
pub(crate) fn figure(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=12")]
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

/// Text for SVG.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn figures_have_three_significant_digits() {
        let shown = [0.0, 0.012_34, 1.0, 12.345, 123.45, 12_345.6].map(figure);
        assert_eq!(shown, ["0", "0.0123", "1.00", "12.3", "123", "12346"]);
    }
}
