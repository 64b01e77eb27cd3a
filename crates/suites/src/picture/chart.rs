//! Bar charts and line charts with axes, labels and a grid.

use super::png::Raster;
use super::{BLUE, GRID, INK, MARGIN, PALETTE, PEN, RED};

/// Pixels of the field in which data stand.
const FIELD: (usize, usize) = (408, 192);
/// Parts into which the value axis is divided.
const PARTS: u32 = 4;
/// Half the side of a point of a line.
const POINT: usize = 4;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Bars with their values written over them.
    Bars,
    /// Points joined by a line, without their values.
    Line,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Stands over it.
    pub title: String,
    /// Name of the value axis, with the unit.
    pub axis: String,
    /// Bars or a line.
    pub shape: Shape,
    /// Label and value of each place, from left to right.
    pub points: Vec<(String, u32)>,
}

/// Where the field of a chart lies, and how high a value stands in it.
struct Frame {
    left: usize,
    top: usize,
    highest: u32,
    step: usize,
}

impl Frame {
    fn bottom(&self) -> usize {
        self.top + FIELD.1
    }

    fn y(&self, value: u32) -> usize {
        self.bottom() - value as usize * FIELD.1 / self.highest.max(1) as usize
    }

    /// The middle of a place.
    fn x(&self, place: usize) -> usize {
        self.left + place * self.step + self.step / 2
    }
}

impl Chart {
    /// A PNG file.
    pub fn picture(&self) -> Vec<u8> {
        let highest = round_up(self.points.iter().map(|(_, value)| *value).max().unwrap_or(1));
        let (labels, letter) = PEN.size(&highest.to_string());
        let frame = Frame {
            left: MARGIN + labels + 4,
            top: MARGIN + 3 * letter + 8,
            highest,
            step: FIELD.0 / self.points.len().max(1),
        };
        let titles = PEN.size(&self.title).0.max(PEN.size(&self.axis).0);
        let width = (frame.left + FIELD.0).max(MARGIN + titles) + MARGIN;
        let mut raster = Raster::new(width, frame.bottom() + 6 + letter + MARGIN);
        PEN.write(&mut raster, (MARGIN, MARGIN), &self.title);
        PEN.write(&mut raster, (MARGIN, MARGIN + letter + 2), &self.axis);
        axes(&mut raster, &frame);
        for (place, (label, _)) in self.points.iter().enumerate() {
            PEN.centre(&mut raster, (frame.x(place), frame.bottom() + 6), label);
        }
        match self.shape {
            Shape::Bars => self.bars(&mut raster, &frame),
            Shape::Line => self.line(&mut raster, &frame),
        }
        raster.png(&PALETTE)
    }

    fn bars(&self, raster: &mut Raster, frame: &Frame) {
        let letter = PEN.size(" ").1;
        for (place, (_, value)) in self.points.iter().enumerate() {
            let (x, y) = (frame.x(place), frame.y(*value));
            raster.fill((x - frame.step / 4, y), (frame.step / 2, frame.bottom() - y), BLUE);
            PEN.centre(raster, (x, y - letter - 1), &value.to_string());
        }
    }

    fn line(&self, raster: &mut Raster, frame: &Frame) {
        let places: Vec<(usize, usize)> =
            self.points.iter().enumerate().map(|(place, (_, value))| (frame.x(place), frame.y(*value))).collect();
        for pair in places.windows(2) {
            if let [from, to] = pair {
                stroke(raster, *from, *to);
            }
        }
        for (x, y) in places {
            raster.fill((x - POINT, y - POINT), (2 * POINT + 1, 2 * POINT + 1), RED);
        }
    }
}

/// Both axes, and a labelled line of the grid at each part of the value axis.
fn axes(raster: &mut Raster, frame: &Frame) {
    for part in 0..=PARTS {
        let value = frame.highest / PARTS * part;
        let y = frame.y(value);
        let colour = if part == 0 { INK } else { GRID };
        raster.fill((frame.left, y), (FIELD.0, 1), colour);
        let (width, height) = PEN.size(&value.to_string());
        PEN.write(raster, (frame.left.saturating_sub(width + 4), y - height / 2), &value.to_string());
    }
    raster.fill((frame.left, frame.top), (1, FIELD.1), INK);
}

/// A line two pixels thick; `to` lies to the right of `from`.
fn stroke(raster: &mut Raster, from: (usize, usize), to: (usize, usize)) {
    let across = (to.0 - from.0).max(1);
    let height = |x: usize| (from.1 * (across - x) + to.1 * x) / across;
    for x in 0..across {
        let (one, other) = (height(x), height(x + 1));
        raster.fill((from.0 + x, one.min(other)), (1, one.abs_diff(other) + 2), BLUE);
    }
}

/// The least number from `value` on that is 4, 8, 12 or 20 times a power of ten: its quarters are whole.
fn round_up(value: u32) -> u32 {
    let mut steps = (0..9).flat_map(|power| [4, 8, 12, 20].map(|step| step * 10_u32.pow(power)));
    steps.find(|step| *step >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shape: Shape, values: &[u32]) -> Chart {
        let points = values.iter().zip(1301..).map(|(value, year)| (year.to_string(), *value)).collect();
        Chart { title: "Figure 1".to_owned(), axis: "boats".to_owned(), shape, points }
    }

    #[test]
    fn a_chart_is_a_function_of_its_values() {
        for shape in [Shape::Bars, Shape::Line] {
            let picture = |values: &[u32]| chart(shape, values).picture();
            assert_eq!(picture(&[3, 180, 44]), picture(&[3, 180, 44]));
            assert_ne!(picture(&[3, 180, 44]), picture(&[3, 180, 60]));
            assert!(picture(&[0]).len() > 1000 && picture(&[]).len() > 1000 && picture(&[9800; 6]).len() < 96 * 1024);
        }
    }

    #[test]
    fn a_value_axis_holds_its_values_and_has_whole_quarters() {
        for value in 1..20_000 {
            let top = round_up(value);
            assert!(top >= value && top.is_multiple_of(PARTS) && top <= value.max(2) * 5 / 2, "{value}: {top}");
        }
    }
}
