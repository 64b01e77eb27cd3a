//! Pairs of a query and the document that answers it, written from the world: the passkeys and needles of LongEmbed (Zhu et
//! al. 2024, section 3.1), and passages of the chronicle with a question about somebody in them.

use std::collections::BTreeSet;

use longboard_suites::card::Language::English;
use longboard_suites::haystack::{Haystack, Passage, PassageBuilder, planting_cost};
use longboard_suites::rng::Rng;
use longboard_suites::world::{Event, Fact, PersonId, ToldStatement, TownId, Walk, World};

use crate::error::ModelError;

/// What a document answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody's passkey, hidden in filler.
    Passkey,
    /// A fact, hidden in prose.
    Needle,
    /// A question about somebody in a passage.
    Person,
}

impl Kind {
    /// All, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Passkey, Self::Needle, Self::Person];

    /// Name in reports.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Needle => "needle",
            Self::Person => "person",
        }
    }
}

/// A query and its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What is asked.
    pub query: String,
    /// What answers it.
    pub document: String,
}

/// Filler without content; LongEmbed repeats lines of this sort.
const FILLERS: [&[&str]; 4] = [
    &["The road is dry.", "The lamp is lit.", "The bread is warm.", "We set out.", "Then home again."],
    &["The grass is green.", "The sky is blue.", "The sun is yellow.", "Here we go.", "There and back again."],
    &["The tide comes in.", "The tide goes out.", "Gulls sit on the wall.", "Nobody counts them."],
    &["A wheel turns.", "The wheel turns again.", "Rain falls on the yard.", "It stops.", "Another day begins."],
];

/// Tokens that a passage keeps free for what is planted.
const ROOM: u32 = 40;

/// Writes pairs without end.
pub struct Writer {
    given: Vec<String>,
    families: Vec<String>,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// A writer who knows the names of the world's people.
    #[must_use]
    pub fn new() -> Self {
        const PEOPLE: u32 = 4000;
        let world = World::new(0);
        let names = (0..PEOPLE).map(|id| world.person(PersonId(id)).name.of(English));
        let (mut given, mut families) = (BTreeSet::new(), BTreeSet::new());
        for name in names {
            if let Some((first, last)) = name.split_once(' ') {
                given.insert(first.to_owned());
                families.insert(last.to_owned());
            }
        }
        Self { given: given.into_iter().collect(), families: families.into_iter().collect() }
    }

    /// `count` pairs of a kind whose documents have about `budget` canonical tokens. `alike`: for half of the pairs all share a
    /// family name, for the other half a given name, so that a query has as many namesakes among the other documents.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when a passage cannot be made.
    pub fn pairs(
        &self,
        kind: Kind,
        rng: &mut Rng,
        count: usize,
        budget: u32,
        alike: bool,
    ) -> Result<Vec<Pair>, ModelError> {
        let names = if alike { self.alike(rng, count) } else { self.names(rng, count) };
        let common = rng.index(FACTS.len());
        let budget = budget.max(64);
        let pair = |(index, name): (usize, String)| match kind {
            Kind::Passkey => passkey(rng, &name, budget),
            Kind::Needle => {
                let fact = if alike && index.is_multiple_of(2) { common } else { rng.index(FACTS.len()) };
                needle(rng, fact, &name, budget)
            }
            Kind::Person => person(rng, alike.then_some(name.as_str()), budget),
        };
        names.into_iter().enumerate().map(pair).collect()
    }

    fn names(&self, rng: &mut Rng, count: usize) -> Vec<String> {
        let chosen = rng.distinct(self.given.len() * self.families.len(), count);
        chosen.into_iter().map(|place| self.name(place / self.families.len(), place % self.families.len())).collect()
    }

    fn alike(&self, rng: &mut Rng, count: usize) -> Vec<String> {
        let (given, family) = (rng.index(self.given.len()), rng.index(self.families.len()));
        let givens = rng.distinct(self.given.len(), count.div_ceil(2));
        let families = rng.distinct(self.families.len(), count / 2);
        let kin = givens.into_iter().map(|given| self.name(given, family));
        let namesakes = families.into_iter().map(|family| self.name(given, family));
        kin.chain(namesakes).collect()
    }

    fn name(&self, given: usize, family: usize) -> String {
        let part = |list: &[String], index: usize| list.get(index).cloned().unwrap_or_default();
        format!("{} {}", part(&self.given, given), part(&self.families, family))
    }
}

fn filler(rng: &mut Rng, budget: u32) -> Passage {
    let lines = rng.choose(&FILLERS).copied().unwrap_or_default();
    let mut builder = PassageBuilder::new(English, budget as usize * 5);
    for line in lines.iter().cycle() {
        let cost = planting_cost(English, line);
        if builder.tokens() + cost > budget {
            break;
        }
        builder.counted_sentence(line, cost);
    }
    builder.finish()
}

fn prose(rng: &mut Rng, budget: u32) -> Result<Passage, ModelError> {
    let haystack = World::new(rng.next_u64()).haystack(English);
    haystack.passage(rng.next_u64(), budget).map_err(|error| ModelError::Invalid(error.to_string()))
}

fn hidden(rng: &mut Rng, passage: &Passage, sentence: &str) -> String {
    passage.plant(&[(passage.break_at(rng.unit()), sentence)]).text
}

/// One in four stands in prose instead of filler.
fn passkey(rng: &mut Rng, name: &str, budget: u32) -> Result<Pair, ModelError> {
    const IN_PROSE: f64 = 0.25;
    let budget = budget.saturating_sub(ROOM);
    let passage = if rng.unit() < IN_PROSE { prose(rng, budget)? } else { filler(rng, budget) };
    let key = rng.between(10_000, 99_999);
    let sentence = match rng.index(3) {
        0 => format!("{name}'s passkey is {key}. Remember it. {key} is the passkey for {name}."),
        1 => format!("{name}'s passkey is {key}."),
        _ => format!("The passkey of {name} is {key}. Do not forget it."),
    };
    let query = match rng.index(3) {
        0 => format!("What is the passkey for {name}?"),
        1 => format!("What is {name}'s passkey?"),
        _ => format!("Which passkey does {name} have?"),
    };
    Ok(Pair { query, document: hidden(rng, &passage, &sentence) })
}

/// A statement and a question about it; `{name}` is somebody, `{town}` a place, `{thing}` one of [`THINGS`], `{spot}` one of
/// [`SPOTS`], `{deed}` one of [`DEEDS`].
const FACTS: [(&str, &str); 10] = [
    ("The best thing to do in {town} is to {deed}.", "What is the best thing to do in {town}?"),
    ("{name} hid the {thing} {spot}.", "Where did {name} hide the {thing}?"),
    ("The {thing} that {name} made is kept {spot}.", "Where is the {thing} of {name} kept?"),
    ("Every guest of {town} is given a {thing}.", "What is every guest of {town} given?"),
    ("{name} learned to {deed} from a stranger.", "What did {name} learn from a stranger?"),
    ("{name} is afraid of nothing but the {thing}.", "What is {name} afraid of?"),
    ("It is forbidden at {town} to {deed}.", "What is forbidden at {town}?"),
    ("The favourite possession of {name} was a {thing}.", "What was the favourite possession of {name}?"),
    ("Whoever comes to {town} looks for the {thing} {spot}.", "What do people look for at {town}?"),
    ("The dream of {name} was to {deed}.", "What did {name} dream of?"),
];

const THINGS: [&str; 24] = [
    "glass comb",
    "copper kettle",
    "painted drum",
    "silver whistle",
    "bone needle",
    "blue lantern",
    "wooden fox",
    "brass compass",
    "green ribbon",
    "clay bird",
    "ivory dice",
    "iron mask",
    "velvet glove",
    "amber ring",
    "straw hat",
    "stone frog",
    "paper crown",
    "tin soldier",
    "pearl button",
    "harp with three strings",
    "map of the marsh",
    "jar of honey",
    "book of riddles",
    "key without a lock",
];

const SPOTS: [&str; 12] = [
    "under the third stair",
    "behind the oven",
    "in the hollow oak",
    "beneath the altar",
    "in the well",
    "above the stable door",
    "inside the old clock",
    "among the beehives",
    "in the bell tower",
    "under the mill wheel",
    "behind the painted screen",
    "in the boathouse",
];

const DEEDS: [&str; 16] = [
    "eat a plum cake by the water",
    "walk backwards across the bridge",
    "whistle at the moon",
    "climb the north tower",
    "feed the swans at dawn",
    "sing in the cellar",
    "count the stars from the roof",
    "dance with the reeve",
    "sleep under the lime trees",
    "carve a flute from elder wood",
    "race the ferry in a barrel",
    "bathe in the cold spring",
    "ring the cracked bell",
    "sail a leaf to the sea",
    "tell a lie to the fishmonger",
    "plant a pear tree",
];

fn needle(rng: &mut Rng, fact: usize, name: &str, budget: u32) -> Result<Pair, ModelError> {
    let passage = prose(rng, budget.saturating_sub(ROOM))?;
    let world = World::new(rng.next_u64());
    let town = world.town(TownId(0)).name.of(English);
    let words = [
        ("{name}", name),
        ("{town}", &town),
        ("{thing}", rng.choose(&THINGS).copied().unwrap_or_default()),
        ("{spot}", rng.choose(&SPOTS).copied().unwrap_or_default()),
        ("{deed}", rng.choose(&DEEDS).copied().unwrap_or_default()),
    ];
    let fill = |form: &str| words.iter().fold(form.to_owned(), |text, (slot, word)| text.replace(slot, word));
    let (statement, question) = FACTS.get(fact).copied().unwrap_or_default();
    Ok(Pair { query: fill(question), document: hidden(rng, &passage, &fill(statement)) })
}

/// A question about somebody of whom the passage tells. With a namesake, that name stands for somebody's own.
fn person(rng: &mut Rng, namesake: Option<&str>, budget: u32) -> Result<Pair, ModelError> {
    // A short passage may tell of towns only.
    const TRIES: usize = 64;
    for _ in 0..TRIES {
        let world = World::new(rng.next_u64());
        let walk = Walk::new(world, English, rng.next_u64(), budget);
        let Some((name, query)) = rng.choose(&asked(world, &walk)).cloned() else { continue };
        return Ok(match namesake {
            Some(other) => {
                Pair { query: query.replace(&name, other), document: walk.passage.text.replace(&name, other) }
            }
            None => Pair { query, document: walk.passage.text },
        });
    }
    Err(ModelError::Invalid(format!("passages of {budget} tokens tell of nobody")))
}

/// Those whom a passage names, each with a question.
fn asked(world: World, walk: &Walk) -> Vec<(String, String)> {
    let name = |id: PersonId| world.person(id).name.of(English);
    let question = |told: &ToldStatement| match &told.fact {
        Fact::Life(id) => Some((name(*id), format!("Where and when was {} born?", name(*id)))),
        Fact::Death(id) => Some((name(*id), format!("When did {} die?", name(*id)))),
        Fact::Term(term) => Some((name(term.holder), format!("When was {} reeve?", name(term.holder)))),
        Fact::Event(Event { leader, .. }) => Some((name(*leader), format!("What did {} do?", name(*leader)))),
        _ => None,
    };
    let named = walk.told.iter().filter_map(question);
    named.filter(|(name, _)| walk.passage.text.contains(name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use longboard_suites::tokens;

    use super::*;

    /// The capitalised words of a query, without its first: names.
    fn names(query: &str) -> Vec<&str> {
        let words = query.split([' ', '?', '\'']).skip(1);
        words.filter(|word| word.starts_with(|first: char| first.is_uppercase())).collect()
    }

    #[test]
    fn a_document_tells_of_whom_its_query_asks_and_no_other_document_does() {
        let writer = Writer::new();
        for kind in Kind::ALL {
            for alike in [false, true] {
                let mut rng = Rng::from_path(&[3, u64::from(alike)]);
                let pairs = writer.pairs(kind, &mut rng, 16, 300, alike).unwrap();
                assert_eq!(pairs.len(), 16);
                let mut strangers = 0;
                for pair in &pairs {
                    let names = names(&pair.query);
                    assert!(!names.is_empty() && names.iter().all(|name| pair.document.contains(name)), "{pair:?}");
                    let whole = names.join(" ");
                    let others = pairs.iter().filter(|other| *other != pair);
                    strangers += others.filter(|other| other.document.contains(&whole)).count();
                }
                assert!(strangers <= 1, "{kind:?}: {strangers} other documents name whom a query asks for");
            }
        }
    }

    #[test]
    fn half_of_the_other_documents_are_alike() {
        let writer = Writer::new();
        let names = writer.alike(&mut Rng::from_path(&[1]), 24);
        let share = |a: &str, b: &str| a.split(' ').zip(b.split(' ')).any(|(a, b)| a == b);
        for name in &names {
            let alike = names.iter().filter(|other| *other != name && share(other, name)).count();
            assert!((11..=14).contains(&alike), "{name}: {alike}");
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 24);
    }

    #[test]
    fn documents_have_the_length_that_was_asked_for_and_come_again() {
        let writer = Writer::new();
        for kind in Kind::ALL {
            for budget in [100, 500, 4000] {
                let write = || writer.pairs(kind, &mut Rng::from_path(&[5]), 2, budget, false).unwrap();
                let pairs = write();
                assert_eq!(pairs, write());
                for pair in pairs {
                    let tokens = tokens::count(&pair.document);
                    assert!(tokens <= budget + 8 && tokens + 50 > budget, "{kind:?}: {tokens} of {budget}");
                }
            }
        }
    }
}
