//! Outcomes of samples as one stacked bar.

use std::collections::BTreeMap;
use std::fmt::Write;

use longboard_app::suites::outcome::Outcome;

use super::escaped;

const WIDTH: f64 = 720.0;

/// A bar whose parts are the samples of each outcome, with a legend that gives the counts.
pub(crate) fn outcome_bar(counts: &BTreeMap<String, u32>) -> String {
    let total: u32 = counts.values().sum();
    if total == 0 {
        return "<p class=\"empty\">No sample has ended yet.</p>".to_owned();
    }
    let present: Vec<(Outcome, u32)> = Outcome::ALL
        .into_iter()
        .filter_map(|outcome| counts.get(outcome.slug()).map(|count| (outcome, *count)))
        .collect();
    let named: Vec<String> = present.iter().map(|(outcome, count)| format!("{count} {}", outcome.title())).collect();
    let mut svg = format!(
        "<svg class=\"chart outcomes\" viewBox=\"0 0 720 22\" preserveAspectRatio=\"none\" role=\"img\"><title>Outcomes of {total} samples</title><desc>{}</desc>",
        escaped(&named.join(", "))
    );
    let mut x = 0.0;
    for (outcome, count) in &present {
        let width = WIDTH * f64::from(*count) / f64::from(total);
        let _ = write!(
            svg,
            "<rect class=\"o-{}\" x=\"{x:.2}\" y=\"0\" width=\"{width:.2}\" height=\"22\"><title>{}: {count}</title></rect>",
            outcome.slug(),
            outcome.title()
        );
        x += width;
    }
    svg.push_str("</svg><ul class=\"legend\">");
    for (outcome, count) in &present {
        let share = 100.0 * f64::from(*count) / f64::from(total);
        let _ = write!(
            svg,
            "<li><i class=\"o-{}\"></i>{} <b>{count}</b> <span class=\"muted\">{share:.1} %</span></li>",
            outcome.slug(),
            outcome.title()
        );
    }
    svg.push_str("</ul>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_bar() {
        let bar = outcome_bar(&[("correct".to_owned(), 3), ("wrong".to_owned(), 1)].into());
        assert!(bar.contains("width=\"540.00\"") && bar.contains("x=\"540.00\"") && bar.contains("width=\"180.00\""));
        assert!(bar.contains("3 correct, 1 wrong"));
        assert!(outcome_bar(&BTreeMap::new()).contains("No sample"));
    }
}
