//! The chronicle in English.

use super::World;
use super::chronicle::Statement;
use super::fact::{Event, EventKind, Fact, Measure, MeasureKind};
use super::person::{PersonId, Trade};
use super::town::TownId;
use crate::card::Language::English;
use crate::rng::Rng;

/// The months of the year.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn paragraph(world: World, facts: &[Fact], wording: &mut Rng) -> Vec<Statement> {
    let mut last_year = None;
    facts
        .iter()
        .map(|fact| {
            let year = match fact {
                Fact::Measure(Measure { year, .. }) | Fact::Event(Event { year, .. }) => Some(*year),
                _ => None,
            };
            let same_year = year.is_some() && year == last_year;
            last_year = year;
            Statement { text: sentence(world, fact, same_year, wording.index(4)), fact: fact.clone() }
        })
        .collect()
}

fn person(world: World, id: PersonId) -> String {
    world.person(id).name.of(English)
}

fn town(world: World, id: TownId) -> String {
    world.town(id).name.of(English)
}

pub(super) fn sentence(world: World, fact: &Fact, same_year: bool, wording: usize) -> String {
    match fact {
        Fact::Town(id) => {
            let town = world.town(*id);
            let (name, river, founded) = (town.name.of(English), town.river.of(English), town.founded);
            match wording {
                0 => format!("The town of {name} lies on {river} and was founded in the year {founded}."),
                1 => format!("On {river} stands {name}, whose first houses date from the year {founded}."),
                2 => format!("Nobody disputes that {name} was founded in {founded}, where {river} bends to the east."),
                _ => format!("Travellers who follow {river} come to {name}, a town founded in the year {founded}."),
            }
        }
        Fact::Life(id) => {
            let one = world.person(*id);
            let (name, born, trade) = (one.name.of(English), one.born, trade(one.trade));
            let home = town(world, one.home);
            match wording {
                0 => format!("{name} was born at {home} in {born} and became {trade}."),
                1 => format!("In the year {born} {name} was born, later {trade} at {home}."),
                2 => format!("The parish book of {home} gives {born} as the year of birth of {name}, {trade}."),
                _ => format!("{name}, {trade} at {home}, was born in {born}."),
            }
        }
        Fact::Parents(id) => {
            let parents: Vec<String> = world.parents(*id).into_iter().map(|parent| person(world, parent)).collect();
            let name = person(world, *id);
            match wording {
                0 | 1 => format!("{name} was a child of {}.", parents.join(" and ")),
                _ => format!("The child was raised in the house of {}.", parents.join(" and ")),
            }
        }
        Fact::Marriage(one, other) => {
            let year = world.wedding(*one, *other);
            let (one, other) = (person(world, *one), person(world, *other));
            match wording {
                0 | 1 => format!("{one} married {other} in {year}."),
                _ => format!("In {year} the bells rang for the wedding of {one} and {other}."),
            }
        }
        Fact::Death(id) => {
            let one = world.person(*id);
            let (name, died, age) = (one.name.of(English), one.died, one.died - one.born);
            match wording {
                0 => format!("{name} died in {died} at the age of {age}."),
                1 => format!("Death came in the year {died}, after {age} years of life."),
                2 => format!("In {died} {name} was buried by the old wall."),
                _ => format!("{name} lived {age} years and died in {died}."),
            }
        }
        Fact::Term(term) => {
            let (holder, place, from, to) = (person(world, term.holder), town(world, term.town), term.from, term.to);
            match wording {
                0 => format!("{holder} was reeve of {place} from {from} to {to}."),
                1 => format!("From {from} until {to} the office of reeve at {place} lay with {holder}."),
                2 => format!("The seal of {place} passed to {holder} in {from}, who kept it until {to}."),
                _ => format!("In {from} the council of {place} chose {holder} as reeve, and the term ended in {to}."),
            }
        }
        Fact::Measure(measure) => measured(world, measure, same_year),
        Fact::Event(event) => happened(world, event),
        Fact::None => "The chronicle is silent on the matter.".to_owned(),
    }
}

pub(super) fn month(month: u32) -> &'static str {
    MONTHS.get((month as usize).wrapping_sub(1)).copied().unwrap_or_default()
}

pub(super) fn trade(trade: Trade) -> &'static str {
    match trade {
        Trade::Miller => "a miller",
        Trade::Smith => "a smith",
        Trade::Weaver => "a weaver",
        Trade::Ferryman => "a ferryman",
        Trade::Baker => "a baker",
        Trade::Mason => "a mason",
        Trade::Carpenter => "a carpenter",
        Trade::Scribe => "a scribe",
        Trade::Potter => "a potter",
        Trade::Brewer => "a brewer",
        Trade::Tanner => "a tanner",
        Trade::Beekeeper => "a beekeeper",
    }
}

fn measured(world: World, measure: &Measure, same_year: bool) -> String {
    let (place, year, amount) = (town(world, measure.town), measure.year, measure.amount);
    let when = if same_year { "In the same year".to_owned() } else { format!("In the year {year}") };
    match measure.kind {
        MeasureKind::HarvestSacks => format!("{when} the fields around {place} gave {amount} sacks of rye."),
        MeasureKind::PricePence => format!("{when} a sack was sold at {place} for {amount} pence."),
        MeasureKind::WallPaces => format!("{when} {amount} paces of new wall were raised at {place}."),
        MeasureKind::Boats => format!("{when} the toll keeper of {place} counted {amount} boats at the landing."),
    }
}

fn happened(world: World, event: &Event) -> String {
    let (place, other, leader) = (town(world, event.town), town(world, event.with), person(world, event.leader));
    let month = month(event.month);
    let (day, year) = (event.day, event.year);
    match event.kind {
        EventKind::Flood => format!(
            "On {day} {month} {year} the river rose over the quay of {place}, and {leader} led people to the hill."
        ),
        EventKind::Fire => {
            format!("A fire broke out at {place} on {day} {month} {year} and was put out under the lead of {leader}.")
        }
        EventKind::Frost => {
            format!("On {day} {month} {year} frost took the orchards of {place}, as {leader} set down in writing.")
        }
        EventKind::Fair => format!("{leader} opened the great fair of {place} on {day} {month} {year}."),
        EventKind::Bridge => {
            format!("The bridge of {place} was opened on {day} {month} {year}; its builder was {leader}.")
        }
        EventKind::Mill => format!("On {day} {month} {year} a new mill began to turn at {place}, owned by {leader}."),
        EventKind::Dispute => {
            format!("On {day} {month} {year} {leader} carried a dispute of {place} with {other} before the court.")
        }
        EventKind::Treaty => {
            format!("{place} and {other} made a treaty on {day} {month} {year}, signed for {place} by {leader}.")
        }
    }
}
