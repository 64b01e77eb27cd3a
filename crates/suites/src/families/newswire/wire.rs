//! Dispatches of a wire service as papers print them: headed anew, cut at the end and misread by OCR.

use super::front_page;
use crate::card::Language;
use crate::counter::Counter;
use crate::families::searched;
use crate::retrieval::document_id;
use crate::rng::Rng;
use crate::task::{ItemRequest, Task};
use crate::template::filled;
use crate::tokens;
use crate::world::{PersonId, TownId, World};

/// Events of an item.
pub const EVENTS: u32 = 12;
/// Articles of the events, which come in threes of fours: a third of events and articles is for choosing a threshold.
const PRINTED: [u32; 4] = [2, 3, 3, 4];
/// Articles of an item.
pub const ARTICLES: u32 = 36;
/// Articles on which a threshold is chosen.
pub const DEV: u32 = 12;

/// One character of so many is misread, in the best and the worst paper.
const MISREAD: (u64, u64) = (18, 90);

/// What follows a dispatch's first sentence. Events of one kind share all of it but names and numbers.
const SENTENCES: [&str; 14] = [
    "{name} said on {day} that {n} persons had been counted at {town}.",
    "Trains to {town} were held back for {m} hours.",
    "The loss is put at {n} dollars, of which a third is insured.",
    "{other}, who keeps a store at {town}, saw it from a window.",
    "A committee of {m} men under {name} met in the evening.",
    "Help was sent from {near} before {day}.",
    "Nothing like it has been seen at {town} for {m} years.",
    "{other} denied the report and called it idle talk.",
    "Telegraph lines between {town} and {near} are down.",
    "{name} asked the governor for {n} dollars.",
    "The schools of {town} stay closed until {day}.",
    "A crowd of {n} stood in the main street of {near} all night.",
    "Friends of {other} have offered a reward of {n} dollars.",
    "An inquiry opens at {near} on {day}, with {name} as first witness.",
];

const DAYS: [&str; 6] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Characters that OCR takes for others.
const CONFUSIONS: [(char, char); 14] = [
    ('e', 'c'),
    ('c', 'e'),
    ('h', 'b'),
    ('b', 'h'),
    ('l', '1'),
    ('i', 'l'),
    ('o', '0'),
    ('s', '5'),
    ('n', 'u'),
    ('u', 'n'),
    ('t', 'f'),
    ('r', 'n'),
    ('a', 'o'),
    ('m', 'n'),
];

/// An article as a paper printed it.
pub struct Article {
    /// Number of its event.
    pub event: u32,
    /// Headline and its full stop.
    pub headline: String,
    /// What follows, between line ends.
    pub body: String,
}

impl Article {
    /// The whole of it.
    pub fn text(&self) -> String {
        [self.headline.as_str(), &self.body].concat()
    }
}

/// The dispatches of an item.
pub struct Wire {
    world: World,
    stream: Rng,
    /// Event of every article.
    events: Vec<u32>,
}

impl Wire {
    /// The dispatches of a block.
    pub fn draw(task: &Task, request: &ItemRequest<'_>, block: u32) -> Self {
        let mut rng = searched::stream(task, request, block, &document_id(0));
        let world = World::new(rng.next_u64());
        let printed = PRINTED.iter().cycle().zip(0..EVENTS);
        let mut events: Vec<u32> = printed.flat_map(|(count, event)| (0..*count).map(move |_| event)).collect();
        let (dev, test) = events.split_at_mut(DEV as usize);
        rng.shuffle(dev);
        rng.shuffle(test);
        Self { world, stream: rng, events }
    }

    /// The articles, together of at most `length` canonical tokens and about as many.
    pub fn articles(&self, length: u32) -> Vec<Article> {
        let mut rng = self.stream.clone();
        let mut counter = Counter::default();
        // Shares of the length: some papers print all, others half.
        let shares: Vec<f64> = self.events.iter().map(|_| 0.6 + 0.4 * rng.unit()).collect();
        let all: f64 = shares.iter().sum();
        let (mut used, mut share, mut articles) = (0, 0.0, Vec::new());
        for (event, own) in self.events.iter().zip(shares) {
            share += own;
            // What one article leaves is the next one's, so that all together fill the length.
            let end = (f64::from(length.saturating_sub(2)) * share / all) as u32;
            let article = self.article(*event, end.saturating_sub(used), &mut rng, &mut counter);
            used += tokens::count(&article.text());
            articles.push(article);
        }
        articles
    }

    fn article(&self, event: u32, budget: u32, rng: &mut Rng, counter: &mut Counter) -> Article {
        // Two events each are of one kind.
        let kind = (event / 2) as usize;
        let place = TownId(event * 6 + 1);
        let town = self.world.town(place).name.of(Language::English);
        let wording = rng.index(front_page::WORDINGS);
        let one_in = rng.between(MISREAD.0, MISREAD.1);
        let name = self.world.person(PersonId(event * 96)).name.of(Language::English);
        let amount = 20 + u64::from(event) * 37 % 900;
        let headline = front_page::headline(kind, wording, &town, &name, amount);
        let headline = misread(&format!("{headline}."), one_in, rng);
        // One for the line end that closes the article, so that the next one's first word stands alone.
        let mut left = budget.saturating_sub(tokens::count(&headline) + 1);
        let mut body = String::new();
        // The dispatch is the same for all papers; each misreads it in its own way.
        let mut dispatch = Rng::from_path(&[self.stream.clone().next_u64(), u64::from(event)]);
        let lead = format!("{} ({town})", front_page::lead(kind, &town, &name, amount));
        let mut sentence = lead;
        'columns: loop {
            for word in misread(&sentence, one_in, rng).split(' ') {
                let joint = if body.is_empty() { "\n" } else { " " };
                let cost = counter.count(&[joint, word].concat()) + u32::from(body.is_empty());
                if cost > left {
                    break 'columns;
                }
                left -= cost;
                body.push_str(joint);
                body.push_str(word);
            }
            sentence = self.sentence(event, &town, &name, &mut dispatch);
        }
        body.push('\n');
        Article { event, headline, body }
    }

    fn sentence(&self, event: u32, town: &str, name: &str, dispatch: &mut Rng) -> String {
        let form = dispatch.choose(&SENTENCES).copied().unwrap_or_default();
        let other = self.world.person(PersonId(event * 96 + 13 + dispatch.below(4) as u32)).name.of(Language::English);
        let near = self.world.town(TownId(event * 6 + 2 + dispatch.below(2) as u32)).name.of(Language::English);
        let day = dispatch.choose(&DAYS).copied().unwrap_or_default();
        let (n, m) = (dispatch.between(40, 9_000).to_string(), dispatch.between(2, 60).to_string());
        filled(
            form,
            &[("name", name), ("other", &other), ("town", town), ("near", &near), ("day", day), ("n", &n), ("m", &m)],
        )
    }
}

/// `text` with one of so many characters taken for another, or lost. Spaces stay.
fn misread(text: &str, one_in: u64, rng: &mut Rng) -> String {
    let read = |letter: char| -> Option<char> {
        if letter == ' ' || rng.below(one_in) > 0 {
            return Some(letter);
        }
        let taken = CONFUSIONS.iter().find(|(right, _)| *right == letter);
        match taken {
            Some((_, wrong)) => Some(*wrong),
            None if letter.is_ascii_digit() || letter.is_ascii_uppercase() => Some(letter),
            None => None,
        }
    };
    text.chars().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_events_and_articles_is_for_choosing() {
        let printed: u32 = PRINTED.iter().cycle().take(EVENTS as usize).sum();
        assert_eq!((printed, PRINTED.iter().sum::<u32>()), (ARTICLES, DEV));
    }

    #[test]
    fn misreading_changes_about_one_character_of_so_many() {
        let text = "the loss is put at many dollars and a third of them is insured ".repeat(40);
        let mut rng = Rng::from_path(&[1]);
        let read = misread(&text, 20, &mut rng);
        let lost = text.len() - read.len();
        assert!(lost < text.len() / 20 && read != text, "{lost}");
        assert_eq!(misread("some text", u64::MAX, &mut rng), "some text");
    }
}
