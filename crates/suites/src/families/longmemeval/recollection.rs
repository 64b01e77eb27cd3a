//! What a question is about: the turns that say it, and how it is asked.

use super::NOT_MENTIONED;
use super::calendar::Moment;
use crate::card::Language;
use crate::families::{kinship, words};
use crate::rng::Rng;
use crate::task::{Params, choice};

/// What a question needs (the paper's five abilities).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// One session: said by the user, said by the assistant, or a preference.
    Extraction,
    /// Several sessions.
    MultiSession,
    /// Dates of sessions.
    Temporal,
    /// The latest of several values.
    Update,
    /// Noticing that nothing was said.
    Abstention,
}

impl Ability {
    /// The ability that parameters name.
    pub fn of(params: &Params) -> Self {
        match choice(params, "ability") {
            "multi_session" => Self::MultiSession,
            "temporal" => Self::Temporal,
            "update" => Self::Update,
            "abstention" => Self::Abstention,
            _ => Self::Extraction,
        }
    }

    /// What the model has to do.
    pub fn what(self) -> &'static str {
        match self {
            Self::Extraction => {
                "Recall what one session said: a fact from the user, an advice of the assistant, or a wish of the user, in turn."
            }
            Self::MultiSession => "Add up what several sessions said.",
            Self::Temporal => {
                "Say how many days lie between two sessions; one day more or less counts, strictly it does not."
            }
            Self::Update => "Say what holds now, where later sessions change what earlier ones said.",
            Self::Abstention => {
                "Answer what was said, and notice what was never said; half of the questions have no answer."
            }
        }
    }

    /// Abilities for the card.
    pub fn abilities(self) -> &'static [&'static str] {
        match self {
            Self::Extraction => &["retrieval", "dialogue"],
            Self::MultiSession => &["aggregation", "dialogue"],
            Self::Temporal => &["reasoning", "dialogue"],
            Self::Update => &["tracking", "dialogue"],
            Self::Abstention => &["retrieval", "reasoning", "dialogue"],
        }
    }
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The user.
    User,
    /// The assistant.
    Assistant,
}

/// A turn that the answer rests on; the other speaker says something general.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// Who.
    pub speaker: Speaker,
    /// What.
    pub text: String,
}

/// The subject of an item.
pub struct Recollection {
    kind: &'static str,
    /// One saying per session, in order.
    pub sayings: Vec<Saying>,
    question: String,
    accepted: Vec<String>,
    /// The two sessions whose distance is asked for.
    between: Option<(usize, usize)>,
}

const KIN: [&str; 8] = ["cousin", "aunt", "uncle", "niece", "nephew", "godmother", "grandson", "stepbrother"];
const THINGS: [&str; 8] = ["boat", "cat", "orchard", "cart", "mill", "choir", "garden", "tavern"];
const GOODS: [&str; 8] = ["lanterns", "carpets", "saddles", "clocks", "violins", "kettles", "maps", "hats"];
const ACTS: [[&str; 2]; 6] = [
    ["planted the pear tree", "picked the first pears"],
    ["started the pottery course", "fired my first bowl"],
    ["sent the parcel to the museum", "got the museum's reply"],
    ["put the roof tiles on order", "saw the roof finished"],
    ["handed in the manuscript", "held the printed book"],
    ["bought the old loom", "sold my first blanket"],
];

fn pick<'a>(rng: &mut Rng, list: &[&'a str]) -> &'a str {
    rng.choose(list).copied().unwrap_or_default()
}

/// A name of two words for an inn, boat and the like.
fn coined(rng: &mut Rng) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    words::keys(rng, 1).concat().split('-').map(word).collect::<Vec<String>>().join(" ")
}

fn user(text: String) -> Saying {
    Saying { speaker: Speaker::User, text }
}

impl Recollection {
    /// A subject for the item of this index.
    pub fn new(ability: Ability, index: u32, rng: &mut Rng) -> Self {
        match ability {
            Ability::Extraction => match index % 3 {
                0 => Self::fact(rng),
                1 => Self::advice(rng),
                _ => Self::wish(rng),
            },
            Ability::MultiSession => Self::sum(rng),
            Ability::Temporal => Self::distance(rng),
            Ability::Update => Self::update(rng),
            Ability::Abstention => Self::fact(rng).unanswerable(index % 2 == 1),
        }
    }

    /// LongMemEval's question type.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The question.
    pub fn question(&self) -> &str {
        &self.question
    }

    /// Whether the answer is a number of days.
    pub fn asks_for_days(&self) -> bool {
        self.between.is_some()
    }

    /// Accepted answers, once the sessions that are asked about have their dates.
    pub fn answers(&self, moments: &[Moment]) -> Vec<String> {
        let days = self.between.and_then(|(from, to)| Some(moments.get(to)?.days_since(*moments.get(from)?)));
        days.map_or_else(|| self.accepted.clone(), |days| vec![days.to_string()])
    }

    fn fact(rng: &mut Rng) -> Self {
        let (kin, thing, name) = (pick(rng, &KIN), pick(rng, &THINGS), coined(rng));
        let said = match rng.index(3) {
            0 => format!("By the way, my {kin}'s {thing} goes by the name of {name}, if that matters."),
            1 => format!("I come from a visit to my {kin}, who has called the {thing} {name}. Funny, is it not?"),
            _ => format!("My {kin} asks too. That is the one with the {thing} named {name}."),
        };
        Self {
            kind: "single-session-user",
            sayings: vec![user(said)],
            question: format!("What is the name of my {kin}'s {thing}?"),
            accepted: vec![name],
            between: None,
        }
    }

    /// Asks for another relative's thing, which nobody mentions.
    fn unanswerable(mut self, never: bool) -> Self {
        if never {
            let kin = KIN.iter().find(|kin| !self.question.contains(**kin)).copied().unwrap_or_default();
            let asked = KIN.iter().find(|kin| self.question.contains(**kin)).copied().unwrap_or_default();
            self.question = self.question.replace(asked, kin);
            self.accepted = vec![NOT_MENTIONED.to_owned(), "not say".to_owned(), "not said".to_owned()];
        }
        self
    }

    fn advice(rng: &mut Rng) -> Self {
        let (inn, goods) = (coined(rng), pick(rng, &GOODS));
        let said = match rng.index(2) {
            0 => format!("For {goods} I would go to the shop called {inn}; it has the widest choice."),
            _ => format!("People who collect {goods} speak well of a place called {inn}. I would begin there."),
        };
        Self {
            kind: "single-session-assistant",
            sayings: vec![Saying { speaker: Speaker::Assistant, text: said }],
            question: format!("Which place did you recommend to me for {goods}?"),
            accepted: vec![inn],
            between: None,
        }
    }

    fn wish(rng: &mut Rng) -> Self {
        let (dish, goods) = (coined(rng), pick(rng, &GOODS));
        let said = match rng.index(2) {
            0 => format!("When it comes to {goods}, I only ever want those made by {dish}. Please keep that in mind."),
            _ => format!("I do not care for any {goods} but those made by {dish}, to be honest."),
        };
        Self {
            kind: "single-session-preference",
            sayings: vec![user(said)],
            question: format!("Whose {goods} would you suggest to me as a present to myself? Think of what I like."),
            accepted: vec![dish],
            between: None,
        }
    }

    fn sum(rng: &mut Rng) -> Self {
        let goods = pick(rng, &GOODS);
        let count = 3 + rng.index(2);
        let prices: Vec<u64> = (0..count).map(|_| rng.between(113, 989)).collect();
        let keeper = kinship::names(Language::English, rng, count);
        let said = |(price, keeper): (&u64, &String)| {
            user(format!("I bought {goods} again, this time from {keeper}, and paid {price} crowns for them."))
        };
        Self {
            kind: "multi-session",
            sayings: prices.iter().zip(&keeper).map(said).collect(),
            question: format!("How many crowns have I spent on {goods} altogether? Give the sum."),
            accepted: vec![prices.iter().sum::<u64>().to_string()],
            between: None,
        }
    }

    fn distance(rng: &mut Rng) -> Self {
        let [first, second] = rng.choose(&ACTS).copied().unwrap_or_default();
        Self {
            kind: "temporal-reasoning",
            sayings: [first, second].map(|act| user(format!("Good news first: today I {act}."))).to_vec(),
            question: format!("How many days after I {first} was it that I {second}?"),
            accepted: Vec::new(),
            between: Some((0, 1)),
        }
    }

    fn update(rng: &mut Rng) -> Self {
        let homes: Vec<String> = (0..3).map(|_| coined(rng)).collect();
        let said = |(place, home): (usize, &String)| {
            user(match place {
                0 => format!("You should know that I rent a room in the house called {home} these days."),
                _ => format!("I have moved again; my room is in the house called {home} now."),
            })
        };
        Self {
            kind: "knowledge-update",
            sayings: homes.iter().enumerate().map(said).collect(),
            question: "What is the house called in which I rent a room now?".to_owned(),
            accepted: homes.last().cloned().into_iter().collect(),
            between: None,
        }
    }
}
