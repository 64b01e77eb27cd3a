//! LongHeads: each head reads the chunks whose representation fits the query, at positions it was trained on.

use super::block_mean::product;
use super::select::{blocks, top};
use super::weigh::{products, softmax};
use super::{
    Card, GATHERED, Meter, Parameter, Places, Policy, Properties, Reading, Selector, Site, Tile, bytes_of, vector_bytes,
};
use crate::cache::HeadCache;
use crate::page::{PAGE, Page};

/// LongHeads.
pub const CARD: Card = Card {
    slug: "longheads",
    title: "LongHeads",
    citation: "Lu et al. 2024, LongHeads: multi-head attention is secretly a long context processor, arXiv 2402.10685; \
               code LuLuLuyi/LongHeads @ 1c9f72e",
    what: "Beyond the trained length each query reads the first, the last and the chunks whose representation has the \
           largest product with it, renumbered.",
    differs: "A query sees itself, which the released code forgets. Chunks are whole pages of 64 tokens, and their \
              representation is computed without rotation inside the chunk.",
    parameters: &[
        Parameter { name: "chunk", help: "tokens of a chunk, rounded up to pages of 64", default: 256.0, least: 1.0 },
        Parameter { name: "length", help: "tokens read", default: 4096.0, least: 192.0 },
    ],
    properties: Properties { recalls: true, renumbers: true, ..Properties::DENSE },
    build: |settings| {
        let pages = settings.count("chunk").div_ceil(PAGE);
        Box::new(LongHeads { pages, chunks: (settings.count("length") / (pages * PAGE)).max(3) })
    },
};

#[derive(Clone, Copy)]
struct LongHeads {
    pages: usize,
    chunks: usize,
}

impl Policy for LongHeads {
    fn raw_keys(&self) -> bool {
        true
    }

    fn tile_rows(&self, rotary: bool) -> usize {
        if rotary { 1 } else { GATHERED }
    }

    fn own_bytes(&self, tokens: usize, dim: usize, _: usize) -> usize {
        tokens / (PAGE * self.pages) * bytes_of::<f32>(dim)
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(Chunks { policy: *self, features: Vec::new() })
    }
}

struct Chunks {
    policy: LongHeads,
    /// Representations of the chunks that are full, `[dim]` each.
    features: Vec<Vec<f32>>,
}

impl Selector for Chunks {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let size = self.policy.pages * PAGE;
        self.represent(cache, size, tile.meter);
        let chosen: Vec<Vec<usize>> = tile.each().map(|(index, query)| self.choose(index / size, query)).collect();
        tile.meter.products(tile.rows(), self.features.len().min(tile.end() / size), tile.dim);
        let packed = |reading| Reading { places: Places::Packed, ..reading };
        blocks(cache, self.policy.pages, &chosen).into_iter().map(packed).collect()
    }

    fn bytes(&self) -> usize {
        vector_bytes(&self.features)
    }

    fn forget(&mut self, next: usize) {
        self.features.truncate(next / (self.policy.pages * PAGE));
    }
}

impl Chunks {
    /// Chunks for a query in chunk `own`: the first, its own, the one before, and the best.
    fn choose(&self, own: usize, query: &[f32]) -> Vec<usize> {
        let score = |chunk: usize| match self.features.get(chunk) {
            _ if chunk == 0 || chunk + 1 >= own => f32::INFINITY,
            Some(feature) => product(feature, query),
            None => f32::NEG_INFINITY,
        };
        top(&(0..=own).map(score).collect::<Vec<f32>>(), self.policy.chunks)
    }

    /// Representations of chunks that became full: the keys of a chunk, weighted by how well they fit the mean of what
    /// attention inside the chunk returns.
    fn represent(&mut self, cache: &HeadCache, size: usize, meter: &Meter) {
        for chunk in self.features.len()..cache.next() / size {
            let slots = cache.slots().iter().skip(chunk * self.policy.pages).take(self.policy.pages);
            let pages = slots.map(|slot| &slot.page);
            let dim = cache.dim();
            let keys: Vec<f32> = pages.clone().flat_map(Page::all_keys).flatten().collect();
            // The mean of what attention returns is what the mean of its weights returns.
            let mean = weighted(&attention(pages.clone(), &keys, dim), pages.clone().flat_map(Page::all_values));
            let feature = weighted(&attention(pages.clone(), &mean, dim), pages.flat_map(Page::all_keys));
            meter.products(2 * size + 2, size, dim);
            self.features.push(feature);
        }
    }
}

/// Softmax of the products of `queries` with the keys of `pages`, mean over the queries.
#[expect(clippy::cast_precision_loss, reason = "tokens of a chunk")]
fn attention<'a>(pages: impl Iterator<Item = &'a Page> + Clone, queries: &[f32], dim: usize) -> Vec<f32> {
    let mut mean = vec![0.0; pages.clone().map(Page::len).sum()];
    let rows = (queries.len() / dim) as f32;
    products(pages, queries, dim, |_, mut weights| {
        softmax(&mut weights, dim);
        mean.iter_mut().zip(weights).for_each(|(mean, weight)| *mean += weight / rows);
    });
    mean
}

/// The sum of `vectors`, each times its weight.
fn weighted(weights: &[f32], vectors: impl Iterator<Item = Vec<f32>>) -> Vec<f32> {
    let mut sum = Vec::new();
    for (weight, vector) in weights.iter().zip(vectors) {
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(sum, channel)| *sum += weight * channel);
    }
    sum
}
