//! MInference's A-shape and block-sparse patterns for prompts, and dense answers.

use super::block_mean::mean_product;
use super::select::{top, whole};
use super::streaming_llm::Streaming;
use super::{Card, PageUse, Parameter, Places, Policy, Properties, Reading, Selector, Site, Tile};
use crate::cache::{HeadCache, Summaries};
use crate::page::PAGE;

pub const CITATION: &str = "Jiang et al. 2024, MInference 1.0: accelerating pre-filling for long-context LLMs via dynamic sparse \
                        attention, arXiv 2407.02490";
const DIFFERS: &str = "One pattern for all heads instead of an offline search per head.";

/// A-shape.
pub const A_SHAPE: Card = Card {
    slug: "minference-a-shape",
    title: "MInference A-shape",
    citation: CITATION,
    what: "Queries of the prompt read the first tokens and a window; the answer reads everything.",
    differs: DIFFERS,
    parameters: &[
        Parameter { name: "sinks", help: "first tokens read", default: 1024.0, least: 0.0 },
        Parameter { name: "window", help: "last tokens read", default: 4096.0, least: 1.0 },
    ],
    properties: Properties::DENSE,
    build: |settings| Box::new(Pattern::AShape { sinks: settings.count("sinks"), window: settings.count("window") }),
};

/// Block-sparse.
pub const BLOCK_SPARSE: Card = Card {
    slug: "minference-block-sparse",
    title: "MInference block-sparse",
    citation: CITATION,
    what: "Tiles of queries of the prompt read the pages whose mean key has the largest product with their mean; the answer \
           reads everything.",
    differs: DIFFERS,
    parameters: &[Parameter { name: "blocks", help: "pages of 64 tokens read", default: 100.0, least: 2.0 }],
    properties: Properties { prefix_stable: false, recalls: true, ..Properties::DENSE },
    build: |settings| Box::new(Pattern::BlockSparse { blocks: settings.count("blocks") }),
};

#[derive(Clone, Copy)]
enum Pattern {
    AShape { sinks: usize, window: usize },
    BlockSparse { blocks: usize },
}

impl Policy for Pattern {
    fn summaries(&self) -> Summaries {
        Summaries { bounds: false, mean: matches!(self, Self::BlockSparse { .. }) }
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(*self)
    }
}

impl Selector for Pattern {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        if tile.decoding {
            return vec![Reading::all(cache)];
        }
        match *self {
            Self::AShape { sinks, window } => Streaming { sinks, window, places: Places::Text }.select(cache, tile),
            Self::BlockSparse { blocks } => vec![Reading::of(block_sparse(cache, tile, blocks))],
        }
    }
}

/// Pages up to the tile's end with their scores for it.
fn scores(cache: &HeadCache, tile: &Tile<'_>) -> Vec<f32> {
    let mean = mean_query(tile);
    let pages = cache.slots().iter().filter(|slot| slot.first < tile.end());
    let scores: Vec<f32> = pages.map(|slot| mean_product(std::slice::from_ref(slot), &mean)).collect();
    tile.meter.products(1, scores.len(), tile.dim);
    scores
}

#[expect(clippy::cast_precision_loss, reason = "rows of a tile")]
fn mean_query(tile: &Tile<'_>) -> Vec<f32> {
    let mut mean = vec![0.0; tile.dim];
    for query in tile.queries.chunks(tile.dim.max(1)) {
        mean.iter_mut().zip(query).for_each(|(mean, channel)| *mean += channel / tile.rows() as f32);
    }
    mean
}

fn block_sparse(cache: &HeadCache, tile: &Tile<'_>, blocks: usize) -> Vec<PageUse> {
    let mut scores = scores(cache, tile);
    let own = tile.first / PAGE;
    scores.iter_mut().skip(own).for_each(|score| *score = f32::INFINITY);
    let own = scores.len() - own.min(scores.len());
    whole(cache, &top(&scores, blocks.max(own)))
}
