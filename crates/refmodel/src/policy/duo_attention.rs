//! DuoAttention: heads that retrieve read everything, the others stream.

use super::dense::All;
use super::lserve::streams;
use super::streaming_llm::Streaming;
use super::{Card, Parameter, Places, Policy, Properties, Selector, Site};

/// DuoAttention.
pub const CARD: Card = Card {
    slug: "duo-attention",
    title: "DuoAttention",
    citation: "Xiao et al. 2024, DuoAttention: efficient long-context LLM inference with retrieval and streaming heads, \
               arXiv 2410.10819",
    what: "Retrieval heads read everything; streaming heads keep sinks and the last tokens.",
    differs: "Gates are trained by `train --gates` on the platform's needle lessons, and the share of streaming heads takes \
              the lowest; a checkpoint without gates has its last heads streaming.",
    parameters: &[
        Parameter { name: "streaming", help: "share of streaming heads", default: 0.5, least: 0.0 },
        Parameter { name: "sinks", help: "first tokens kept", default: 64.0, least: 0.0 },
        Parameter { name: "window", help: "last tokens kept", default: 256.0, least: 1.0 },
    ],
    properties: Properties::DENSE,
    build: |settings| {
        Box::new(Duo {
            streaming: settings.number("streaming").min(1.0),
            sinks: settings.count("sinks"),
            window: settings.count("window"),
        })
    },
};

struct Duo {
    streaming: f64,
    sinks: usize,
    window: usize,
}

impl Policy for Duo {
    fn selector(&self, site: Site) -> Box<dyn Selector> {
        if streams(site, self.streaming) {
            Box::new(Streaming { sinks: self.sinks, window: self.window, places: Places::Text })
        } else {
            Box::new(All)
        }
    }
}
