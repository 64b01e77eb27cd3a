//! Quest: pages by an upper bound of their scores.

use super::dense::All;
use super::select::top;
use super::{Card, PageUse, Parameter, Policy, Properties, Reading, Selector, Site, Tile};
use crate::cache::{HeadCache, LOGICAL, PARTS, Summaries};
use crate::page::first_bits;

/// Quest.
pub const CARD: Card = Card {
    slug: "quest",
    title: "Quest",
    citation: "Tang et al. 2024, Quest: query-aware sparsity for efficient long-context LLM inference, arXiv 2406.10774; \
               code mit-han-lab/Quest",
    what: "Keeps all keys; each query of the answer reads the pages of 16 tokens whose channel-wise smallest and largest \
           keys allow the highest score.",
    differs: "The newest page is always read, so that a token sees itself.",
    parameters: &[
        Parameter { name: "budget", help: "tokens read", default: 1024.0, least: 16.0 },
        Parameter { name: "dense-layers", help: "first layers read densely", default: 2.0, least: 0.0 },
    ],
    properties: Properties { recalls: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(Quest { budget: settings.count("budget"), dense_layers: settings.count("dense-layers") })
    },
};

/// Pages read at least.
const LEAST_PAGES: usize = 3;

#[derive(Clone, Copy)]
struct Quest {
    budget: usize,
    dense_layers: usize,
}

impl Policy for Quest {
    fn summaries(&self) -> Summaries {
        Summaries { bounds: true, mean: false }
    }

    fn selector(&self, site: Site) -> Box<dyn Selector> {
        if site.layer < self.dense_layers { Box::new(All) } else { Box::new(*self) }
    }
}

impl Selector for Quest {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        if !tile.decoding || cache.len() <= self.budget {
            return vec![Reading::all(cache)];
        }
        let newest = cache.slots().last().map_or(0, |slot| slot.page.len().div_ceil(LOGICAL));
        let count = cache.slots().len().saturating_sub(1) * PARTS + newest;
        let mut scores = cache.bounds().scores(tile.queries, count);
        // Two products per channel, with the smallest and the largest key.
        tile.meter.products(1, 2 * scores.len(), tile.dim);
        if let Some(newest) = scores.last_mut() {
            *newest = f32::INFINITY;
        }
        let chosen = top(&scores, (self.budget / LOGICAL).max(LEAST_PAGES));
        vec![Reading::of(logical_pages(cache, &chosen))]
    }
}

/// Logical pages by place, ascending, as uses of their pages.
fn logical_pages(cache: &HeadCache, places: &[usize]) -> Vec<PageUse> {
    let mut pages: Vec<PageUse> = Vec::new();
    for place in places {
        let slot = place / PARTS;
        let Some(page) = cache.slots().get(slot) else { continue };
        let bits = (first_bits(LOGICAL) << (place % PARTS * LOGICAL)) & page.all();
        match pages.last_mut() {
            Some(last) if last.slot == slot => last.valid |= bits,
            _ => pages.push(PageUse { slot, valid: bits }),
        }
    }
    pages
}
