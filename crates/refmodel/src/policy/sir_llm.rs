//! SirLLM: the first tokens and those that surprised the model most, with decay.

use super::select::top;
use super::{Card, Parameter, Places, Policy, Properties, Reading, Seen, Selector, Site, Span, Tile, Watch};
use crate::cache::HeadCache;

/// SirLLM.
pub const CARD: Card = Card {
    slug: "sirllm",
    title: "SirLLM",
    citation: "Yao et al. 2024, SirLLM: streaming infinite retentive LLM, arXiv 2405.12528; code Zoeyyao27/SirLLM @ 4c95578",
    what: "Keeps the first tokens and those of highest surprisal; older surprisal decays with every turn.",
    differs: "Surprisal is that of the token itself; the released code reads it one token late. A turn is a chunk of the \
              prompt or a token of the answer.",
    parameters: &[
        Parameter { name: "sinks", help: "first tokens kept", default: 4.0, least: 0.0 },
        Parameter { name: "entropy", help: "surprising tokens kept", default: 1020.0, least: 1.0 },
        Parameter { name: "recent", help: "last tokens kept", default: 64.0, least: 1.0 },
        Parameter { name: "decay", help: "factor on surprisal per turn", default: 1.0, least: 0.0 },
    ],
    properties: Properties { prefix_stable: false, bounded: true, renumbers: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(SirLlm {
            sinks: settings.count("sinks"),
            entropy: settings.count("entropy"),
            recent: settings.count("recent"),
            decay: settings.number("decay"),
        })
    },
};

#[derive(Clone, Copy)]
struct SirLlm {
    sinks: usize,
    entropy: usize,
    recent: usize,
    decay: f64,
}

impl Policy for SirLlm {
    fn raw_keys(&self) -> bool {
        true
    }

    fn watch(&self) -> Watch {
        Watch { surprisal: true, ..Watch::default() }
    }

    fn own_bytes(&self, tokens: usize, _: usize, _: usize) -> usize {
        tokens * size_of::<f32>()
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(Memory { policy: *self, surprisal: Vec::new() })
    }
}

struct Memory {
    policy: SirLlm,
    /// Decayed surprisal per stored token, in order.
    surprisal: Vec<f32>,
}

impl Selector for Memory {
    fn select(&mut self, cache: &HeadCache, _: &Tile<'_>) -> Vec<Reading> {
        vec![Reading { places: Places::Packed, span: Span::Causal, ..Reading::all(cache) }]
    }

    fn bytes(&self) -> usize {
        size_of_val(self.surprisal.as_slice())
    }

    #[expect(clippy::cast_possible_truncation, reason = "f32 is the model's precision")]
    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        let decay = self.policy.decay as f32;
        self.surprisal.iter_mut().for_each(|surprisal| *surprisal *= decay);
        self.surprisal.extend(seen.surprisal);
        let budget = self.policy.sinks + self.policy.entropy + self.policy.recent;
        if self.surprisal.len() <= budget {
            return;
        }
        let sinks = self.policy.sinks;
        let recent = self.surprisal.len() - self.policy.recent;
        let middle = self.surprisal.get(sinks..recent).unwrap_or_default();
        let mut kept: Vec<usize> = (0..sinks).collect();
        kept.extend(top(middle, self.policy.entropy).into_iter().map(|place| place + sinks));
        kept.extend(recent..self.surprisal.len());
        cache.retain_tokens(&kept);
        self.surprisal = kept.iter().filter_map(|place| self.surprisal.get(*place).copied()).collect();
    }
}
