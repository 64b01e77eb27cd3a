//! Policies: which pages a tile of queries reads, at which positions, and what the cache keeps. One file each.

mod block_mean;
mod dense;
mod duo_attention;
mod h2o;
mod long_heads;
mod lserve;
mod minference;
mod position;
mod quest;
mod select;
mod sir_llm;
mod snapkv;
mod streaming_llm;
mod weigh;

use std::collections::BTreeMap;

pub(crate) use select::top;

use crate::cache::{HeadCache, Slot, Summaries};
use crate::error::ModelError;
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

/// Queries that read the same pages.
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

/// One attention over some pages; several are merged by their log-sum-exp.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// In order of their tokens.
    pub pages: Vec<PageUse>,
    /// What rows see of them.
    pub span: Span,
    /// Where keys and queries stand.
    pub places: Places,
}

impl Reading {
    /// Causal attention over `pages` at their own positions.
    #[must_use]
    pub fn of(pages: Vec<PageUse>) -> Self {
        Self { pages, span: Span::Causal, places: Places::Text }
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
}

/// A policy at work on one sequence at one site.
pub trait Selector: Send {
    /// What the tile reads. The tile's own tokens are already in the cache.
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading>;

    /// What the cache keeps, after each chunk of the prompt and each token of the answer.
    fn settle(&mut self, _cache: &mut HeadCache, _seen: &Seen<'_>) {}
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

    /// The work at one site.
    fn selector(&self, site: Site) -> Box<dyn Selector>;
}

/// Rows of a tile where the policy does not care.
pub const TILE: usize = 48;

/// A number that a policy can be given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Name, as in `--set name=value`.
    pub name: &'static str,
    /// What it is, with its unit.
    pub help: &'static str,
    /// The paper's value.
    pub default: f64,
    /// Smallest allowed.
    pub least: f64,
}

/// What holds for a policy whatever the weights: the tests that it must pass and those that it is known to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Properties {
    /// With a budget of at least the context it equals dense attention (C1).
    pub full_is_dense: bool,
    /// A later token never changes what an earlier one reads (C3s), so the prompt may come in chunks (C4).
    pub prefix_stable: bool,
    /// What is stored stays below a bound (C6).
    pub bounded: bool,
    /// Keys take positions below a bound (C7).
    pub renumbers: bool,
}

/// What is known about a policy.
pub struct Card {
    /// Name.
    pub slug: &'static str,
    /// Title.
    pub title: &'static str,
    /// Paper, and code where it was read.
    pub citation: &'static str,
    /// What it does, in a sentence.
    pub what: &'static str,
    /// Where this differs from the paper or its code.
    pub differs: &'static str,
    /// Numbers it can be given.
    pub parameters: &'static [Parameter],
    /// What holds for it.
    pub properties: Properties,
    build: fn(&Settings) -> Box<dyn Policy>,
}

/// Values of a policy's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings(BTreeMap<&'static str, f64>);

impl Settings {
    fn number(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a count")]
    fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }
}

impl Card {
    /// All policies, in the order of lists.
    #[must_use]
    pub fn all() -> &'static [Card] {
        const CARDS: &[Card] = &[
            dense::CARD,
            dense::LOG_N,
            streaming_llm::CARD,
            snapkv::CARD,
            h2o::CARD,
            quest::CARD,
            minference::A_SHAPE,
            minference::VERTICAL_SLASH,
            minference::BLOCK_SPARSE,
            duo_attention::CARD,
            block_mean::MOBA,
            lserve::CARD,
            long_heads::CARD,
            sir_llm::CARD,
            position::SELF_EXTEND,
            position::GROUPED,
            position::RECURRENT,
        ];
        CARDS
    }

    /// A policy by name.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names all of them.
    pub fn find(slug: &str) -> Result<&'static Self, ModelError> {
        Self::all().iter().find(|card| card.slug == slug).ok_or_else(|| ModelError::Unsupported {
            what: format!("the policy `{slug}`"),
            supported: format!(
                "the policies are {}",
                Self::all().iter().map(|card| card.slug).collect::<Vec<_>>().join(", ")
            ),
        })
    }

    /// Checked values: the paper's, but for those in `given`.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] names the parameter and what is allowed.
    pub fn settings(&self, given: &[(String, f64)]) -> Result<Settings, ModelError> {
        let mut settings: BTreeMap<_, _> = self.parameters.iter().map(|known| (known.name, known.default)).collect();
        for (name, value) in given {
            let Some(known) = self.parameters.iter().find(|known| known.name == name) else {
                let names: Vec<&str> = self.parameters.iter().map(|known| known.name).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(ModelError::Invalid(format!("{} has no parameter `{name}`; it has {names}", self.slug)));
            };
            if !value.is_finite() || *value < known.least || *value > 1e9 {
                let least = known.least;
                return Err(ModelError::Invalid(format!(
                    "{name} of {} must be at least {least}, not {value}",
                    self.slug
                )));
            }
            settings.insert(known.name, *value);
        }
        Ok(Settings(settings))
    }

    /// The policy with these values.
    #[must_use]
    pub fn build(&self, settings: &Settings) -> Box<dyn Policy> {
        (self.build)(settings)
    }
}

/// Tokens of a slot with index in `from..to`.
fn between(slot: &Slot, from: usize, to: usize) -> u64 {
    let bits = |index: usize| first_bits(index.saturating_sub(slot.first));
    slot.all() & bits(to) & !bits(from)
}

#[cfg(test)]
mod tests;
