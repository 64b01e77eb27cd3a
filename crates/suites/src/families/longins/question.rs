//! Exam questions whose answers follow from the question, with right and wrong answers.

use crate::card::Language;
use crate::families::words;
use crate::rng::Rng;
use crate::world::{TownId, World};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sum.
    Sum,
    /// A product.
    Product,
    /// The next number of a sequence.
    Sequence,
    /// Letters of a word.
    Letters,
    /// Which of two words stands first in a dictionary.
    Alphabet,
    /// The better of two harvests.
    Harvest,
    /// How old somebody grew.
    Age,
    /// A weekday after some days.
    Weekday,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Sum,
        Self::Harvest,
        Self::Sequence,
        Self::Letters,
        Self::Age,
        Self::Alphabet,
        Self::Product,
        Self::Weekday,
    ];

    /// What the pupil was told to do.
    pub fn instruction(self) -> &'static str {
        match self {
            Self::Sum => "Work out the sum or the difference.",
            Self::Product => "Work out the product.",
            Self::Sequence => "Continue the sequence by one number.",
            Self::Letters => "Count the letters of the word.",
            Self::Alphabet => "Name the word that a dictionary lists first.",
            Self::Harvest => "Name the year with the larger harvest.",
            Self::Age => "Say at what age the person died, birthdays aside.",
            Self::Weekday => "Name the weekday.",
        }
    }
}

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Makes questions.
pub struct Maker {
    world: World,
    rng: Rng,
    /// Next town and person, so that no fact is told twice.
    town: u32,
    person: u32,
}

/// A question with its right answer and a wrong one.
struct Draft {
    question: String,
    right: String,
    wrong: String,
}

impl Maker {
    /// A maker for one exam.
    pub fn new(seed: u64, mut rng: Rng) -> Self {
        let start = rng.below(1 << 20) as u32;
        Self { world: World::new(seed), rng, town: start, person: start * 12 }
    }

    /// A question with an answer.
    pub fn question(&mut self, kind: Kind, wrong: bool) -> String {
        let draft = match kind {
            Kind::Sum => self.sum(),
            Kind::Product => self.product(),
            Kind::Sequence => self.sequence(),
            Kind::Letters => self.letters(),
            Kind::Alphabet => self.alphabet(),
            Kind::Harvest => self.harvest(),
            Kind::Age => self.age(),
            Kind::Weekday => self.weekday(),
        };
        let Draft { question, right, wrong: other } = draft;
        format!("Question: {question} Answer: {}", if wrong { other } else { right })
    }

    /// A whole number near `right` that is not it.
    fn near(&mut self, right: u64) -> String {
        let step = *self.rng.choose(&[1, 2, 3, 10, 11, 20]).unwrap_or(&1);
        let other = if right > step && self.rng.index(2) == 0 { right - step } else { right + step };
        other.to_string()
    }

    fn number(&mut self, question: String, right: u64) -> Draft {
        Draft { question, wrong: self.near(right), right: right.to_string() }
    }

    fn sum(&mut self) -> Draft {
        let (one, other) = (self.rng.between(100, 999), self.rng.between(100, 999));
        if self.rng.index(2) == 0 {
            return self.number(format!("{one} + {other} = ?"), one + other);
        }
        let (high, low) = (one.max(other), one.min(other));
        self.number(format!("{high} - {low} = ?"), high - low)
    }

    fn product(&mut self) -> Draft {
        let (one, other) = (self.rng.between(12, 99), self.rng.between(3, 19));
        self.number(format!("{one} x {other} = ?"), one * other)
    }

    fn sequence(&mut self) -> Draft {
        let (first, step) = (self.rng.between(1, 80), self.rng.between(2, 19));
        let shown: Vec<String> = (0..4).map(|place| (first + place * step).to_string()).collect();
        self.number(format!("{}, ?", shown.join(", ")), first + 4 * step)
    }

    fn letters(&mut self) -> Draft {
        let word = words::keys(&mut self.rng, 1).concat().replace('-', "");
        let right = word.len() as u64;
        let wrong = if self.rng.index(2) == 0 { right - 1 } else { right + 1 };
        Draft { question: format!("\"{word}\""), right: right.to_string(), wrong: wrong.to_string() }
    }

    fn alphabet(&mut self) -> Draft {
        let pair = words::keys(&mut self.rng, 2);
        let (one, other) = (pair.first().cloned().unwrap_or_default(), pair.last().cloned().unwrap_or_default());
        let (right, wrong) = if one < other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) };
        Draft { question: format!("{one} or {other}?"), right, wrong }
    }

    fn harvest(&mut self) -> Draft {
        self.town += 1;
        let town = TownId(self.town);
        let name = self.world.town(town).name.of(Language::English);
        let first = 850 + self.rng.below(80) as u32;
        let amount = |year| self.world.measures(town, year).map(|measure| measure.amount)[0];
        let later = (first + 1..).find(|year| amount(*year) != amount(first)).unwrap_or(first + 1);
        let (one, other) = (amount(first), amount(later));
        let (right, wrong) = if one > other { (first, later) } else { (later, first) };
        Draft {
            question: format!("{name} brought in {one} sacks in {first} and {other} sacks in {later}."),
            right: right.to_string(),
            wrong: wrong.to_string(),
        }
    }

    fn age(&mut self) -> Draft {
        self.person += 1;
        let one = self.world.person(crate::world::PersonId(self.person));
        let name = one.name.of(Language::English);
        let question = format!("{name} was born in {} and died in {}.", one.born, one.died);
        self.number(question, u64::from(one.died - one.born))
    }

    fn weekday(&mut self) -> Draft {
        let (today, days) = (self.rng.index(7), 2 + self.rng.index(18));
        let name = |place: usize| WEEKDAYS.get(place % 7).copied().unwrap_or_default().to_owned();
        let right = today + days;
        let wrong = right + 1 + self.rng.index(6);
        Draft {
            question: format!("Today is {}. And in {days} days?", name(today)),
            right: name(right),
            wrong: name(wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_answers_are_wrong() {
        for kind in Kind::ALL {
            for seed in 0..40 {
                let stream = || Rng::from_path(&[seed]);
                let right = Maker::new(3, stream()).question(kind, false);
                let wrong = Maker::new(3, stream()).question(kind, true);
                assert_ne!(right, wrong, "{kind:?}");
                assert_eq!(right.split(" Answer:").next(), wrong.split(" Answer:").next());
            }
        }
    }

    #[test]
    fn right_answers_can_be_worked_out() {
        let mut maker = Maker::new(1, Rng::from_path(&[9]));
        for _ in 0..50 {
            let text = maker.question(Kind::Age, false);
            let numbers: Vec<u32> =
                crate::metrics::python_text::digit_runs(&text).map(|run| run.parse().unwrap()).collect();
            assert_eq!(numbers[1] - numbers[0], numbers[2], "{text}");
            let text = maker.question(Kind::Harvest, false);
            let numbers: Vec<u32> =
                crate::metrics::python_text::digit_runs(&text).map(|run| run.parse().unwrap()).collect();
            assert_eq!(numbers[4], if numbers[0] > numbers[2] { numbers[1] } else { numbers[3] }, "{text}");
        }
    }
}
