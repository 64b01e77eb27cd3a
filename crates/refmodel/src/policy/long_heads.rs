//! LongHeads: each head reads the chunks whose representation fits the query, at positions it was trained on.

use super::select::{top, whole};
use super::weigh::weights;
use super::{Card, Parameter, Places, Policy, Properties, Reading, Selector, Site, Span, Tile};
use crate::cache::HeadCache;
use crate::page::PAGE;

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
    properties: Properties { full_is_dense: true, prefix_stable: true, bounded: false, renumbers: true },
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

    fn tile_rows(&self, _: bool) -> usize {
        1
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
        self.represent(cache, size);
        let own = tile.first / size;
        let scores: Vec<f32> = (0..=own)
            .map(|chunk| match self.features.get(chunk) {
                _ if chunk == 0 || chunk + 1 >= own => f32::INFINITY,
                Some(feature) => feature.iter().zip(tile.queries).map(|(feature, query)| feature * query).sum(),
                None => f32::NEG_INFINITY,
            })
            .collect();
        let pages = top(&scores, self.policy.chunks).into_iter();
        let pages = pages.flat_map(|chunk| chunk * self.policy.pages..(chunk + 1) * self.policy.pages);
        let pages: Vec<usize> = pages.filter(|page| *page < cache.slots().len()).collect();
        vec![Reading { pages: whole(cache, &pages), span: Span::Causal, places: Places::Packed }]
    }
}

impl Chunks {
    /// Representations of chunks that became full: the keys of a chunk, weighted by how well they fit the mean of what
    /// attention inside the chunk returns.
    fn represent(&mut self, cache: &HeadCache, size: usize) {
        for chunk in self.features.len()..cache.next() / size {
            let pages = cache.slots().iter().skip(chunk * self.policy.pages).take(self.policy.pages);
            let tokens = pages.flat_map(|slot| (0..slot.page.len()).map(|token| slot.page.token(token)));
            let (keys, values): (Vec<_>, Vec<_>) = tokens.unzip();
            let mean = mean(&keys.iter().map(|key| attend(key, &keys, &values)).collect::<Vec<_>>());
            self.features.push(attend(&mean, &keys, &keys));
        }
    }
}

fn attend(query: &[f32], keys: &[Vec<f32>], values: &[Vec<f32>]) -> Vec<f32> {
    let mut out = vec![0.0; query.len()];
    for (weight, value) in weights(query, keys.iter()).iter().zip(values) {
        out.iter_mut().zip(value).for_each(|(out, value)| *out += weight * value);
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "tokens of a chunk")]
fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / rows.len() as f32);
    }
    mean
}
