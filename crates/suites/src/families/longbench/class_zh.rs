//! Chinese news by class, in the way of LSHT.

use super::few_shot::Classes;
use crate::card::Language::Chinese;
use crate::rng::Rng;
use crate::world::{EventKind, Fact, MeasureKind, PersonId, TownId, World};

/// What a class reports.
#[derive(Clone, Copy)]
enum Matter {
    Event(EventKind),
    Measure(MeasureKind),
    Office,
    Wedding,
    Death,
    Town,
}

const CLASSES: [(&str, Matter); 16] = [
    ("水灾", Matter::Event(EventKind::Flood)),
    ("火警", Matter::Event(EventKind::Fire)),
    ("寒潮", Matter::Event(EventKind::Frost)),
    ("商贸", Matter::Event(EventKind::Fair)),
    ("交通", Matter::Event(EventKind::Bridge)),
    ("工业", Matter::Event(EventKind::Mill)),
    ("诉讼", Matter::Event(EventKind::Dispute)),
    ("外交", Matter::Event(EventKind::Treaty)),
    ("农业", Matter::Measure(MeasureKind::HarvestSacks)),
    ("物价", Matter::Measure(MeasureKind::PricePence)),
    ("城防", Matter::Measure(MeasureKind::WallPaces)),
    ("航运", Matter::Measure(MeasureKind::Boats)),
    ("人事", Matter::Office),
    ("婚庆", Matter::Wedding),
    ("讣告", Matter::Death),
    ("地理", Matter::Town),
];

/// News of a world.
pub struct News {
    world: World,
}

impl News {
    /// News of `world`.
    pub fn new(world: World) -> Self {
        Self { world }
    }

    /// A statement of a matter; events are looked for over a few years.
    fn fact(&self, matter: Matter, rng: &mut Rng) -> Fact {
        let (world, town) = (self.world, TownId(rng.below(1 << 24) as u32));
        let year = 850 + rng.below(60) as u32;
        match matter {
            Matter::Event(kind) => {
                let found = (year..year + 200).flat_map(|year| world.events(town, year)).find(|one| one.kind == kind);
                found.map_or(Fact::None, Fact::Event)
            }
            Matter::Measure(kind) => {
                let found = world.measures(town, year).into_iter().find(|one| one.kind == kind);
                found.map_or(Fact::None, Fact::Measure)
            }
            Matter::Office => rng.choose(&world.terms(town)).map_or(Fact::None, |term| Fact::Term(*term)),
            Matter::Wedding => {
                let one = PersonId(rng.below(1 << 24) as u32 * 12);
                world.spouse(one).map_or(Fact::None, |other| Fact::Marriage(one, other))
            }
            Matter::Death => Fact::Death(PersonId(rng.below(1 << 31) as u32)),
            Matter::Town => Fact::Town(town),
        }
    }
}

impl Classes for News {
    fn labels(&self) -> Vec<&'static str> {
        CLASSES.iter().map(|(label, _)| *label).collect()
    }

    fn text(&self, index: usize, rng: &mut Rng) -> String {
        let matter = CLASSES.get(index).map_or(Matter::Town, |(_, matter)| *matter);
        let fact = self.fact(matter, rng);
        let told = self.world.sentence(Chinese, &fact, rng.index(3));
        let reporter = self.world.person(PersonId(rng.below(1 << 31) as u32)).name.of(Chinese);
        format!("新闻：本报记者{reporter}报道。{told}\n类别：")
    }

    fn head(&self) -> &'static str {
        "请仿照前面的例子，写出最后一则新闻的类别。\n\n"
    }
}
