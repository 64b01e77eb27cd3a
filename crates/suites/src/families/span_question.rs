//! Questions made from the annals' facts: each needs many places, and names its town or person only by what happened.

use std::collections::HashSet;

use crate::judging::CheckableFact;
use crate::rng::Rng;
use crate::world::{Annals, Chapter, Entry, Event, EventKind, FIRST_YEAR, Measure, Person, Term, Trade};

/// A question with its model answer and what can be checked in an answer.
pub struct Question {
    /// The question.
    pub text: String,
    /// A model answer that states every fact.
    pub answer: String,
    /// Statements that must be made.
    pub facts: Vec<CheckableFact>,
    /// Entries of the annals that the answer rests on.
    pub evidence: Vec<Entry>,
}

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Holders of an office in order.
    Offices,
    /// How harvests changed.
    Harvests,
    /// Events in order, each with who held the office then.
    Order,
    /// A person's life.
    Life,
}

impl Kind {
    /// All kinds, in the order in which items take turns.
    pub const ALL: [Self; 4] = [Self::Offices, Self::Life, Self::Harvests, Self::Order];
}

/// Fewest and most things that one question asks for.
const ASKED: std::ops::RangeInclusive<usize> = 3..=6;

/// A question of `kind` about what the annals tell up to `last`, where they tell enough.
pub fn ask(annals: &Annals, last: u32, kind: Kind, rng: &mut Rng) -> Option<Question> {
    let mut chapters: Vec<&Chapter> = annals.chapters().iter().collect();
    rng.shuffle(&mut chapters);
    let scene = Scene { annals, last };
    chapters.into_iter().take(24).find_map(|chapter| match kind {
        Kind::Offices => scene.offices(chapter, rng),
        Kind::Harvests => scene.harvests(chapter, rng),
        Kind::Order => scene.order(chapter, rng),
        Kind::Life => scene.life(chapter, rng),
    })
}

/// The annals as far as they are told.
struct Scene<'a> {
    annals: &'a Annals,
    last: u32,
}

/// The facts of a question while it is made.
#[derive(Default)]
struct Draft {
    facts: Vec<CheckableFact>,
    evidence: Vec<Entry>,
}

impl Draft {
    fn fact(
        &mut self,
        statement: String,
        anchors: &[&[&str]],
        accepted: String,
        contradicting: impl IntoIterator<Item = String>,
    ) {
        let contradicting = contradicting.into_iter().filter(|form| *form != accepted).collect();
        self.facts.push(CheckableFact {
            statement,
            anchors: anchors.iter().map(|forms| forms.iter().map(|&form| form.to_owned()).collect()).collect(),
            accepted: vec![accepted],
            contradicting,
        });
    }

    fn finish(self, text: String) -> Question {
        let statements: Vec<&str> = self.facts.iter().map(|fact| fact.statement.as_str()).collect();
        Question { text, answer: statements.join("\n"), facts: self.facts, evidence: self.evidence }
    }
}

impl Scene<'_> {
    fn years(&self) -> impl Iterator<Item = u32> + Clone + use<> {
        FIRST_YEAR..=self.last
    }

    fn is_like_a_year(&self, amount: u32) -> bool {
        (FIRST_YEAR..=self.last).contains(&amount)
    }

    fn deeds(&self, chapter: &Chapter) -> Vec<Event> {
        self.years().flat_map(|year| chapter.deeds(self.annals.world(), year)).collect()
    }

    /// Whether no other town has the same kind of event on the same day.
    fn is_telling(&self, event: &Event) -> bool {
        let same = |other: &Event| (other.kind, other.month, other.day) == (event.kind, event.month, event.day);
        let chapters = self.annals.chapters().iter();
        let everywhere = chapters.flat_map(|chapter| chapter.deeds(self.annals.world(), event.year));
        happening(event.kind).is_some() && everywhere.filter(same).count() == 1
    }

    /// A town by something that happened there.
    fn landmark(&self, chapter: &Chapter, rng: &mut Rng) -> Option<(String, Event)> {
        let mut deeds = self.deeds(chapter);
        rng.shuffle(&mut deeds);
        let event = deeds.into_iter().find(|event| self.is_telling(event))?;
        Some((format!("the town where {} on {}", happening(event.kind)?, date(&event)), event))
    }

    fn offices(&self, chapter: &Chapter, rng: &mut Rng) -> Option<Question> {
        let told: Vec<&Term> = chapter.seals.iter().filter(|term| term.from <= self.last).collect();
        let asked = window(&told, rng)?;
        let (from, to) = (asked.first()?.from, asked.last()?.from);
        let (town, event) = self.landmark(chapter, rng)?;
        let mut draft = Draft { evidence: vec![Entry::Event(event)], ..Draft::default() };
        for term in asked {
            let name = self.annals.person(term.holder);
            let statement = format!("{name} took the seal in {}.", term.from);
            draft.fact(statement, &[&[&name]], term.from.to_string(), self.years().map(|year| year.to_string()));
            draft.evidence.push(Entry::Seal(**term));
        }
        Some(draft.finish(format!(
            "Think of {town}. Who took the seal of that town from {from} to {to}, both years included? Name everybody in order with the year in which the seal was taken, one line for each."
        )))
    }

    fn harvests(&self, chapter: &Chapter, rng: &mut Rng) -> Option<Question> {
        let step = self.last.saturating_sub(FIRST_YEAR) / 6;
        if step == 0 {
            return None;
        }
        let first = FIRST_YEAR + rng.below(u64::from(step)) as u32;
        let harvest = |year| self.annals.world().measures(chapter.town, year).into_iter().next();
        let asked: Vec<Measure> = (0..6).filter_map(|place| harvest(first + place * step)).collect();
        let amounts: HashSet<u32> = asked.iter().map(|one| one.amount).collect();
        // An amount that reads like a year would be taken for one.
        if amounts.len() < asked.len() || amounts.iter().any(|amount| self.is_like_a_year(*amount)) {
            return None;
        }
        let best = asked.iter().max_by_key(|one| one.amount)?.year;
        let worst = asked.iter().min_by_key(|one| one.amount)?.year;
        let (town, event) = self.landmark(chapter, rng)?;
        let mut draft = Draft { evidence: vec![Entry::Event(event)], ..Draft::default() };
        for one in &asked {
            let others = self.years().filter_map(harvest).map(|other| other.amount);
            let others = others.filter(|amount| !self.is_like_a_year(*amount)).map(|amount| amount.to_string());
            let year = one.year.to_string();
            draft.fact(
                format!("In {year} the harvest was {} sacks.", one.amount),
                &[&[&year]],
                one.amount.to_string(),
                others,
            );
            draft.evidence.push(Entry::Measure(*one));
        }
        let years: Vec<String> = asked.iter().map(|one| one.year.to_string()).collect();
        for (words, word, year) in [(BEST, "best", best), (WORST, "worst", worst)] {
            draft.fact(format!("The {word} of these years was {year}."), &[words], year.to_string(), years.clone());
        }
        let list: Vec<&str> = years.iter().map(String::as_str).collect();
        Some(draft.finish(format!(
            "Think of {town}. How did its harvest change over the years? Give the sacks of rye for {}, one line for each year, and then say which of these years was the best and which the worst.",
            super::listed(&list)
        )))
    }

    fn order(&self, chapter: &Chapter, rng: &mut Rng) -> Option<Question> {
        let known = chapter.seals.first()?.from;
        let mut kinds = [EventKind::Flood, EventKind::Fire, EventKind::Frost];
        rng.shuffle(&mut kinds);
        let [one, other, _] = kinds;
        let asks = |event: &Event| event.year > known && [one, other].contains(&event.kind);
        let told: Vec<Event> = self.deeds(chapter).into_iter().filter(asks).collect();
        let asked = window(&told, rng)?;
        let (from, to) = (asked.first()?.year, asked.last()?.year);
        let asked: Vec<&Event> = told.iter().filter(|event| (from..=to).contains(&event.year)).collect();
        let mut seen = HashSet::new();
        if !asked.iter().all(|event| seen.insert((event.year, event.kind))) {
            return None;
        }
        let (town, landmark) = self.landmark(chapter, rng)?;
        let mut draft = Draft { evidence: vec![Entry::Event(landmark)], ..Draft::default() };
        for event in asked {
            self.occasion(chapter, event, &mut draft)?;
        }
        let (one, other) = (plural(one), plural(other));
        Some(draft.finish(format!(
            "Think of {town}. Which {one} and {other} befell that town from {from} to {to}, both years included? List them in order, one line for each: the year, what it was, who led the people or set it down in writing, and who held the town's seal at the end of that year."
        )))
    }

    /// One event with its leader and the holder of the seal.
    fn occasion(&self, chapter: &Chapter, event: &Event, draft: &mut Draft) -> Option<()> {
        let term = chapter.seals.iter().rfind(|term| term.from <= event.year)?;
        let (leader, holder) = (self.annals.person(event.leader), self.annals.person(term.holder));
        let (year, words) = (event.year.to_string(), words(event.kind));
        let name = words.first()?;
        let leading = self
            .deeds(chapter)
            .into_iter()
            .map(|other| self.annals.person(other.leader))
            .filter(|name| *name != holder);
        draft.fact(
            format!("{year}: a {name}, under {leader}."),
            &[&[&year], words],
            leader.clone(),
            leading.collect::<Vec<_>>(),
        );
        let holding = chapter.seals.iter().map(|other| self.annals.person(other.holder)).filter(|name| *name != leader);
        draft.fact(
            format!("At the time of the {name} of {year} {holder} held the seal."),
            &[&[&year], words],
            holder.clone(),
            holding.collect::<Vec<_>>(),
        );
        draft.evidence.extend([Entry::Event(*event), Entry::Seal(*term)]);
        Some(())
    }

    fn life(&self, chapter: &Chapter, rng: &mut Rng) -> Option<Question> {
        let mut deeds = self.deeds(chapter);
        rng.shuffle(&mut deeds);
        let told = |one: &&Person| one.born >= FIRST_YEAR && one.died <= self.last;
        let (event, person) = deeds.iter().find_map(|event| {
            let person = chapter.people.iter().filter(told).find(|one| one.id == event.leader)?;
            let has_parents = !self.annals.world().parents(person.id).is_empty();
            (has_parents && self.is_telling(event)).then_some((event, person))
        })?;
        let mut draft = Draft { evidence: vec![Entry::Event(*event)], ..Draft::default() };
        self.dates(person, &mut draft);
        self.career(chapter, person, event, &mut draft);
        Some(draft.finish(format!(
            "Think of the town where {} on {}, and of the person whom the annals name as its leader, owner, builder or witness. Tell that person's life from beginning to end: the name, the year of birth, the trade, the parents, each year in which the person led, built, opened, owned or signed something else or took the seal, the year of death and the age. Write short sentences, one fact in each.",
            happening(event.kind)?,
            date(event)
        )))
    }

    fn dates(&self, person: &Person, draft: &mut Draft) {
        let name = self.annals.person(person.id);
        let around = |year: u32| (year - 20..=year + 20).map(|year| year.to_string());
        let (born, died, age) = (person.born, person.died, person.died - person.born);
        draft.fact(format!("The person is {name}."), &[], name, []);
        draft.fact(format!("The year of birth was {born}."), &[&["born", "birth"]], born.to_string(), around(born));
        let trades = Trade::ALL.map(|trade| trade.noun().to_owned());
        let trade = person.trade.noun();
        draft.fact(format!("The trade was that of a {trade}."), &[TRADE], trade.to_owned(), trades);
        for parent in self.annals.world().parents(person.id) {
            let parent = self.annals.person(parent);
            draft.fact(format!("A parent was {parent}."), &[PARENT], parent, []);
        }
        draft.fact(format!("Death came in {died}."), &[DEATH], died.to_string(), around(died));
        let ages = (20..100).map(|age| age.to_string());
        draft.fact(format!("The age at death was {age}."), &[AGE], age.to_string(), ages);
        draft.evidence.extend([Entry::Birth(person.id), Entry::Death(person.id)]);
    }

    /// Up to three other deeds, and the seal.
    fn career(&self, chapter: &Chapter, person: &Person, known: &Event, draft: &mut Draft) {
        let deeds = self.deeds(chapter);
        let led = |event: &&Event| event.leader == person.id && *event != known;
        for event in deeds.iter().filter(led).take(3) {
            let others = deeds.iter().filter(|other| other.kind == event.kind && other.leader != person.id);
            let others: Vec<String> = others.map(|other| other.year.to_string()).collect();
            let words = words(event.kind);
            let statement = format!("There was a {} in {}.", words.first().unwrap_or(&"deed"), event.year);
            draft.fact(statement, &[words], event.year.to_string(), others);
            draft.evidence.push(Entry::Event(*event));
        }
        for term in chapter.seals.iter().filter(|term| term.holder == person.id) {
            let statement = format!("The seal was taken in {}.", term.from);
            let others: Vec<String> = self.years().map(|year| year.to_string()).collect();
            draft.fact(statement, &[&["seal"]], term.from.to_string(), others);
            draft.evidence.push(Entry::Seal(*term));
        }
    }
}

const BEST: &[&str] = &["best", "largest", "highest", "greatest", "richest", "biggest"];
const WORST: &[&str] = &["worst", "smallest", "lowest", "poorest", "least"];
const TRADE: &[&str] =
    &["trade", "became", "worked", "craft", "occupation", "profession", "later", "grew up", "lived as"];
const PARENT: &[&str] = &["parent", "parents", "child", "son", "daughter", "father", "mother", "born to"];
const DEATH: &[&str] = &["died", "death", "buried", "dead", "passed away"];
const AGE: &[&str] = &["age", "aged", "years old", "years of age", "lived"];

/// A run of neighbours, as many as one question asks for.
fn window<'a, T>(list: &'a [T], rng: &mut Rng) -> Option<&'a [T]> {
    let size = list.len().min(*ASKED.end());
    if size < *ASKED.start() {
        return None;
    }
    let start = rng.index(list.len() - size + 1);
    list.get(start..start + size)
}

/// What happened, as part of a sentence, without a name. Disputes and treaties have two towns and tell neither.
fn happening(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::Flood => "the river rose over the quay",
        EventKind::Fire => "a fire broke out",
        EventKind::Frost => "frost took the orchards",
        EventKind::Fair => "the great fair was opened",
        EventKind::Bridge => "the bridge was opened",
        EventKind::Mill => "a new mill began to turn",
        EventKind::Dispute | EventKind::Treaty => return None,
    })
}

/// Words by which an answer may call an event, the plainest first.
pub fn words(kind: EventKind) -> &'static [&'static str] {
    match kind {
        EventKind::Flood => &["flood", "floods", "flooding", "river", "flooded"],
        EventKind::Fire => &["fire", "fires"],
        EventKind::Frost => &["frost", "frosts", "orchards"],
        EventKind::Fair => &["fair", "fairs"],
        EventKind::Bridge => &["bridge", "bridges"],
        EventKind::Mill => &["mill", "mills"],
        EventKind::Dispute => &["dispute", "court"],
        EventKind::Treaty => &["treaty", "treaties"],
    }
}

fn plural(kind: EventKind) -> &'static str {
    words(kind).get(1).copied().unwrap_or_default()
}

fn date(event: &Event) -> String {
    format!("{} {} {}", event.day, event.month_name(), event.year)
}
