//! The four scenarios in two sizes: how many entries there are, what they are called, and where wishes fall.

use super::wish::Wish;
use super::{FINISHED, longgenbench_sgt};
use crate::families::words;
use crate::metrics::longgenbench_sgt::When;
use crate::prompt::Prompt;
use crate::rng::Rng;
use crate::task::{Params, choice};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Theme {
    Diary,
    Tower,
    Menu,
    City,
}

/// A scenario cut to the room for the answer.
pub(super) struct Scenario {
    theme: Theme,
    /// Word before an entry's number.
    pub(super) kind: &'static str,
    /// Entries.
    pub(super) number: u64,
    /// Words of an entry, at least.
    pub(super) words: u64,
    /// Blocks in a row of the city.
    side: u64,
}

/// Tokens of the shortest entry worth writing.
const ENTRY_TOKENS: u64 = 48;
/// Words that the room for one entry is asked to hold, in percent of its tokens.
const WORDS_PERCENT: u64 = 55;

impl Scenario {
    /// `room`: canonical tokens for the answer. Short lengths get fewer entries, long ones longer entries.
    pub(super) fn new(params: &Params, room: u32) -> Self {
        let long = choice(params, "set") == "long";
        let (theme, kind, number) = match (choice(params, "scenario"), long) {
            ("floor", false) => (Theme::Tower, "Floor", 100),
            ("floor", true) => (Theme::Tower, "Floor", 300),
            ("menu", false) => (Theme::Menu, "Menu Week", 52),
            ("menu", true) => (Theme::Menu, "Menu Day", 365),
            ("block", false) => (Theme::City, "Block", 100),
            ("block", true) => (Theme::City, "Block", 361),
            (_, false) => (Theme::Diary, "Week", 52),
            (_, true) => (Theme::Diary, "Day", 365),
        };
        let room = u64::from(room);
        let most = (room / ENTRY_TOKENS).max(36);
        let mut number = number.min(most);
        let side = number.isqrt();
        if theme == Theme::City {
            number = side * side;
        }
        Self { theme, kind, number, words: (room / number * WORDS_PERCENT / 100).max(12), side }
    }

    /// Head of an entry.
    pub(super) fn prefix(&self, entry: u64) -> String {
        let mark = longgenbench_sgt::SEPARATOR;
        match self.theme {
            Theme::City => {
                let (column, row) = ((entry - 1) % self.side, (entry - 1) / self.side);
                format!("{mark} {} {entry} ({column}, {row}):", self.kind)
            }
            Theme::Diary if self.kind == "Week" => {
                format!("{mark} Week {entry} ({} - {}):", date(entry * 7 - 6), date(entry * 7))
            }
            Theme::Diary => format!("{mark} Day {entry} ({}):", date(entry)),
            _ => format!("{mark} {} {entry}:", self.kind),
        }
    }

    /// Five single wishes, one over a range, one periodic.
    pub(super) fn wishes(&self, rng: &mut Rng) -> Vec<Wish> {
        let things: Vec<String> = words::keys(rng, 7)
            .into_iter()
            .map(|key| format!("{} {}", key.replace('-', " "), rng.choose(self.nouns()).copied().unwrap_or_default()))
            .collect();
        let mut things = things.into_iter();
        let mut thing = || things.next().unwrap_or_default();
        let singles = rng.distinct(usize::try_from(self.number - 1).unwrap_or_default(), 5);
        let mut wishes: Vec<Wish> = singles.into_iter().map(|at| self.once(thing(), at as u64 + 2, rng)).collect();
        wishes.push(self.range(thing(), rng));
        wishes.push(self.periodic(thing(), rng));
        wishes
    }

    fn nouns(&self) -> &'static [&'static str] {
        match self.theme {
            Theme::Diary => &["feast", "visit", "lecture", "wedding", "regatta", "concert", "excursion"],
            Theme::Tower => &["gallery", "workshop", "library", "theatre", "bakery", "laboratory", "nursery"],
            Theme::Menu => &["soup", "pudding", "dumplings", "casserole", "salad", "pie", "stew"],
            Theme::City => &["pavilion", "market", "fountain court", "museum", "depot", "observatory", "arcade"],
        }
    }

    fn once(&self, thing: String, entry: u64, rng: &mut Rng) -> Wish {
        let place = match self.theme {
            // The reader has to find the week of a date.
            Theme::Diary if self.kind == "Week" => format!("on {}", date(entry * 7 - rng.below(7))),
            Theme::Diary => format!("on {}", date(entry)),
            Theme::City => format!("in the block at {}", self.cell(entry)),
            _ => format!("in {} {entry}", self.kind),
        };
        Wish { when: When::Once, thing, place, blocks: vec![entry] }
    }

    fn range(&self, thing: String, rng: &mut Rng) -> Wish {
        let length = match self.kind {
            "Week" => 2,
            "Menu Week" => 1 + rng.below(4),
            "Block" => 2 + rng.below(3),
            "Day" => 2 + rng.below(6),
            "Menu Day" => 7 + rng.below(8),
            _ => 3 + rng.below(5),
        };
        if self.theme == Theme::City {
            let row = rng.below(self.side);
            let column = rng.below(self.side - length + 1).max(u64::from(row == 0));
            let length = length.min(self.side - column);
            let first = row * self.side + column + 1;
            let last = first + length - 1;
            let place = format!("in each block from {} to {}", self.cell(first), self.cell(last));
            return Wish { when: When::Range, thing, place, blocks: (first..=last).collect() };
        }
        let first = rng.between(2, self.number - length);
        let last = first + length - 1;
        let place = match self.theme {
            Theme::Diary if self.kind == "Day" => format!("every day from {} to {}", date(first), date(last)),
            _ => format!("in every {} from {first} to {last}", self.kind),
        };
        Wish { when: When::Range, thing, place, blocks: (first..=last).collect() }
    }

    fn periodic(&self, thing: String, rng: &mut Rng) -> Wish {
        let number = self.number;
        if self.theme == Theme::City {
            let (column, step) = (self.side / 2, 2 + 2 * rng.below(2));
            let blocks = (0..self.side).step_by(usize::try_from(step).unwrap_or(2));
            let blocks = blocks.map(|row| row * self.side + column + 1).collect();
            let place = format!("in column {column} in row 0 and in every row that is {step} further on");
            return Wish { when: When::Periodic, thing, place, blocks };
        }
        let (steps, start): (&[u64], u64) = match self.kind {
            "Week" => (&[3, 4, 5], rng.between(number / 5, number / 3)),
            "Menu Week" => (&[4, 6, 8], rng.between(2, number / 3)),
            "Day" => (&[30, 40, 60], rng.between(number / 12, number / 6)),
            "Menu Day" => (&[14, 21, 30], rng.between(2, number / 6)),
            _ => (&[15, 20, 25, 30], number / 5),
        };
        let mut step = rng.choose(steps).copied().unwrap_or(10);
        // With few entries the official steps would leave one or two.
        while step > 2 && start + 2 * step > number {
            step /= 2;
        }
        let start = start.max(2);
        let place = format!("in {} {start} and in every {step}th after it up to {number}", self.kind);
        let blocks = (start..=number).step_by(usize::try_from(step).unwrap_or(1)).collect();
        Wish { when: When::Periodic, thing, place, blocks }
    }

    fn cell(&self, entry: u64) -> String {
        format!("({}, {})", (entry - 1) % self.side, (entry - 1) / self.side)
    }

    /// The prompt: rules, wishes, form, and the head of the first entry.
    pub(super) fn write(&self, prompt: &mut Prompt, wishes: &[Wish]) {
        let (number, words, kind) = (self.number, self.words, self.kind);
        let role = match self.theme {
            Theme::Diary => format!(
                "Write the diary of an invented person over one year, {number} entries in order. The year has 365 days and begins on a Monday, January 1st; weeks have seven days and begin on Mondays."
            ),
            Theme::Tower => {
                format!("Describe an invented tower of {number} floors, one entry per floor from the ground up.")
            }
            Theme::Menu => format!("Plan the menus of an invented inn, {number} entries in order."),
            Theme::City => format!(
                "Describe an invented city of {number} blocks in {side} rows of {side}. Block (column, row) has the number row * {side} + column + 1; columns and rows are counted from 0.",
                side = self.side
            ),
        };
        prompt.push(&role);
        prompt.push("\n\nSome entries must include certain things, named in these words:\n");
        for when in When::ALL {
            let title = match when {
                When::Once => "Once",
                When::Range => "Over a range",
                When::Periodic => "Periodically",
            };
            prompt.push(&format!("{title}:\n"));
            for (wish, place) in wishes.iter().filter(|wish| wish.when == when).zip(1..) {
                prompt.push(&format!("{place}. "));
                prompt.push_needle(&format!("{}: {}.", wish.thing, wish.place));
                prompt.push("\n");
            }
        }
        prompt.push(&format!(
            "\nName a thing only in the entries it belongs to. Each entry begins with \"{mark} {kind}\" and its number, as in \"{head}\", and has at least {words} words. Write all {number} entries one after the other, leave none out and sum none up. After the last one write \"{FINISHED}\".\n\n*** started ***\n{head}",
            mark = longgenbench_sgt::SEPARATOR,
            head = self.prefix(1),
        ));
    }
}

const MONTHS: [(&str, u64); 12] = [
    ("January", 31),
    ("February", 28),
    ("March", 31),
    ("April", 30),
    ("May", 31),
    ("June", 30),
    ("July", 31),
    ("August", 31),
    ("September", 30),
    ("October", 31),
    ("November", 30),
    ("December", 31),
];

/// A day of the year, from 1, as a date.
fn date(day: u64) -> String {
    let mut left = day.max(1);
    for (month, days) in MONTHS {
        if left <= days {
            return format!("{month} {left}");
        }
        left -= days;
    }
    format!("December {}", 31 + left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(
            [1, 31, 32, 59, 60, 365].map(date),
            ["January 1", "January 31", "February 1", "February 28", "March 1", "December 31"]
        );
    }

    #[test]
    fn wishes_fall_on_entries_after_the_first() {
        for scenario in ["week", "floor", "menu", "block"] {
            for set in ["short", "long"] {
                let params = serde_json::json!({ "scenario": scenario, "set": set });
                let params = params.as_object().unwrap().clone();
                for room in [3_000, 8_000, 15_000, 30_000, 130_000] {
                    let scenario = Scenario::new(&params, room);
                    for seed in 0..40 {
                        let wishes = scenario.wishes(&mut Rng::from_path(&[seed]));
                        let blocks: Vec<u64> = wishes.iter().flat_map(|wish| wish.blocks.clone()).collect();
                        assert!(blocks.len() >= 9, "{blocks:?}");
                        assert!(blocks.iter().all(|block| (1..=scenario.number).contains(block)), "{blocks:?}");
                        assert!(wishes.iter().all(|wish| !wish.blocks.is_empty()));
                    }
                }
            }
        }
    }
}
