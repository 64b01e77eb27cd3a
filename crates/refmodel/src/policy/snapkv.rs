//! SnapKV: after the prompt, each head keeps what the last queries looked at.

use super::select::top;
use super::weigh::observe;
use super::{Card, Parameter, Policy, Properties, Reading, Seen, Selector, Site, Tile, Watch};
use crate::cache::HeadCache;

/// SnapKV.
pub const CARD: Card = Card {
    slug: "snapkv",
    title: "SnapKV",
    citation: "Li et al. 2024, SnapKV: LLM knows what you are looking for before generation, arXiv 2404.14469",
    what: "Reads the prompt densely; then each head keeps the tokens that the last queries attended to, pooled over \
           neighbours, and these last tokens.",
    differs: "Query heads that share a key head vote together.",
    parameters: &[
        Parameter { name: "capacity", help: "tokens kept of the prompt", default: 320.0, least: 2.0 },
        Parameter { name: "window", help: "last queries that vote, kept too", default: 64.0, least: 1.0 },
        Parameter { name: "kernel", help: "tokens pooled", default: 5.0, least: 1.0 },
    ],
    properties: Properties { prefix_stable: false, recalls: true, shared_choice: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(SnapKv {
            capacity: settings.count("capacity"),
            window: settings.count("window").min(settings.count("capacity")),
            kernel: settings.count("kernel"),
        })
    },
};

#[derive(Clone, Copy)]
struct SnapKv {
    capacity: usize,
    window: usize,
    kernel: usize,
}

impl Policy for SnapKv {
    fn watch(&self) -> Watch {
        Watch { last_queries: self.window, ..Watch::default() }
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(*self)
    }
}

impl Selector for SnapKv {
    fn select(&mut self, cache: &HeadCache, _: &Tile<'_>) -> Vec<Reading> {
        vec![Reading::all(cache)]
    }

    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        let stored = cache.len();
        if !seen.prompt_over || stored <= self.capacity {
            return;
        }
        let votes = votes(cache, seen);
        let prefix = stored - self.window;
        let pooled = pooled(votes.get(..prefix).unwrap_or_default(), self.kernel);
        let mut kept = top(&pooled, self.capacity - self.window);
        kept.extend(prefix..stored);
        cache.retain_tokens(&kept);
    }
}

/// Attention of each row to each stored token, summed over rows and heads. Rows are the last of the cache.
fn votes(cache: &HeadCache, seen: &Seen<'_>) -> Vec<f32> {
    let mut votes = vec![0.0; cache.len()];
    for queries in seen.last_queries {
        observe(cache, queries, seen.meter, |_, weights| {
            votes.iter_mut().zip(weights).for_each(|(vote, weight)| *vote += weight);
        });
    }
    votes
}

/// Mean over `kernel` neighbours, as average pooling with zero padding.
#[expect(clippy::cast_precision_loss, reason = "kernel sizes")]
fn pooled(votes: &[f32], kernel: usize) -> Vec<f32> {
    let reach = kernel / 2;
    (0..votes.len())
        .map(|at| {
            let around = votes.get(at.saturating_sub(reach)..(at + reach + 1).min(votes.len())).unwrap_or_default();
            around.iter().sum::<f32>() / kernel as f32
        })
        .collect()
}
