//! Policies that change positions only: SelfExtend, grouped and recurrent positions.

use super::{Card, Parameter, Places, Policy, Properties, Reading, Selector, Site, Span, Tile};
use crate::cache::HeadCache;

const NOTE: &str = "Layers without rotary positions have none to change; there it equals dense attention.";

/// SelfExtend.
pub const SELF_EXTEND: Card = Card {
    slug: "self-extend",
    title: "SelfExtend",
    citation: "Jin et al. 2024, LLM maybe LongLM: self-extend LLM context window without tuning, arXiv 2401.01325",
    what: "Near keys keep their positions, far ones take positions divided by the group size.",
    differs: NOTE,
    parameters: &[
        Parameter { name: "group", help: "positions that become one", default: 9.0, least: 1.0 },
        Parameter { name: "near", help: "tokens that keep their positions", default: 512.0, least: 1.0 },
    ],
    properties: PROPERTIES,
    build: |settings| Box::new(Positions::SelfExtend { group: settings.count("group"), near: settings.count("near") }),
};

/// Grouped positions.
pub const GROUPED: Card = Card {
    slug: "grouped-positions",
    title: "Grouped positions",
    citation: "Zhu et al. 2024, LongEmbed: extending embedding models for long context retrieval, arXiv 2404.12096; code \
               dwzhu-pku/LongEmbed @ 033dc4a",
    what: "Positions are divided by a whole number and rounded down.",
    differs: "The divisor is set instead of following from the input's length. Layers without rotary positions have none \
              to change.",
    parameters: &[Parameter { name: "group", help: "positions that become one", default: 8.0, least: 1.0 }],
    properties: PROPERTIES,
    build: |settings| Box::new(Positions::One(Places::Grouped { by: settings.count("group").max(1), shift: 0 })),
};

/// Recurrent positions.
pub const RECURRENT: Card = Card {
    slug: "recurrent-positions",
    title: "Recurrent positions",
    citation: GROUPED.citation,
    what: "Positions start again at 0 after every trained length.",
    differs: NOTE,
    parameters: &[Parameter { name: "modulo", help: "trained length in tokens", default: 1024.0, least: 1.0 }],
    properties: PROPERTIES,
    build: |settings| Box::new(Positions::One(Places::Wrapped { modulo: settings.count("modulo").max(1) })),
};

const PROPERTIES: Properties = Properties { renumbers: true, ..Properties::DENSE };

#[derive(Clone, Copy)]
enum Positions {
    One(Places),
    SelfExtend { group: usize, near: usize },
}

impl Policy for Positions {
    fn raw_keys(&self) -> bool {
        true
    }

    fn selector(&self, _: Site) -> Box<dyn Selector> {
        Box::new(*self)
    }
}

impl Selector for Positions {
    fn select(&mut self, cache: &HeadCache, _: &Tile<'_>) -> Vec<Reading> {
        let reading = |span, places| Reading { span, places, ..Reading::all(cache) };
        match *self {
            Self::One(places) => vec![reading(Span::Causal, places)],
            Self::SelfExtend { group, near } => {
                let group = group.max(1);
                let far = Places::Grouped { by: group, shift: near - near / group };
                vec![reading(Span::Far(near), far), reading(Span::Near(near), Places::Text)]
            }
        }
    }
}
