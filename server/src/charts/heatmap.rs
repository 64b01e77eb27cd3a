//! Score by depth and length.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::escaped;

const CELL_WIDTH: usize = 74;
const CELL_HEIGHT: usize = 26;
const LEFT: usize = 64;
const BOTTOM: usize = 40;

/// Mean score, 0..100, of the samples of one depth and length.
#[derive(Debug, Clone)]
pub(crate) struct HeatCell {
    pub depth_percent: u32,
    pub tokens: u32,
    pub length: String,
    pub score: f64,
    pub n: u32,
}

/// Depths as rows from the top of the prompt, lengths as columns.
pub(crate) fn heatmap(cells: &[HeatCell]) -> String {
    if cells.is_empty() {
        return "<p class=\"empty\">None of the tasks places its needle at a set depth, or none has answers yet.</p>"
            .to_owned();
    }
    let depths: Vec<u32> = cells.iter().map(|cell| cell.depth_percent).collect::<BTreeSet<_>>().into_iter().collect();
    let lengths: Vec<(u32, String)> =
        cells.iter().map(|cell| (cell.tokens, cell.length.clone())).collect::<BTreeSet<_>>().into_iter().collect();
    let (width, height) = (LEFT + lengths.len() * CELL_WIDTH + 8, depths.len() * CELL_HEIGHT + BOTTOM);
    let mut svg = format!(
        "<svg class=\"chart heat\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\"><title>Score by depth and length</title><desc>Mean score, 0 to 100, of samples whose needle lies at a depth of the prompt, by length in tokens</desc>"
    );
    for (row, depth) in depths.iter().enumerate() {
        let (x, y) = (LEFT - 8, row * CELL_HEIGHT + 17);
        let _ = write!(svg, "<text class=\"tick end\" x=\"{x}\" y=\"{y}\">{depth} %</text>");
        for (column, (tokens, _)) in lengths.iter().enumerate() {
            let found = cells.iter().find(|cell| cell.depth_percent == *depth && cell.tokens == *tokens);
            draw(&mut svg, row, column, found);
        }
    }
    for (column, (_, length)) in lengths.iter().enumerate() {
        let (x, y) = (LEFT + column * CELL_WIDTH + CELL_WIDTH / 2, depths.len() * CELL_HEIGHT + 16);
        let _ = write!(svg, "<text class=\"tick mid\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(length));
    }
    let _ = write!(
        svg,
        "<text class=\"tick\" x=\"2\" y=\"{}\">depth × length, tokens</text></svg>",
        depths.len() * CELL_HEIGHT + 34
    );
    svg
}

fn draw(svg: &mut String, row: usize, column: usize, cell: Option<&HeatCell>) {
    let (x, y) = (LEFT + column * CELL_WIDTH, row * CELL_HEIGHT);
    let (width, height) = (CELL_WIDTH - 2, CELL_HEIGHT - 2);
    let Some(cell) = cell else {
        let _ = write!(svg, "<rect class=\"hole\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>");
        return;
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10")]
    let class = (cell.score / 10.0).round().clamp(0.0, 10.0) as u8;
    let _ = write!(
        svg,
        "<g class=\"h{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>depth {} %, {}: {:.1}, {} samples</title></rect><text class=\"mid\" x=\"{}\" y=\"{}\">{:.0}</text></g>",
        cell.depth_percent,
        escaped(&cell.length),
        cell.score,
        cell.n,
        x + width / 2,
        y + 17,
        cell.score
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_down_and_missing_cells_show_as_holes() {
        let cell = |depth_percent, kilo: u32, score| HeatCell {
            depth_percent,
            tokens: kilo * 1024,
            length: format!("{kilo}k"),
            score,
            n: 4,
        };
        let chart = heatmap(&[cell(100, 4, 37.5), cell(0, 4, 100.0), cell(0, 8, 0.0)]);
        assert!(chart.find("0 %</text>").unwrap() < chart.find("100 %</text>").unwrap());
        assert_eq!(chart.matches("class=\"hole\"").count(), 1);
        assert!(chart.contains("depth 100 %, 4k: 37.5, 4 samples"));
        assert!(heatmap(&[]).contains("None of the tasks"));
    }
}
