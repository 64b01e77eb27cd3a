//! HEADLINES: headlines of the same dispatch, found on the front pages of other papers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::front_page::{self, KINDS_OF_EVENTS, WORDINGS};
use super::{LICENCE, SOURCE};
use crate::card::{Card, Diffusion, Language, Scope};
use crate::families::{prose, searched};
use crate::haystack::{Passage, PassageBuilder, Planted, planting_cost};
use crate::item::{Item, Scored};
use crate::prompt::{Answer, Prompt};
use crate::retrieval::{self, Content, Document, Judged, Pool, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::{PersonId, TownId, World};

/// Front pages, some of which carry the event of a headline under other headlines.
pub struct Headlines;

/// Front pages of a pool, and events that are asked for.
const PAGES: u32 = 40;
const EVENTS: u32 = 20;
/// Front pages that carry one event: all wordings but the query's.
const CARRIED: usize = WORDINGS - 1;
/// Canonical tokens that a query has at most.
const QUERY: u32 = 20;
/// Places of a ranking that count.
const CUT: usize = 10;

impl Family for Headlines {
    fn slug(&self) -> &'static str {
        "headlines"
    }

    fn title(&self) -> &'static str {
        "HEADLINES similarity"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "HEADLINES",
            what: format!(
                "Find, among {PAGES} front pages full of headlines, the {CARRIED} that carry a headline's event under other headlines."
            ),
            citation: SOURCE,
            licence: LICENCE,
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: by_chance(),
            metric: "locov1.ndcg",
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let pool = self.pool(task, request);
        let mut order: Vec<u32> = (0..EVENTS).collect();
        searched::stream(task, request, pool.block, "order").shuffle(&mut order);
        let event = order.get((request.index % EVENTS) as usize).copied().unwrap_or(0);
        let edition = Edition::draw(task, request, pool.block);
        let query = format!("{}.", edition.headline(event, 0));
        let pages = edition.pages(event);
        let first = pages.first().copied().unwrap_or(0);
        let wording = format!("{}.", edition.headline(event, 1));
        let mut page = edition.page(request, first);
        page.needles.retain(|needle| page.text.get(needle.bytes.clone()) == Some(wording.as_str()));
        let mut prompt = Prompt::default();
        prompt.push(&query);
        prompt.push_planted(&page);
        if prompt.tokens() > request.length.tokens() {
            return Err(prose::unsatisfiable(task, request, "headline and front page do not fit"));
        }
        let mut item = prompt.finish(task, request, Answer::default());
        searched::split(&mut item, vec![query]);
        let relevant: BTreeMap<String, u32> = pages.into_iter().map(|page| (document_id(page), 1)).collect();
        item.references = relevant.keys().cloned().collect();
        item.gold = Judged { documents: PAGES, relevant: vec![relevant] }.to_gold();
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "headline_similarity", "Headlines of one event", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        retrieval::scored(item, answer, |rankings, judged| searched::measures(rankings, judged, 0, CUT).ndcg)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for Headlines {
    fn pool(&self, _: &Task, request: &ItemRequest<'_>) -> Pool {
        Pool { block: request.index / EVENTS, documents: PAGES }
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let text = Edition::draw(task, request, block).page(request, number).text;
        Ok(Document { id: document_id(number), content: Content::Text(text) })
    }
}

/// Expected NDCG at 10 of a random order.
fn by_chance() -> f64 {
    let discount = |rank: usize| 1.0 / (rank as f64 + 1.0).log2();
    let gain: f64 = (1..=CUT).map(discount).sum();
    let ideal: f64 = (1..=CARRIED).map(discount).sum();
    gain * CARRIED as f64 / f64::from(PAGES) / ideal
}

/// The front pages of a block.
struct Edition {
    world: World,
    stream: Rng,
}

impl Edition {
    fn draw(task: &Task, request: &ItemRequest<'_>, block: u32) -> Self {
        let mut stream = searched::stream(task, request, block, "edition");
        Self { world: World::new(stream.next_u64()), stream }
    }

    fn rng(&self, what: &str, number: u32) -> Rng {
        Rng::from_path(&[self.stream.clone().next_u64(), Rng::name(what), u64::from(number)])
    }

    /// Towns of events that are asked for, all of different names.
    fn towns(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = (0..).map(|id| self.world.town(TownId(id)).name.of(Language::English));
        names.filter(|name| seen.insert(name.clone())).take(EVENTS as usize).collect()
    }

    fn headline(&self, event: u32, wording: usize) -> String {
        let mut rng = self.rng("event", event);
        let town = self.towns().into_iter().nth(event as usize).unwrap_or_default();
        let name = self.world.person(PersonId(event * 96)).name.of(Language::English);
        front_page::headline(rng.index(KINDS_OF_EVENTS), wording, &town, &name, rng.between(12, 900))
    }

    /// The front pages that carry an event, by wording from the second on.
    fn pages(&self, event: u32) -> Vec<u32> {
        let pages = self.rng("pages", event).distinct(PAGES as usize, CARRIED);
        pages.into_iter().filter_map(|page| u32::try_from(page).ok()).collect()
    }

    /// A front page: other news with the events that it carries at random places.
    fn page(&self, request: &ItemRequest<'_>, page: u32) -> Planted {
        let mut rng = self.rng("page", page);
        let carried = (0..EVENTS).flat_map(|event| {
            let wordings = self.pages(event).into_iter().zip(1..).filter(|(other, _)| *other == page);
            wordings.map(move |(_, wording)| (event, wording)).collect::<Vec<_>>()
        });
        let carried: Vec<String> =
            carried.map(|(event, wording)| format!("{}.", self.headline(event, wording))).collect();
        let cost: u32 = carried.iter().map(|headline| planting_cost(Language::English, headline)).sum();
        let mut room = request.length.tokens().saturating_sub(QUERY);
        loop {
            let around = self.other_news(&mut rng.clone(), room.saturating_sub(cost));
            let plants: Vec<(usize, &str)> = carried
                .iter()
                .map(|headline| (1 + rng.index(around.breaks.len().max(2) - 1), headline.as_str()))
                .collect();
            let planted = around.plant(&plants);
            let excess = planted.tokens.saturating_sub(request.length.tokens().saturating_sub(QUERY));
            if excess == 0 || room == 0 {
                return planted;
            }
            room = room.saturating_sub(excess);
        }
    }

    fn other_news(&self, rng: &mut Rng, budget: u32) -> Passage {
        let towns: BTreeSet<String> = self.towns().into_iter().collect();
        let mut builder = PassageBuilder::new(Language::English, budget as usize * 5);
        for number in 1.. {
            let town = self.world.town(TownId(1000 + rng.below(1 << 24) as u32)).name.of(Language::English);
            let name = self.world.person(PersonId(100_000 + rng.below(1 << 24) as u32)).name.of(Language::English);
            if towns.contains(&town) {
                continue;
            }
            let news = front_page::headline(
                rng.index(KINDS_OF_EVENTS),
                rng.index(WORDINGS),
                &town,
                &name,
                rng.between(12, 900),
            );
            let news = format!("{news}.");
            let cost = planting_cost(Language::English, &news);
            // A column's first headline stands after an empty line, which costs at most one token more.
            if builder.tokens() + cost + 1 > budget {
                break;
            }
            builder.counted_sentence(&news, cost);
            if number % 12 == 0 {
                builder.end_paragraph();
            }
        }
        for closing in ["Continued on the next page.", "See inside."] {
            let cost = planting_cost(Language::English, closing);
            while builder.tokens() + cost < budget {
                builder.counted_sentence(closing, cost);
            }
        }
        builder.finish()
    }
}
