//! A pool of accounts, each with a subject, a river, a season and a writer, told at places far apart.

use crate::card::Language;
use crate::families::{prose, searched};
use crate::item::Item;
use crate::retrieval::document_id;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world::{TownId, Trade, World};

/// Documents of a pool.
pub const POOL: u32 = 30;
/// Documents that the changed instruction excludes, and those that stay relevant.
pub const STOPPED: u32 = 5;
const KEPT: u32 = 5;
/// Documents of the same subject on another river, and of another subject on the same river.
const ELSEWHERE: u32 = 8;
const OTHERWISE: u32 = 6;

const SUBJECTS: [&str; 8] = [
    "a plague among the cattle",
    "the building of a lighthouse",
    "a quarrel over fishing rights",
    "the founding of a school",
    "a search for silver",
    "the trial of a forger",
    "a winter without salt",
    "the return of lost pilgrims",
];

const SEASONS: [&str; 4] = ["spring", "summer", "autumn", "winter"];

/// How a document stands to the two instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Relevant before and after the change.
    Kept,
    /// Relevant before, excluded after.
    Stopped,
    /// Same subject, another river.
    Elsewhere,
    /// Another subject, same river.
    Otherwise,
    /// Neither.
    Other,
}

/// What the changed instruction excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excluded {
    Writer(usize),
    Season(usize),
}

/// One item's query, instructions and documents.
pub struct Quire {
    block: u32,
    subject: usize,
    river: usize,
    rivers: Vec<String>,
    excluded: Excluded,
    classes: Vec<Class>,
}

impl Quire {
    /// The pool of a block.
    pub fn draw(task: &Task, request: &ItemRequest<'_>, block: u32) -> Self {
        let mut rng = searched::stream(task, request, block, "pool");
        let world = World::new(rng.next_u64());
        let mut rivers: Vec<String> = Vec::new();
        for town in (0..).map(|river| TownId(river * 6)) {
            let river = world.town(town).river.of(Language::English);
            if !rivers.contains(&river) {
                rivers.push(river);
            }
            if rivers.len() == 5 {
                break;
            }
        }
        let excluded = match block % 2 {
            0 => Excluded::Writer(rng.index(Trade::ALL.len())),
            _ => Excluded::Season(rng.index(SEASONS.len())),
        };
        let counts = [
            (Class::Kept, KEPT),
            (Class::Stopped, STOPPED),
            (Class::Elsewhere, ELSEWHERE),
            (Class::Otherwise, OTHERWISE),
            (Class::Other, POOL - KEPT - STOPPED - ELSEWHERE - OTHERWISE),
        ];
        let mut classes: Vec<Class> =
            counts.into_iter().flat_map(|(class, count)| std::iter::repeat_n(class, count as usize)).collect();
        rng.shuffle(&mut classes);
        let (subject, river) = (rng.index(SUBJECTS.len()), rng.index(rivers.len()));
        Self { block, subject, river, rivers, excluded, classes }
    }

    /// Numbers of the documents of a class.
    pub fn numbers(&self, class: Class) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.classes).filter(move |(_, one)| **one == class).map(|(number, _)| number)
    }

    /// The sentence that only excluded documents hold among the relevant ones.
    #[cfg(test)]
    pub fn excluded(&self) -> String {
        match self.excluded {
            Excluded::Writer(writer) => written_by(writer),
            Excluded::Season(season) => came_in(season),
        }
    }

    /// The query with the original and with the changed instruction.
    fn queries(&self) -> Vec<String> {
        let subject = word(&SUBJECTS, self.subject);
        let river = self.rivers.get(self.river).map_or("", String::as_str);
        let query = format!("Accounts of {subject} on {river}.");
        let wanted = format!("A relevant document tells of {subject} and places it on {river}");
        let narrowed = match self.excluded {
            Excluded::Writer(writer) => format!("accounts set down by a {} are not relevant", trade(writer)),
            Excluded::Season(season) => {
                format!("accounts of what began in {} are not relevant", word(&SEASONS, season))
            }
        };
        vec![
            format!("{query} {wanted}, whoever set it down and whenever it began."),
            format!("{query} {wanted}; {narrowed}."),
        ]
    }

    /// Both queries and a document. Its sentences stand at places far apart, and all of them are evidence.
    pub fn item(&self, task: &Task, request: &ItemRequest<'_>, number: u32) -> Result<Item, GenerateError> {
        let class = self.classes.get(number as usize).copied().unwrap_or(Class::Other);
        let mut rng = searched::stream(task, request, self.block, &document_id(number));
        let other = |chosen: usize, bound: usize, rng: &mut crate::rng::Rng| {
            (chosen + 1 + rng.index(bound.saturating_sub(1))) % bound.max(1)
        };
        let same_subject = matches!(class, Class::Kept | Class::Stopped | Class::Elsewhere);
        let same_river = matches!(class, Class::Kept | Class::Stopped | Class::Otherwise);
        let subject = if same_subject { self.subject } else { other(self.subject, SUBJECTS.len(), &mut rng) };
        let river = if same_river { self.river } else { other(self.river, self.rivers.len(), &mut rng) };
        // Every second document that is not relevant has the excluded writer or season too.
        let marked = class == Class::Stopped || (class != Class::Kept && rng.index(2) == 0);
        let (writer, season) = match self.excluded {
            Excluded::Writer(writer) if marked => (writer, rng.index(SEASONS.len())),
            Excluded::Writer(writer) => (other(writer, Trade::ALL.len(), &mut rng), rng.index(SEASONS.len())),
            Excluded::Season(season) if marked => (rng.index(Trade::ALL.len()), season),
            Excluded::Season(season) => (rng.index(Trade::ALL.len()), other(season, SEASONS.len(), &mut rng)),
        };
        let river = self.rivers.get(river).map_or("", String::as_str);
        let told = format!("These leaves tell of {} on {river}.", word(&SUBJECTS, subject));
        let mut needles = vec![told, came_in(season), written_by(writer)];
        rng.shuffle(&mut needles);
        let places = (0..).map(|third| (f64::from(third) + 0.1 + 0.8 * rng.unit()) / 3.0).take(needles.len());
        let needles = places.collect::<Vec<_>>().into_iter().zip(needles).collect();
        let mut around = prose::running(request, Language::English, rng.next_u64());
        searched::item(task, request, self.queries(), needles, &mut around)
    }
}

fn word<'a>(words: &[&'a str], index: usize) -> &'a str {
    words.get(index).copied().unwrap_or_default()
}

fn trade(index: usize) -> &'static str {
    Trade::ALL.get(index).map_or("miller", |trade| trade.noun())
}

fn came_in(season: usize) -> String {
    format!("All of it began in {}.", word(&SEASONS, season))
}

fn written_by(writer: usize) -> String {
    format!("It was set down by a {} who had seen it.", trade(writer))
}
