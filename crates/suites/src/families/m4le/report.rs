//! Short reports with identifiers, made into one long instance: the benchmark's conversion of short tasks.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::card::Language;
use crate::families::volume::{Line, Volume};
use crate::haystack::{Planted, planting_cost};
use crate::rng::Rng;
use crate::world::{Event, EventKind, Fact, TownId, World};

/// The classes of reports.
pub const KINDS: [EventKind; 8] = [
    EventKind::Flood,
    EventKind::Fire,
    EventKind::Frost,
    EventKind::Fair,
    EventKind::Bridge,
    EventKind::Mill,
    EventKind::Dispute,
    EventKind::Treaty,
];

/// A class in one word; none of them stands in a report.
pub fn label(language: Language, kind: EventKind) -> &'static str {
    match (language, kind) {
        (Language::Chinese, EventKind::Flood) => "水灾",
        (Language::Chinese, EventKind::Fire) => "火警",
        (Language::Chinese, EventKind::Frost) => "寒潮",
        (Language::Chinese, EventKind::Fair) => "商贸",
        (Language::Chinese, EventKind::Bridge) => "交通",
        (Language::Chinese, EventKind::Mill) => "工业",
        (Language::Chinese, EventKind::Dispute) => "诉讼",
        (Language::Chinese, EventKind::Treaty) => "外交",
        (_, EventKind::Flood) => "inundation",
        (_, EventKind::Fire) => "conflagration",
        (_, EventKind::Frost) => "weather",
        (_, EventKind::Fair) => "commerce",
        (_, EventKind::Bridge) => "transport",
        (_, EventKind::Mill) => "industry",
        (_, EventKind::Dispute) => "litigation",
        (_, EventKind::Treaty) => "diplomacy",
    }
}

/// All classes as a list for a question.
pub fn labels(language: Language) -> String {
    let joint = if language == Language::Chinese { "、" } else { ", " };
    KINDS.map(|kind| label(language, kind)).join(joint)
}

/// A report: what happened in a town, who led, and what else the town's year brought.
#[derive(Debug, Clone)]
pub struct Report {
    /// Six hexadecimal digits, at least one of them a letter.
    pub id: String,
    /// What happened.
    pub event: Event,
    /// Name of the town.
    pub place: String,
    /// Name of the leader.
    pub leader: String,
}

/// Reports of one world, each of a town of its own name, led by somebody of an own name.
pub struct Desk {
    world: World,
    language: Language,
    rng: Rng,
    next: u32,
    seen: HashSet<String>,
}

impl Desk {
    /// A desk whose reports follow from `rng`.
    pub fn new(world: World, language: Language, mut rng: Rng) -> Self {
        let next = rng.below(1 << 24) as u32;
        Self { world, language, rng, next, seen: HashSet::new() }
    }

    /// The next report, of this class.
    pub fn report(&mut self, kind: EventKind) -> Report {
        loop {
            let town = TownId(self.next);
            self.next = self.next.wrapping_add(1);
            let place = self.world.town(town).name.of(self.language);
            let first = 850 + self.rng.below(60) as u32;
            let found = (first..first + 64).flat_map(|year| self.world.events(town, year)).find(|one| one.kind == kind);
            let Some(event) = found else { continue };
            let leader = self.world.person(event.leader).name.of(self.language);
            if self.seen.contains(&place) || self.seen.contains(&leader) {
                continue;
            }
            let id = self.id();
            self.seen.extend([place.clone(), leader.clone(), id.clone()]);
            return Report { id, event, place, leader };
        }
    }

    fn id(&mut self) -> String {
        loop {
            let mut id = String::new();
            let _ = write!(id, "{:06X}", self.rng.below(1 << 24));
            if id.contains(|digit: char| digit.is_ascii_alphabetic()) && !self.seen.contains(&id) {
                return id;
            }
        }
    }

    /// The report in sentences; `evidence` says what of it is: nothing, or heading and event.
    pub fn lines(&self, report: &Report, evidence: bool) -> Vec<Line> {
        let heading = match self.language {
            Language::Chinese => format!("报告{}。", report.id),
            _ => format!("Report {}.", report.id),
        };
        let Event { town, year, leader, .. } = report.event;
        let sentence = |fact: &Fact| self.world.sentence(self.language, fact, report.id.len());
        let [harvest, price, wall, boats] = self.world.measures(town, year).map(Fact::Measure);
        let event = sentence(&Fact::Event(report.event));
        let rest = [harvest, price, wall, boats, Fact::Life(leader)].map(|fact| sentence(&fact));
        let [harvest, price, wall, boats, life] = rest.map(Line::plain);
        let mark = |text| Line { text, evidence };
        vec![mark(heading), harvest, price, mark(event), wall, boats, Line { evidence, ..life }]
    }

    /// Reports about as many as `budget` canonical tokens hold, at most that many.
    pub fn capacity(&mut self, budget: u32) -> usize {
        let sample = self.report(EventKind::Bridge);
        let cost: u32 = self.lines(&sample, false).iter().map(|line| planting_cost(self.language, &line.text)).sum();
        (budget / (cost + 4)) as usize
    }

    /// Measures of further years, to fill what is left after the last report.
    pub fn extend(&self, volume: &mut Volume, report: &Report) {
        for year in report.event.year + 1..report.event.year + 12 {
            for measure in self.world.measures(report.event.town, year) {
                let text = self.world.sentence(self.language, &Fact::Measure(measure), 0);
                if !volume.offer(&Line::plain(text)) {
                    return;
                }
            }
        }
    }
}

/// Reports in the order in which they stand.
pub struct Shelf {
    /// The reports.
    pub reports: Vec<Report>,
    /// Their text, those of the asked class marked.
    pub body: Planted,
}

/// Writes reports until `budget` is full; exactly `asked` of them are of class `kind`, at random places.
pub fn shelve(desk: &mut Desk, budget: u32, kind: EventKind, asked: usize, rng: &mut Rng) -> Option<Shelf> {
    let capacity = desk.capacity(budget);
    let places: HashSet<usize> = rng.distinct((capacity * 4 / 5).max(asked), asked).into_iter().collect();
    let others: Vec<EventKind> = KINDS.into_iter().filter(|other| *other != kind).collect();
    let mut volume = Volume::new(desk.language, budget);
    let mut reports: Vec<Report> = Vec::new();
    loop {
        let here = places.contains(&reports.len());
        let other = rng.choose(&others).copied().unwrap_or(kind);
        let report = desk.report(if here { kind } else { other });
        if !volume.paragraph(&desk.lines(&report, here)) {
            break;
        }
        reports.push(report);
    }
    if places.iter().any(|place| *place >= reports.len()) {
        return None;
    }
    desk.extend(&mut volume, reports.last()?);
    Some(Shelf { reports, body: volume.finish() })
}
