//! HoloBench (arXiv 2410.11996; megagonlabs/holobench @ 5799335c): rows of a query's answer found in a reply.
//!
//! Upstream stops at a judge's labels per row of the answer. Their mean is the paper's rule; the rule scorers beside it
//! are Longboard's, so that a run needs no judge.

mod context;
mod fill;

pub use context::{Entry, Loaded, Placement, Setting, load_context, merge_contexts, table};
pub use fill::{FillError, fill_context};

use super::catalogue::{Form, Metric, Source, metric};

const SOURCE: Source =
    Source { benchmark: "HoloBench", citation: "arXiv 2410.11996; megagonlabs/holobench @ 5799335c" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 5] = [
    metric(SOURCE, "holobench.merge_contexts", "Sentences merged by position", Form::Official, 1.0),
    metric(SOURCE, "holobench.load_context", "Context and gold rows of a query", Form::Official, 1.0),
    metric(SOURCE, "holobench.label_mean_paper_rule", "Mean of a judge's labels", Form::Official, 100.0),
    metric(SOURCE, "holobench.row_match", "Rows found by their cells", Form::Strict, 1.0),
    metric(SOURCE, "holobench.row_match.strict", "F1 of rows, cell by cell", Form::Strict, 1.0),
];

/// Mean of a judge's labels in percent: 1 for an exact match, a half for a partial one, else 0 (section 3.3 of the
/// paper). No labels score 0.
#[must_use]
pub fn label_mean<'a>(labels: impl IntoIterator<Item = &'a str>) -> f64 {
    let weight = |label: &str| match label {
        "Exact Match" => 1.0,
        "Partial Match" => 0.5,
        _ => 0.0,
    };
    100.0 * mean(&labels.into_iter().map(weight).collect::<Vec<f64>>())
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Where the answer begins: after the last `Answer:`, or at the start.
fn answer_of(reply: &str) -> &str {
    reply.rsplit_once("Answer:").map_or(reply, |(_, answer)| answer)
}

/// Mean over gold rows: 1 where one line of the answer holds all cells of the row, a half where one holds at least
/// half of them, in any order and among other words; 0..1. Like the paper's rule it does not mind other rows.
#[must_use]
pub fn row_match(reply: &str, rows: &[Vec<String>]) -> f64 {
    let lines: Vec<String> = answer_of(reply).lines().map(spaced).filter(|line| line.len() > 1).collect();
    let share = |line: &String, row: &[String]| row.iter().filter(|cell| holds(line, cell)).count();
    let label = |row: &Vec<String>| {
        let best = lines.iter().map(|line| share(line, row)).max().unwrap_or_default();
        match best {
            best if best == row.len() && best > 0 => 1.0,
            best if best * 2 >= row.len() && best > 0 => 0.5,
            _ => 0.0,
        }
    };
    mean(&rows.iter().map(label).collect::<Vec<f64>>())
}

/// F1 of the answer's rows, one line each with cells between `|`, against the gold rows as multisets; 0..1.
#[must_use]
pub fn row_match_strict(reply: &str, rows: &[Vec<String>]) -> f64 {
    let cells = |line: &str| line.split('|').map(spaced).filter(|cell| cell.len() > 1).collect::<Vec<String>>();
    let given: Vec<Vec<String>> = answer_of(reply).lines().map(cells).filter(|row| !row.is_empty()).collect();
    let mut counts = std::collections::HashMap::<Vec<String>, usize>::new();
    for row in &given {
        *counts.entry(row.clone()).or_default() += 1;
    }
    let mut hits = 0;
    for row in rows {
        let key: Vec<String> = row.iter().map(|cell| spaced(cell)).collect();
        if let Some(count) = counts.get_mut(&key).filter(|count| **count > 0) {
            *count -= 1;
            hits += 1;
        }
    }
    let sides = given.len() + rows.len();
    if sides == 0 { 0.0 } else { 2.0 * f64::from(hits) / sides as f64 }
}

fn holds(line: &str, cell: &str) -> bool {
    line.contains(&spaced(cell))
}

/// Lower-cased words and numbers between single spaces, with a space at both ends. Separators within a number stay out,
/// its decimal point stays in.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    let mut scalars = text.chars().flat_map(char::to_lowercase).peekable();
    let mut after_digit = false;
    while let Some(scalar) = scalars.next() {
        let in_number = after_digit && scalars.peek().is_some_and(char::is_ascii_digit);
        after_digit = scalar.is_ascii_digit();
        match scalar {
            ',' if in_number => after_digit = true,
            '.' if in_number => out.push('.'),
            _ if scalar.is_alphanumeric() => out.push(scalar),
            _ if out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> Vec<Vec<String>> {
        [["Alford", "1204"], ["Belham", "37.5"]].map(|row| row.map(str::to_owned).to_vec()).to_vec()
    }

    #[test]
    fn rows_are_found_by_their_cells() {
        assert_eq!(row_match("Reasoning 9\nAnswer:\nalford: 1,204 sacks\n* 37.5 at Belham.", &rows()), 1.0);
        assert_eq!(row_match("Alford 12\nBelham | 37.5", &rows()), 0.75);
        assert_eq!(row_match("Alford\n1204", &rows()), 0.25);
        assert_eq!(row_match("", &rows()), 0.0);
        assert_eq!(row_match("x 11204 Alfords", &rows()), 0.0);
    }

    #[test]
    fn the_strict_form_minds_other_rows() {
        assert_eq!(row_match_strict("Answer:\nAlford | 1204\nBelham | 37.5\n", &rows()), 1.0);
        assert_eq!(row_match_strict("Alford | 1204\nCorley | 3", &rows()), 0.5);
        assert_eq!(row_match_strict("Alford | 1204\nAlford | 1204", &rows()), 0.5);
        assert_eq!(row_match_strict("", &rows()), 0.0);
    }

    proptest! {
        #[test]
        fn any_text_is_scored(text in "(\\PC{0,200}|(Alford|1204|Belham| |\\||\n|Answer:){0,40})") {
            let (found, strict) = (row_match(&text, &rows()), row_match_strict(&text, &rows()));
            prop_assert!((0.0..=1.0).contains(&found) && (0.0..=1.0).contains(&strict));
            prop_assert_eq!(row_match(&text, &[]), 0.0);
        }
    }

    #[test]
    fn a_megabyte_is_scored() {
        let text = "Alford | 1204\n".repeat(75_000);
        assert_eq!(row_match(&text, &rows()), 0.5);
        assert!(row_match_strict(&text, &rows()) < 0.001);
    }
}
