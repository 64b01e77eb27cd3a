//! Facts: what a sentence of the chronicle states, and the measured and dated ones that belong to a town's year.

use super::World;
use super::office::Term;
use super::person::PersonId;
use super::render_en;
use super::town::TownId;

/// What a sentence states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A town's founding and river.
    Town(TownId),
    /// Birth, home and trade.
    Life(PersonId),
    /// Parents.
    Parents(PersonId),
    /// Marriage of the founders of a family.
    Marriage(PersonId, PersonId),
    /// Death.
    Death(PersonId),
    /// A term in office.
    Term(Term),
    /// A measured amount.
    Measure(Measure),
    /// Something that happened.
    Event(Event),
    /// Nothing: a connecting sentence.
    None,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeasureKind {
    /// Harvest of rye in sacks.
    HarvestSacks,
    /// Price of a sack in pence.
    PricePence,
    /// Length of new wall in paces.
    WallPaces,
    /// Boats counted at the landing.
    Boats,
}

/// A measured amount of a town and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Town.
    pub town: TownId,
    /// Year.
    pub year: u32,
    /// What.
    pub kind: MeasureKind,
    /// How much, in the unit of the kind.
    pub amount: u32,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum EventKind {
    Flood,
    Fire,
    Frost,
    Fair,
    Bridge,
    Mill,
    Dispute,
    Treaty,
}

/// Something that happened in a town on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Town.
    pub town: TownId,
    /// The other town of a dispute or treaty.
    pub with: TownId,
    /// Year.
    pub year: u32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day, 1 to 28.
    pub day: u32,
    /// What.
    pub kind: EventKind,
    /// Who led it.
    pub leader: PersonId,
}

impl Event {
    /// The month in English.
    #[must_use]
    pub fn month_name(&self) -> &'static str {
        render_en::month(self.month)
    }
}

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

const MEASURE: u64 = 6;
const EVENT: u64 = 7;

fn year_of(town: TownId, year: u32) -> u64 {
    u64::from(town.0) << 32 | u64::from(year)
}

impl World {
    /// The four measured amounts of a town's year.
    #[must_use]
    pub fn measures(self, town: TownId, year: u32) -> [Measure; 4] {
        let mut rng = self.stream(MEASURE, year_of(town, year));
        let mut measure = |kind, low, high| Measure { town, year, kind, amount: rng.between(low, high) as u32 };
        [
            measure(MeasureKind::HarvestSacks, 300, 9_800),
            measure(MeasureKind::PricePence, 4, 96),
            measure(MeasureKind::WallPaces, 12, 640),
            measure(MeasureKind::Boats, 3, 180),
        ]
    }

    /// The two events of a town's year, in order of date.
    #[must_use]
    pub fn events(self, town: TownId, year: u32) -> [Event; 2] {
        let mut rng = self.stream(EVENT, year_of(town, year));
        let neighbours = self.neighbours(town);
        let people = self.people_of(town);
        let mut event = |first_month: u64| Event {
            town,
            with: rng.choose(&neighbours).copied().unwrap_or(town),
            year,
            month: rng.between(first_month, first_month + 5) as u32,
            day: rng.between(1, 28) as u32,
            kind: rng.choose(&KINDS).copied().unwrap_or(EventKind::Fair),
            leader: rng.choose(&people).copied().unwrap_or(PersonId(0)),
        };
        [event(1), event(7)]
    }

    /// Events of a town between two years, both included.
    #[must_use]
    pub fn events_between(self, town: TownId, from: u32, to: u32) -> Vec<Event> {
        (from..=to).flat_map(|year| self.events(town, year)).collect()
    }

    /// Sum of a measured amount over years, both included.
    #[must_use]
    pub fn total(self, town: TownId, kind: MeasureKind, from: u32, to: u32) -> u64 {
        let measures = (from..=to).flat_map(|year| self.measures(town, year));
        measures.filter(|measure| measure.kind == kind).map(|measure| u64::from(measure.amount)).sum()
    }
}
