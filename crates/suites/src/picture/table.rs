//! Tables, as text and drawn with ruled cells.

use super::png::Raster;
use super::{GRID, INK, MARGIN, PALETTE, PEN};

/// Pixels between a cell's line and its text.
const PADDING: usize = 6;

/// A table. Rows have as many cells as the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Stands over it.
    pub title: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Head and rows, cells divided by bars, each row on a line.
    pub fn text(&self) -> String {
        let lines: Vec<String> = std::iter::once(&self.head).chain(&self.rows).map(|row| row.join(" | ")).collect();
        lines.join("\n")
    }

    /// A PNG file.
    pub fn picture(&self) -> Vec<u8> {
        let letter = PEN.size(" ").1;
        let row_height = letter + 2 * PADDING;
        let widths: Vec<usize> = (0..self.head.len()).map(|column| self.column(column)).collect();
        let across: usize = widths.iter().sum();
        let rows = 1 + self.rows.len();
        let top = MARGIN + letter + PADDING;
        let width = across.max(PEN.size(&self.title).0) + 2 * MARGIN + 1;
        let mut raster = Raster::new(width, top + rows * row_height + MARGIN + 1);
        PEN.write(&mut raster, (MARGIN, MARGIN), &self.title);
        for (place, row) in std::iter::once(&self.head).chain(&self.rows).enumerate() {
            let y = top + place * row_height;
            let mut x = MARGIN;
            for (cell, width) in row.iter().zip(&widths) {
                // Numbers stand at the right of their cells.
                let indent = width - PADDING - PEN.size(cell).0.min(*width - PADDING);
                PEN.write(&mut raster, (x + indent, y + PADDING), cell);
                x += width;
            }
        }
        for place in 0..=rows {
            let colour = if place < 2 || place == rows { INK } else { GRID };
            raster.fill((MARGIN, top + place * row_height), (across + 1, 1), colour);
        }
        let edges = widths.iter().scan(MARGIN, |x, width| {
            *x += width;
            Some(*x)
        });
        for x in std::iter::once(MARGIN).chain(edges) {
            raster.fill((x, top), (1, rows * row_height), INK);
        }
        raster.png(&PALETTE)
    }

    /// Pixels of a column.
    fn column(&self, column: usize) -> usize {
        let cells = std::iter::once(&self.head).chain(&self.rows).filter_map(|row| row.get(column));
        cells.map(|cell| PEN.size(cell).0).max().unwrap_or(0) + 2 * PADDING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cell: &str) -> Table {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        Table { title: "Table 1".to_owned(), head: row(["year", "boats"]), rows: vec![row(["1301", cell])] }
    }

    #[test]
    fn a_table_is_a_function_of_its_cells() {
        assert_eq!(table("17").text(), "year | boats\n1301 | 17");
        assert_eq!(table("17").picture(), table("17").picture());
        assert_ne!(table("17").picture(), table("71").picture());
    }
}
