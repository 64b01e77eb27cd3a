//! A saga: one town's turning points, a chapter each, with the rest of the land between them, and their summary.

use crate::card::Language;
use crate::families::volume::{Line, Volume};
use crate::haystack::Planted;
use crate::judging::CheckableFact;
use crate::rng::Rng;
use crate::world::{Chronicle, Event, EventKind, Fact, PersonId, TownId, World, digits_fa};

/// Age from which somebody leads others.
const GROWN: u32 = 18;
/// Towns of sagas are drawn from so many, far more than any walk of the chronicle visits.
const TOWNS: u64 = 1 << 24;
const FIRST_YEAR: u64 = 850;

/// A story whose main facts are known.
pub struct Saga {
    world: World,
    language: Language,
    variant: u64,
    town: TownId,
    turns: Vec<Event>,
}

impl Saga {
    /// A saga of `chapters` turning points in order of years, each led by somebody else who is grown and alive.
    pub fn new(world: World, language: Language, rng: &mut Rng, chapters: usize) -> Self {
        let town = TownId(rng.below(TOWNS) as u32);
        let mut year = FIRST_YEAR + rng.below(12);
        let mut turns: Vec<Event> = Vec::with_capacity(chapters);
        let mut last: Option<EventKind> = None;
        while turns.len() < chapters {
            year += 1 + rng.below(3);
            let Some(leader) = leader(world, town, year as u32, &turns, rng) else { continue };
            let [early, late] = world.events(town, year as u32);
            let event = if last == Some(early.kind) { late } else { early };
            last = Some(event.kind);
            turns.push(Event { leader, ..event });
        }
        Self { world, language, variant: rng.next_u64(), town, turns }
    }

    /// Name of the town.
    pub fn town(&self) -> String {
        self.world.town(self.town).name.of(self.language)
    }

    /// The story: every chapter opens with its turning point, which is marked, and goes on with the land around.
    pub fn tell(&self, budget: u32) -> Planted {
        let mut volume = Volume::new(self.language, budget);
        let mut around = Chronicle::new(self.world, self.language, self.variant);
        let chapters = self.turns.len() as u32;
        for (number, turn) in (1..).zip(&self.turns) {
            let opening = self.world.sentence(self.language, &Fact::Event(*turn), 0);
            if !volume.paragraph(&[Line::plain(self.heading(number)), Line::evidence(opening)]) {
                break;
            }
            // Room for the openings that still come.
            let share = budget / chapters * number;
            let end = if number == chapters { budget } else { share };
            let mut full = false;
            while !full && volume.tokens() < end.saturating_sub(24) {
                for statement in around.paragraph() {
                    full = full || volume.tokens() + 48 > end || !volume.offer(&Line::plain(statement.text));
                }
                if !full {
                    volume.end_paragraph();
                }
            }
        }
        volume.finish()
    }

    fn heading(&self, number: u32) -> String {
        match self.language {
            Language::English => format!("Chapter {number}."),
            Language::Chinese => format!("第{number}章。"),
            Language::Persian => format!("بخش {}.", digits_fa(number)),
        }
    }

    /// One sentence for every turning point, in order.
    pub fn summary(&self) -> Vec<String> {
        self.turns.iter().map(|turn| self.summed_up(turn)).collect()
    }

    /// The turning points as facts that code can check: in that year, who.
    pub fn facts(&self) -> Vec<CheckableFact> {
        let names: Vec<String> = self.turns.iter().map(|turn| self.leader(turn)).collect();
        let fact = |(turn, name): (&Event, &String)| CheckableFact {
            statement: self.summed_up(turn),
            anchors: vec![vec![self.year(turn)]],
            accepted: vec![name.clone()],
            contradicting: names.iter().filter(|other| *other != name).cloned().collect(),
        };
        self.turns.iter().zip(&names).map(fact).collect()
    }

    /// Leader and year of every turning point, as the language writes them.
    pub fn keys(&self) -> Vec<(String, String)> {
        self.turns.iter().map(|turn| (self.leader(turn), self.year(turn))).collect()
    }

    fn leader(&self, turn: &Event) -> String {
        self.world.person(turn.leader).name.of(self.language)
    }

    fn year(&self, turn: &Event) -> String {
        if self.language == Language::Persian { digits_fa(turn.year) } else { turn.year.to_string() }
    }

    fn summed_up(&self, turn: &Event) -> String {
        let (who, year) = (self.leader(turn), self.year(turn));
        let other = self.world.town(turn.with).name.of(self.language);
        match self.language {
            Language::English => summed_up_en(turn.kind, &who, &year, &other),
            Language::Chinese => summed_up_zh(turn.kind, &who, &year, &other),
            Language::Persian => summed_up_fa(turn.kind, &who, &year, &other),
        }
    }
}

/// Somebody of the town who is grown, alive and leads no other turning point.
fn leader(world: World, town: TownId, year: u32, turns: &[Event], rng: &mut Rng) -> Option<PersonId> {
    let fits = |id: &PersonId| {
        let person = world.person(*id);
        let name = person.name.of(Language::English);
        let taken = turns.iter().any(|turn| world.person(turn.leader).name.of(Language::English) == name);
        person.born + GROWN <= year && person.died >= year && !taken
    };
    let people: Vec<PersonId> = world.people_of(town).into_iter().filter(fits).collect();
    rng.choose(&people).copied()
}

pub(super) fn summed_up_en(kind: EventKind, who: &str, year: &str, other: &str) -> String {
    match kind {
        EventKind::Flood => format!("In {year} {who} saved the people from a flood."),
        EventKind::Fire => format!("In {year} {who} had a great fire put out."),
        EventKind::Frost => format!("In {year} frost destroyed the orchards, which {who} recorded."),
        EventKind::Fair => format!("In {year} {who} opened the great fair."),
        EventKind::Bridge => format!("In {year} {who} finished the bridge."),
        EventKind::Mill => format!("In {year} {who} set a new mill going."),
        EventKind::Dispute => format!("In {year} {who} took the dispute with {other} to court."),
        EventKind::Treaty => format!("In {year} {who} signed the treaty with {other}."),
    }
}

fn summed_up_zh(kind: EventKind, who: &str, year: &str, other: &str) -> String {
    match kind {
        EventKind::Flood => format!("{year}年发大水，{who}救出众人。"),
        EventKind::Fire => format!("{year}年镇上起火，{who}指挥灭火。"),
        EventKind::Frost => format!("{year}年果园遭霜冻，由{who}记录在册。"),
        EventKind::Fair => format!("{year}年{who}开设大集市。"),
        EventKind::Bridge => format!("{year}年{who}建成新桥。"),
        EventKind::Mill => format!("{year}年{who}的新磨坊开工。"),
        EventKind::Dispute => format!("{year}年{who}为与{other}的争端打官司。"),
        EventKind::Treaty => format!("{year}年{who}代表本镇与{other}结盟。"),
    }
}

fn summed_up_fa(kind: EventKind, who: &str, year: &str, other: &str) -> String {
    match kind {
        EventKind::Flood => format!("در سال {year} {who} مردم را از سیل رهاند."),
        EventKind::Fire => format!("در سال {year} {who} آتش‌سوزی بزرگ شهر را مهار کرد."),
        EventKind::Frost => format!("در سال {year} سرما باغ‌ها را از میان برد و {who} گزارش آن را نوشت."),
        EventKind::Fair => format!("در سال {year} {who} بازار بزرگ را بنیاد گذاشت."),
        EventKind::Bridge => format!("در سال {year} {who} ساختن پل را به پایان رساند."),
        EventKind::Mill => format!("در سال {year} {who} آسیابی تازه به راه انداخت."),
        EventKind::Dispute => format!("در سال {year} {who} دعوای شهر با {other} را به دادگاه کشاند."),
        EventKind::Treaty => format!("در سال {year} {who} پیمان با {other} را امضا کرد."),
    }
}
