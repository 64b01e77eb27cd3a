//! Short dialogues about an errand, a loan or a delay, each with a summary in one sentence.

use crate::card::Language;
use crate::families::kinship;
use crate::prompt::Prompt;
use crate::rng::Rng;

/// A turn and whether the summary stands on it.
struct Turn {
    text: String,
    evidence: bool,
}

/// A dialogue.
pub struct Dialogue {
    turns: Vec<Turn>,
    /// What was agreed, in one sentence.
    pub summary: String,
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const PLACES: [&str; 8] = [
    "at the ferry",
    "behind the mill",
    "on the quay",
    "by the old well",
    "under the north gate",
    "in the bakery",
    "before the toll house",
    "at the bridge",
];
const ERRANDS: [&str; 8] = [
    "carry the sacks",
    "paint the boat",
    "count the sheep",
    "pick the pears",
    "mend the roof",
    "fetch the letters",
    "stack the firewood",
    "clean the kettle",
];
const THINGS: [&str; 8] =
    ["a ladder", "a saddle", "two ropes", "a lantern", "a saw", "a cart", "a pair of boots", "an umbrella"];
const CHATTER: [&str; 6] = [
    "It has been raining since the morning, has it not?",
    "My cousin sends her greetings.",
    "You were not at market, I looked for you.",
    "I have only a moment.",
    "The children have been asking for you.",
    "I slept badly, but never mind.",
];

impl Dialogue {
    /// One of three kinds, with its slots filled.
    pub fn draw(rng: &mut Rng) -> Self {
        let names = kinship::names(Language::English, rng, 2);
        let name = |index: usize| names.get(index).cloned().unwrap_or_default();
        let (one, other) = (name(0), name(1));
        let pick = |list: &[&'static str], rng: &mut Rng| rng.choose(list).copied().unwrap_or_default();
        let (day, place) = (pick(&DAYS, rng), pick(&PLACES, rng));
        let (errand, thing, hour) = (pick(&ERRANDS, rng), pick(&THINGS, rng), rng.between(5, 11));
        let small = Turn { text: format!("{one}: {}", pick(&CHATTER, rng)), evidence: false };
        let say = |who: &str, what: String| Turn { text: format!("{who}: {what}"), evidence: true };
        let (mut turns, summary) = match rng.index(3) {
            0 => (
                vec![
                    say(&one, format!("Are you free on {day}? I need somebody to {errand}.")),
                    say(&other, "Gladly. Where shall we meet?".to_owned()),
                    say(&one, format!("Come {place}, at {hour} o'clock.")),
                ],
                format!("{other} will meet {one} {place} on {day} at {hour} o'clock to {errand}."),
            ),
            1 => (
                vec![
                    say(&one, format!("Could you lend me {thing}?")),
                    say(&other, format!("Yes, but I need it back on {day}.")),
                    say(&one, format!("Agreed. I shall leave it {place}.")),
                ],
                format!("{other} lends {thing} to {one}, who will leave it {place} on {day}."),
            ),
            _ => (
                vec![
                    say(&one, format!("I cannot {errand} on {day} after all.")),
                    say(&other, format!("Then let us do it at {hour} o'clock the day after.")),
                    say(&one, format!("Good, I shall wait {place}.")),
                ],
                format!(
                    "{one} cannot {errand} on {day} and will wait for {other} {place} at {hour} o'clock the day after."
                ),
            ),
        };
        turns.insert(rng.index(2), small);
        Self { turns, summary }
    }

    /// The turns in lines, `closing` after the last one.
    pub fn joined(&self, closing: &str) -> String {
        let turns: Vec<&str> = self.turns.iter().map(|turn| turn.text.as_str()).collect();
        format!("Dialogue:\n{}{closing}\n", turns.join("\n"))
    }

    /// Writes what [`Dialogue::joined`] gives, with the evidence marked.
    pub fn write(&self, prompt: &mut Prompt, closing: &str) {
        prompt.push("Dialogue:");
        for turn in &self.turns {
            prompt.push("\n");
            if turn.evidence {
                prompt.push_needle(&turn.text);
            } else {
                prompt.push(&turn.text);
            }
        }
        prompt.push(closing);
        prompt.push("\n");
    }
}

/// What one writes who has not read the dialogue.
pub const BLIND: &str = "They will meet at the market in the evening and talk about the work.";
