//! RetroLM: the prompt is read page by page, each with the pages that it retrieves.

use super::block_mean::{mean_key, product};
use super::select::{top, whole};
use super::{Ahead, Card, Parameter, Policy, Properties, Reading, Selector, Site, Tile, bytes_of, vector_bytes};
use crate::cache::{HeadCache, Summaries};
use crate::model::CHUNK;
use crate::page::PAGE;

/// RetroLM, untrained.
pub const CARD: Card = Card {
    slug: "retrolm",
    title: "RetroLM (untrained)",
    citation: "Luo et al. 2025, Does RAG really perform bad for long-context processing? (RetroLM), arXiv 2502.11444",
    what: "Each page reads the first page and those earlier ones whose mean key has the largest product with its mean \
           query; the answer reads what the last page of the prompt retrieved, and everything since.",
    differs: "Nothing is trained: instead of a bookmark token with weights of its own, a page is known by the means of its \
              keys and queries up to its last token, and each key head retrieves by its own query heads. Tokens of a page \
              choose together, so the last page of a chunk chooses by what was read of it.",
    parameters: &[
        Parameter { name: "page", help: "tokens of a page, rounded up to pages of 64", default: 128.0, least: 1.0 },
        Parameter { name: "budget", help: "tokens retrieved, the first page included", default: 2048.0, least: 1.0 },
    ],
    properties: Properties { prefix_stable: false, recalls: true, shared_choice: true, ..Properties::DENSE },
    build: |settings| {
        let pages = settings.count("page").div_ceil(PAGE);
        Box::new(RetroLm { pages, top: (settings.count("budget") / (pages * PAGE)).max(1) })
    },
};

#[derive(Clone, Copy)]
struct RetroLm {
    /// Pages of the cache that make one of the method's.
    pages: usize,
    top: usize,
}

impl Policy for RetroLm {
    fn summaries(&self) -> Summaries {
        Summaries { bounds: false, mean: true }
    }

    fn own_bytes(&self, tokens: usize, dim: usize, _: usize) -> usize {
        let size = self.pages * PAGE;
        let chosen = (CHUNK.min(tokens) / size + 2) * self.top.min(tokens / size) * size_of::<usize>();
        (tokens / size + 1) * bytes_of::<f32>(dim) + chosen
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(Bookmarks { policy: *self, keys: Vec::new(), query: Vec::new(), page: 0, chosen: Vec::new() })
    }
}

struct Bookmarks {
    policy: RetroLm,
    /// Mean keys of the pages that are full, `[dim]` each.
    keys: Vec<Vec<f32>>,
    /// Sum of the queries of `page` so far, `[dim]`.
    query: Vec<f32>,
    page: usize,
    /// Pages of the last chunk, each with the earlier ones that it reads.
    chosen: Vec<(usize, Vec<usize>)>,
}

impl Selector for Bookmarks {
    fn open(&mut self, cache: &HeadCache, ahead: &Ahead<'_>) {
        if ahead.decoding {
            return;
        }
        let (size, dim) = (self.policy.pages * PAGE, cache.dim().max(1));
        let full = cache.slots().chunks(self.policy.pages).take(cache.next() / size).skip(self.keys.len());
        self.keys.extend(full.map(|page| mean_key(page, dim)));
        self.chosen.clear();
        let rows = cache.next() - ahead.first;
        for page in ahead.first / size..cache.next().div_ceil(size) {
            if page != self.page || self.query.is_empty() {
                self.page = page;
                self.query = vec![0.0; dim];
            }
            let from = (page * size).saturating_sub(ahead.first);
            let to = ((page + 1) * size - ahead.first).min(rows);
            for queries in ahead.queries.iter().filter_map(|queries| queries.get(from * dim..to * dim)) {
                let own = queries.chunks(dim).flat_map(|query| query.iter().enumerate());
                own.for_each(|(channel, value)| self.query.get_mut(channel).into_iter().for_each(|sum| *sum += value));
            }
            ahead.meter.products(1, page, dim);
            self.chosen.push((page, self.retrieve(page)));
        }
    }

    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let size = self.policy.pages * PAGE;
        let last = self.chosen.len().saturating_sub(1);
        let reads = self.chosen.iter().enumerate().filter_map(|(place, (page, chosen))| {
            let own = if tile.decoding { place == last } else { *page >= tile.first / size };
            let rows = tile.each().enumerate().filter(|(_, (index, _))| tile.decoding || index / size == *page);
            let rows: Vec<usize> = rows.map(|(row, _)| row).collect();
            if !own || rows.is_empty() {
                return None;
            }
            let since = if tile.decoding { usize::MAX } else { (page + 1) * self.policy.pages };
            let own = page * self.policy.pages..since.min(cache.slots().len());
            let earlier = chosen.iter().flat_map(|page| page * self.policy.pages..(page + 1) * self.policy.pages);
            let places: Vec<usize> = earlier.chain(own).collect();
            Some(Reading { rows: (rows.len() < tile.rows()).then_some(rows), ..Reading::of(whole(cache, &places)) })
        });
        reads.collect()
    }

    fn bytes(&self) -> usize {
        let chosen = self.chosen.iter().map(|(_, pages)| size_of_val(pages.as_slice()));
        vector_bytes(&self.keys) + size_of_val(self.query.as_slice()) + chosen.sum::<usize>()
    }

    fn forget(&mut self, next: usize) {
        self.keys.truncate(next / (self.policy.pages * PAGE));
    }
}

impl Bookmarks {
    /// The first page and the best others before `page`. The sum of queries ranks as their mean does.
    fn retrieve(&self, page: usize) -> Vec<usize> {
        let mut scores: Vec<f32> = self.keys.iter().take(page).map(|key| product(key, &self.query)).collect();
        if let Some(first) = scores.first_mut() {
            *first = f32::INFINITY;
        }
        top(&scores, self.policy.top)
    }
}
