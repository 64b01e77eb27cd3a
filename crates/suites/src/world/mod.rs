//! The world: a seeded, procedural chronicle that knows every fact it wrote.
//!
//! Everything follows from the seed and an id, so a world costs nothing until it is asked: [`World::person`],
//! [`World::town`] and the queries beside them are functions, and the chronicle renders what they say. Two passages of
//! one world never contradict each other.

mod annals;
mod chronicle;
mod fact;
mod names;
mod office;
mod person;
mod render_en;
mod render_fa;
mod render_zh;
mod town;

pub use annals::{Annals, Chapter, Entry, FIRST_YEAR, Told};
pub(crate) use chronicle::fill;
pub use chronicle::{Chronicle, Statement, ToldStatement, Walk, WorldHaystack};
pub use fact::{Event, EventKind, Fact, Measure, MeasureKind};
pub use names::Name;
pub use office::Term;
pub use person::{Person, PersonId, Trade};
pub use render_en::MONTHS;
pub(crate) use render_fa::digits as digits_fa;
pub use town::{Town, TownId};

use crate::card::Language;
use crate::rng::Rng;

/// A world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct World {
    seed: u64,
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Its chronicle as a haystack.
    #[must_use]
    pub const fn haystack(self, language: Language) -> WorldHaystack {
        WorldHaystack::new(self, language)
    }

    /// A fact as a sentence in `language`. `wording` chooses among the forms that the language has for it.
    #[must_use]
    pub fn sentence(self, language: Language, fact: &Fact, wording: usize) -> String {
        match language {
            Language::English => render_en::sentence(self, fact, false, wording % 4),
            Language::Chinese => render_zh::sentence(self, fact, wording % 3),
            Language::Persian => render_fa::sentence(self, fact, wording % 3),
        }
    }

    /// A stream of random numbers for one thing of one kind.
    fn stream(self, kind: u64, id: u64) -> Rng {
        Rng::from_path(&[self.seed, kind, id])
    }
}
