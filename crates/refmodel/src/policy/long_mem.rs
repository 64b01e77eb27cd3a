//! LongMem: a window, and a memory of older keys and values that each query searches.

use super::select::{sinks_and, top};
use super::{
    Card, GATHERED, Join, PageUse, Parameter, Places, Policy, Properties, Reading, Seen, Selector, Site, Span,
};
use super::{Tile, weigh};
use crate::cache::{HeadCache, Slot};
use crate::page::{PAGE, Page, first_bits};

/// LongMem, untrained.
pub const CARD: Card = Card {
    slug: "longmem",
    title: "LongMem (untrained)",
    citation: "Wang et al. 2023, Augmenting language models with long-term memory, arXiv 2306.07174; code Victorwz/LongMem @ \
               b7f3c6b (Apache-2.0)",
    what: "Each query reads a window and, with a softmax of its own and without positions, the older chunks of 4 tokens \
           whose mean key has the largest product with it; both count the same.",
    differs: "Nothing is trained: there is no side network, the model itself reads the memory in every layer where the \
              policy decides, and the gate stays where training starts, at 1/2. The window slides instead of ending with \
              a segment, and up to 3 tokens between it and the last whole chunk are in neither. Memory is dropped by whole pages of 64 tokens.",
    parameters: &[
        Parameter { name: "window", help: "last tokens read", default: 1024.0, least: 1.0 },
        Parameter { name: "memory", help: "older tokens kept", default: 65_536.0, least: 0.0 },
        Parameter { name: "retrieved", help: "tokens read from the memory", default: 64.0, least: 4.0 },
        Parameter { name: "gate", help: "share of the memory", default: 0.5, least: 0.0 },
    ],
    properties: Properties { recalls: true, bounded: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(LongMem {
            window: settings.count("window"),
            memory: settings.count("memory"),
            chunks: settings.count("retrieved") / CHUNK,
            gate: settings.number("gate").min(1.0),
        })
    },
};

/// Tokens of a chunk.
const CHUNK: usize = 4;
/// All keys and queries at one position: the rotation cancels.
const NOWHERE: Places = Places::Grouped { by: usize::MAX, shift: 0 };

#[derive(Clone, Copy)]
struct LongMem {
    window: usize,
    memory: usize,
    chunks: usize,
    gate: f64,
}

impl Policy for LongMem {
    fn raw_keys(&self) -> bool {
        true
    }

    fn tile_rows(&self, _: bool) -> usize {
        GATHERED
    }

    fn own_bytes(&self, tokens: usize, dim: usize, _: usize) -> usize {
        (tokens / CHUNK).div_ceil(PAGE) * Page::new(dim).bytes()
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(Memory { policy: *self, means: Vec::new(), dropped: 0 })
    }
}

struct Memory {
    policy: LongMem,
    /// Mean keys of chunks as keys of pages, to be multiplied by lanes.
    means: Vec<Page>,
    /// Pages of means that were dropped in front.
    dropped: usize,
}

impl Selector for Memory {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        self.remember(cache);
        let from = (tile.first + 1).saturating_sub(self.policy.window);
        let window = sinks_and(cache, 0, from, tile.end());
        let mut readings = vec![Reading { span: Span::Near(self.policy.window), ..Reading::of(window) }];
        if tile.end() > self.policy.window {
            self.search(cache, tile, &mut readings);
        }
        readings
    }

    fn settle(&mut self, cache: &mut HeadCache, _: &Seen<'_>) {
        let from = cache.next().saturating_sub(self.policy.window + self.policy.memory);
        cache.retain_pages(|slot| slot.end() > from);
        let gone = (from / (CHUNK * PAGE)).saturating_sub(self.dropped).min(self.means.len());
        self.means.drain(..gone);
        self.dropped += gone;
    }

    fn bytes(&self) -> usize {
        self.means.iter().map(Page::bytes).sum()
    }

    fn forget(&mut self, next: usize) {
        // A page of means that is cut is made anew from the keys.
        self.means.truncate((next / (CHUNK * PAGE)).saturating_sub(self.dropped));
    }
}

impl Memory {
    /// Chunks remembered, those dropped included.
    fn chunks(&self) -> usize {
        self.dropped * PAGE + self.means.iter().map(Page::len).sum::<usize>()
    }

    /// Takes in chunks that became full.
    fn remember(&mut self, cache: &HeadCache) {
        let dim = cache.dim();
        for chunk in self.chunks()..cache.next() / CHUNK {
            let Some((_, slot)) = slot_of(cache, chunk) else { continue };
            let mean = mean_key(slot, chunk * CHUNK - slot.first, dim);
            if self.means.last().is_none_or(|page| page.len() == PAGE) {
                self.means.push(Page::new(dim));
            }
            if let Some(page) = self.means.last_mut() {
                page.push(&mean, &[]);
            }
        }
    }

    /// One reading per row that has a memory.
    #[expect(clippy::cast_possible_truncation, reason = "f32 is the model's precision")]
    fn search(&self, cache: &HeadCache, tile: &Tile<'_>, readings: &mut Vec<Reading>) {
        let base = self.dropped * PAGE;
        // Chunks younger than the window of the last row are in no row's memory.
        let used = ((tile.end() - self.policy.window) / CHUNK).saturating_sub(base);
        let pages = self.means.iter().take(used.div_ceil(PAGE));
        tile.meter.products(tile.rows(), used, tile.dim);
        weigh::products(pages, tile.queries, tile.dim, |row, products| {
            let to = (tile.first + row + 1).saturating_sub(self.policy.window);
            let from = to.saturating_sub(self.policy.memory).div_ceil(CHUNK).max(base);
            let scores = products.get(from - base..(to / CHUNK).saturating_sub(base)).unwrap_or_default();
            let chosen = top(scores, self.policy.chunks).into_iter().map(|chunk| chunk + from);
            let pages = pages_of(cache, chosen);
            if !pages.is_empty() {
                let (rows, join) = (Some(vec![row]), Join::Gate(self.policy.gate as f32));
                readings.push(Reading { places: NOWHERE, rows, join, ..Reading::of(pages) });
            }
        });
    }
}

/// Nothing is dropped but in front: pages follow each other.
fn slot_of(cache: &HeadCache, chunk: usize) -> Option<(usize, &Slot)> {
    let first = cache.slots().first()?.first;
    let place = (chunk * CHUNK).checked_sub(first)? / PAGE;
    Some((place, cache.slots().get(place)?))
}

#[expect(clippy::cast_precision_loss, reason = "tokens of a chunk")]
fn mean_key(slot: &Slot, from: usize, dim: usize) -> Vec<f32> {
    let mut mean = vec![0.0; dim];
    for token in from..from + CHUNK {
        mean.iter_mut().zip(slot.page.key(token)).for_each(|(mean, channel)| *mean += channel / CHUNK as f32);
    }
    mean
}

/// Chunks, ascending, as uses of their pages.
fn pages_of(cache: &HeadCache, chunks: impl Iterator<Item = usize>) -> Vec<PageUse> {
    let mut pages: Vec<PageUse> = Vec::new();
    for chunk in chunks {
        let Some((slot, page)) = slot_of(cache, chunk) else { continue };
        let bits = first_bits(CHUNK) << (chunk * CHUNK - page.first);
        match pages.last_mut() {
            Some(last) if last.slot == slot => last.valid |= bits,
            _ => pages.push(PageUse { slot, valid: bits }),
        }
    }
    pages
}
