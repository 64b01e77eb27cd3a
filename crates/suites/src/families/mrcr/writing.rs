//! Pieces of writing about what happened in the chronicle's land: a form, a subject, and an event of that subject.

use crate::card::Language::English;
use crate::rng::Rng;
use crate::world::{Event, EventKind, Fact, TownId, World};

/// Forms with what stands before and after the told part; `{n}` is the writer.
const FORMS: [(&str, &str, &str); 10] = [
    ("letter", "Dear friend, you asked me for news, so here it is.", "Keep well until spring. Yours, {n}."),
    (
        "speech",
        "People of this town, lend me your ears for a moment.",
        "Remember it, as {n} remembers it. I thank you.",
    ),
    ("riddle", "Hear what I was told and say what it was.", "Whoever guesses it may ask {n} for a pear."),
    ("lullaby", "Hush now, the lamps are low and the boats are tied.", "Sleep, little {n}, the night is long."),
    ("sermon", "My text today is taken from no book but from our own days.", "So spoke {n}, and we say amen to it."),
    ("complaint", "I have come to complain, and I will not be sent away.", "Signed in anger by {n}."),
    ("toast", "Raise your cups, all of you, and hear me out.", "To {n}, and to dry feet!"),
    ("diary entry", "A grey day. I write this by the stove.", "Tomorrow I must see {n} about the hinges."),
    ("advertisement", "Read this, whoever can read!", "Ask for {n} at the sign of the heron."),
    ("prayer", "Hear us, who have no one else to turn to.", "And look kindly on {n}, who asked for this."),
];

/// Subjects.
const SUBJECTS: [(&str, EventKind); 8] = [
    ("floods", EventKind::Flood),
    ("fires", EventKind::Fire),
    ("frost", EventKind::Frost),
    ("fairs", EventKind::Fair),
    ("bridges", EventKind::Bridge),
    ("mills", EventKind::Mill),
    ("lawsuits", EventKind::Dispute),
    ("treaties", EventKind::Treaty),
];

/// What is asked for: a form and a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    form: usize,
    subject: usize,
}

impl Wish {
    /// A wish.
    pub fn draw(rng: &mut Rng) -> Self {
        Self { form: rng.index(FORMS.len()), subject: rng.index(SUBJECTS.len()) }
    }

    /// Another wish than `this`; half of them share its form or its subject.
    pub fn beside(this: Self, rng: &mut Rng) -> Self {
        loop {
            let drawn = Self::draw(rng);
            let wish = match rng.index(4) {
                0 => Self { form: this.form, ..drawn },
                1 => Self { subject: this.subject, ..drawn },
                _ => drawn,
            };
            if wish != this {
                return wish;
            }
        }
    }

    /// `letter about floods`.
    pub fn words(self) -> String {
        let form = FORMS.get(self.form).map_or("", |(form, ..)| form);
        let subject = SUBJECTS.get(self.subject).map_or("", |(subject, _)| subject);
        format!("{form} about {subject}")
    }

    /// The request for it.
    pub fn request(self) -> String {
        let words = self.words();
        let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("Please write {article} {words}.")
    }

    /// One of many texts that fulfil it.
    pub fn fulfil(self, world: World, rng: &mut Rng) -> String {
        let (_, opening, closing) = FORMS.get(self.form).copied().unwrap_or_default();
        let kind = SUBJECTS.get(self.subject).map_or(EventKind::Fair, |(_, kind)| *kind);
        let event = event(world, kind, rng);
        let [harvest, _, wall, boats] = world.measures(event.town, event.year).map(Fact::Measure);
        let around = rng.choose(&[harvest, wall, boats]).cloned().unwrap_or(Fact::None);
        let facts = [Fact::Event(event), around, Fact::Life(event.leader)];
        let told: Vec<String> = facts.iter().map(|fact| world.sentence(English, fact, rng.index(4))).collect();
        let people = world.people_of(event.town);
        let writer = rng.choose(&people).map(|id| world.person(*id).name.of(English)).unwrap_or_default();
        format!("{opening} {} {}", told.join(" "), closing.replace("{n}", &writer))
    }
}

/// An event of a kind.
fn event(world: World, kind: EventKind, rng: &mut Rng) -> Event {
    loop {
        let (town, year) = (TownId(rng.below(1 << 24) as u32), 850 + rng.below(60) as u32);
        if let Some(event) = world.events(town, year).into_iter().find(|event| event.kind == kind) {
            return event;
        }
    }
}

/// What one writes who has not read the conversation.
pub const BLIND: &str = "Dear friend, here is what you asked for. In the town there was a flood, and later a fair was held. The harvest was good and many boats came to the landing. Keep well, all of you.";
