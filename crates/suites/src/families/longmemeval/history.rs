//! Sessions: those that a question is about among others about the world's people and towns.

use serde_json::json;

use super::calendar::Moment;
use super::recollection::{Recollection, Speaker};
use crate::card::Language;
use crate::counter::Counter;
use crate::families::lines;
use crate::prompt::Prompt;
use crate::rng::Rng;
use crate::task::{Params, choice};
use crate::world::{Chronicle, PersonId, TownId, World};

/// How sessions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A list of messages.
    Json,
    /// A line per turn.
    Text,
}

impl Form {
    /// The form that parameters name.
    pub fn of(params: &Params) -> Self {
        if choice(params, "history") == "text" { Self::Text } else { Self::Json }
    }
}

/// Something said.
struct Turn {
    speaker: Speaker,
    content: String,
    evidence: bool,
}

/// A session.
struct Session {
    turns: Vec<Turn>,
}

/// Sessions with their dates.
pub struct History {
    sessions: Vec<(Moment, Session)>,
    /// Dates of the sessions that are asked about, in order.
    pub moments: Vec<Moment>,
    /// The day of the question.
    pub today: Moment,
}

/// First day of every history: 1 January 2031.
const FIRST_DAY: u32 = 22_280;

impl History {
    /// Sessions of about `budget` canonical tokens; `None` where those that are asked about do not fit.
    pub fn fill(seed: u64, form: Form, subject: &Recollection, budget: u32, mut rng: Rng) -> Option<Self> {
        let mut talk = Talk::new(seed, &mut rng);
        let mut asked: Vec<Session> = Vec::new();
        let mut left = budget;
        for saying in &subject.sayings {
            let mut session = talk.session(1 + rng.index(2), &mut rng);
            session.say(saying.speaker, &saying.text);
            asked.push(session);
            left = left.checked_sub(talk.cost(form, asked.len(), asked.last()?))?;
        }
        let mut others = Vec::new();
        loop {
            let session = talk.session(1 + rng.index(4), &mut rng);
            let cost = talk.cost(form, asked.len() + others.len() + 1, &session);
            if cost > left {
                break;
            }
            left -= cost;
            others.push(session);
        }
        others.extend(talk.last(form, asked.len() + others.len() + 1, left, &mut rng));
        Some(Self::dated(asked, others, &mut rng))
    }

    /// Spreads the sessions that are asked about among the others and gives all of them dates.
    fn dated(asked: Vec<Session>, others: Vec<Session>, rng: &mut Rng) -> Self {
        let count = asked.len() + others.len();
        let mut places = rng.distinct(count, asked.len());
        places.sort_unstable();
        let (mut asked, mut others) = (asked.into_iter(), others.into_iter());
        let mut history =
            Self { sessions: Vec::with_capacity(count), moments: Vec::new(), today: Moment::new(FIRST_DAY, 0) };
        let mut day = FIRST_DAY + rng.below(300) as u32;
        for place in 0..count {
            day += 1 + rng.below(3) as u32;
            let moment = Moment::new(day, rng.below(1440) as u32);
            let told = places.binary_search(&place).is_ok();
            if told {
                history.moments.push(moment);
            }
            let session = if told { asked.next() } else { others.next() };
            history.sessions.extend(session.map(|session| (moment, session)));
        }
        history.today = Moment::new(day + 2, 600);
        history
    }

    /// Numbers of the sessions that are asked about, from 1.
    pub fn evidence_sessions(&self) -> Vec<usize> {
        let told = |session: &Session| session.turns.iter().any(|turn| turn.evidence);
        (1..).zip(&self.sessions).filter(|(_, (_, session))| told(session)).map(|(number, _)| number).collect()
    }

    /// Writes all sessions, oldest first.
    pub fn write(&self, form: Form, prompt: &mut Prompt) {
        for (number, (moment, session)) in (1..).zip(&self.sessions) {
            session.write(form, number, *moment, &mut |text, evidence| match evidence {
                true => prompt.push_needle(text),
                false => prompt.push(text),
            });
        }
    }
}

fn name(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
    }
}

impl Session {
    /// Puts something at the end of the speaker's first turn.
    fn say(&mut self, speaker: Speaker, text: &str) {
        if let Some(turn) = self.turns.iter_mut().find(|turn| turn.speaker == speaker) {
            turn.content.extend([" ", text]);
            turn.evidence = true;
        }
    }

    /// Hands the session's text over piece by piece, each with whether it is evidence.
    fn write(&self, form: Form, number: usize, moment: Moment, push: &mut dyn FnMut(&str, bool)) {
        push(&format!("Session {number}\nSession date: {moment}\nSession content:\n"), false);
        for (place, turn) in self.turns.iter().enumerate() {
            let speaker = name(turn.speaker);
            let lead = match (form, place) {
                (Form::Json, 0) => format!("[{{\"role\": \"{speaker}\", \"content\": \""),
                (Form::Json, _) => format!(", {{\"role\": \"{speaker}\", \"content\": \""),
                (Form::Text, _) => format!("{speaker}: "),
            };
            push(&lead, false);
            push(&written(form, turn), turn.evidence);
            push(if form == Form::Json { "\"}" } else { "\n" }, false);
        }
        push(if form == Form::Json { "]\n\n" } else { "\n" }, false);
    }
}

/// What is said, escaped where the form needs it.
fn written(form: Form, turn: &Turn) -> String {
    match form {
        Form::Text => turn.content.clone(),
        Form::Json => {
            let quoted = json!(turn.content).to_string();
            quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
        }
    }
}

/// Talk about the world.
struct Talk {
    world: World,
    chronicle: Chronicle,
    next: u32,
    counter: Counter,
}

impl Talk {
    fn new(seed: u64, rng: &mut Rng) -> Self {
        let world = World::new(seed);
        let chronicle = Chronicle::new(world, Language::English, rng.next_u64());
        Self { world, chronicle, next: rng.below(1 << 20) as u32, counter: Counter::default() }
    }

    /// A session of so many questions and replies.
    fn session(&mut self, pairs: usize, rng: &mut Rng) -> Session {
        let turns = (0..pairs).flat_map(|_| self.pair(rng)).collect();
        Session { turns }
    }

    fn pair(&mut self, rng: &mut Rng) -> [Turn; 2] {
        self.next += 1;
        let town = self.world.town(TownId(self.next)).name.of(Language::English);
        let person = self.world.person(PersonId(self.next * 96)).name.of(Language::English);
        let (chapters, days) = (rng.between(2, 40), rng.between(2, 28));
        let question = match rng.index(6) {
            0 => format!(
                "I am reading chapter {chapters} of the old chronicle and stopped at {town}. What else is told there?"
            ),
            1 => format!("Can you help me with a note about {person} of {town}? It is due in {days} days."),
            2 => format!("What does the chronicle tell of the people around {town}? I have {days} minutes."),
            3 => format!(
                "My reading group wants to hear about {person} in {days} days. Could you give me something to read out?"
            ),
            4 => format!("I need a short passage for exercise {chapters}, anything from the time of {person}."),
            _ => format!("Let us go on with page {chapters}{days} of the chronicle, the one that mentions {town}."),
        };
        let sentences: Vec<String> = self.chronicle.paragraph().into_iter().map(|statement| statement.text).collect();
        let opening = match rng.index(4) {
            0 => "Here is what stands there:",
            1 => "Of course. The chronicle has this:",
            2 => "Gladly, a passage that may serve:",
            _ => "This is the place I would take:",
        };
        let turn = |speaker, content| Turn { speaker, content, evidence: false };
        [turn(Speaker::User, question), turn(Speaker::Assistant, format!("{opening} {}", sentences.join(" ")))]
    }

    /// Canonical tokens of a session with this number. Every date takes as many, and so does every order of numbers.
    fn cost(&mut self, form: Form, number: usize, session: &Session) -> u32 {
        let mut text = String::new();
        session.write(form, number, Moment::new(FIRST_DAY, 0), &mut |piece, _| text.push_str(piece));
        self.counter.count(&text)
    }

    /// A session for what is left of the budget.
    fn last(&mut self, form: Form, number: usize, budget: u32, rng: &mut Rng) -> Option<Session> {
        let content = "Thank you for all of it.".to_owned();
        let mut session = Session { turns: vec![Turn { speaker: Speaker::User, content, evidence: false }] };
        let mut spent = self.cost(form, number, &session);
        while spent <= budget {
            let pair = self.pair(rng);
            session.turns.splice(0..0, pair);
            spent = self.cost(form, number, &session);
        }
        session.turns.drain(..2.min(session.turns.len().saturating_sub(1)));
        let rest = budget.checked_sub(self.cost(form, number, &session))?;
        session.turns.last_mut()?.content.push_str(&lines::remarks(rest, rng));
        Some(session)
    }
}
