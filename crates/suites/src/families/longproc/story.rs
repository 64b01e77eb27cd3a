//! Theory-of-mind tracking: where a thing is, and where somebody believes it to be.

use crate::card::Language;
use crate::families::{kinship, words};
use crate::item::Item;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

use super::Level;

const ROOMS: [&str; 8] = ["kitchen", "cellar", "study", "attic", "stable", "parlour", "pantry", "workshop"];
const HOLDERS: [&str; 6] = ["shelf", "chest", "table", "basket", "cupboard", "bench"];

/// Two people, two things, two rooms with two holders each.
struct House {
    people: Vec<String>,
    things: Vec<String>,
    rooms: Vec<&'static str>,
    holders: Vec<&'static str>,
}

/// Where everything is. A place of a thing is a room and a holder.
#[derive(Clone)]
struct State {
    people: [Option<usize>; 2],
    things: [(usize, usize); 2],
}

impl House {
    fn new(rng: &mut Rng) -> Self {
        let people = kinship::names(Language::English, rng, 8);
        let mut people: Vec<String> =
            people.iter().filter_map(|name| name.split(' ').next()).map(str::to_owned).collect();
        people.dedup();
        let things = words::keys(rng, 2).into_iter().map(|key| key.replace('-', " ")).collect();
        let mut pick = |list: &[&'static str]| {
            rng.distinct(list.len(), 2).into_iter().filter_map(|index| list.get(index).copied()).collect()
        };
        Self { people, things, rooms: pick(&ROOMS), holders: pick(&HOLDERS) }
    }

    fn person(&self, index: usize) -> &str {
        self.people.get(index).map_or("", String::as_str)
    }

    fn thing(&self, index: usize) -> &str {
        self.things.get(index).map_or("", String::as_str)
    }

    fn room(&self, index: usize) -> &'static str {
        self.rooms.get(index).copied().unwrap_or_default()
    }

    fn place(&self, (room, holder): (usize, usize)) -> String {
        format!("{}'s {}", self.room(room), self.holders.get(holder).copied().unwrap_or_default())
    }

    /// One random step: its sentence, after the state was changed.
    fn step(&self, state: &mut State, rng: &mut Rng) -> String {
        let who = rng.index(2);
        let name = self.person(who);
        let Some(slot) = state.people.get_mut(who) else { return String::new() };
        let Some(here) = *slot else {
            let room = rng.index(2);
            *slot = Some(room);
            return format!("{name} enters the {}.", self.room(room));
        };
        let at_hand: Vec<usize> =
            state.things.iter().enumerate().filter(|(_, place)| place.0 == here).map(|(thing, _)| thing).collect();
        match (rng.index(4), rng.choose(&at_hand).copied()) {
            (0, _) => {
                *slot = None;
                format!("{name} leaves the house.")
            }
            (1, Some(thing)) => {
                *slot = Some(1 - here);
                let place = (1 - here, rng.index(2));
                if let Some(known) = state.things.get_mut(thing) {
                    *known = place;
                }
                format!(
                    "{name} goes to the {} and carries the {} to the {}.",
                    self.room(1 - here),
                    self.thing(thing),
                    self.place(place)
                )
            }
            (2, Some(thing)) => {
                let known = state.things.get_mut(thing);
                let place = (here, known.as_ref().map_or(0, |known| 1 - known.1));
                if let Some(known) = known {
                    *known = place;
                }
                format!("{name} puts the {} on the {}.", self.thing(thing), self.place(place))
            }
            _ => {
                *slot = Some(1 - here);
                format!("{name} goes to the {}.", self.room(1 - here))
            }
        }
    }
}

/// A story of the first person and the first thing, and its trace.
struct Story {
    steps: Vec<String>,
    trace: String,
    question: String,
}

impl Story {
    fn new(house: &House, count: usize, rng: &mut Rng) -> Self {
        let mut place = |_: usize| (rng.index(2), rng.index(2));
        let things = [place(0), place(1)];
        let mut state = State { people: [Some(rng.index(2)), Some(rng.index(2))], things };
        let (name, thing) = (house.person(0), house.thing(0));
        let mut steps = vec![format!(
            "Step 0: {name} is in the {}, {} is in the {}, the {thing} is on the {}, and the {} is on the {}.",
            house.room(state.people[0].unwrap_or_default()),
            house.person(1),
            house.room(state.people[1].unwrap_or_default()),
            house.place(state.things[0]),
            house.thing(1),
            house.place(state.things[1]),
        )];
        let mut belief = None;
        let mut lines = vec![format!("What {name} believes of the {thing}:")];
        for number in 0..=count {
            let before = state.clone();
            if number > 0 {
                steps.push(format!("Step {number}: {}", house.step(&mut state, rng)));
            }
            let sees = state.people[0] == Some(state.things[0].0);
            if sees {
                belief = Some(state.things[0]);
            }
            let change = match (number, before.people[0] == state.people[0], before.things[0] == state.things[0]) {
                (0, ..) => "start".to_owned(),
                (_, stays, lies) => {
                    format!("{name} {}; {thing} {}", word(stays, "stays", "moves"), word(lies, "stays", "moves"))
                }
            };
            lines.push(format!(
                "- Step {number}: ({change}) {{{name}: {}; {thing}: {}; {name} sees it: {}; {name} believes: {}}}",
                state.people[0].map_or("nowhere", |room| house.room(room)),
                house.place(state.things[0]),
                word(sees, "yes", "no"),
                belief.map_or_else(|| "nothing".to_owned(), |place| house.place(place)),
            ));
        }
        let last = belief.map_or_else(|| "nothing".to_owned(), |place| format!("the {}", house.place(place)));
        lines.push(format!("Final answer: {last}"));
        Self { steps, trace: lines.join("\n"), question: format!("Where does {name} believe the {thing} to be?") }
    }
}

const fn word(yes: bool, one: &'static str, other: &'static str) -> &'static str {
    if yes { one } else { other }
}

/// Tokens of a line of a trace, about.
const LINE_TOKENS: u32 = 52;

pub(super) fn generate(
    task: &Task,
    request: &ItemRequest<'_>,
    level: Level,
    mut rng: Rng,
) -> Result<Item, GenerateError> {
    let example = Story::new(&House::new(&mut rng), 4, &mut rng);
    let house = House::new(&mut rng);
    let steps = match level {
        Level::Short => 10,
        Level::Middle => 40,
        Level::Long => (*level.answer_tokens().end() / LINE_TOKENS) as usize,
    };
    let story = Story::new(&house, steps, &mut rng);
    let head = format!(
        "A story is told in numbered steps, which stand scattered in the chronicle below, in order. Follow one person and one thing through it.\n\nWhoever is in a room sees what lies there, and believes a thing to lie where it was last seen; before that, nothing. Somebody who has left the house is nowhere. Write one line for every step, from Step 0, in the form of this example.\n\nExample\n{}\n{}\n{}\n\nChronicle\n\n",
        example.steps.join("\n"),
        example.question,
        example.trace
    );
    let tail = format!(
        "\n\n{} Write the line of every step from Step 0 to Step {steps} in the form of the example, and then the final answer.",
        story.question
    );
    let answer = Answer { references: vec![story.trace], ..Answer::default() };
    super::scattered(task, request, &mut rng, [head, tail], story.steps, answer)
}
