//! Questions about a book: each has one answer, which the marked sentences state and nothing else in the book denies.

use std::collections::HashMap;

use super::book::{Book, Namesakes, Place};
use crate::card::Language::English;
use crate::rng::Rng;
use crate::world::{Event, EventKind, Fact, MeasureKind, PersonId, Term, TownId, Trade};

/// A question with its answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question.
    pub text: String,
    /// The answer.
    pub answer: String,
    /// Sentences on which the answer stands.
    pub evidence: Vec<Place>,
    /// Answers of the same kind that are wrong, at least three.
    pub wrong: Vec<String>,
}

/// A question with four options of which one or several are right.
pub struct SeveralRight {
    /// The question.
    pub text: String,
    /// The options, each with whether it is right.
    pub options: Vec<(String, bool)>,
    /// Sentences on which the right ones stand.
    pub evidence: Vec<Place>,
}

/// A measured amount as the book tells it: year, amount, place.
type Told = (u32, u32, Place);

/// A term in office: its holder's name, the term, its place.
pub type NamedTerm = (String, Term, Place);

/// Asks about a book.
pub struct Asker<'a> {
    book: &'a Book,
    namesakes: Namesakes,
    lives: HashMap<PersonId, Place>,
}

/// Tries before an asker gives up on a kind of question.
const TRIES: usize = 24;

impl<'a> Asker<'a> {
    /// An asker who has read the book.
    pub fn new(book: &'a Book) -> Self {
        let lives = book.sentences().filter_map(|(place, statement)| match statement.fact {
            Fact::Life(id) => Some((id, place)),
            _ => None,
        });
        Self { book, namesakes: book.namesakes(), lives: lives.collect() }
    }

    fn person(&self, id: PersonId) -> String {
        self.book.world.person(id).name.of(English)
    }

    fn town(&self, id: TownId) -> String {
        self.book.world.town(id).name.of(English)
    }

    /// A person's name that nobody else in the book has.
    pub(super) fn known(&self, id: PersonId) -> Option<String> {
        Some(self.person(id)).filter(|name| self.namesakes.is_unique(name))
    }

    fn known_town(&self, id: TownId) -> Option<String> {
        Some(self.town(id)).filter(|name| self.namesakes.is_unique(name))
    }

    /// A question that one sentence answers.
    pub fn lookup(&self, rng: &mut Rng) -> Option<Question> {
        let sentences: Vec<(Place, &Fact)> =
            self.book.sentences().map(|(place, statement)| (place, &statement.fact)).collect();
        (0..TRIES).find_map(|_| {
            let (place, fact) = rng.choose(&sentences)?;
            let (text, answer, wrong) = match fact {
                Fact::Life(id) => self.of_life(*id, &self.known(*id)?, rng)?,
                Fact::Term(term) => (self.of_term(term)?, self.person(term.holder), self.holders(term)),
                Fact::Event(event) => (self.of_event(event)?, self.person(event.leader), self.leaders(event)),
                Fact::Town(town) => {
                    let founded = self.book.world.town(*town).founded;
                    let text = format!("In which year was {} founded?", self.known_town(*town)?);
                    (text, founded.to_string(), near(founded, rng))
                }
                _ => return None,
            };
            finish(text, answer, vec![*place], wrong, rng)
        })
    }

    /// A question that takes two sentences: who somebody was, and something about that person.
    pub fn two_hop(&self, rng: &mut Rng) -> Option<Question> {
        let ids = |fact: &Fact| match fact {
            Fact::Term(term) => Some((term.holder, self.of_holder(term)?)),
            Fact::Event(event) => Some((event.leader, self.of_leader(event)?)),
            _ => None,
        };
        let first = self.book.sentences().filter_map(|(place, statement)| {
            let id = match &statement.fact {
                Fact::Term(term) => term.holder,
                Fact::Event(event) => event.leader,
                _ => return None,
            };
            let life = *self.lives.get(&id)?;
            (life.section != place.section).then_some((place, life, &statement.fact))
        });
        let first: Vec<(Place, Place, &Fact)> = first.collect();
        (0..TRIES).find_map(|_| {
            let (place, life, fact) = rng.choose(&first)?;
            let (id, who) = ids(fact)?;
            self.known(id)?;
            let (text, answer, wrong) = self.of_life(id, &who, rng)?;
            finish(text, answer, vec![*place, *life], wrong, rng)
        })
    }

    /// A sum over three years of one town.
    pub fn sum(&self, rng: &mut Rng) -> Option<Question> {
        let mut told: HashMap<(TownId, MeasureKind), Vec<Told>> = HashMap::new();
        for (place, statement) in self.book.sentences() {
            if let Fact::Measure(measure) = &statement.fact {
                told.entry((measure.town, measure.kind)).or_default().push((measure.year, measure.amount, place));
            }
        }
        let mut asked: Vec<_> = told.into_iter().filter(|(_, years)| years.len() >= 2).collect();
        asked.sort_unstable_by_key(|((town, kind), _)| (*town, *kind as u8));
        (0..TRIES).find_map(|_| {
            let ((town, kind), years) = rng.choose(&asked)?;
            let chosen = rng.distinct(years.len(), years.len().min(3));
            let mut chosen: Vec<&(u32, u32, Place)> = chosen.into_iter().filter_map(|index| years.get(index)).collect();
            chosen.sort_unstable_by_key(|(year, ..)| *year);
            let names: Vec<String> = chosen.iter().map(|(year, ..)| year.to_string()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let total: u32 = chosen.iter().map(|(_, amount, _)| *amount).sum();
            let when = super::listed(&names);
            let place = self.known_town(*town)?;
            let text = match kind {
                MeasureKind::HarvestSacks => {
                    format!("How many sacks of rye did the fields around {place} give in {when} together?")
                }
                MeasureKind::PricePence => return None,
                MeasureKind::WallPaces => {
                    format!("How many paces of new wall were raised at {place} in {when} together?")
                }
                MeasureKind::Boats => {
                    format!("How many boats were counted at the landing of {place} in {when} together?")
                }
            };
            // The year of a paragraph stands in its first sentence.
            let first = |place: &Place| Place { section: place.section, sentence: 0 };
            let evidence = chosen.iter().flat_map(|(_, _, place)| [first(place), *place]).collect();
            finish(text, total.to_string(), evidence, near(total, rng), rng)
        })
    }

    /// Events of one town in different years, `count` of them, in the order in which they happened.
    pub fn timeline(&self, count: usize, rng: &mut Rng) -> Option<(String, Vec<(String, Place)>)> {
        let mut told: HashMap<TownId, Vec<(&Event, Place)>> = HashMap::new();
        for (place, statement) in self.book.sentences() {
            if let Fact::Event(event) = &statement.fact {
                told.entry(event.town).or_default().push((event, place));
            }
        }
        let mut towns: Vec<_> = told.into_iter().filter(|(_, events)| events.len() >= count).collect();
        towns.sort_unstable_by_key(|(town, _)| *town);
        (0..TRIES).find_map(|_| {
            let (town, events) = rng.choose(&towns)?;
            let name = self.known_town(*town)?;
            let chosen = rng.distinct(events.len(), count);
            let mut chosen: Vec<&(&Event, Place)> = chosen.into_iter().filter_map(|index| events.get(index)).collect();
            chosen.sort_unstable_by_key(|(event, _)| (event.year, event.month, event.day));
            let mut years: Vec<u32> = chosen.iter().map(|(event, _)| event.year).collect();
            years.dedup();
            (years.len() == count).then_some(())?;
            let described = |(event, place): &&(&Event, Place)| (self.deed(event, &name), *place);
            let list: Vec<(String, Place)> = chosen.iter().map(described).collect();
            let mut distinct: Vec<&String> = list.iter().map(|(text, _)| text).collect();
            distinct.sort_unstable();
            distinct.dedup();
            (distinct.len() == count).then_some((name, list))
        })
    }

    /// Which of four people held the office of reeve of a town: one to three of them.
    pub fn reeves(&self, rng: &mut Rng) -> Option<SeveralRight> {
        let mut told: HashMap<TownId, Vec<(&Term, Place)>> = HashMap::new();
        for (place, statement) in self.book.sentences() {
            if let Fact::Term(term) = &statement.fact {
                told.entry(term.town).or_default().push((term, place));
            }
        }
        let mut towns: Vec<_> = told.into_iter().collect();
        towns.sort_unstable_by_key(|(town, _)| *town);
        let mut others: Vec<PersonId> = self.lives.keys().copied().collect();
        others.sort_unstable();
        (0..TRIES).find_map(|_| {
            let (town, terms) = rng.choose(&towns)?;
            let right = 1 + rng.index(terms.len().min(3));
            let held = self.book.world.terms(*town);
            let chosen = rng.distinct(terms.len(), right);
            let chosen: Vec<&(&Term, Place)> = chosen.into_iter().filter_map(|index| terms.get(index)).collect();
            let mut options: Vec<(String, bool)> = Vec::new();
            for (term, _) in &chosen {
                options.push((self.known(term.holder)?, true));
            }
            for _ in 0..TRIES {
                let Some(other) = rng.choose(&others).filter(|_| options.len() < 4) else { break };
                let name = self.known(*other)?;
                let reeve = held.iter().any(|term| term.holder == *other);
                if !reeve && options.iter().all(|(option, _)| *option != name) {
                    options.push((name, false));
                }
            }
            (options.len() == 4).then_some(())?;
            rng.shuffle(&mut options);
            let text = format!("Which of these people held the office of reeve at {}?", self.known_town(*town)?);
            let evidence = chosen.iter().map(|(_, place)| *place).collect();
            Some(SeveralRight { text, options, evidence })
        })
    }

    /// Deeds of different people: `(name, what was done, place)`.
    pub fn deeds(&self, count: usize, rng: &mut Rng) -> Option<Vec<(String, String, Place)>> {
        let told: Vec<(Place, &Event)> = self
            .book
            .sentences()
            .filter_map(|(place, statement)| match &statement.fact {
                Fact::Event(event) => Some((place, event)),
                _ => None,
            })
            .collect();
        let mut found: Vec<(String, String, Place)> = Vec::new();
        for _ in 0..TRIES * count {
            let Some((place, event)) = rng.choose(&told) else { break };
            let (Some(name), Some(done)) = (self.known(event.leader), self.done(event)) else { continue };
            if found.len() < count && found.iter().all(|(other, ..)| *other != name) {
                found.push((name, done, *place));
            }
        }
        (found.len() == count).then_some(found)
    }

    /// All terms that the book tells of one town, at least `least`: `(town, [(holder, term, place)])` in order of time.
    pub fn terms_of_a_town(&self, least: usize, rng: &mut Rng) -> Option<(String, Vec<NamedTerm>)> {
        let mut told: HashMap<TownId, Vec<(Term, Place)>> = HashMap::new();
        for (place, statement) in self.book.sentences() {
            if let Fact::Term(term) = &statement.fact {
                told.entry(term.town).or_default().push((*term, place));
            }
        }
        let mut towns: Vec<_> = told.into_iter().filter(|(_, terms)| terms.len() >= least).collect();
        towns.sort_unstable_by_key(|(town, _)| *town);
        (0..TRIES).find_map(|_| {
            let (town, terms) = rng.choose(&towns)?;
            let name = self.known_town(*town)?;
            let mut terms = terms.clone();
            terms.sort_unstable_by_key(|(term, place)| (term.from, *place));
            // The first terms are told twice: with the town, and among the offices.
            terms.dedup_by_key(|(term, _)| *term);
            let named = terms.into_iter().map(|(term, place)| Some((self.known(term.holder)?, term, place)));
            let named: Vec<_> = named.collect::<Option<_>>()?;
            (named.len() >= least).then_some((name, named))
        })
    }

    /// Birth year, trade or home of somebody who is called `who` in the question.
    pub(super) fn of_life(&self, id: PersonId, who: &str, rng: &mut Rng) -> Option<(String, String, Vec<String>)> {
        let one = self.book.world.person(id);
        Some(match rng.index(2) {
            0 => (format!("In which year was {who} born?"), one.born.to_string(), near(one.born, rng)),
            _ => {
                let others = Trade::ALL.iter().map(|trade| trade.noun().to_owned()).collect();
                (format!("What was the trade of {who}?"), one.trade.noun().to_owned(), others)
            }
        })
    }

    fn of_term(&self, term: &Term) -> Option<String> {
        Some(format!("Who became reeve of {} in {}?", self.known_town(term.town)?, term.from))
    }

    pub(super) fn of_holder(&self, term: &Term) -> Option<String> {
        Some(format!("the person who became reeve of {} in {}", self.known_town(term.town)?, term.from))
    }

    fn of_event(&self, event: &Event) -> Option<String> {
        Some(format!("Who {}?", self.done(event)?))
    }

    pub(super) fn of_leader(&self, event: &Event) -> Option<String> {
        Some(format!("the person who {}", self.done(event)?))
    }

    /// What the leader of an event did, without the name; `None` where the text names no doer.
    fn done(&self, event: &Event) -> Option<String> {
        let town = self.known_town(event.town)?;
        let date = format!("{} {} {}", event.day, event.month_name(), event.year);
        Some(match event.kind {
            EventKind::Flood => format!("led people to the hill when the river rose over the quay of {town} on {date}"),
            EventKind::Fire => format!("led those who put out the fire at {town} on {date}"),
            EventKind::Frost => format!("set down in writing that frost took the orchards of {town} on {date}"),
            EventKind::Fair => format!("opened the great fair of {town} on {date}"),
            EventKind::Bridge => format!("built the bridge of {town} that was opened on {date}"),
            EventKind::Mill => format!("owned the mill that began to turn at {town} on {date}"),
            EventKind::Dispute => format!("carried a dispute of {town} before the court on {date}"),
            EventKind::Treaty => format!("signed the treaty of {date} for {town}"),
        })
    }

    /// An event without its date.
    fn deed(&self, event: &Event, town: &str) -> String {
        let leader = self.person(event.leader);
        match event.kind {
            EventKind::Flood => format!("the flood of {town} in which {leader} led people to the hill"),
            EventKind::Fire => format!("the fire at {town} that was put out under {leader}"),
            EventKind::Frost => format!("the frost in the orchards of {town} that {leader} set down in writing"),
            EventKind::Fair => format!("the great fair of {town} opened by {leader}"),
            EventKind::Bridge => format!("the opening of the bridge of {town} that {leader} built"),
            EventKind::Mill => format!("the first turning of the mill that {leader} owned at {town}"),
            EventKind::Dispute => format!("the dispute of {town} that {leader} carried before the court"),
            EventKind::Treaty => format!("the treaty that {leader} signed for {town}"),
        }
    }

    fn holders(&self, asked: &Term) -> Vec<String> {
        self.book.world.terms(asked.town).into_iter().map(|term| self.person(term.holder)).collect()
    }

    fn leaders(&self, asked: &Event) -> Vec<String> {
        self.book.world.people_of(asked.town).into_iter().step_by(7).map(|id| self.person(id)).collect()
    }
}

/// Other numbers near a number.
fn near(number: u32, rng: &mut Rng) -> Vec<String> {
    (0..8).map(|_| (number + 1 + rng.below(24) as u32).saturating_sub(12).to_string()).collect()
}

pub(super) fn finish(
    text: String,
    answer: String,
    evidence: Vec<Place>,
    mut wrong: Vec<String>,
    rng: &mut Rng,
) -> Option<Question> {
    rng.shuffle(&mut wrong);
    let mut kept: Vec<String> = Vec::new();
    for other in wrong {
        if other != answer && !kept.contains(&other) {
            kept.push(other);
        }
    }
    let mut evidence = evidence;
    evidence.sort_unstable();
    evidence.dedup();
    (kept.len() >= 3 && !text.contains(answer.as_str())).then_some(Question { text, answer, evidence, wrong: kept })
}

/// Four options, the right one among them, with its letter.
pub fn options(question: &Question, rng: &mut Rng) -> (Vec<String>, char) {
    let mut options: Vec<String> = question.wrong.iter().take(3).cloned().collect();
    let place = rng.index(4);
    options.insert(place.min(options.len()), question.answer.clone());
    (options, char::from(b'A' + place as u8))
}

/// Options as lines `A. …`.
pub fn option_lines(options: &[String]) -> String {
    let lines: Vec<String> = options.iter().zip('A'..).map(|(option, letter)| format!("{letter}. {option}")).collect();
    lines.join("\n")
}

/// A blind answer of the kind of `answer`: a trade, a number of as many digits, or an invented name.
pub fn blind(answer: &str, rng: &mut Rng) -> String {
    if Trade::ALL.iter().any(|trade| trade.noun() == answer) {
        return rng.choose(&Trade::ALL).map_or_else(String::new, |trade| trade.noun().to_owned());
    }
    if !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_digit()) {
        let low = 10_u64.pow(answer.len() as u32 - 1);
        return rng.between(low, low * 10 - 1).to_string();
    }
    super::kinship::names(English, rng, 1).concat()
}

/// How often [`blind`] gives exactly `answer`.
pub fn blind_chance(answer: &str) -> f64 {
    if Trade::ALL.iter().any(|trade| trade.noun() == answer) {
        return 1.0 / Trade::ALL.len() as f64;
    }
    if !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_digit()) {
        return 1.0 / (9.0 * 10_f64.powi(answer.len() as i32 - 1));
    }
    0.0
}
