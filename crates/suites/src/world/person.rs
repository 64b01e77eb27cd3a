//! People: three generations of every family, with trades, dates and kinship.

use super::World;
use super::names::{self, Name};
use super::render_en;
use super::town::TownId;

/// Identity of a person: any number names one. Twelve consecutive ids make a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u32);

/// What somebody lives by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Trade {
    Miller,
    Smith,
    Weaver,
    Ferryman,
    Baker,
    Mason,
    Carpenter,
    Scribe,
    Potter,
    Brewer,
    Tanner,
    Beekeeper,
}

impl Trade {
    /// All trades.
    pub const ALL: [Self; 12] = TRADES;

    /// The trade in one English word.
    #[must_use]
    pub fn noun(self) -> &'static str {
        render_en::trade(self).rsplit(' ').next().unwrap_or_default()
    }
}

const TRADES: [Trade; 12] = [
    Trade::Miller,
    Trade::Smith,
    Trade::Weaver,
    Trade::Ferryman,
    Trade::Baker,
    Trade::Mason,
    Trade::Carpenter,
    Trade::Scribe,
    Trade::Potter,
    Trade::Brewer,
    Trade::Tanner,
    Trade::Beekeeper,
];

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Identity.
    pub id: PersonId,
    /// Name; a family shares its family name.
    pub name: Name,
    /// Town of birth and life.
    pub home: TownId,
    /// Trade.
    pub trade: Trade,
    /// Year of birth.
    pub born: u32,
    /// Year of death.
    pub died: u32,
}

/// Members of a family: two founders, four children, six grandchildren (of the first three children, two each).
const FAMILY: u32 = 12;
const FAMILIES_PER_TOWN: u32 = 8;

const PERSON: u64 = 3;
const KIN: u64 = 4;

impl World {
    /// The person with this id.
    #[must_use]
    pub fn person(self, id: PersonId) -> Person {
        let (family, place) = (id.0 / FAMILY, id.0 % FAMILY);
        let mut rng = self.stream(PERSON, u64::from(id.0));
        let mut kin = self.stream(KIN, u64::from(family));
        let name = names::person(&mut rng, &mut kin);
        let generation = match place {
            0 | 1 => 0,
            2..=5 => 1,
            _ => 2,
        };
        let born = 800 + kin.below(100) as u32 + generation * 28 + rng.below(8) as u32;
        let trade = rng.choose(&TRADES).copied().unwrap_or(Trade::Miller);
        Person {
            id,
            name,
            home: TownId(family / FAMILIES_PER_TOWN),
            trade,
            born,
            died: born + 45 + rng.below(40) as u32,
        }
    }

    /// Both parents, or the one that belongs to the family; nobody for founders.
    #[must_use]
    pub fn parents(self, id: PersonId) -> Vec<PersonId> {
        let (base, place) = (id.0 - id.0 % FAMILY, id.0 % FAMILY);
        match place {
            0 | 1 => Vec::new(),
            2..=5 => vec![PersonId(base), PersonId(base + 1)],
            _ => vec![PersonId(base + 2 + (place - 6) / 2)],
        }
    }

    /// Children, eldest id first.
    #[must_use]
    pub fn children(self, id: PersonId) -> Vec<PersonId> {
        let base = id.0 - id.0 % FAMILY;
        (base..base + FAMILY).map(PersonId).filter(|&child| self.parents(child).contains(&id)).collect()
    }

    /// Brothers and sisters.
    #[must_use]
    pub fn siblings(self, id: PersonId) -> Vec<PersonId> {
        let parents = self.parents(id);
        let Some(&parent) = parents.first() else { return Vec::new() };
        self.children(parent).into_iter().filter(|&sibling| sibling != id).collect()
    }

    /// The other founder of the family; `None` for everybody else.
    #[must_use]
    pub fn spouse(self, id: PersonId) -> Option<PersonId> {
        let base = id.0 - id.0 % FAMILY;
        match id.0 % FAMILY {
            0 => Some(PersonId(base + 1)),
            1 => Some(PersonId(base)),
            _ => None,
        }
    }

    /// Year in which two founders of a family were wed.
    #[must_use]
    pub fn wedding(self, one: PersonId, other: PersonId) -> u32 {
        self.person(one).born.max(self.person(other).born) + 20
    }

    /// Parents, their parents, and so on, nearest first.
    #[must_use]
    pub fn ancestors(self, id: PersonId) -> Vec<PersonId> {
        let mut found = self.parents(id);
        let mut next = 0;
        while let Some(&one) = found.get(next) {
            found.extend(self.parents(one));
            next += 1;
        }
        found
    }

    /// Everybody born in a town.
    #[must_use]
    pub fn people_of(self, town: TownId) -> Vec<PersonId> {
        let count = FAMILY * FAMILIES_PER_TOWN;
        (town.0 * count..(town.0 + 1) * count).map(PersonId).collect()
    }
}
