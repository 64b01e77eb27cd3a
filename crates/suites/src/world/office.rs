//! The reeves of the towns: who held the office, from when to when.

use super::World;
use super::person::PersonId;
use super::town::TownId;

/// One holder's time in office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Town whose reeve this is.
    pub town: TownId,
    /// Holder.
    pub holder: PersonId,
    /// First year.
    pub from: u32,
    /// Last year; the next term begins in the same year.
    pub to: u32,
}

/// First year of the first term in every town.
const FIRST_YEAR: u32 = 840;
const TERMS: u32 = 16;
const OFFICE: u64 = 5;

impl World {
    /// All reeves of a town in order.
    #[must_use]
    pub fn terms(self, town: TownId) -> Vec<Term> {
        let people = self.people_of(town);
        let mut rng = self.stream(OFFICE, u64::from(town.0));
        let holders = rng.distinct(people.len(), TERMS as usize);
        let mut from = FIRST_YEAR;
        holders
            .into_iter()
            .filter_map(|index| people.get(index))
            .map(|&holder| {
                let term = Term { town, holder, from, to: from + 2 + rng.below(9) as u32 };
                from = term.to;
                term
            })
            .collect()
    }

    /// Who was reeve of a town at the end of a year.
    #[must_use]
    pub fn reeve(self, town: TownId, year: u32) -> Option<PersonId> {
        self.terms(town).into_iter().find(|term| (term.from..term.to).contains(&year)).map(|term| term.holder)
    }
}
