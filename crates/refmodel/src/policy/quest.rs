//! Quest: pages by an upper bound of their scores.

use super::dense::All;
use super::select::top;
use super::{Card, PageUse, Parameter, Policy, Properties, Reading, Selector, Site, Tile};
use crate::cache::{HeadCache, LOGICAL, Summaries};

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
        let places: Vec<(usize, usize)> = cache
            .slots()
            .iter()
            .enumerate()
            .flat_map(|(slot, page)| (0..page.summaries.len()).map(move |part| (slot, part)))
            .collect();
        let mut scores: Vec<f32> = cache
            .slots()
            .iter()
            .flat_map(|slot| slot.summaries.iter().map(|summary| summary.bound(tile.queries)))
            .collect();
        // Two products per channel, with the smallest and the largest key.
        tile.meter.products(1, 2 * scores.len(), tile.dim);
        if let Some(newest) = scores.last_mut() {
            *newest = f32::INFINITY;
        }
        let chosen = top(&scores, (self.budget / LOGICAL).max(LEAST_PAGES));
        let chosen = chosen.into_iter().filter_map(|place| places.get(place).copied());
        vec![Reading::of(logical_pages(cache, chosen))]
    }
}

/// Logical pages (slot, part), ascending, as uses of their pages.
pub fn logical_pages(cache: &HeadCache, chosen: impl Iterator<Item = (usize, usize)>) -> Vec<PageUse> {
    let mut pages: Vec<PageUse> = Vec::new();
    for (slot, part) in chosen {
        let Some(page) = cache.slots().get(slot) else { continue };
        let bits = (0xffff << (part * LOGICAL)) & page.all();
        match pages.last_mut() {
            Some(last) if last.slot == slot => last.valid |= bits,
            _ => pages.push(PageUse { slot, valid: bits }),
        }
    }
    pages
}
