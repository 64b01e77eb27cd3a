//! What policies list while a model reads: nothing else is read, and positions stay where the card says.

use std::sync::{Arc, Mutex};

use super::*;
use crate::attention::{places, read};
use crate::rope::Rope;

/// A policy whose choices are written down.
struct Witness {
    policy: Box<dyn Policy>,
    choices: Arc<Mutex<Vec<Choice>>>,
}

struct Witnessed {
    selector: Box<dyn Selector>,
    choices: Arc<Mutex<Vec<Choice>>>,
}

struct Choice {
    cache: HeadCache,
    queries: Vec<f32>,
    first: usize,
    position: usize,
    readings: Vec<Reading>,
}

impl Policy for Witness {
    fn summaries(&self) -> Summaries {
        self.policy.summaries()
    }

    fn raw_keys(&self) -> bool {
        self.policy.raw_keys()
    }

    fn watch(&self) -> Watch {
        self.policy.watch()
    }

    fn tile_rows(&self, rotary: bool) -> usize {
        self.policy.tile_rows(rotary)
    }

    fn selector(&self, site: Site) -> Box<dyn Selector> {
        Box::new(Witnessed { selector: self.policy.selector(site), choices: Arc::clone(&self.choices) })
    }
}

impl Selector for Witnessed {
    fn open(&mut self, cache: &HeadCache, ahead: &Ahead<'_>) {
        self.selector.open(cache, ahead);
    }

    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let readings = self.selector.select(cache, tile);
        // The last tile of the prompt that is read whole, and the answer.
        if tile.position + tile.rows() > 275 {
            self.choices.lock().unwrap().push(Choice {
                cache: cache.clone(),
                queries: tile.queries.to_vec(),
                first: tile.first,
                position: tile.position,
                readings: readings.clone(),
            });
        }
        readings
    }

    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        self.selector.settle(cache, seen);
    }
}

const DIM: usize = 16;

/// Choices of a model under `card` for a prompt of 280 tokens, read in chunks of 128, and an answer of 20.
fn choices(card: &Card) -> Vec<Choice> {
    let choices = Arc::default();
    let witness = Witness { policy: policy(card, &tight(card.slug)), choices: Arc::clone(&choices) };
    let model = Model::new(decoder(config(2)), tokenizer(), Box::new(witness));
    let _ = logits(&model, &text(300), 128, 280);
    drop(model);
    Arc::into_inner(choices).unwrap().into_inner().unwrap()
}

impl Choice {
    fn tile<'a>(&'a self, meter: &'a Meter) -> Tile<'a> {
        let (first, position) = (self.first, self.position);
        Tile { queries: &self.queries, dim: DIM, member: 0, first, position, decoding: true, meter }
    }

    fn listed(&self, slot: usize, token: usize) -> bool {
        let pages = self.readings.iter().flat_map(|reading| &reading.pages);
        pages.filter(|page| page.slot == slot).any(|page| page.valid >> token & 1 == 1)
    }
}

#[test]
fn what_is_not_listed_is_never_read() {
    let rope = Rope::new(DIM, 10_000.0, RopeScaling::Plain, false, 256);
    for card in Card::all() {
        let rope = policy(card, &tight(card.slug)).raw_keys().then_some(&rope);
        let mut unlisted = 0;
        for choice in choices(card) {
            let meter = Meter::default();
            let tile = choice.tile(&meter);
            let output = |cache: &HeadCache| {
                let (mut output, mut lse) = (vec![0.0; choice.queries.len()], vec![0.0; tile.rows()]);
                read(&tile, cache, &choice.readings, rope, &mut output, &mut lse);
                (output, lse)
            };
            let poisoned = choice.cache.poisoned(|slot, token| choice.listed(slot, token));
            let (clean, dirty) = (output(&choice.cache), output(&poisoned));
            assert!(clean.0.iter().all(|value| value.is_finite()), "{}", card.slug);
            assert_eq!(clean, dirty, "{}", card.slug);
            let tokens = choice.cache.slots().iter().enumerate();
            let tokens = tokens.flat_map(|(slot, page)| (0..page.page.len()).map(move |token| (slot, token)));
            unlisted += tokens.filter(|(slot, token)| !choice.listed(*slot, *token)).count();
        }
        // What SnapKV, H2O and SirLLM do not list, they have evicted.
        let evicts = ["snapkv", "h2o", "sirllm"].contains(&card.slug);
        let lists = card.properties.recalls && !evicts;
        assert!(unlisted > 0 || !lists, "{} left nothing out", card.slug);
    }
}

/// How far keys may be from a query under [`tight`].
fn reach(slug: &str) -> usize {
    match slug {
        "streaming-llm" => 4 + 60,
        "longheads" => 192,
        // The cache and one chunk.
        "sirllm" => 4 + 40 + 20 + 128,
        "self-extend" => 40 + 300 / 4,
        "grouped-positions" => 300 / 4 + 1,
        "recurrent-positions" => 64,
        _ => unreachable!("{slug} has no bound here"),
    }
}

#[test]
fn keys_stay_as_near_as_stated() {
    for card in Card::all().iter().filter(|card| card.properties.renumbers) {
        let mut most = 0;
        for choice in choices(card) {
            let meter = Meter::default();
            let tile = choice.tile(&meter);
            for reading in &choice.readings {
                let (keys, queries) = places(&tile, &choice.cache, reading);
                let listed = reading.pages.iter().flat_map(|page| {
                    let slot = &choice.cache.slots()[page.slot];
                    (0..slot.page.len()).filter(|bit| page.valid >> bit & 1 == 1).map(|bit| slot.first + bit)
                });
                for (index, key) in listed.zip(keys) {
                    for (row, query) in reading.rows_of(&tile).zip(&queries) {
                        let Some(back) = (tile.first + row).checked_sub(index) else { continue };
                        let seen = match reading.span {
                            Span::Causal => true,
                            Span::Near(window) => back < window,
                            Span::Far(window) => back >= window,
                        };
                        most = most.max(if seen { query.abs_diff(key) } else { 0 });
                    }
                }
            }
        }
        assert!(most < reach(card.slug), "{}: {most}", card.slug);
        assert!(most > 8, "{}: {most}", card.slug);
    }
}
