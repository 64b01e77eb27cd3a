//! H2O: heavy hitters by accumulated attention, and the last tokens.

use super::select::top;
use super::{Card, Parameter, Policy, Properties, Reading, Seen, Selector, Site, Tile, Watch};
use crate::cache::HeadCache;

/// H2O.
pub const CARD: Card = Card {
    slug: "h2o",
    title: "H2O",
    citation: "Zhang et al. 2023, H2O: heavy-hitter oracle for efficient generative inference, arXiv 2306.14048",
    what: "Sums the attention that each token gets; beyond the budget it evicts the token with the least, but never one \
           of the last.",
    differs: "The prompt is read densely and cut to the budget at its end; budgets are counts, not shares of the prompt.",
    parameters: &[
        Parameter { name: "heavy", help: "tokens kept for their attention", default: 512.0, least: 1.0 },
        Parameter { name: "recent", help: "last tokens kept", default: 512.0, least: 1.0 },
    ],
    properties: Properties {
        prefix_stable: false,
        recalls: true,
        bounded: true,
        shared_choice: true,
        ..Properties::DENSE
    },
    build: |settings| Box::new(H2o { heavy: settings.count("heavy"), recent: settings.count("recent") }),
};

#[derive(Clone, Copy)]
struct H2o {
    heavy: usize,
    recent: usize,
}

impl Policy for H2o {
    fn watch(&self) -> Watch {
        Watch { sums: true, ..Watch::default() }
    }

    fn own_bytes(&self, tokens: usize, _: usize, _: usize) -> usize {
        tokens * size_of::<f32>()
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(Oracle { budget: *self, sums: Vec::new(), prompt: true })
    }
}

struct Oracle {
    budget: H2o,
    /// Accumulated attention per stored token, in order.
    sums: Vec<f32>,
    prompt: bool,
}

impl Selector for Oracle {
    fn select(&mut self, cache: &HeadCache, _: &Tile<'_>) -> Vec<Reading> {
        vec![Reading::all(cache)]
    }

    fn bytes(&self) -> usize {
        size_of_val(self.sums.as_slice())
    }

    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        self.sums.resize(cache.len(), 0.0);
        self.sums.iter_mut().zip(seen.sums).for_each(|(sum, seen)| *sum += seen);
        self.prompt &= !seen.prompt_over;
        let budget = self.budget.heavy + self.budget.recent;
        if self.prompt || self.sums.len() <= budget {
            return;
        }
        let recent = self.sums.len() - self.budget.recent;
        let mut kept = top(self.sums.get(..recent).unwrap_or_default(), self.budget.heavy);
        kept.extend(recent..self.sums.len());
        // After an eviction the cache counts from 0 again: a place in `sums` is an index of the cache.
        cache.retain_tokens(&kept);
        self.sums = kept.iter().filter_map(|place| self.sums.get(*place).copied()).collect();
    }
}
