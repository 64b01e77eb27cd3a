//! MoBA: each query reads its own block and those whose mean key fits it best.

use super::select::{top, whole};
use super::{Card, Parameter, Policy, Properties, Reading, Selector, Site, Tile};
use crate::cache::{HeadCache, Slot, Summaries};
use crate::page::PAGE;

/// MoBA.
pub const MOBA: Card = Card {
    slug: "moba",
    title: "MoBA (block mean)",
    citation: "Lu et al. 2025, MoBA: mixture of block attention for long-context LLMs, arXiv 2502.13189; code \
               MoonshotAI/MoBA (MIT)",
    what: "Each query reads its own block and the blocks whose mean key has the largest product with it.",
    differs: "Used on a model that was not trained with it. Blocks are whole pages of 64 tokens.",
    parameters: &[
        Parameter { name: "block", help: "tokens of a block, rounded up to pages of 64", default: 512.0, least: 1.0 },
        Parameter { name: "top", help: "blocks read, the own one included", default: 3.0, least: 1.0 },
    ],
    properties: Properties { full_is_dense: true, prefix_stable: true, bounded: false, renumbers: false },
    build: |settings| Box::new(Moba { pages: settings.count("block").div_ceil(PAGE), top: settings.count("top") }),
};

#[derive(Clone, Copy)]
struct Moba {
    pages: usize,
    top: usize,
}

impl Policy for Moba {
    fn summaries(&self) -> Summaries {
        Summaries { bounds: false, mean: true }
    }

    fn tile_rows(&self, _: bool) -> usize {
        1
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(*self)
    }
}

impl Selector for Moba {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let own = tile.first / (PAGE * self.pages);
        let blocks: Vec<&[Slot]> = cache.slots().chunks(self.pages).take(own + 1).collect();
        let mut scores: Vec<f32> = blocks.iter().map(|block| mean_product(block, tile.queries)).collect();
        if let Some(score) = scores.get_mut(own) {
            *score = f32::INFINITY;
        }
        let chosen = top(&scores, self.top);
        let pages = chosen.into_iter().flat_map(|block| block * self.pages..(block + 1) * self.pages);
        let pages: Vec<usize> = pages.filter(|page| *page < cache.slots().len()).collect();
        vec![Reading::of(whole(cache, &pages))]
    }
}

/// Product of a query with the mean key of some pages.
#[expect(clippy::cast_precision_loss, reason = "tokens of a block")]
pub fn mean_product(pages: &[Slot], query: &[f32]) -> f32 {
    let summaries = || pages.iter().flat_map(|page| &page.summaries);
    let count: usize = summaries().map(|summary| summary.count).sum();
    let sum: f32 = summaries().map(|summary| summary.mean_product(query) * summary.count as f32).sum();
    sum / count.max(1) as f32
}
