//! Scenes: coloured shapes on a grid, told cell by cell and drawn.
//!
//! The scenes of a block are the same up to one late cell each, so that whoever reads only the beginning of a caption
//! cannot tell them apart.

use crate::card::Language;
use crate::haystack::{Passage, PassageBuilder, planting_cost};
use crate::picture::png::Raster;
use crate::rng::Rng;

/// Scenes of a block.
pub const SCENES: u32 = 20;
/// Pixels of a cell's side.
const CELL: usize = 16;
/// Canonical tokens of a cell's sentence, about; only the width of grids depends on it.
const CELL_TOKENS: u32 = 8;

/// All words are one token after a space, so that captions of one block have the same length.
const SIZES: [&str; 2] = ["small", "large"];
const COLOURS: [&str; 8] = ["red", "blue", "green", "yellow", "black", "white", "pink", "brown"];
const SHAPES: [&str; 8] = ["circle", "square", "triangle", "diamond", "cross", "bar", "ring", "arrow"];

/// Background and frame, then the colours.
const PALETTE: [[u8; 3]; 16] = {
    let grey = [190, 190, 190];
    [
        grey,
        [215, 30, 30],
        [30, 60, 215],
        [20, 150, 50],
        [240, 215, 30],
        [10, 10, 10],
        [250, 250, 250],
        [250, 130, 190],
        [125, 75, 35],
        grey,
        grey,
        grey,
        grey,
        grey,
        grey,
        grey,
    ]
};

/// What stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    size: usize,
    colour: usize,
    shape: usize,
}

impl Figure {
    /// How many there are.
    const ALL: usize = SIZES.len() * COLOURS.len() * SHAPES.len();

    /// Figure `number`, from 0 on and over again.
    fn numbered(number: usize) -> Self {
        let (rest, shape) = (number / SHAPES.len(), number % SHAPES.len());
        Self { size: rest / COLOURS.len() % SIZES.len(), colour: rest % COLOURS.len(), shape }
    }

    fn number(self) -> usize {
        (self.size * COLOURS.len() + self.colour) * SHAPES.len() + self.shape
    }

    fn words(self) -> String {
        let word = |words: &[&'static str], at: usize| words.get(at).copied().unwrap_or_default();
        format!("{} {} {}", word(&SIZES, self.size), word(&COLOURS, self.colour), word(&SHAPES, self.shape))
    }

    /// Whether the pixel (x, y) of a cell, counted from its middle in half pixels, is inside.
    fn holds(self, x: i32, y: i32) -> bool {
        let reach = if self.size == 0 { 8 } else { 14 };
        let (across, down) = (x.abs(), y.abs());
        if across > reach || down > reach {
            return false;
        }
        let round = x * x + y * y;
        match self.shape {
            0 => round <= reach * reach,
            1 => true,
            2 => 2 * across <= y + reach,
            3 => across + down <= reach,
            4 => across <= reach / 3 || down <= reach / 3,
            5 => down <= reach / 3,
            6 => round <= reach * reach && 4 * round >= reach * reach,
            _ => 2 * down <= x + reach,
        }
    }
}

/// A scene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    columns: usize,
    cells: Vec<Figure>,
    /// The cell in which it is unlike the other scenes of its block.
    late: usize,
}

/// A caption with the sentence of the late cell.
pub struct Caption {
    /// The text.
    pub passage: Passage,
    /// The sentence that only this caption has.
    pub late: String,
    /// Canonical tokens before it.
    pub late_token: u32,
    /// Bytes before it.
    pub late_byte: usize,
}

impl Scene {
    /// Scene `number` of a block. `stream` is the block's stream for a name. As many cells as a caption of `budget`
    /// canonical tokens tells.
    pub fn draw(stream: &dyn Fn(&str) -> Rng, number: u32, tokens: u32, budget: u32) -> Self {
        let columns = (f64::from(tokens / CELL_TOKENS).sqrt().ceil() as usize).max(2);
        let mut rng = stream("scene");
        let mut cells = Vec::new();
        let mut counted = Counted::new(columns);
        loop {
            let figure = Figure::numbered(rng.index(Figure::ALL));
            if counted.add(figure) > budget {
                break;
            }
            cells.push(figure);
        }
        // Late cells lie behind the middle, another one for every scene as long as there are enough; what changes in a
        // cell is different for all, so that no two scenes are the same.
        let half = cells.len() / 2;
        let order = stream("late").distinct(cells.len() - half, SCENES as usize);
        let changes = stream("change").distinct(Figure::ALL - 1, SCENES as usize);
        let place = order.get(number as usize % order.len().max(1)).copied().unwrap_or(0);
        let change = changes.get(number as usize).copied().unwrap_or(0) + 1;
        let late = (half + place).min(cells.len().saturating_sub(1));
        if let Some(cell) = cells.get_mut(late) {
            *cell = Figure::numbered(cell.number() + change);
        }
        Self { columns, cells, late }
    }

    /// Every cell in order, at most `budget` canonical tokens, its last ones closing sentences.
    pub fn caption(&self, budget: u32) -> Caption {
        let mut builder = PassageBuilder::new(Language::English, budget as usize * 5);
        let mut caption = (String::new(), 0, 0);
        for (at, figure) in self.cells.iter().enumerate() {
            let sentence = sentence(self.columns, at, *figure);
            let before = builder.tokens();
            builder.counted_sentence(&sentence, planting_cost(Language::English, &sentence));
            if at == self.late {
                caption = (sentence.clone(), before, builder.bytes() - sentence.len());
            }
        }
        for closing in ["Nothing else is in it.", "That is all."] {
            let cost = planting_cost(Language::English, closing);
            while builder.tokens() + cost <= budget {
                builder.counted_sentence(closing, cost);
            }
        }
        let (late, late_token, late_byte) = caption;
        Caption { passage: builder.finish(), late, late_token, late_byte }
    }

    /// The late cell in a few words.
    pub fn detail(&self) -> String {
        let figure = self.cells.get(self.late).map_or_else(String::new, |figure| figure.words());
        let (row, place) = (self.late / self.columns + 1, self.late % self.columns + 1);
        format!("The scene in which a {figure} stands at place {place} of row {row}.")
    }

    /// The picture, a PNG file.
    pub fn picture(&self) -> Vec<u8> {
        let rows = self.cells.len().div_ceil(self.columns);
        let mut raster = Raster::new(self.columns * CELL, rows * CELL);
        for (at, figure) in self.cells.iter().enumerate() {
            let (left, top) = (at % self.columns * CELL, at / self.columns * CELL);
            for (x, y) in (0..CELL).flat_map(|y| (0..CELL).map(move |x| (x, y))) {
                let middle = |place: usize| 2 * i32::try_from(place).unwrap_or(0) + 1 - CELL as i32;
                if figure.holds(middle(x), middle(y)) {
                    raster.set(left + x, top + y, figure.colour as u8 + 1);
                }
            }
        }
        raster.png(&PALETTE)
    }
}

/// Rows begin with their number.
fn sentence(columns: usize, at: usize, figure: Figure) -> String {
    match at % columns {
        0 => format!("Row {} begins with a {}.", at / columns + 1, figure.words()),
        _ => format!("Then comes a {}.", figure.words()),
    }
}

/// Counts the tokens of a caption cell by cell.
struct Counted {
    columns: usize,
    cells: usize,
    tokens: u32,
}

impl Counted {
    fn new(columns: usize) -> Self {
        Self { columns, cells: 0, tokens: 0 }
    }

    fn add(&mut self, figure: Figure) -> u32 {
        let sentence = sentence(self.columns, self.cells, figure);
        self.cells += 1;
        self.tokens += planting_cost(Language::English, &sentence);
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(number: u32) -> Scene {
        let stream = |what: &str| Rng::from_path(&[5, Rng::name(what)]);
        Scene::draw(&stream, number, 1024, 1000)
    }

    #[test]
    fn every_figure_takes_as_many_tokens() {
        let all = (0..2).flat_map(|size| (0..8).flat_map(move |colour| (0..8).map(move |shape| (size, colour, shape))));
        for (size, colour, shape) in all {
            let words = format!(" {}", Figure { size, colour, shape }.words());
            assert_eq!(crate::tokens::count(&words), 3, "{words}");
        }
    }

    #[test]
    fn every_figure_looks_different() {
        let mut seen = std::collections::BTreeSet::new();
        for (size, shape) in (0..2).flat_map(|size| (0..8).map(move |shape| (size, shape))) {
            let figure = Figure { size, colour: 0, shape };
            let middle = |place: i32| 2 * place - 15;
            let drawn: Vec<bool> =
                (0..16).flat_map(|y| (0..16).map(move |x| figure.holds(middle(x), middle(y)))).collect();
            assert!(drawn.contains(&true) && seen.insert(drawn), "{figure:?}");
        }
    }

    #[test]
    fn scenes_of_a_block_differ_in_one_late_cell_each() {
        let (one, other) = (scene(3), scene(7));
        let differ: Vec<usize> = (0..one.cells.len()).filter(|cell| one.cells[*cell] != other.cells[*cell]).collect();
        let mut late = vec![one.late, other.late];
        late.sort_unstable();
        assert_eq!((differ, one.cells.len()), (late.clone(), other.cells.len()));
        assert!(late[0] >= one.cells.len() / 2);
        assert_ne!(one.picture(), other.picture());
        assert_eq!(one.picture(), scene(3).picture());
    }

    #[test]
    fn no_two_scenes_are_the_same_where_late_cells_are_few() {
        let stream = |what: &str| Rng::from_path(&[6, Rng::name(what)]);
        let pictures: std::collections::BTreeSet<Vec<u8>> =
            (0..SCENES).map(|number| Scene::draw(&stream, number, 256, 100).picture()).collect();
        assert_eq!(pictures.len(), SCENES as usize);
        for number in 0..Figure::ALL {
            assert_eq!(Figure::numbered(number).number(), number);
        }
    }

    #[test]
    fn captions_of_a_block_have_one_length() {
        let tokens: std::collections::BTreeSet<u32> =
            (0..SCENES).map(|number| scene(number).caption(1000).passage.tokens).collect();
        assert!(tokens.len() == 1 && tokens.first().is_some_and(|tokens| (996..=1000).contains(tokens)), "{tokens:?}");
    }
}
