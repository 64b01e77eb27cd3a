//! StreamingLLM: the first tokens and the last ones.

use super::select::sinks_and;
use super::{Card, Parameter, Places, Policy, Properties, Reading, Seen, Selector, Site, Span, Tile};
use crate::cache::HeadCache;

/// StreamingLLM.
pub const CARD: Card = Card {
    slug: "streaming-llm",
    title: "StreamingLLM",
    citation: "Xiao et al. 2024, Efficient streaming language models with attention sinks, arXiv 2309.17453",
    what: "Keeps the first tokens as sinks and a window of the last ones, at positions within the cache.",
    differs: "Pages that hold neither are dropped whole, so up to one page more than the budget is stored.",
    parameters: &[
        Parameter { name: "sinks", help: "first tokens kept", default: 4.0, least: 0.0 },
        Parameter { name: "window", help: "last tokens kept", default: 2000.0, least: 1.0 },
    ],
    properties: Properties { bounded: true, renumbers: true, ..Properties::DENSE },
    build: |settings| Box::new(StreamingLlm { sinks: settings.count("sinks"), window: settings.count("window") }),
};

#[derive(Clone, Copy)]
struct StreamingLlm {
    sinks: usize,
    window: usize,
}

impl Policy for StreamingLlm {
    fn raw_keys(&self) -> bool {
        true
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(Streaming { sinks: self.sinks, window: self.window, places: Places::Packed })
    }
}

/// Sinks and a window.
pub struct Streaming {
    /// First tokens kept.
    pub sinks: usize,
    /// Last tokens kept.
    pub window: usize,
    /// Where keys stand.
    pub places: Places,
}

impl Selector for Streaming {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let from = (tile.first + 1).saturating_sub(self.window);
        let reading = |pages, span| Reading { span, places: self.places, ..Reading::of(pages) };
        if tile.rows() == 1 || tile.end() <= self.sinks + self.window {
            return vec![reading(sinks_and(cache, self.sinks, from, tile.end()), Span::Causal)];
        }
        // Rows of a tile end at different tokens: the window is cut per row, the sinks are not.
        let window = sinks_and(cache, 0, from.max(self.sinks), tile.end());
        vec![reading(sinks_and(cache, self.sinks, 0, 0), Span::Causal), reading(window, Span::Near(self.window))]
    }

    fn settle(&mut self, cache: &mut HeadCache, _: &Seen<'_>) {
        let from = cache.next().saturating_sub(self.window);
        let sinks = self.sinks;
        cache.retain_pages(|slot| slot.first < sinks || slot.end() > from);
    }
}
