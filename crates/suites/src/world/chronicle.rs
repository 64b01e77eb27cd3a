//! The chronicle: paragraph after paragraph about a town, a town's year, a family or an office.

use std::ops::Range;

use super::World;
use super::fact::Fact;
use super::person::PersonId;
use super::town::TownId;
use super::{render_en, render_fa, render_zh};
use crate::card::Language;
use crate::counter::Counter;
use crate::haystack::{Haystack, HaystackError, Passage, PassageBuilder, planting_cost};
use crate::rng::Rng;

/// A sentence with what it states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The sentence, final punctuation included.
    pub text: String,
    /// What it states.
    pub fact: Fact,
}

/// An endless walk through the world: every paragraph has a subject of its own.
#[derive(Debug, Clone)]
pub struct Chronicle {
    world: World,
    language: Language,
    next: u32,
    start: u32,
}

/// Years told of one town before the walk goes on.
const YEARS_TOLD: u32 = 24;
/// Paragraphs per town: the town, its families (eight, by threes of generations), its offices and its years.
const PARAGRAPHS_PER_TOWN: u32 = 1 + 8 * 12 / 4 + 4 + YEARS_TOLD;
/// Walks begin at a multiple of this many towns, so that they do not run into each other soon.
const WALK_TOWNS: u64 = 4096;

impl Chronicle {
    /// The walk with this number.
    #[must_use]
    pub fn new(world: World, language: Language, variant: u64) -> Self {
        let walk = Rng::from_path(&[variant]).below(u64::from(u32::MAX) / 128 / WALK_TOWNS);
        Self { world, language, next: 0, start: (walk * WALK_TOWNS) as u32 }
    }

    /// The next paragraph.
    pub fn paragraph(&mut self) -> Vec<Statement> {
        let town = TownId(self.start + self.next / PARAGRAPHS_PER_TOWN);
        let step = self.next % PARAGRAPHS_PER_TOWN;
        self.next += 1;
        let facts = self.facts(town, step);
        let mut wording = Rng::from_path(&[u64::from(town.0), u64::from(step)]);
        match self.language {
            Language::English => render_en::paragraph(self.world, &facts, &mut wording),
            Language::Persian => render_fa::paragraph(self.world, &facts, &mut wording),
            Language::Chinese => render_zh::paragraph(self.world, &facts, &mut wording),
        }
    }

    /// What one paragraph tells. Years and people take turns, so that a walk does not read like a register.
    fn facts(&self, town: TownId, step: u32) -> Vec<Fact> {
        let world = self.world;
        if step == 0 {
            let first = world.terms(town).into_iter().take(2).map(Fact::Term);
            return std::iter::once(Fact::Town(town)).chain(first).collect();
        }
        let (half, odd) = ((step - 1) / 2, step % 2 == 1);
        if odd && half < 24 {
            let first = town.0 * 96 + half * 4;
            return (first..first + 4).flat_map(|id| self.life(PersonId(id))).collect();
        }
        if !odd && half < YEARS_TOLD {
            let year = 850 + half * 3;
            let [early, late] = world.events(town, year);
            let [harvest, price, wall, boats] = world.measures(town, year).map(Fact::Measure);
            return vec![harvest, price, Fact::Event(early), wall, boats, Fact::Event(late)];
        }
        let quarter = (step as usize).saturating_sub(49) % 4;
        world.terms(town).into_iter().skip(quarter * 4).take(4).map(Fact::Term).collect()
    }

    fn life(&self, id: PersonId) -> Vec<Fact> {
        let mut facts = vec![Fact::Life(id)];
        if !self.world.parents(id).is_empty() {
            facts.push(Fact::Parents(id));
        }
        if let Some(spouse) = self.world.spouse(id).filter(|spouse| *spouse > id) {
            facts.push(Fact::Marriage(id, spouse));
        }
        facts.push(Fact::Death(id));
        facts
    }
}

/// The chronicle as a haystack: the variant chooses the walk.
#[derive(Debug, Clone, Copy)]
pub struct WorldHaystack {
    world: World,
    language: Language,
}

impl WorldHaystack {
    pub(super) const fn new(world: World, language: Language) -> Self {
        Self { world, language }
    }
}

impl Haystack for WorldHaystack {
    fn language(&self) -> Language {
        self.language
    }

    fn passage(&self, variant: u64, budget: u32) -> Result<Passage, HaystackError> {
        Ok(tell(self.world, self.language, variant, budget, &mut |_| ()))
    }
}

/// A statement where it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldStatement {
    /// What it states.
    pub fact: Fact,
    /// Bytes of its sentence.
    pub bytes: Range<usize>,
    /// Canonical tokens of the text before it.
    pub token_start: u32,
}

/// A walk as text: the same text as the haystack's passage, with every statement's place.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The text.
    pub passage: Passage,
    /// The statements in order.
    pub told: Vec<ToldStatement>,
}

impl Walk {
    /// Tells the walk with this number until `budget` canonical tokens are full.
    #[must_use]
    pub fn new(world: World, language: Language, variant: u64, budget: u32) -> Self {
        let mut told = Vec::new();
        let passage = tell(world, language, variant, budget, &mut |statement| told.push(statement));
        Self { passage, told }
    }
}

fn tell(world: World, language: Language, variant: u64, budget: u32, record: &mut dyn FnMut(ToldStatement)) -> Passage {
    let mut chronicle = Chronicle::new(world, language, variant);
    let mut builder = PassageBuilder::new(language, budget as usize * 5);
    let (mut counter, mut bytes) = (Counter::default(), 0);
    let space = if language == Language::Chinese { 0 } else { 1 };
    'walk: loop {
        for (place, Statement { text, fact }) in chronicle.paragraph().into_iter().enumerate() {
            let cost = cost(language, &mut counter, &text);
            // A paragraph's first sentence stands after an empty line, which costs at most one token more.
            if builder.tokens() + cost + 1 > budget {
                break 'walk;
            }
            let start = bytes + if place > 0 { space } else { usize::from(bytes > 0) * 2 };
            bytes = start + text.len();
            record(ToldStatement { fact, bytes: start..bytes, token_start: builder.tokens() });
            builder.counted_sentence(&text, cost);
        }
        builder.end_paragraph();
    }
    fill(language, &mut builder, budget);
    builder.finish()
}

/// Tokens of a sentence after another. An English sentence begins with a word, which takes the space before it.
pub(super) fn cost(language: Language, counter: &mut Counter, text: &str) -> u32 {
    match language {
        Language::English if text.starts_with(|first: char| first.is_ascii_digit()) => planting_cost(language, text),
        Language::English => counter.count_after_space(text),
        Language::Chinese | Language::Persian => planting_cost(language, text),
    }
}

/// Short closing sentences for the last few tokens.
pub(crate) fn fill(language: Language, builder: &mut PassageBuilder, budget: u32) {
    let closings: &[&str] = match language {
        Language::Persian => &[
            "از باقی آن فصل خبری که بتوان به آن اعتماد کرد در دست نیست.",
            "دفترهای باج‌خانه چیز دیگری نمی‌گویند.",
            "بیش از این ننوشته‌اند.",
            "چنین ماند.",
        ],
        Language::English => &[
            "Of the rest of that season the chronicle keeps no account that could be trusted.",
            "The books of the toll house say nothing more.",
            "Little else is told of it.",
            "So it stayed.",
        ],
        Language::Chinese => {
            &["此后的事情，史书没有留下可靠的记载。", "其余的事情不再细说。", "此事到此为止。", "再无他事。"]
        }
    };
    for closing in closings {
        let cost = planting_cost(language, closing);
        while builder.tokens() + cost < budget {
            builder.sentence(closing);
        }
    }
}
