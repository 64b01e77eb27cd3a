//! Minutes of councils: people of a town take turns and speak of its years.

use crate::card::Language;
use crate::families::words;
use crate::haystack::{Passage, PassageBuilder, planting_cost};
use crate::rng::Rng;
use crate::world::{self, Chronicle, World};

const OPENINGS: [&str; 10] = [
    "I have looked it up.",
    "Let me add to that.",
    "That is not how I remember it.",
    "The books of my house say the same.",
    "We have been over this before.",
    "I speak for those at the lower gate.",
    "You asked me for the figures.",
    "My father used to tell it so.",
    "Before we vote I want this written down.",
    "I shall be short.",
];

const CLOSINGS: [&str; 10] = [
    "I leave it to the others.",
    "Nobody can call that a small thing.",
    "We should come back to it after the harvest.",
    "That is all I know of it.",
    "I ask that the clerk note it.",
    "It will not mend itself.",
    "The rest can wait.",
    "Let somebody else carry the cost this time.",
    "I would rather sleep on it.",
    "So much for that.",
];

/// People who sit in one council.
const SEATS: usize = 6;

/// Minutes of at most `budget` canonical tokens: a paragraph per turn.
pub fn minutes(world: World, variant: u64, budget: u32) -> Passage {
    let mut rng = Rng::from_path(&[variant, Rng::name("council")]);
    let mut builder = PassageBuilder::new(Language::English, budget as usize * 5);
    let mut chronicle = Chronicle::new(world, Language::English, variant);
    let speakers: Vec<String> = words::made_up(&mut rng, SEATS).into_iter().map(|word| capital(&word)).collect();
    'sitting: loop {
        let mut said: Vec<String> = chronicle.paragraph().into_iter().map(|statement| statement.text).collect();
        said.truncate(2 + rng.index(2));
        let speaker = rng.choose(&speakers).map_or("Clerk", String::as_str);
        let opening = format!("{speaker}: {}", rng.choose(&OPENINGS).copied().unwrap_or_default());
        let closing = rng.choose(&CLOSINGS).copied().unwrap_or_default().to_owned();
        for sentence in std::iter::once(opening).chain(said).chain([closing]) {
            let cost = planting_cost(Language::English, &sentence);
            // A turn's first sentence stands after an empty line, which costs at most one token more.
            if builder.tokens() + cost + 1 > budget {
                break 'sitting;
            }
            builder.counted_sentence(&sentence, cost);
        }
        builder.end_paragraph();
    }
    world::fill(Language::English, &mut builder, budget);
    builder.finish()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
