//! Short questions with one right answer: word problems, and puzzles with four options.

use crate::card::Language;
use crate::families::kinship;
use crate::metrics::longgenbench::Kind;
use crate::rng::Rng;

/// A question.
pub(super) struct Question {
    /// One paragraph.
    pub(super) text: String,
    /// A number or a letter.
    pub(super) answer: String,
}

pub(super) fn ask(kind: Kind, rng: &mut Rng) -> Question {
    match kind {
        Kind::Number => problem(rng),
        Kind::Letter => puzzle(rng),
    }
}

const GOODS: [&str; 12] = [
    "candles",
    "buckets",
    "lanterns",
    "apples",
    "ropes",
    "jars of honey",
    "clay pots",
    "loaves",
    "wicker baskets",
    "horseshoes",
    "skeins of wool",
    "planks",
];

/// A word problem of three or four steps whose result stands nowhere in it.
fn problem(rng: &mut Rng) -> Question {
    let name = kinship::names(Language::English, rng, 1).concat();
    let goods = rng.choose(&GOODS).copied().unwrap_or_default();
    let mut number = |low, high| rng.between(low, high);
    let (a, b, c, d) = (number(12, 60), number(3, 19), number(4, 30), number(2, 9));
    let (text, answer) = match number(0, 5) {
        0 => (
            format!(
                "{name} sells {a} {goods} a day for {b} pence each and pays {c} pence a day for the stall. What is left after {d} days, in pence?"
            ),
            (a * b - c) * d,
        ),
        1 => (
            format!(
                "A cart holds {a} {goods}. {name} fills {b} carts in the morning and {c} more after noon, and then drops {d} {goods}. How many are left in the carts?"
            ),
            a * (b + c) - d,
        ),
        2 => (
            format!(
                "{name} packs {goods} into crates of {d}. On each of {b} shelves stand {c} full crates, and {a} more {goods} lie on the floor. How many are there in all?"
            ),
            b * c * d + a,
        ),
        3 => (
            format!(
                "Three workshops make {goods}. The first makes {a} a week, the second {b} more than the first, and the third as many as the other two together. How many do the three make in {d} weeks, as {name} counts them?"
            ),
            2 * (a + a + b) * d,
        ),
        4 => (
            format!(
                "{name} had {} pence, spent half of it on {goods}, gave {b} pence away from the rest, and then earned {c} pence on each of {d} days. How many pence are there now?",
                2 * (a + b)
            ),
            a + c * d,
        ),
        _ => (
            format!(
                "A school has {d} rooms with {b} benches each, and two pupils sit on every bench. {a} pupils stand in the yard with {name}, and {c} more come later. How many pupils are there in the end?"
            ),
            2 * b * d + a + c,
        ),
    };
    Question { text, answer: answer.to_string() }
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A puzzle with four options.
fn puzzle(rng: &mut Rng) -> Question {
    let (text, right, wrong) = match rng.index(4) {
        0 => weekday(rng),
        1 => row(rng),
        2 => order(rng),
        _ => largest(rng),
    };
    let mut options: Vec<(String, bool)> = wrong.into_iter().take(3).map(|option| (option, false)).collect();
    options.push((right, true));
    rng.shuffle(&mut options);
    let letters = ["A", "B", "C", "D"];
    let listed: Vec<String> =
        options.iter().zip(letters).map(|((option, _), letter)| format!("{letter}. {option}")).collect();
    let answer = options.iter().zip(letters).find_map(|((_, right), letter)| right.then_some(letter));
    Question { text: format!("{text} {}", listed.join(" ")), answer: answer.unwrap_or_default().to_owned() }
}

/// Text, right option, wrong options.
type Puzzle = (String, String, Vec<String>);

fn weekday(rng: &mut Rng) -> Puzzle {
    let (start, ahead) = (rng.index(DAYS.len()), rng.between(9, 90) as usize);
    let name = |index: usize| DAYS.get(index % DAYS.len()).copied().unwrap_or_default().to_owned();
    let right = start + ahead;
    let steps = rng.distinct(6, 3);
    let wrong = steps.into_iter().map(|step| name(right + 1 + step)).collect();
    (format!("The ferry left on a {} and came back {ahead} days later. On which day?", name(start)), name(right), wrong)
}

fn row(rng: &mut Rng) -> Puzzle {
    let (first, step, grow) = (rng.between(2, 40), rng.between(2, 12), rng.between(1, 5));
    let term = |place: u64| first + place * step + grow * place * place.saturating_sub(1) / 2;
    let shown: Vec<String> = (0..5).map(|place| term(place).to_string()).collect();
    let right = term(5);
    let offsets = rng.distinct(8, 3);
    let wrong = offsets.into_iter().map(|offset| (right + 1 + offset as u64).to_string()).collect();
    (format!("Which number comes next: {}?", shown.join(", ")), right.to_string(), wrong)
}

fn order(rng: &mut Rng) -> Puzzle {
    let names = kinship::names(Language::English, rng, 4);
    let place = rng.index(4);
    let mut links: Vec<String> =
        names.iter().zip(names.iter().skip(1)).map(|(one, other)| format!("{one} came in before {other}.")).collect();
    rng.shuffle(&mut links);
    let rank = ["first", "second", "third", "fourth"].get(place).copied().unwrap_or_default();
    let right = names.get(place).cloned().unwrap_or_default();
    let wrong = names.into_iter().filter(|name| *name != right).collect();
    (format!("{} Who came in {rank} of the four?", links.join(" ")), right, wrong)
}

fn largest(rng: &mut Rng) -> Puzzle {
    // Products that differ, written so that neither factor alone decides.
    let mut found: Vec<(u64, String)> = Vec::new();
    while found.len() < 4 {
        let (one, other) = (rng.between(6, 39), rng.between(6, 39));
        if found.iter().all(|(product, _)| *product != one * other) {
            found.push((one * other, format!("{one} times {other}")));
        }
    }
    let most = rng.index(2) == 0;
    found.sort_unstable();
    if most {
        found.reverse();
    }
    let word = if most { "largest" } else { "smallest" };
    let mut options = found.into_iter().map(|(_, option)| option);
    (format!("Which of these is the {word}?"), options.next().unwrap_or_default(), options.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_differ_and_letters_are_spread() {
        let mut rng = Rng::from_path(&[3]);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..400 {
            let question = ask(Kind::Letter, &mut rng);
            *counts.entry(question.answer).or_insert(0) += 1;
            let options: Vec<&str> =
                question.text.split(['A', 'B', 'C', 'D']).filter_map(|part| part.strip_prefix(". ")).collect();
            assert!(options.len() >= 4, "{}", question.text);
        }
        assert!(counts.len() == 4 && counts.values().all(|count| *count > 60), "{counts:?}");
    }

    #[test]
    fn a_problem_does_not_hold_its_result() {
        let mut rng = Rng::from_path(&[4]);
        let held = (0..400).map(|_| ask(Kind::Number, &mut rng)).filter(|question| {
            question.text.split(|letter: char| !letter.is_ascii_digit()).any(|part| part == question.answer)
        });
        assert!(held.count() < 8);
    }
}
