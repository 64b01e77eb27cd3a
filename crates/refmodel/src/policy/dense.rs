//! Dense attention, the ground that all others are measured on.

use super::{Card, Policy, Properties, Reading, Selector, Site, Tile};
use crate::cache::HeadCache;

/// Dense attention.
pub const CARD: Card = Card {
    slug: "dense",
    title: "Dense attention",
    citation: "Vaswani et al. 2017, Attention is all you need, arXiv 1706.03762",
    what: "Every query reads every key before it.",
    differs: "",
    parameters: &[],
    properties: Properties::DENSE,
    build: |_| Box::new(Dense { log_n: false }),
};

/// Dense attention with scaled queries.
pub const LOG_N: Card = Card {
    slug: "log-n",
    title: "Log-n scaling",
    citation: "Chiang and Cholak 2022, Overcoming a theoretical limitation of self-attention, arXiv 2202.12172",
    what: "Dense attention whose queries grow with the logarithm of the context beyond the trained length, so that more \
           keys do not flatten it.",
    differs: "A model that was trained with the scaling, as ours, already has it; then this equals dense attention.",
    parameters: &[],
    properties: Properties::DENSE,
    build: |_| Box::new(Dense { log_n: true }),
};

struct Dense {
    log_n: bool,
}

impl Policy for Dense {
    fn log_n(&self) -> bool {
        self.log_n
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(All)
    }
}

/// Reads everything.
pub struct All;

impl Selector for All {
    fn select(&mut self, cache: &HeadCache, _: &Tile<'_>) -> Vec<Reading> {
        vec![Reading::all(cache)]
    }
}
