//! The chronicle in Chinese.

use super::World;
use super::chronicle::Statement;
use super::fact::{Event, EventKind, Fact, Measure, MeasureKind};
use super::person::{PersonId, Trade};
use super::town::TownId;
use crate::card::Language::Chinese;
use crate::rng::Rng;

pub(super) fn paragraph(world: World, facts: &[Fact], wording: &mut Rng) -> Vec<Statement> {
    facts.iter().map(|fact| Statement { text: sentence(world, fact, wording.index(3)), fact: fact.clone() }).collect()
}

fn person(world: World, id: PersonId) -> String {
    world.person(id).name.of(Chinese)
}

fn town(world: World, id: TownId) -> String {
    world.town(id).name.of(Chinese)
}

pub(super) fn sentence(world: World, fact: &Fact, wording: usize) -> String {
    match fact {
        Fact::Town(id) => {
            let town = world.town(*id);
            let (name, river, founded) = (town.name.of(Chinese), town.river.of(Chinese), town.founded);
            match wording {
                0 => format!("{name}位于{river}之畔，建于{founded}年。"),
                1 => format!("沿{river}而行，可到{name}，此地始建于{founded}年。"),
                _ => format!("{founded}年，人们在{river}边建起了{name}。"),
            }
        }
        Fact::Life(id) => {
            let one = world.person(*id);
            let (name, born, trade) = (one.name.of(Chinese), one.born, trade(one.trade));
            let home = town(world, one.home);
            match wording {
                0 => format!("{name}于{born}年生在{home}，后来以{trade}为业。"),
                1 => format!("{born}年，{name}在{home}出生，长大后做了{trade}。"),
                _ => format!("{home}的{trade}{name}生于{born}年。"),
            }
        }
        Fact::Parents(id) => {
            let parents: Vec<String> = world.parents(*id).into_iter().map(|parent| person(world, parent)).collect();
            format!("{}是{}的孩子。", person(world, *id), parents.join("与"))
        }
        Fact::Marriage(one, other) => {
            let year = world.wedding(*one, *other);
            format!("{year}年，{}与{}成婚。", person(world, *one), person(world, *other))
        }
        Fact::Death(id) => {
            let one = world.person(*id);
            let (name, died, age) = (one.name.of(Chinese), one.died, one.died - one.born);
            match wording {
                0 => format!("{name}于{died}年去世，享年{age}岁。"),
                1 => format!("{died}年，{name}在家中去世，活了{age}岁。"),
                _ => format!("{name}活到{age}岁，死于{died}年。"),
            }
        }
        Fact::Term(term) => {
            let (holder, place, from, to) = (person(world, term.holder), town(world, term.town), term.from, term.to);
            match wording {
                0 => format!("从{from}年到{to}年，{holder}担任{place}的镇长。"),
                1 => format!("{from}年，{place}推举{holder}为镇长，任期到{to}年为止。"),
                _ => format!("{holder}在{from}年接过{place}的印章，{to}年卸任。"),
            }
        }
        Fact::Measure(measure) => measured(world, measure),
        Fact::Event(event) => happened(world, event),
        Fact::None => "史书对此没有记载。".to_owned(),
    }
}

fn trade(trade: Trade) -> &'static str {
    match trade {
        Trade::Miller => "磨坊主",
        Trade::Smith => "铁匠",
        Trade::Weaver => "织工",
        Trade::Ferryman => "船夫",
        Trade::Baker => "面包师",
        Trade::Mason => "石匠",
        Trade::Carpenter => "木匠",
        Trade::Scribe => "书吏",
        Trade::Potter => "陶工",
        Trade::Brewer => "酿酒师",
        Trade::Tanner => "皮匠",
        Trade::Beekeeper => "养蜂人",
    }
}

fn measured(world: World, measure: &Measure) -> String {
    let (place, year, amount) = (town(world, measure.town), measure.year, measure.amount);
    match measure.kind {
        MeasureKind::HarvestSacks => format!("{year}年，{place}一带收获黑麦{amount}袋。"),
        MeasureKind::PricePence => format!("{year}年，一袋黑麦在{place}卖{amount}文。"),
        MeasureKind::WallPaces => format!("{year}年，{place}新筑城墙{amount}步。"),
        MeasureKind::Boats => format!("{year}年，{place}的税吏在码头数到{amount}条船。"),
    }
}

fn happened(world: World, event: &Event) -> String {
    let (place, other, leader) = (town(world, event.town), town(world, event.with), person(world, event.leader));
    let date = format!("{}年{}月{}日", event.year, event.month, event.day);
    match event.kind {
        EventKind::Flood => format!("{date}，河水漫上{place}的码头，{leader}带领众人上山躲避。"),
        EventKind::Fire => format!("{date}，{place}失火，{leader}带人扑灭了大火。"),
        EventKind::Frost => format!("{date}，霜冻毁了{place}的果园，{leader}记下了这件事。"),
        EventKind::Fair => format!("{date}，{leader}在{place}开办了大集市。"),
        EventKind::Bridge => format!("{date}，{place}的新桥落成，建桥人是{leader}。"),
        EventKind::Mill => format!("{date}，{place}的新磨坊开始转动，主人是{leader}。"),
        EventKind::Dispute => format!("{date}，{leader}把{place}与{other}的争端告到了官府。"),
        EventKind::Treaty => format!("{date}，{place}与{other}订立盟约，{leader}代表{place}签字。"),
    }
}
