//! Tiles of queries and their page lists in the flat arrays that the kernel for graphics processors takes.

use half::bf16;

use super::number;
use crate::kernel::RowRange;
#[cfg(any(test, feature = "cuda"))]
use crate::page::{PAGE, Page};

/// Most rows of a part; the kernel's `ROWS`.
const ROWS: usize = 64;

/// Fewest pages of a part, so that joining parts stays cheap.
const FEWEST_PAGES: usize = 8;

/// A page of a list; the kernel's `Listed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Listed {
    /// Where the page lies on the device.
    pub slot: u32,
    /// Index of its first token, in the order in which rows count.
    pub first: u32,
    /// Bit t set: token t may be read; once in a batch, some row sees it too.
    pub seen: u64,
}

/// Rows and the pages that a block of threads reads for them; the kernel's `Part`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Part {
    /// First row.
    pub row: u32,
    /// Rows, at most 64.
    pub rows: u32,
    /// First place in the list of pages.
    pub page: u32,
    /// Pages.
    pub pages: u32,
    /// First row of its results.
    pub out: u32,
}

/// A row whose pages were read in parts; the kernel's `Merge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Merge {
    /// The row.
    pub out: u32,
    /// Row of the first part's result.
    pub from: u32,
    /// Parts.
    pub parts: u32,
    /// Rows between two parts' results.
    pub stride: u32,
}

/// What is attended to in one launch.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    dim: usize,
    queries: Vec<bf16>,
    ranges: Vec<[u32; 2]>,
    pages: Vec<Listed>,
    /// One per tile, over all of its pages.
    tiles: Vec<Part>,
}

/// The parts of a batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// One for each block of threads.
    pub parts: Vec<Part>,
    /// Rows that are joined afterwards.
    pub merges: Vec<Merge>,
    /// Rows of results, those of parts behind those of the batch.
    pub rows: usize,
}

impl Batch {
    /// An empty one for heads of `dim` channels.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, queries: Vec::new(), ranges: Vec::new(), pages: Vec::new(), tiles: Vec::new() }
    }

    /// Rows in it.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ranges.len()
    }

    /// Channels of a head.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// `[rows, dim]`.
    #[must_use]
    pub fn queries(&self) -> &[bf16] {
        &self.queries
    }

    /// Keys that each row sees: from, to.
    #[must_use]
    pub fn ranges(&self) -> &[[u32; 2]] {
        &self.ranges
    }

    /// Pages of all tiles.
    #[must_use]
    pub fn pages(&self) -> &[Listed] {
        &self.pages
    }

    /// Adds rows that read the same pages, with queries as [`crate::kernel::attend`] takes them. Pages that no row sees are
    /// left out.
    pub fn push(&mut self, queries: &[f32], ranges: &[RowRange], pages: &[Listed]) {
        for (queries, ranges) in queries.chunks(ROWS * self.dim).zip(ranges.chunks(ROWS)) {
            let (row, page) = (number(self.ranges.len()), number(self.pages.len()));
            self.pages.extend(pages.iter().filter_map(|page| seen(*page, ranges)));
            self.queries.extend(queries.iter().map(|channel| bf16::from_f32(*channel)));
            self.ranges.extend(ranges.iter().map(|range| [number(range.from), number(range.to)]));
            let pages = number(self.pages.len()) - page;
            self.tiles.push(Part { row, rows: number(ranges.len()), page, pages, out: row });
        }
    }

    /// Parts for a device that runs `blocks` of them at once: long lists are cut where there are fewer tiles.
    #[must_use]
    pub fn plan(&self, blocks: usize) -> Plan {
        let most = number(self.pages.len().div_ceil(blocks.max(1)).max(FEWEST_PAGES));
        let mut plan = Plan { rows: self.rows(), ..Plan::default() };
        for tile in &self.tiles {
            let count = tile.pages.div_ceil(most).max(1);
            let first = number(plan.rows);
            for part in 0..count {
                let skipped = part * most;
                let out = if count == 1 { tile.out } else { first + part * tile.rows };
                let pages = most.min(tile.pages - skipped);
                plan.parts.push(Part { page: tile.page + skipped, pages, out, ..*tile });
            }
            if count > 1 {
                let joined = |row| Merge { out: tile.out + row, from: first + row, parts: count, stride: tile.rows };
                plan.merges.extend((0..tile.rows).map(joined));
                plan.rows += (count * tile.rows) as usize;
            }
        }
        plan
    }
}

/// Keys and then values of a page, in bf16, `[PAGE, dim]` each, token after token; tokens that are not there are zero.
#[cfg(any(test, feature = "cuda"))]
pub(super) fn rows_of(page: &Page, dim: usize) -> (Vec<bf16>, Vec<bf16>) {
    let laid = |rows: &mut dyn Iterator<Item = Vec<f32>>| {
        let mut laid: Vec<bf16> = rows.flatten().map(bf16::from_f32).collect();
        laid.resize(PAGE * dim, bf16::ZERO);
        laid
    };
    (laid(&mut page.all_keys()), laid(&mut page.all_values()))
}

/// The page with the tokens that some of the rows see.
fn seen(page: Listed, ranges: &[RowRange]) -> Option<Listed> {
    let any = ranges.iter().fold(0, |any, range| any | range.bits(page.first as usize));
    let seen = page.seen & any;
    (seen != 0).then_some(Listed { seen, ..page })
}
