//! Towns.

use super::World;
use super::names::{self, Name};

/// Identity of a town: any number names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TownId(pub u32);

/// A town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Town {
    /// Identity.
    pub id: TownId,
    /// Name.
    pub name: Name,
    /// The river it lies on; towns of one province share theirs.
    pub river: Name,
    /// Founding year.
    pub founded: u32,
}

/// Towns on one river.
const TOWNS_PER_RIVER: u32 = 6;

const TOWN: u64 = 1;
const RIVER: u64 = 2;

impl World {
    /// The town with this id.
    #[must_use]
    pub fn town(self, id: TownId) -> Town {
        let mut rng = self.stream(TOWN, u64::from(id.0));
        let name = names::place(&mut rng);
        let river = names::river(&mut self.stream(RIVER, u64::from(id.0 / TOWNS_PER_RIVER)));
        Town { id, name, river, founded: 600 + rng.below(200) as u32 }
    }

    /// The other towns on the same river, upstream first.
    #[must_use]
    pub fn neighbours(self, id: TownId) -> Vec<TownId> {
        let first = id.0 / TOWNS_PER_RIVER * TOWNS_PER_RIVER;
        (first..first + TOWNS_PER_RIVER).map(TownId).filter(|other| *other != id).collect()
    }

    /// Leagues between two towns on one river; `None` for towns on different rivers.
    #[must_use]
    pub fn leagues(self, from: TownId, to: TownId) -> Option<u32> {
        (from.0 / TOWNS_PER_RIVER == to.0 / TOWNS_PER_RIVER).then(|| {
            let (low, high) = (from.0.min(to.0), from.0.max(to.0));
            (low..high).map(|step| 2 + self.stream(TOWN, u64::from(step)).below(9) as u32).sum()
        })
    }
}
