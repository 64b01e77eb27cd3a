//! Summaries of a report (GovReport) and of several news passages (MultiNews).

use crate::card::Language::English;
use crate::families::saga::{self, Saga};
use crate::families::volume::{Line, Volume, Written};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::world::{Chronicle, Event, Fact, TownId, World};

/// Canonical tokens of a chapter or passage, about, and their least and greatest number.
const PART_TOKENS: u32 = 1024;
const FEWEST: u32 = 3;
const MOST: u32 = 10;

fn parts(budget: u32) -> u32 {
    (budget / PART_TOKENS).clamp(FEWEST, MOST)
}

/// A report by chapters, each with its main event in the first sentence.
pub fn report(world: World, mut rng: Rng, budget: u32) -> Written {
    let saga = Saga::new(world, English, &mut rng, parts(budget) as usize);
    Written {
        head: format!(
            "Below is a report to the council about {}. You will have to sum it up.\n\nReport:\n",
            saga.town()
        ),
        body: saga.tell(budget),
        tail: "\n\nWrite a summary of the report: the main event of a chapter stands in its first sentence. Give one sentence for each chapter, in order.\n\nSummary:"
            .to_owned(),
        answer: Answer { references: vec![saga.summary().join(" ")], ..Answer::default() },
    }
}

/// News passages of different towns, each with its news in the first sentence.
pub fn news(world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    let count = parts(budget);
    let mut volume = Volume::new(English, budget);
    let mut around = Chronicle::new(world, English, rng.next_u64());
    let mut summary = Vec::new();
    for number in 1..=count {
        let event = event(world, &mut rng);
        let lead = world.sentence(English, &Fact::Event(event), 0);
        if !volume.paragraph(&[Line::plain(format!("Passage {number}.")), Line::evidence(lead)]) {
            return None;
        }
        summary.push(summed_up(world, &event));
        let end = if number == count { budget } else { budget / count * number };
        let mut room = true;
        while room {
            for said in around.paragraph() {
                room = room && volume.tokens() + 48 < end && volume.offer(&Line::plain(said.text));
            }
        }
    }
    Some(Written {
        head: "Below are news passages. You will have to sum up all of them.\n\nNews:\n".to_owned(),
        body: volume.finish(),
        tail: "\n\nWrite a summary of all the news: the news of a passage stands in its first sentence, the rest is background. Give one sentence for each passage, in order.\n\nSummary:"
            .to_owned(),
        answer: Answer { references: vec![summary.join(" ")], ..Answer::default() },
    })
}

fn event(world: World, rng: &mut Rng) -> Event {
    let town = TownId(rng.below(1 << 24) as u32);
    let [early, late] = world.events(town, 850 + rng.below(60) as u32);
    if rng.below(2) == 0 { early } else { late }
}

fn summed_up(world: World, event: &Event) -> String {
    let [place, other] = [event.town, event.with].map(|town| world.town(town).name.of(English));
    let told =
        saga::summed_up_en(event.kind, &world.person(event.leader).name.of(English), &event.year.to_string(), &other);
    format!("At {place}: {told}")
}

/// What one writes who has not read the text.
pub const BLIND: &str =
    "There was a flood and a great fire, the bridge and a new mill were finished, and the treaty was signed.";
