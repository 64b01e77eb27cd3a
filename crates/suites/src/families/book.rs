//! Books: paragraphs of the chronicle, each sentence with the fact it states, written into prompts of exact length.

use std::collections::HashMap;

use crate::card::Language;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world::{Chronicle, Fact, PersonId, Statement, TownId, World};

use super::prose;

/// A paragraph: sentences in their order.
pub type Section = Vec<Statement>;

/// Where a sentence stands: section and place within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Section, from 0.
    pub section: usize,
    /// Sentence, from 0.
    pub sentence: usize,
}

/// A sentence that states nothing of the world's facts.
pub fn plain(text: impl Into<String>) -> Statement {
    Statement { text: text.into(), fact: Fact::None }
}

/// What stands before each section, by its number from 1.
pub type Heading = fn(usize) -> String;

/// No heading: running prose.
pub fn unnumbered(_: usize) -> String {
    String::new()
}

/// Sections and whose names they hold.
pub struct Book {
    /// The world that the sections tell of.
    pub world: World,
    /// The sections.
    pub sections: Vec<Section>,
}

impl Book {
    /// Paragraphs of a walk through `world`, as many as `room` canonical tokens hold. The last one may be cut short.
    pub fn gather(world: World, variant: u64, room: u32, heading: Heading) -> Self {
        let mut counter = Prompt::default();
        let mut chronicle = Chronicle::new(world, Language::English, variant);
        let (mut sections, mut used) = (Vec::new(), 0);
        loop {
            let start = used;
            used += counter.count(&heading(sections.len() + 1));
            let paragraph = chronicle.paragraph();
            let mut section = Section::new();
            for statement in paragraph {
                let cost = counter.count(&[" ", &statement.text].concat());
                if used + cost > room {
                    break;
                }
                used += cost;
                section.push(statement);
            }
            if used >= room || section.is_empty() || start + 8 >= room {
                if !section.is_empty() {
                    sections.push(section);
                }
                break;
            }
            sections.push(section);
        }
        Self { world, sections }
    }

    /// Every sentence with its place.
    pub fn sentences(&self) -> impl Iterator<Item = (Place, &Statement)> {
        self.sections.iter().enumerate().flat_map(|(section, sentences)| {
            sentences.iter().enumerate().map(move |(sentence, statement)| (Place { section, sentence }, statement))
        })
    }

    /// The sections that state the same as the sentence at `place`.
    pub fn restated(&self, place: Place) -> Vec<usize> {
        let Some(stated) = self.sections.get(place.section).and_then(|section| section.get(place.sentence)) else {
            return Vec::new();
        };
        let same = self.sentences().filter(|(_, other)| other.fact == stated.fact);
        let mut sections: Vec<usize> = same.map(|(other, _)| other.section).collect();
        sections.dedup();
        sections
    }

    /// The sections in another order.
    pub fn shuffle(&mut self, rng: &mut Rng) {
        rng.shuffle(&mut self.sections);
    }

    /// Names that more than one person or town of the book has.
    pub fn namesakes(&self) -> Namesakes {
        let mut namesakes = Namesakes::default();
        for (_, statement) in self.sentences() {
            let (people, towns) = named(self.world, &statement.fact);
            for id in people {
                namesakes.person(self.world, id);
            }
            for id in towns {
                namesakes.town(self.world, id);
            }
        }
        namesakes
    }
}

/// Who bears each name of a book.
#[derive(Default)]
pub struct Namesakes {
    bearers: HashMap<String, Option<u64>>,
    seen: std::collections::HashSet<u64>,
}

impl Namesakes {
    fn add(&mut self, key: u64, name: impl FnOnce() -> String) {
        if self.seen.insert(key) {
            let bearer = self.bearers.entry(name()).or_insert(Some(key));
            if *bearer != Some(key) {
                *bearer = None;
            }
        }
    }

    fn person(&mut self, world: World, id: PersonId) {
        self.add(u64::from(id.0), || world.person(id).name.of(Language::English));
    }

    fn town(&mut self, world: World, id: TownId) {
        self.add(1 << 40 | u64::from(id.0), || world.town(id).name.of(Language::English));
    }

    /// Whether exactly one person or town has this name.
    pub fn is_unique(&self, name: &str) -> bool {
        self.bearers.get(name).is_some_and(Option::is_some)
    }
}

/// The people and towns that a sentence names.
fn named(world: World, fact: &Fact) -> (Vec<PersonId>, Vec<TownId>) {
    match fact {
        Fact::Town(town) => (Vec::new(), vec![*town]),
        Fact::Life(one) => (vec![*one], vec![world.person(*one).home]),
        Fact::Death(one) => (vec![*one], Vec::new()),
        Fact::Parents(one) => (std::iter::once(*one).chain(world.parents(*one)).collect(), Vec::new()),
        Fact::Marriage(one, other) => (vec![*one, *other], Vec::new()),
        Fact::Term(term) => (vec![term.holder], vec![term.town]),
        Fact::Measure(measure) => (Vec::new(), vec![measure.town]),
        Fact::Event(event) => (vec![event.leader], vec![event.town, event.with]),
        Fact::None => (Vec::new(), Vec::new()),
    }
}

/// A book with what stands around it.
pub struct Volume {
    /// Text before the sections.
    pub head: String,
    /// What stands before each section.
    pub heading: Heading,
    /// The sections.
    pub sections: Vec<Section>,
    /// Sentences that are evidence.
    pub marks: Vec<Place>,
    /// Text after the sections, beginning with an empty line.
    pub tail: String,
    /// The answer.
    pub answer: Answer,
}

/// Sentences that carry nothing: they fill what the last section leaves of a length, each once before any returns.
const NOTES: [&str; 18] = [
    "Here the hand of the scribe changes, and the ink turns from black to brown.",
    "A line in the margin was scraped off so well that no lamp brings it back.",
    "The leaf that comes next is bound upside down, and nobody has cared to mend it.",
    "Someone has pressed a fern between these pages and left its shape on both.",
    "The copyist begs the reader to forgive a page that was written in haste.",
    "Water has reached the lower corner, though it spoiled nothing but blank space.",
    "Two letters on this leaf are drawn with great care, as if by a pupil at play.",
    "A later owner has added a pointing hand, but not what it points at.",
    "The ruling of the lines is uneven here, and the words climb towards the edge.",
    "In the fold lies a thread with which the sheets were once sewn together.",
    "The candle must have been low, for the writing grows large and then small.",
    "A small drawing of a cat asleep fills the space under the last word.",
    "The binder has trimmed the top of the page, and with it half a flourish.",
    "There is a burn the size of a pea, with nothing lost around it.",
    "Between the lines stands an exercise in the alphabet by an unsure hand.",
    "The parchment is thin at this place, and the next page shines through.",
    "A ribbon, once red, still marks the opening for a reader long gone.",
    "The old catalogue praises the wide margins of this leaf and says no more.",
];

/// Short sentences for the last few tokens, dearest first.
pub(super) const CLOSINGS: [&str; 4] = [
    "What followed was never set down in full.",
    "More than this nobody wrote.",
    "Little else is told.",
    "So it stayed.",
];

/// Writes a volume so that the length is met.
pub fn bind(task: &Task, request: &ItemRequest<'_>, mut volume: Volume) -> Result<Item, GenerateError> {
    let output = volume.answer.output_tokens.unwrap_or(task.card().output_tokens);
    let limit = request.length.tokens().saturating_sub(output);
    volume.marks.sort_unstable();
    loop {
        let mut prompt = write(&volume, limit);
        let excess = prompt.tokens().saturating_sub(limit);
        if excess == 0 {
            return Ok(prompt.finish(task, request, volume.answer));
        }
        // Each sentence takes away at most its own tokens and two at its joint, so none too many is lost.
        let mut removed = 0;
        while removed < excess {
            match shorten(&mut volume) {
                Some(sentence) => removed += prompt.count(&sentence) + 2,
                None if removed > 0 => break,
                None => {
                    let reason = format!("frame, evidence and answer need {excess} tokens more");
                    return Err(prose::unsatisfiable(task, request, reason));
                }
            }
        }
    }
}

fn write(volume: &Volume, limit: u32) -> Prompt {
    let mut prompt = Prompt::default();
    prompt.push(&volume.head);
    prompt.begin_document();
    let mut marks = volume.marks.iter().peekable();
    for (section, sentences) in volume.sections.iter().enumerate() {
        if section > 0 {
            prompt.push("\n\n");
        }
        let mut joint = (volume.heading)(section + 1);
        for (sentence, statement) in sentences.iter().enumerate() {
            prompt.push(&joint);
            if marks.next_if(|place| **place == Place { section, sentence }).is_some() {
                prompt.push_needle(&statement.text);
            } else {
                prompt.push(&statement.text);
            }
            " ".clone_into(&mut joint);
        }
    }
    let tail = prompt.count(&volume.tail);
    for note in NOTES.iter().cycle() {
        let cost = prompt.count(note) + 1;
        if prompt.tokens() + tail + cost > limit {
            break;
        }
        prompt.push(" ");
        prompt.push(note);
    }
    for closing in CLOSINGS {
        let cost = prompt.count(closing) + 1;
        while prompt.tokens() + tail + cost <= limit {
            prompt.push(" ");
            prompt.push(closing);
        }
    }
    prompt.end_document();
    prompt.push(&volume.tail);
    prompt
}

/// Takes away the last sentence that is no evidence and not alone in its section, and gives it.
fn shorten(volume: &mut Volume) -> Option<String> {
    for (section, sentences) in volume.sections.iter_mut().enumerate().rev() {
        let last = Place { section, sentence: sentences.len().saturating_sub(1) };
        if sentences.len() > 1 && !volume.marks.contains(&last) {
            return sentences.pop().map(|statement| statement.text);
        }
    }
    None
}

/// Canonical tokens that sections may take beside `head`, a tail of at most `tail` tokens and the answer.
pub fn room(task: &Task, request: &ItemRequest<'_>, head: &str, tail: u32) -> u32 {
    let around = crate::tokens::count(head) + tail + task.card().output_tokens;
    request.length.tokens().saturating_sub(around)
}
