//! Pictures of pages: tables, charts and lines of text, drawn in one font and written as PNG files.
//!
//! A picture is a function of what it shows, to the byte, so that nobody stores one.

mod chart;
mod font;
pub(crate) mod png;
mod table;

pub(crate) use chart::{Chart, Shape};
pub(crate) use table::Table;

use self::font::Pen;
use self::png::Raster;

/// Paper, ink, lines of a grid, and the two colours of data.
const PALETTE: [[u8; 3]; 16] = {
    let white = [255, 255, 255];
    let mut palette = [white; 16];
    palette[1] = [20, 20, 20];
    palette[2] = [190, 190, 190];
    palette[3] = [40, 90, 190];
    palette[4] = [200, 60, 40];
    palette
};
const INK: u8 = 1;
const GRID: u8 = 2;
const BLUE: u8 = 3;
const RED: u8 = 4;
/// Pixels around what is drawn.
const MARGIN: usize = 12;

/// Letters of tables, axes and titles.
const PEN: Pen = Pen { scale: 2, colour: INK };

/// A line of large letters, a PNG file.
#[must_use]
pub fn line(text: &str) -> Vec<u8> {
    let pen = Pen { scale: 6, colour: INK };
    let (width, height) = pen.size(text);
    let mut raster = Raster::new(width + 2 * MARGIN, height + 2 * MARGIN);
    pen.write(&mut raster, (MARGIN, MARGIN), text);
    raster.png(&PALETTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_different_texts_differ() {
        assert_eq!(line("1234"), line("1234"));
        assert_ne!(line("1234"), line("1235"));
        assert!(line("1234").len() < 16 * 1024);
    }
}
