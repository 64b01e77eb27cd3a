//! The annals: year after year, town after town. A town's fortunes and a person's life are spread over the whole text.
//!
//! Unlike the walk of [`super::Chronicle`], which tells one town at a time, a question about one town's years needs
//! sentences from the first page to the last. Offices and deeds belong to people who live and are grown in that year.

use super::chronicle::{cost, fill};
use super::fact::{Event, Measure};
use super::office::Term;
use super::person::{Person, PersonId};
use super::render_en;
use super::town::TownId;
use super::{Fact, World};
use crate::card::Language;
use crate::counter::Counter;
use crate::haystack::{Passage, PassageBuilder, PlantedSentence};
use crate::rng::Rng;

/// First year that is told.
pub const FIRST_YEAR: u32 = 870;
/// Years that the annals tell of every town, about.
const SPAN: u32 = 100;
/// Canonical tokens of a town's year, about.
const YEAR_TOKENS: u32 = 160;
/// Age from which somebody holds offices and leads others.
const GROWN: u32 = 18;

const SEAL: u64 = 8;
const DEED: u64 = 9;

/// One entry: a sentence of the annals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Birth, trade and parents.
    Birth(PersonId),
    /// Wedding of the founders of a family.
    Wedding(PersonId, PersonId),
    /// Death and age.
    Death(PersonId),
    /// A new holder of the town's seal; told in the term's first year.
    Seal(Term),
    /// A measured amount.
    Measure(Measure),
    /// Something that happened.
    Event(Event),
}

/// What the annals tell of one town.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// Town.
    pub town: TownId,
    /// Its name, unlike that of every other chapter.
    pub name: String,
    /// Everybody of the town.
    pub people: Vec<Person>,
    /// Couples of founders with the year of their wedding.
    weddings: Vec<(PersonId, PersonId, u32)>,
    /// Holders of the seal in order; every holder is grown and alive at the beginning.
    pub seals: Vec<Term>,
}

/// Annals of several towns.
#[derive(Debug, Clone)]
pub struct Annals {
    world: World,
    chapters: Vec<Chapter>,
}

/// Annals as text.
#[derive(Debug, Clone)]
pub struct Told {
    /// The text.
    pub passage: Passage,
    /// Where the wanted entries stand.
    pub marks: Vec<PlantedSentence>,
    /// Last year told of every town.
    pub last_year: u32,
}

impl Annals {
    /// Annals of as many towns as `budget` canonical tokens hold for about a hundred years, at least one.
    #[must_use]
    pub fn new(world: World, variant: u64, budget: u32) -> Self {
        let towns = (budget / (SPAN * YEAR_TOKENS)).max(1) as usize;
        let first = Rng::from_path(&[variant]).below(u64::from(u32::MAX) / 4096) as u32 * 16;
        let mut chapters: Vec<Chapter> = Vec::with_capacity(towns);
        let mut names = std::collections::HashSet::new();
        for id in (first..).map(TownId) {
            if chapters.len() == towns {
                break;
            }
            let name = world.town(id).name.of(Language::English);
            if names.insert(name.clone()) {
                chapters.push(Chapter::new(world, id, name));
            }
        }
        Self { world, chapters }
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> World {
        self.world
    }

    /// The chapters in the order in which every year tells them.
    #[must_use]
    pub fn chapters(&self) -> &[Chapter] {
        &self.chapters
    }

    /// A person's name in English.
    #[must_use]
    pub fn person(&self, id: PersonId) -> String {
        self.world.person(id).name.of(Language::English)
    }

    /// Writes the annals until `budget` canonical tokens are full and marks the entries that are `wanted`.
    #[must_use]
    pub fn tell(&self, budget: u32, wanted: &[Entry]) -> Told {
        let mut builder = PassageBuilder::new(Language::English, budget as usize * 5);
        let (mut counter, mut marks, mut bytes) = (Counter::default(), Vec::new(), 0);
        let mut year = FIRST_YEAR;
        'years: loop {
            for chapter in &self.chapters {
                for (place, (entry, text)) in self.paragraph(chapter, year).into_iter().enumerate() {
                    let cost = cost(Language::English, &mut counter, &text);
                    if builder.tokens() + cost + 1 > budget {
                        break 'years;
                    }
                    let joint = if place > 0 { 1 } else { usize::from(bytes > 0) * 2 };
                    let start = bytes + joint;
                    bytes = start + text.len();
                    if wanted.contains(&entry) {
                        marks.push(PlantedSentence { bytes: start..bytes, token_start: builder.tokens() });
                    }
                    builder.counted_sentence(&text, cost);
                }
                builder.end_paragraph();
            }
            year += 1;
        }
        fill(Language::English, &mut builder, budget);
        Told { passage: builder.finish(), marks, last_year: year - 1 }
    }

    fn paragraph(&self, chapter: &Chapter, year: u32) -> Vec<(Entry, String)> {
        let mut wording = Rng::from_path(&[u64::from(chapter.town.0), u64::from(year)]);
        let entries = chapter.year(self.world, year);
        entries
            .into_iter()
            .enumerate()
            .map(|(place, entry)| {
                let text = self.sentence(chapter, &entry, place > 0, wording.index(2));
                (entry, text)
            })
            .collect()
    }

    fn sentence(&self, chapter: &Chapter, entry: &Entry, same_year: bool, wording: usize) -> String {
        let place = &chapter.name;
        match entry {
            Entry::Measure(measure) => render_en::sentence(self.world, &Fact::Measure(*measure), same_year, wording),
            Entry::Event(event) => render_en::sentence(self.world, &Fact::Event(*event), same_year, wording),
            Entry::Seal(Term { holder, from, .. }) => match wording {
                0 => format!("The seal of {place} passed to {} in {from}.", self.person(*holder)),
                _ => format!("In {from} the council of {place} gave the seal to {}.", self.person(*holder)),
            },
            Entry::Birth(id) => self.birth(place, *id, wording),
            Entry::Wedding(one, other) => {
                let year = self.world.wedding(*one, *other);
                format!("In {year} the bells of {place} rang for {} and {}.", self.person(*one), self.person(*other))
            }
            Entry::Death(id) => {
                let one = self.world.person(*id);
                let (name, age) = (one.name.of(Language::English), one.died - one.born);
                match wording {
                    0 => format!("In {} {name} died at {place} at the age of {age}.", one.died),
                    _ => format!("{name} was buried at {place} in {}, {age} years old.", one.died),
                }
            }
        }
    }

    fn birth(&self, place: &str, id: PersonId, wording: usize) -> String {
        let one = self.world.person(id);
        let (name, trade) = (one.name.of(Language::English), render_en::trade(one.trade));
        let parents: Vec<String> = self.world.parents(id).into_iter().map(|parent| self.person(parent)).collect();
        let of = if parents.is_empty() { String::new() } else { format!(", a child of {}", parents.join(" and ")) };
        match wording {
            0 => format!("{name}, later {trade}, was born at {place} in {}{of}.", one.born),
            _ => format!("In {} {name} was born at {place}{of}, and grew up to be {trade}.", one.born),
        }
    }
}

impl Chapter {
    fn new(world: World, town: TownId, name: String) -> Self {
        let people: Vec<Person> = world.people_of(town).into_iter().map(|id| world.person(id)).collect();
        let seals = seals(world, town, &people);
        let couples = people.iter().filter_map(|one| Some((one.id, world.spouse(one.id)?)));
        let weddings = couples.filter(|(one, other)| one < other);
        let weddings = weddings.map(|(one, other)| (one, other, world.wedding(one, other))).collect();
        Self { town, name, people, weddings, seals }
    }

    /// The two events of a year, each led by somebody grown and alive.
    #[must_use]
    pub fn deeds(&self, world: World, year: u32) -> Vec<Event> {
        let grown: Vec<PersonId> = alive(&self.people, year, year).map(|one| one.id).collect();
        let mut rng = world.stream(DEED, u64::from(self.town.0) << 32 | u64::from(year));
        let led = |event: Event| Some(Event { leader: *rng.choose(&grown)?, ..event });
        world.events(self.town, year).into_iter().filter_map(led).collect()
    }

    /// The holder of the seal at the end of a year.
    #[must_use]
    pub fn holder(&self, year: u32) -> Option<PersonId> {
        self.seals.iter().rfind(|term| term.from <= year).map(|term| term.holder)
    }

    /// Everything told of a year, in the order in which it is told.
    fn year(&self, world: World, year: u32) -> Vec<Entry> {
        let [harvest, price, wall, boats] = world.measures(self.town, year).map(Entry::Measure);
        let mut deeds = self.deeds(world, year).into_iter().map(Entry::Event);
        let mut entries = vec![harvest, price];
        entries.extend(deeds.next());
        entries.extend(self.seals.iter().filter(|term| term.from == year).map(|term| Entry::Seal(*term)));
        entries.extend(self.people.iter().filter(|one| one.born == year).map(|one| Entry::Birth(one.id)));
        entries.push(wall);
        let wed = self.weddings.iter().filter(|wedding| wedding.2 == year);
        entries.extend(wed.map(|(one, other, _)| Entry::Wedding(*one, *other)));
        entries.push(boats);
        entries.extend(deeds.next());
        entries.extend(self.people.iter().filter(|one| one.died == year).map(|one| Entry::Death(one.id)));
        entries
    }
}

/// People grown in `from` and alive until `to`.
fn alive(people: &[Person], from: u32, to: u32) -> impl Iterator<Item = &Person> {
    people.iter().filter(move |one| one.born + GROWN <= from && one.died >= to)
}

fn seals(world: World, town: TownId, people: &[Person]) -> Vec<Term> {
    let mut rng = world.stream(SEAL, u64::from(town.0));
    let mut from = FIRST_YEAR + rng.below(4) as u32;
    let mut terms: Vec<Term> = Vec::new();
    while from < FIRST_YEAR + 2 * SPAN {
        let to = from + 3 + rng.below(9) as u32;
        let fresh = |one: &&Person| terms.iter().all(|term| term.holder != one.id);
        let candidates: Vec<PersonId> = alive(people, from, to).filter(fresh).map(|one| one.id).collect();
        if let Some(&holder) = rng.choose(&candidates) {
            terms.push(Term { town, holder, from, to });
        }
        from = to;
    }
    terms
}
