//! Policies: which pages a tile of queries reads, at which positions, and what the cache keeps. One file each.

mod block_mean;
mod calibration;
mod card;
mod dense;
mod duo_attention;
mod h2o;
mod infini_retri;
mod kmeans;
mod long_heads;
mod long_mem;
mod lserve;
mod minference;
mod position;
mod quest;
mod retro_lm;
mod select;
mod sir_llm;
mod snapkv;
mod squeezed;
mod streaming_llm;
mod vertical_slash;
mod weigh;

use std::cell::Cell;

pub use card::{Card, Parameter, Properties, Settings};
pub(crate) use select::top;

use crate::cache::{HeadCache, Slot, Summaries};
use crate::page::first_bits;

/// Where a selector works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// Layer, from 0.
    pub layer: usize,
    /// Key and value head, from 0.
    pub kv_head: usize,
    /// Key and value heads of a layer.
    pub kv_heads: usize,
    /// Query heads that share the key and value head.
    pub group: usize,
    /// Share of the model's heads with a lower gate, where gates were trained.
    pub gate_share: Option<f64>,
}

/// What choosing takes, counted where it happens: products with summaries, centroids and keys, and what they read.
#[derive(Debug, Default)]
pub struct Meter {
    flops: Cell<f64>,
    bytes: Cell<f64>,
}

impl Meter {
    /// Counts the products of `rows` queries with `vectors` vectors of `dim` channels, read once.
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
    pub fn products(&self, rows: usize, vectors: usize, dim: usize) {
        let channels = vectors as f64 * dim as f64;
        self.flops.set(self.flops.get() + 2.0 * rows as f64 * channels);
        self.bytes.set(self.bytes.get() + channels * size_of::<f32>() as f64);
    }

    /// Floating-point operations and bytes counted.
    #[must_use]
    pub fn counted(&self) -> (f64, f64) {
        (self.flops.get(), self.bytes.get())
    }
}

/// Queries that choose together.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// `[rows, dim]` of one query head, rotated like the keys, not scaled.
    pub queries: &'a [f32],
    /// Channels of a head.
    pub dim: usize,
    /// Which query head of the group.
    pub member: usize,
    /// Index in the cache of the first row's own token.
    pub first: usize,
    /// Position in the text of the first row.
    pub position: usize,
    /// The prompt is over: answers are generated token by token.
    pub decoding: bool,
    /// Counts what choosing takes.
    pub meter: &'a Meter,
}

impl Tile<'_> {
    /// Queries in it.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.queries.len() / self.dim.max(1)
    }

    /// One past the index of its last row's own token.
    #[must_use]
    pub fn end(&self) -> usize {
        self.first + self.rows()
    }

    /// Its rows, `[dim]` each, with the index of their own token.
    pub fn each(&self) -> impl Iterator<Item = (usize, &[f32])> {
        (self.first..).zip(self.queries.chunks(self.dim.max(1)))
    }
}

/// A chunk about to be read at one site. Its keys are already in the cache.
#[derive(Debug, Clone, Copy)]
pub struct Ahead<'a> {
    /// `[rows, dim]` for each query head of the group, as in [`Tile::queries`].
    pub queries: &'a [Vec<f32>],
    /// Index in the cache of the first row's own token.
    pub first: usize,
    /// The prompt is over.
    pub decoding: bool,
    /// These are the last rows of the prompt.
    pub prompt_ends: bool,
    /// For each row, whether its token ends a sentence; empty unless asked for.
    pub sentence_ends: &'a [bool],
    /// Counts what choosing takes.
    pub meter: &'a Meter,
}

/// A page to read and which of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageUse {
    /// Place in [`HeadCache::slots`].
    pub slot: usize,
    /// Tokens that may be read, one bit each.
    pub valid: u64,
}

/// Which keys a row sees among those it may read, by index distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// All up to itself.
    Causal,
    /// The last so many up to itself.
    Near(usize),
    /// Those before the last so many.
    Far(usize),
}

/// Positions that keys and queries take in layers with rotary positions, where keys are stored unrotated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Places {
    /// Those in the text.
    Text,
    /// Counted through the pages read, so that none exceeds their number.
    Packed,
    /// Those in the text divided by a whole number and rounded down; queries are moved up by `shift`.
    Grouped {
        /// Divisor.
        by: usize,
        /// Added to the query's.
        shift: usize,
    },
    /// Those in the text modulo a number.
    Wrapped {
        /// Modulus.
        modulo: usize,
    },
}

/// How a reading joins those before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Join {
    /// One softmax over the keys of both, by their log-sum-exp.
    Softmax,
    /// Each has a softmax of its own: the later one counts this much, the earlier ones the rest of 1.
    Gate(f32),
}

/// One attention over some pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// In order of their tokens.
    pub pages: Vec<PageUse>,
    /// What rows see of them.
    pub span: Span,
    /// Where keys and queries stand.
    pub places: Places,
    /// Rows of the tile that take part, ascending; `None` is all of them.
    pub rows: Option<Vec<usize>>,
    /// How it joins the readings before it.
    pub join: Join,
}

impl Reading {
    /// Causal attention over `pages` at their own positions.
    #[must_use]
    pub fn of(pages: Vec<PageUse>) -> Self {
        Self { pages, span: Span::Causal, places: Places::Text, rows: None, join: Join::Softmax }
    }

    /// The rows of `tile` that take part.
    pub(crate) fn rows_of(&self, tile: &Tile<'_>) -> impl Iterator<Item = usize> {
        let all = if self.rows.is_none() { tile.rows() } else { 0 };
        (0..all).chain(self.rows.iter().flatten().copied())
    }

    /// Everything stored.
    #[must_use]
    pub fn all(cache: &HeadCache) -> Self {
        Self::of(cache.slots().iter().enumerate().map(|(slot, page)| PageUse { slot, valid: page.all() }).collect())
    }
}

/// What a selector asks to be shown after each chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    /// The last so many queries of the prompt.
    pub last_queries: usize,
    /// How much attention each stored token got, summed over rows and heads.
    pub sums: bool,
    /// How surprising each token was, in nats.
    pub surprisal: bool,
    /// Which tokens end a sentence.
    pub sentence_ends: bool,
}

/// What happened since the last call.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The prompt has just ended.
    pub prompt_over: bool,
    /// The prompt is over.
    pub decoding: bool,
    /// The last queries of the prompt so far, `[rows, dim]` for each query head of the group.
    pub last_queries: &'a [Vec<f32>],
    /// Attention that each stored token got, in order.
    pub sums: &'a [f32],
    /// Surprisal of the tokens just appended, in nats.
    pub surprisal: &'a [f32],
    /// Counts what choosing takes.
    pub meter: &'a Meter,
}

/// A policy at work on one sequence at one site.
pub trait Selector: Send {
    /// Sees a chunk before its tiles.
    fn open(&mut self, _cache: &HeadCache, _ahead: &Ahead<'_>) {}

    /// What the tile reads. The tile's own tokens are already in the cache.
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading>;

    /// What the cache keeps, after each chunk of the prompt and each token of the answer.
    fn settle(&mut self, _cache: &mut HeadCache, _seen: &Seen<'_>) {}

    /// Bytes of what it keeps for itself beside the cache: means, centroids, scores, choices.
    fn bytes(&self) -> usize {
        0
    }

    /// Tokens from index `next` on were taken back: what was derived from them no longer holds.
    fn forget(&mut self, _next: usize) {}
}

/// A published method.
pub trait Policy: Send + Sync {
    /// What the cache must know of its pages.
    fn summaries(&self) -> Summaries {
        Summaries::default()
    }

    /// Keys are stored unrotated, because they take other positions than those in the text.
    fn raw_keys(&self) -> bool {
        false
    }

    /// What selectors are shown.
    fn watch(&self) -> Watch {
        Watch::default()
    }

    /// Rows that are selected for together; 1 where each query chooses for itself, or takes its own positions in a
    /// rotary layer.
    fn tile_rows(&self, rotary: bool) -> usize {
        if rotary && self.raw_keys() { 1 } else { TILE }
    }

    /// Queries of layers that see everything are scaled by log n over log of the trained length.
    fn log_n(&self) -> bool {
        false
    }

    /// Bytes that its selector keeps for itself at most, at one site with `group` query heads of `dim` channels, for a
    /// text of so many tokens.
    fn own_bytes(&self, _tokens: usize, _dim: usize, _group: usize) -> usize {
        0
    }

    /// The policy for one text, where its sites share what they learn from it; `None` where each is on its own.
    fn for_text(&self) -> Option<Box<dyn Policy>> {
        None
    }

    /// The work at one site.
    fn selector(&self, site: Site) -> Box<dyn Selector>;
}

/// Rows of a tile where the policy does not care.
pub const TILE: usize = 48;

/// Rows of a tile whose rows choose one by one and are then gathered by what they read.
pub const GATHERED: usize = 512;

/// The last `most` of what was kept and what is new, without room for more.
pub(crate) fn keep_last(kept: &mut Vec<f32>, new: &[f32], most: usize) {
    let new = new.get(new.len().saturating_sub(most)..).unwrap_or_default();
    kept.drain(..(kept.len() + new.len()).saturating_sub(most));
    kept.reserve_exact(new.len());
    kept.extend(new);
}

/// Bytes of those of these vectors that hold something.
pub(crate) fn vector_bytes<T>(vectors: &[Vec<T>]) -> usize {
    vectors.iter().filter(|vector| !vector.is_empty()).map(|vector| bytes_of::<T>(vector.len())).sum()
}

/// Bytes of a vector with so many entries.
pub(crate) const fn bytes_of<T>(entries: usize) -> usize {
    size_of::<Vec<T>>() + entries * size_of::<T>()
}

/// Tokens of a slot with index in `from..to`.
pub(crate) fn between(slot: &Slot, from: usize, to: usize) -> u64 {
    let bits = |index: usize| first_bits(index.saturating_sub(slot.first));
    slot.all() & bits(to) & !bits(from)
}

#[cfg(test)]
mod tests;
