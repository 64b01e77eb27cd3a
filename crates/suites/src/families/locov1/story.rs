//! What a document tells of a stranger, and the query that this answers.

use super::{WINDOW, council, genre};
use crate::card::Language;
use crate::families::{prose, saga, searched, words};
use crate::haystack::{HaystackError, Passage};
use crate::item::Item;
use crate::retrieval::document_id;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::tokens;
use crate::world::{Annals, Event, EventKind, Fact, PersonId, TownId, Trade, World};

/// Kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Genre {
    /// One town's past after another's.
    Chronicle,
    /// Year after year.
    Annals,
    /// Minutes of a council.
    Council,
}

/// A document's evidence and query.
pub struct Story {
    pub(super) query: String,
    evidence: String,
    /// Canonical tokens of the document before the evidence, about.
    place: u32,
    genre: Genre,
    variant: u64,
}

/// A sentence reaches at most so far, and the next place for one is at most so far away.
const REACH: u32 = 72;

const KINDS: [EventKind; 8] = [
    EventKind::Flood,
    EventKind::Fire,
    EventKind::Frost,
    EventKind::Fair,
    EventKind::Bridge,
    EventKind::Mill,
    EventKind::Dispute,
    EventKind::Treaty,
];

/// What annals tell of strangers, and the question for it.
const LIVES: [(&str, &str); 5] = [
    (
        "In {year} {name}, a {trade} from over the sea, asked for bread at {town} and was given a {thing}.",
        "What did people give to the {trade} {name}, who had come over the sea hungry?",
    ),
    (
        "{name} was laid in the ground at {town} in {year}, with a {thing} beside the right hand.",
        "With what was {name} buried?",
    ),
    (
        "In {year} a {thing} went missing at {town}, and the {trade} {name} was blamed and later cleared.",
        "Of what theft was the {trade} {name} wrongly accused?",
    ),
    (
        "The council of {town} paid {name} in {year} for a {thing} that no {trade} of the town could make.",
        "What did {name} make that the town's own people could not?",
    ),
    (
        "Word came to {town} in {year} that {name} had lost everything at sea but a {thing}.",
        "What was left to {name} after the shipwreck?",
    ),
];

/// What is read out in councils, and how minutes are asked for it.
const WISHES: [(&str, &str); 5] = [
    (
        "The clerk then read a letter of {name}, a {trade}, who would give a {thing} to be spared the toll.",
        "Summarise what the {trade} {name} offered so as not to pay toll.",
    ),
    (
        "A complaint by {name} was heard, whose {thing} had been ruined by the town's own carts.",
        "What damage did {name} complain of?",
    ),
    (
        "{name} had sent word and wished to hang a {thing} over the north gate, which was left for the spring.",
        "Which request by {name} did the council put off?",
    ),
    (
        "On behalf of {name} somebody asked whether a {trade} may keep a {thing} in the common barn.",
        "What did {name} want to store on common ground?",
    ),
    (
        "It was agreed to thank {name}, the {trade}, for the {thing} that was found in the dry well.",
        "For what discovery did the council thank {name}?",
    ),
];

impl Story {
    /// The story of a document.
    pub fn draw(task: &Task, request: &ItemRequest<'_>, block: u32, number: u32) -> Self {
        let genre = genre(task);
        let mut rng = searched::stream(task, request, block, &document_id(number));
        let (world, person) = searched::stranger(request.seed, task.slug(), block, number);
        let (query, evidence) = match genre {
            Genre::Chronicle => deed(world, person, &mut rng),
            Genre::Annals => told(&LIVES, world, person, &mut rng),
            Genre::Council => told(&WISHES, world, person, &mut rng),
        };
        let room = request.length.tokens().saturating_sub(tokens::count(&query));
        let place = if number.is_multiple_of(2) {
            rng.between(0, u64::from(WINDOW - 2 * REACH))
        } else {
            rng.between(u64::from(WINDOW + REACH), u64::from(room.saturating_sub(REACH).max(WINDOW + REACH)))
        };
        Self { query, evidence, place: u32::try_from(place).unwrap_or(0), genre, variant: rng.next_u64() }
    }

    /// The query with its document.
    pub fn item(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let around = tokens::count(&self.query) + tokens::count(&self.evidence);
        let room = request.length.tokens().saturating_sub(around).max(1);
        let needle = (f64::from(self.place) / f64::from(room), self.evidence.clone());
        let mut around = self.around(request);
        searched::item(task, request, vec![self.query.clone()], vec![needle], &mut around)
    }

    /// The text in which the evidence stands.
    fn around<'a>(&self, request: &'a ItemRequest<'_>) -> Box<dyn FnMut(u32) -> Result<Passage, HaystackError> + 'a> {
        let (world, variant) = (World::new(request.seed), self.variant);
        match (self.genre, request.corpus) {
            (_, Some(_)) | (Genre::Chronicle, None) => Box::new(prose::running(request, Language::English, variant)),
            (Genre::Annals, None) => {
                Box::new(move |budget| Ok(Annals::new(world, variant, budget).tell(budget, &[]).passage))
            }
            (Genre::Council, None) => Box::new(move |budget| Ok(council::minutes(world, variant, budget))),
        }
    }
}

/// A stranger's deed, summed up and told.
fn deed(world: World, leader: PersonId, rng: &mut Rng) -> (String, String) {
    let town = TownId(rng.below(1 << 24) as u32);
    let year = 870 + rng.below(90) as u32;
    let event = Event {
        town,
        with: rng.choose(&world.neighbours(town)).copied().unwrap_or(town),
        year,
        month: rng.between(1, 12) as u32,
        day: rng.between(1, 28) as u32,
        kind: rng.choose(&KINDS).copied().unwrap_or(EventKind::Fair),
        leader,
    };
    let name = |id| world.person(id).name.of(Language::English);
    let other = world.town(event.with).name.of(Language::English);
    let query = saga::summed_up_en(event.kind, &name(leader), &year.to_string(), &other);
    (query, world.sentence(Language::English, &Fact::Event(event), 0))
}

fn told(forms: &[(&str, &str)], world: World, person: PersonId, rng: &mut Rng) -> (String, String) {
    let name = world.person(person).name.of(Language::English);
    let thing = words::keys(rng, 1).concat().replace('-', " ");
    let trade = rng.choose(&Trade::ALL).map_or("miller", |trade| trade.noun());
    let town = world.town(TownId(rng.below(1 << 24) as u32)).name.of(Language::English);
    let year = (870 + rng.below(90)).to_string();
    let (evidence, query) = rng.choose(forms).copied().unwrap_or_default();
    let slots = [("name", name.as_str()), ("thing", &thing), ("trade", trade), ("town", &town), ("year", &year)];
    (crate::template::filled(query, &slots), crate::template::filled(evidence, &slots))
}
