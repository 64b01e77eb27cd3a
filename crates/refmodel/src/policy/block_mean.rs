//! MoBA: each query reads its own block and those whose mean key fits it best.

use super::select::{blocks, top};
use super::{Card, GATHERED, Parameter, Policy, Properties, Reading, Selector, Site, Tile, bytes_of, vector_bytes};
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
    properties: Properties { recalls: true, ..Properties::DENSE },
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
        GATHERED
    }

    fn own_bytes(&self, tokens: usize, dim: usize, _: usize) -> usize {
        tokens / (PAGE * self.pages) * bytes_of::<f32>(dim)
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(Blocks { policy: *self, means: Vec::new() })
    }
}

struct Blocks {
    policy: Moba,
    /// Mean keys of the blocks that are full, `[dim]` each.
    means: Vec<Vec<f32>>,
}

impl Selector for Blocks {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let Moba { pages, top: count } = self.policy;
        let full = cache.slots().chunks(pages).take(cache.next() / (PAGE * pages)).skip(self.means.len());
        self.means.extend(full.map(|block| mean_key(block, tile.dim)));
        let chosen: Vec<Vec<usize>> = tile
            .each()
            .map(|(index, query)| {
                let own = index / (PAGE * pages);
                let mut scores: Vec<f32> = self.means.iter().take(own).map(|mean| product(mean, query)).collect();
                scores.push(f32::INFINITY);
                top(&scores, count)
            })
            .collect();
        let below = tile.end().div_ceil(PAGE * pages);
        tile.meter.products(tile.rows(), below.min(self.means.len()), tile.dim);
        blocks(cache, pages, &chosen)
    }

    fn bytes(&self) -> usize {
        vector_bytes(&self.means)
    }

    fn forget(&mut self, next: usize) {
        self.means.truncate(next / (PAGE * self.policy.pages));
    }
}

/// Mean key of some pages, `[dim]`.
#[expect(clippy::cast_precision_loss, reason = "tokens of a block")]
pub fn mean_key(pages: &[Slot], dim: usize) -> Vec<f32> {
    let mut mean = vec![0.0; dim];
    let summaries = || pages.iter().flat_map(|page| &page.summaries);
    for summary in summaries() {
        mean.iter_mut().zip(&summary.sum).for_each(|(mean, sum)| *mean += sum);
    }
    let count: usize = summaries().map(|summary| summary.count).sum();
    mean.iter_mut().for_each(|mean| *mean /= count.max(1) as f32);
    mean
}

/// Product of two vectors.
pub fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Product of a query with the mean key of some pages.
#[expect(clippy::cast_precision_loss, reason = "tokens of a block")]
pub fn mean_product(pages: &[Slot], query: &[f32]) -> f32 {
    let summaries = || pages.iter().flat_map(|page| &page.summaries);
    let count: usize = summaries().map(|summary| summary.count).sum();
    let sum: f32 = summaries().map(|summary| summary.mean_product(query) * summary.count as f32).sum();
    sum / count.max(1) as f32
}
