//! En.Dia: a long conversation in which one speaker's name is masked.

use serde_json::json;

use crate::families::{prose, words};
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{ItemRequest, Task};
use crate::world::Trade;

const MASK: &str = "$$MASK$$";

/// Somebody who speaks: name in capitals, home, trade.
struct Speaker {
    name: String,
    home: String,
    trade: &'static str,
}

/// Who a speaker is, is said once, somewhere; the masked line at the end speaks of the same home and trade.
pub(super) fn masked(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Item {
    let speakers = speakers(&mut rng);
    let asked = rng.index(speakers.len());
    let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
    let head = format!(
        "Read the minutes of a long council. Each line begins with the speaker's name. In one line the name is replaced by {MASK}.\n\n"
    );
    let tail = format!("\nWhose name stands behind {MASK}? Reply with the name alone, in capitals.\nName:");
    let intro = |speaker: &Speaker| {
        format!("{}: I have come down to you from {}, where I live as a {}.", speaker.name, speaker.home, speaker.trade)
    };
    let last = speakers.get(asked).map_or_else(String::new, |speaker| {
        format!(
            "{MASK}: What would they say of it at {}, where I am a {}? I will not vote today.",
            speaker.home, speaker.trade
        )
    });
    let mut prompt = Prompt::default();
    prompt.push(&head);
    prompt.begin_document();
    let mut used = prompt.tokens() + prompt.count(&format!("{last}\n{tail}")) + 8;
    used += speakers.iter().map(|speaker| prompt.count(&format!("{}\n", intro(speaker)))).sum::<u32>();
    let mut lines = Vec::new();
    loop {
        let line = chatter(&speakers, &mut rng);
        used += prompt.count(&format!("{line}\n"));
        if used > limit {
            break;
        }
        lines.push((line, false));
    }
    let depth = prose::swept_depth(request.index);
    for (index, speaker) in speakers.iter().enumerate() {
        let share = if index == asked { f64::from(depth) / 100.0 } else { rng.unit() };
        let place = (share * lines.len() as f64) as usize;
        lines.insert(place.min(lines.len()), (intro(speaker), index == asked));
    }
    for (line, evidence) in &lines {
        if *evidence {
            prompt.push_needle(line);
        } else {
            prompt.push(line);
        }
        prompt.push("\n");
    }
    prompt.push_needle(&last);
    prompt.push("\n");
    prompt.end_document();
    prompt.push(&tail);
    let name = speakers.get(asked).map(|speaker| speaker.name.clone()).unwrap_or_default();
    let answer = Answer {
        gold: json!({ "label": [name.clone()] }),
        references: vec![name],
        depth_percent: Some(depth),
        ..Answer::default()
    };
    prompt.finish(task, request, answer)
}

fn speakers(rng: &mut Rng) -> Vec<Speaker> {
    let mut names = words::made_up(rng, 20).into_iter();
    let mut trades = Trade::ALL;
    rng.shuffle(&mut trades);
    let capital =
        |word: String| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect();
    trades
        .into_iter()
        .take(10)
        .map(|trade| Speaker {
            name: names.next().unwrap_or_default().to_uppercase(),
            home: capital(names.next().unwrap_or_default()),
            trade: trade.noun(),
        })
        .collect()
}

const MATTERS: [&str; 12] = [
    "the toll on the bridge",
    "the new well",
    "the price of salt",
    "the watch at night",
    "the ferry's rope",
    "the roof of the granary",
    "the fair in autumn",
    "the road through the marsh",
    "the bell that cracked",
    "the sluice by the mill",
    "the lamps along the quay",
    "the wall's north side",
];

/// A line that tells nothing about its speaker.
fn chatter(speakers: &[Speaker], rng: &mut Rng) -> String {
    let one = rng.index(speakers.len());
    let other = (one + 1 + rng.index(speakers.len() - 1)) % speakers.len();
    let name = |index: usize| speakers.get(index).map_or("", |speaker| speaker.name.as_str());
    let matter = rng.choose(&MATTERS).copied().unwrap_or_default();
    let next = rng.choose(&MATTERS).copied().unwrap_or_default();
    let (one, other) = (name(one), name(other));
    match rng.index(5) {
        0 => format!("{one}: If we pay for {matter}, then who pays for {next}?"),
        1 => format!("{one}: I say with {other} that {matter} can wait until spring."),
        2 => format!("{one}: Nobody has asked me about {matter}, {other}, and I have an opinion."),
        3 => format!("{one}: Write down that {matter} was spoken of for the third time."),
        _ => format!("{one}: {other} is wrong about {matter}, and about {next} as well."),
    }
}
