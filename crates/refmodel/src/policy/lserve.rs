//! LServe: half of the heads stream, the others read the best pages, chosen in two levels and reused.

use super::select::{top, whole};
use super::streaming_llm::Streaming;
use super::{Card, Parameter, Places, Policy, Properties, Reading, Seen, Selector, Site, Tile, bytes_of, vector_bytes};
use crate::cache::{HeadCache, PARTS, Summaries};
use crate::page::PAGE;

/// LServe.
pub const CARD: Card = Card {
    slug: "lserve",
    title: "LServe",
    citation: "Yang et al. 2025, LServe: efficient long-sequence LLM serving with unified sparse attention, arXiv \
               2502.14866; code mit-han-lab/omniserve @ 02b2925 (Apache-2.0)",
    what: "Streaming heads keep sinks and the last tokens. Retrieval heads keep everything and read, for four tokens of \
           the answer at a time, the pages whose logical pages allow the highest score.",
    differs: "The share of streaming heads takes those with the lowest gates, as in DuoAttention; a checkpoint without \
              gates has its first heads retrieving. Quantisation is left out.",
    parameters: &[
        Parameter { name: "budget", help: "tokens that retrieval heads read", default: 4096.0, least: 192.0 },
        Parameter { name: "reuse", help: "tokens of the answer per choice", default: 4.0, least: 1.0 },
        Parameter { name: "streaming", help: "share of streaming heads", default: 0.5, least: 0.0 },
        Parameter { name: "sinks", help: "first tokens that streaming heads keep", default: 128.0, least: 0.0 },
        Parameter {
            name: "local",
            help: "last tokens that streaming heads read in answers",
            default: 256.0,
            least: 1.0,
        },
        Parameter {
            name: "prefill-local",
            help: "last tokens that streaming heads read in prompts",
            default: 8192.0,
            least: 1.0,
        },
    ],
    properties: Properties { recalls: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(LServe {
            budget: settings.count("budget"),
            reuse: settings.count("reuse").max(1),
            streaming: settings.number("streaming").min(1.0),
            sinks: settings.count("sinks"),
            local: settings.count("local"),
            prefill_local: settings.count("prefill-local"),
        })
    },
};

/// Pages read at least.
const LEAST_PAGES: usize = 3;

#[derive(Clone, Copy)]
struct LServe {
    budget: usize,
    reuse: usize,
    streaming: f64,
    sinks: usize,
    local: usize,
    prefill_local: usize,
}

impl Policy for LServe {
    fn summaries(&self) -> Summaries {
        Summaries { bounds: true, mean: false }
    }

    fn own_bytes(&self, _: usize, _: usize, group: usize) -> usize {
        group * bytes_of::<usize>((self.budget / PAGE).max(LEAST_PAGES))
    }

    fn selector(&self, site: Site) -> Box<dyn Selector> {
        if streams(site, self.streaming) {
            Box::new(StreamingHead { sinks: self.sinks, local: self.local, prefill_local: self.prefill_local })
        } else {
            Box::new(RetrievalHead { policy: *self, step: 0, chosen: vec![Vec::new(); site.group], newest_then: None })
        }
    }
}

/// Whether the head at `site` streams when this share of heads does: those with the lowest gates, or the last of each
/// layer.
#[expect(clippy::cast_precision_loss, reason = "head counts")]
pub fn streams(site: Site, share: f64) -> bool {
    match site.gate_share {
        Some(lower) => lower < share,
        None => site.kv_head as f64 >= site.kv_heads as f64 * (1.0 - share),
    }
}

struct StreamingHead {
    sinks: usize,
    local: usize,
    prefill_local: usize,
}

impl StreamingHead {
    fn streaming(&self, decoding: bool) -> Streaming {
        let window = if decoding { self.local } else { self.prefill_local };
        Streaming { sinks: self.sinks, window, places: Places::Text }
    }
}

impl Selector for StreamingHead {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        self.streaming(tile.decoding).select(cache, tile)
    }

    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        self.streaming(seen.decoding).settle(cache, seen);
    }
}

struct RetrievalHead {
    policy: LServe,
    step: usize,
    /// Pages chosen last, per query head.
    chosen: Vec<Vec<usize>>,
    newest_then: Option<usize>,
}

impl Selector for RetrievalHead {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        if !tile.decoding || cache.len() <= self.policy.budget {
            return vec![Reading::all(cache)];
        }
        let pages = (self.policy.budget / PAGE).max(LEAST_PAGES);
        let newest = cache.slots().len() - 1;
        let Some(chosen) = self.chosen.get_mut(tile.member) else { return vec![Reading::all(cache)] };
        if self.step.is_multiple_of(self.policy.reuse) || chosen.is_empty() {
            let logical = cache.bounds().scores(tile.queries, newest * PARTS);
            tile.meter.products(1, 2 * logical.len(), tile.dim);
            // A page is as good as the best of its logical pages.
            let scores: Vec<f32> =
                logical.chunks(PARTS).map(|parts| parts.iter().copied().fold(f32::MIN, f32::max)).collect();
            *chosen = top(&scores, pages - 1);
            self.newest_then = Some(newest);
        }
        let mut listed = chosen.clone();
        // A page that was the newest when the choice was made has a younger one beside it until the next choice.
        listed.extend(self.newest_then.filter(|then| *then < newest && !chosen.contains(then)));
        listed.push(newest);
        vec![Reading::of(whole(cache, &listed))]
    }

    fn bytes(&self) -> usize {
        vector_bytes(&self.chosen)
    }

    fn settle(&mut self, _: &mut HeadCache, seen: &Seen<'_>) {
        self.step = if seen.prompt_over { 0 } else { self.step + 1 };
    }
}
