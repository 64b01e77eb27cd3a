//! Own label sets: labels are made-up words, and cue words in a text decide its label.

use std::collections::BTreeMap;

use crate::card::Language;
use crate::families::words;
use crate::rng::Rng;
use crate::task::{Params, choice};
use crate::world::{PersonId, TownId, World};

/// The shape of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Comments with an emotion (GoEmotions).
    Emotion,
    /// Queries with an intent (BANKING77).
    Intent,
    /// Pairs of sentences with a connective (Discovery).
    Connective,
    /// Two people with a relation (TacRED).
    Relation,
    /// Names with types (Few-NERD).
    Entity,
    /// Pairs in a dialogue with their relations (DialogRE); official data only.
    Dialogue,
}

impl Kind {
    /// The kind that parameters name.
    pub fn of(params: &Params) -> Self {
        match choice(params, "set") {
            "emotion" => Self::Emotion,
            "connective" => Self::Connective,
            "relation" => Self::Relation,
            "entity" => Self::Entity,
            "dialogue" => Self::Dialogue,
            _ => Self::Intent,
        }
    }

    /// Labels of the set, as many as the benchmark's.
    pub fn labels(self) -> usize {
        match self {
            Self::Emotion => 28,
            Self::Intent => 77,
            Self::Connective => 174,
            Self::Relation => 41,
            Self::Entity => 66,
            Self::Dialogue => 34,
        }
    }

    /// Cue words per label.
    fn cues(self) -> usize {
        match self {
            Self::Emotion => 4,
            Self::Intent | Self::Relation | Self::Entity => 2,
            Self::Dialogue => 1,
            Self::Connective => 1,
        }
    }

    /// What is to be done.
    pub fn head(self) -> &'static str {
        match self {
            Self::Emotion => {
                "Every comment below belongs to one emotion category. The names of the categories are made up; learn \
                 from the comments which word makes the category, then name the category of the last comment. Write \
                 the name alone, exactly as it is written above.\n\n"
            }
            Self::Intent => {
                "Every query below was sorted into one intent category. The names of the categories are made up; learn \
                 from the queries which thing makes the category, then name the category of the last query. Write the \
                 name alone, exactly as it is written above.\n\n"
            }
            Self::Connective => {
                "Between the two sentences of every pair below a connecting word is missing; it stands after the pair. \
                 The words are made up; learn from the pairs which word fits, then name the word for the last pair. \
                 Write the word alone, exactly as it is written above.\n\n"
            }
            Self::Relation => {
                "In every sentence below two people stand in a relation that is named after it. The names of the \
                 relations are made up; learn from the sentences what makes a relation, then name the relation in the \
                 last sentence. Write the name alone, exactly as it is written above.\n\n"
            }
            Self::Entity => {
                "After every sentence below its names are listed, each with its type, as name: type. The types are \
                 made up; learn from the sentences what makes a type, then list the names of the last sentence in the \
                 same form, one line for each, and nothing else.\n\n"
            }
            Self::Dialogue => "",
        }
    }

    /// A text whose label is to be given.
    pub fn open(self, text: &str) -> String {
        match self {
            Self::Emotion => format!("comment: {text}\nemotion category:"),
            Self::Intent => format!("service query: {text}\nintent category:"),
            Self::Connective => format!("{text}\nthe most suitable conjunction word in the previous ( ) is"),
            Self::Relation => format!("sentence: {text}\nthe relation between the two entities is:"),
            Self::Entity => format!("Sentence: {text}"),
            Self::Dialogue => text.to_owned(),
        }
    }

    /// A text with its label.
    pub fn closed(self, text: &str, labelled: &str) -> String {
        let joint = if self == Self::Entity { "\n" } else { " " };
        [&self.open(text), joint, labelled].concat()
    }
}

/// A text with its label.
pub struct Labelled {
    /// The text.
    pub text: String,
    /// Its label, or its lines of entities.
    pub labelled: String,
    /// Its entities with their types.
    pub entities: BTreeMap<String, String>,
    /// Whether it shows a label that the query needs.
    pub evidence: bool,
    /// Cues in the text, as numbers of labels and of their cues.
    cues: Vec<(usize, usize)>,
}

/// Labels with their cues.
pub struct LabelSet {
    kind: Kind,
    world: World,
    labels: Vec<String>,
    cues: Vec<String>,
    /// Where the people and towns of the texts begin.
    start: u32,
}

/// Names in a sentence of entities.
const ENTITIES: usize = 3;

impl LabelSet {
    /// A fresh set.
    pub fn new(kind: Kind, seed: u64, rng: &mut Rng) -> Self {
        let count = kind.labels();
        let mut made_up = words::made_up(rng, count * 2);
        let labels = made_up.split_off(count);
        let cues = match kind {
            Kind::Emotion | Kind::Intent => words::keys(rng, count * kind.cues()),
            _ => words::made_up_beside(rng, count * kind.cues(), &labels),
        };
        Self { kind, world: World::new(seed), labels, cues, start: rng.below(1 << 20) as u32 }
    }

    /// All labels.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    fn label(&self, label: usize) -> &str {
        self.labels.get(label % self.labels.len().max(1)).map_or("", String::as_str)
    }

    fn cue(&self, (label, cue): (usize, usize)) -> &str {
        self.cues.get(label * self.kind.cues() + cue % self.kind.cues()).map_or("", String::as_str)
    }

    /// The text to be labelled, with `label`.
    pub fn query(&self, label: usize, rng: &mut Rng) -> Labelled {
        let others = (1..ENTITIES).map(|step| (label + step) % self.labels.len().max(1));
        let wanted = std::iter::once(label).chain(others.filter(|_| self.kind == Kind::Entity));
        let cues = wanted.map(|label| (label, rng.index(self.kind.cues()))).collect();
        self.text(cues, u32::MAX, rng)
    }

    /// The demonstration of a turn. Turns go round the labels; in the first round a label of the query shows its cue.
    pub fn demonstration(&self, turn: usize, query: &Labelled, rng: &mut Rng) -> Labelled {
        let count = self.labels.len().max(1);
        let (round, label) = (turn / count, turn % count);
        let asked = |label: usize| query.cues.iter().find(|(one, _)| *one == label);
        let mut pick = |label: usize| match asked(label) {
            Some(cue) if round == 0 => *cue,
            _ => (label, rng.index(self.kind.cues())),
        };
        let mut cues = vec![pick(label)];
        if self.kind == Kind::Entity {
            cues.extend((1..ENTITIES).map(|step| pick((label + step) % count)));
        }
        let evidence = cues.iter().any(|cue| query.cues.contains(cue));
        Labelled { evidence, ..self.text(cues, turn as u32, rng) }
    }

    fn text(&self, cues: Vec<(usize, usize)>, turn: u32, rng: &mut Rng) -> Labelled {
        let first = cues.first().copied().unwrap_or_default();
        let cue = self.cue(first);
        let mut entities = BTreeMap::new();
        let text = match self.kind {
            Kind::Emotion => self.comment(cue, turn, rng),
            Kind::Intent => self.service_query(cue, turn, rng),
            Kind::Connective => self.pair(cue, turn, rng),
            Kind::Relation => self.sentence(cue, turn, rng),
            Kind::Dialogue => String::new(),
            Kind::Entity => {
                let named: Vec<(String, &str)> =
                    (0..).zip(&cues).map(|(place, cue)| (self.name(turn, place), self.cue(*cue))).collect();
                entities.extend(
                    named.iter().zip(&cues).map(|((name, _), cue)| (name.clone(), self.label(cue.0).to_owned())),
                );
                self.listing(&named, rng)
            }
        };
        let lines = || entities.iter().map(|(name, kind)| format!("{name}: {kind}")).collect::<Vec<_>>().join("\n");
        let labelled = if self.kind == Kind::Entity { lines() } else { self.label(first.0).to_owned() };
        Labelled { text, labelled, entities, evidence: false, cues }
    }

    fn person(&self, turn: u32, place: u32) -> String {
        let id = self.start.wrapping_mul(16).wrapping_add(turn.wrapping_mul(ENTITIES as u32)).wrapping_add(place);
        self.world.person(PersonId(id % (1 << 28))).name.of(Language::English)
    }

    fn town(&self, turn: u32) -> String {
        let id = self.start.wrapping_add(turn) % (1 << 24);
        self.world.town(TownId(id)).name.of(Language::English)
    }

    /// A name that no other place of the sentence has.
    fn name(&self, turn: u32, place: u32) -> String {
        let names: Vec<String> = (0..)
            .map(|step| self.person(turn, step))
            .scan(Vec::new(), |seen: &mut Vec<String>, name| {
                let fresh = !seen.contains(&name);
                seen.push(name.clone());
                Some(fresh.then_some(name))
            })
            .flatten()
            .take(place as usize + 1)
            .collect();
        names.last().cloned().unwrap_or_default()
    }

    fn comment(&self, cue: &str, turn: u32, rng: &mut Rng) -> String {
        let (who, place, hour) = (self.person(turn, 0), self.town(turn), rng.between(1, 11));
        match rng.index(5) {
            0 => {
                format!("{who} showed me the {cue} at {place} today, and I have thought of nothing else since {hour}.")
            }
            1 => format!("So there it was, the {cue}, right in the middle of {place}, and only {hour} of us saw it."),
            2 => format!("I waited {hour} hours at {place} for {who}, and then came the {cue}."),
            3 => format!("Has anybody at {place} seen the {cue} that {who} talked about for {hour} days?"),
            _ => format!("For {hour} weeks {who} has written to me from {place} about the {cue}."),
        }
    }

    fn service_query(&self, cue: &str, turn: u32, rng: &mut Rng) -> String {
        let (who, place, days) = (self.person(turn, 0), self.town(turn), rng.between(2, 29));
        match rng.index(5) {
            0 => format!("My {cue} has not moved since {place}, and that was {days} days ago. What now?"),
            1 => format!("I am {who} and I have a question about the {cue} that you sent to {place} {days} days ago."),
            2 => format!("Can {who} collect the {cue} for me at {place} within {days} days?"),
            3 => format!("After {days} days at {place} I still wonder how the {cue} is meant to work."),
            _ => format!("Please tell {who} at {place} why the {cue} came up {days} times."),
        }
    }

    fn pair(&self, cue: &str, turn: u32, rng: &mut Rng) -> String {
        let (who, other, place, year) =
            (self.person(turn, 0), self.person(turn, 1), self.town(turn), rng.between(860, 939));
        let first = match rng.index(3) {
            0 => format!("{who} came to {place} in {year}."),
            1 => format!("In {year} the gates of {place} stood open."),
            _ => format!("Nobody at {place} had expected {who} before {year}."),
        };
        let second = match rng.index(3) {
            0 => format!("{other} took the {cue} road."),
            1 => format!("the {cue} road was left to {other}."),
            _ => format!("it was {other} who chose the {cue} road."),
        };
        format!("{first} ( ) {second}")
    }

    fn sentence(&self, cue: &str, turn: u32, rng: &mut Rng) -> String {
        let (who, other, place, year) =
            (self.name(turn, 0), self.name(turn, 1), self.town(turn), rng.between(860, 939));
        let told = match rng.index(3) {
            0 => format!("In {year} {who} {cue}ed {other} at {place}."),
            1 => format!("{other} was {cue}ed by {who} near {place} in {year}."),
            _ => format!("It is told at {place} that {who} had {cue}ed {other} by {year}."),
        };
        format!("{told}\nthe subject is {who} and the object is {other}")
    }

    fn listing(&self, named: &[(String, &str)], rng: &mut Rng) -> String {
        let parts: Vec<String> = named.iter().map(|(name, cue)| format!("the {cue} {name}")).collect();
        let year = rng.between(860, 939);
        let list = crate::families::listed(&parts.iter().map(String::as_str).collect::<Vec<_>>());
        match rng.index(2) {
            0 => format!("In {year} the road was closed for {list}."),
            _ => format!("A letter of {year} speaks of {list} in one breath."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 5] = [Kind::Emotion, Kind::Intent, Kind::Connective, Kind::Relation, Kind::Entity];

    #[test]
    fn the_query_can_be_labelled_from_the_first_round() {
        for kind in KINDS {
            for seed in 0..20 {
                let mut rng = Rng::from_path(&[seed]);
                let set = LabelSet::new(kind, seed, &mut rng);
                let query = set.query(rng.index(kind.labels()), &mut rng);
                let round: Vec<Labelled> =
                    (0..kind.labels()).map(|turn| set.demonstration(turn, &query, &mut rng)).collect();
                for cue in &query.cues {
                    let word = set.cue(*cue);
                    let showing: Vec<&Labelled> = round.iter().filter(|one| one.cues.contains(cue)).collect();
                    assert!(!showing.is_empty(), "{kind:?}");
                    for one in showing {
                        assert!(one.evidence && one.text.contains(word) && one.labelled.contains(set.label(cue.0)));
                    }
                }
                assert!(round.iter().all(|one| one.text != query.text));
            }
        }
    }

    #[test]
    fn a_cue_belongs_to_one_label() {
        for kind in KINDS {
            let set = LabelSet::new(kind, 1, &mut Rng::from_path(&[3]));
            let mut cues = set.cues.clone();
            cues.sort();
            cues.dedup();
            assert_eq!(cues.len(), kind.labels() * kind.cues(), "{kind:?}");
            assert!(set.labels.iter().all(|label| !set.cues.contains(label)));
        }
    }
}
