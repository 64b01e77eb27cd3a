//! Questions about the chronicle's land by type, in the way of TREC.

use super::few_shot::Classes;
use crate::card::Language::English;
use crate::rng::Rng;
use crate::world::{PersonId, TownId, World};

/// Types with their wordings: `{p}` a person, `{t}` and `{u}` towns, `{y}` a year.
const TYPES: [(&str, [&str; 2]); 20] = [
    ("Year of birth", ["In which year did {p} come into the world?", "When was {p} born?"]),
    ("Year of death", ["When did {p} die?", "In which year was {p} buried at {t}?"]),
    ("Trade of a person", ["What did {p} of {t} do for a living?", "By what work did {p} earn bread?"]),
    ("Home of a person", ["Where did {p} live?", "In which town was {p} at home?"]),
    ("Parent", ["Whose child was {p}?", "Who raised {p} at {t}?"]),
    ("Spouse", ["Whom did {p} marry?", "Who was wed to {p} in {y}?"]),
    ("Age of a town", ["How old is {t}?", "Since when have people lived at {t}?"]),
    ("River", ["On which water does {t} lie?", "What flows past the walls of {t}?"]),
    ("Holder of an office", ["Who was reeve of {t} in {y}?", "Who kept the seal of {t} in {y}?"]),
    ("Length of an office", ["How long did {p} govern {t}?", "For how many years was {p} reeve?"]),
    ("Amount of grain", ["How much rye did {t} bring in in {y}?", "What did the fields of {t} yield in {y}?"]),
    ("Price", ["What did a sack cost at {t} in {y}?", "How dear was rye at {t} in {y}?"]),
    ("Number of boats", ["How many boats lay at {t} in {y}?", "How busy was the landing of {t} in {y}?"]),
    ("Extent of walls", ["How much wall did {t} build in {y}?", "How far did the wall of {t} grow in {y}?"]),
    ("Helper in need", ["Who led the people of {t} out of the flood?", "Who had the fire of {y} put out at {t}?"]),
    ("Builder", ["Who built the bridge of {t}?", "Whose mill began to turn at {t} in {y}?"]),
    ("Distance", ["How far is it from {t} to {u}?", "How many leagues lie between {t} and {u}?"]),
    ("Reason", ["Why did {t} and {u} quarrel in {y}?", "For what cause did {p} leave {t}?"]),
    ("Manner", ["How did {p} of {t} become a reeve?", "In what way was the treaty of {t} and {u} made?"]),
    ("Meaning of a word", ["What do people at {t} call a reeve?", "What is meant by the seal of {t}?"]),
];

/// Questions with people and towns of a world.
pub struct Questions {
    world: World,
}

impl Questions {
    /// Questions about `world`.
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

impl Classes for Questions {
    fn labels(&self) -> Vec<&'static str> {
        TYPES.iter().map(|(label, _)| *label).collect()
    }

    fn text(&self, index: usize, rng: &mut Rng) -> String {
        let wordings = TYPES.get(index).map(|(_, wordings)| wordings.as_slice()).unwrap_or_default();
        let wording = rng.choose(wordings).copied().unwrap_or_default();
        let person = self.world.person(PersonId(rng.below(1 << 31) as u32)).name.of(English);
        let [one, other] = [0, 1].map(|_| self.world.town(TownId(rng.below(1 << 24) as u32)).name.of(English));
        let year = (850 + rng.below(72)).to_string();
        let asked = wording.replace("{p}", &person).replace("{t}", &one).replace("{u}", &other).replace("{y}", &year);
        format!("Question: {asked}\nType: ")
    }

    fn head(&self) -> &'static str {
        "Give the type of the last question, in the way of the examples before it.\n\n"
    }
}
