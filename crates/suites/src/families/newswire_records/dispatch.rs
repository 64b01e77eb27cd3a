//! A dispatch: a few sentences with who, what, where and when, and what a scanner made of them.

use crate::card::Language;
use crate::metrics::newswire_headlines::Record;
use crate::rng::Rng;
use crate::world::{MONTHS, PersonId, TownId, World};

/// What a dispatch reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A fire.
    Fire,
    /// A strike.
    Strike,
    /// A trial.
    Trial,
    /// An opening.
    Opening,
    /// A flood.
    Flood,
    /// A sale.
    Sale,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Fire, Self::Strike, Self::Trial, Self::Opening, Self::Flood, Self::Sale];

    /// Any kind but this one.
    pub fn another(self, rng: &mut Rng) -> Self {
        let others = Self::ALL.iter().filter(|kind| **kind != self);
        others.copied().nth(rng.index(Self::ALL.len() - 1)).unwrap_or(self)
    }

    /// What is asked for, after "reports".
    pub const fn asked(self) -> &'static str {
        match self {
            Self::Fire => "a fire",
            Self::Strike => "a strike of workers",
            Self::Trial => "a trial in court",
            Self::Opening => "that something was opened to the public",
            Self::Flood => "a flood",
            Self::Sale => "that something was sold",
        }
    }

    /// Sentences with `{who}`, `{what}`, `{where}` and `{when}`.
    const fn forms(self) -> [&'static str; 2] {
        match self {
            Self::Fire => [
                "Flames took the {what} of {where} on {when} before help could come, and {who}, who gave the alarm, was hurt by falling beams.",
                "On {when} the {what} at {where} burned down to the cellar; {who} had smelled smoke in the night.",
            ],
            Self::Strike => [
                "{who} led the hands of the {what} at {where} out through the gates on {when}, and nobody will work until wages rise.",
                "Work at the {what} in {where} stopped on {when} when the workers struck under {who}, who speaks for them.",
            ],
            Self::Trial => [
                "{who} stood before the judge at {where} on {when} and was found guilty of breaking into the {what}.",
                "The jury of {where} acquitted {who} on {when} of the charge of having robbed the {what}.",
            ],
            Self::Opening => [
                "{who} cut the ribbon of the new {what} at {where} on {when} while a band played.",
                "The doors of the {what} at {where} were thrown open to all on {when} by {who}, who had paid for the roof.",
            ],
            Self::Flood => [
                "Water stood man high in the {what} at {where} on {when}, and {who} had to be taken from the window by boat.",
                "The river broke its banks on {when} and carried away half the {what} of {where}, as {who} saw from the hill.",
            ],
            Self::Sale => [
                "{who} bought the {what} at {where} under the hammer on {when} and means to keep all the people.",
                "The {what} of {where} changed hands on {when}: it was sold to {who} for a price that is kept secret.",
            ],
        }
    }
}

const PLACES: [&str; 24] = [
    "rope works",
    "grain store",
    "post office",
    "cotton mill",
    "brick yard",
    "ferry house",
    "salt works",
    "town theatre",
    "paper mill",
    "cattle market",
    "glass works",
    "savings bank",
    "sugar refinery",
    "tram depot",
    "boat yard",
    "needle factory",
    "public baths",
    "gas works",
    "corn exchange",
    "hat factory",
    "wine cellar",
    "printing house",
    "tan yard",
    "coal wharf",
];
/// What agencies add; `{other}` is a person who has nothing to do with it.
const ASIDES: [&str; 8] = [
    "{other}, who was in the town by chance, says that nothing like it has been seen there before.",
    "The morning papers give the matter little space.",
    "A letter of thanks from {other} was read aloud in the evening.",
    "More will be known when the mail coach comes in.",
    "There is no answer yet to the message which was sent to the governor.",
    "{other} has asked for patience until the inspector has spoken.",
    "Crowds of people stood about until the lamps were lit.",
    "The telegraph was out of order for some hours after that.",
];
/// What the scanner takes for something else.
const MISREADINGS: [(&str, &str); 10] = [
    ("rn", "m"),
    ("m", "rn"),
    ("h", "b"),
    ("e", "c"),
    ("l", "1"),
    ("o", "0"),
    ("cl", "d"),
    ("u", "n"),
    ("i", "l"),
    ("t", "f"),
];
/// One word in so many is misread.
const ONE_MISREAD_IN: usize = 6;

/// A dispatch without its number.
pub struct Dispatch {
    /// Who, what, where and when.
    pub record: Record,
    head: String,
    sentences: Vec<String>,
}

impl Dispatch {
    /// A dispatch of a kind. The day of what happened lies before the one of the dispatch, in another town.
    pub fn new(world: World, kind: Kind, rng: &mut Rng) -> Self {
        let person = |rng: &mut Rng| world.person(PersonId(rng.below(1 << 24) as u32)).name.of(Language::English);
        let town = |rng: &mut Rng| world.town(TownId(rng.below(1 << 24) as u32)).name.of(Language::English);
        let (who, place) = (person(rng), town(rng));
        let sent =
            std::iter::repeat_with(|| town(rng)).find(|sent| !sent.contains(&place) && !place.contains(sent.as_str()));
        let sent = sent.unwrap_or_default();
        let other = std::iter::repeat_with(|| person(rng)).find(|other| *other != who).unwrap_or_default();
        let month = *rng.choose(&MONTHS).unwrap_or(&"May");
        // The day of the dispatch has two digits and the other one or two that do not begin it.
        let (day, later) = (rng.between(1, 9), rng.between(10, 28));
        let record: Record = [
            who.clone(),
            (*rng.choose(&PLACES).unwrap_or(&"mill")).to_owned(),
            place.clone(),
            format!("{month} {day}"),
        ];
        let [first, second] = kind.forms();
        let form = if rng.index(2) == 0 { first } else { second };
        let mut sentences = vec![filled(&scanned(form, ONE_MISREAD_IN, rng), &record, &other)];
        for aside in rng.distinct(ASIDES.len(), 2).into_iter().filter_map(|aside| ASIDES.get(aside)) {
            sentences.push(filled(&scanned(aside, ONE_MISREAD_IN, rng), &record, &other));
        }
        let next = MONTHS.iter().cycle().skip_while(|name| **name != month).nth(1).copied().unwrap_or(month);
        Self { record, head: format!("{}, {next} {later}.", sent.to_uppercase()), sentences }
    }

    /// Its sentences behind a number.
    pub fn lines(&self, number: usize) -> impl Iterator<Item = String> + '_ {
        std::iter::once(format!("[{number}] {}", self.head)).chain(self.sentences.iter().cloned())
    }
}

fn filled(form: &str, [who, what, place, when]: &Record, other: &str) -> String {
    let values = [("{who}", who.as_str()), ("{what}", what), ("{where}", place), ("{when}", when), ("{other}", other)];
    values.iter().fold(form.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Misreads one in `often` of the longer words that are no values, each once.
pub fn scanned(form: &str, often: usize, rng: &mut Rng) -> String {
    let word = |word: &str| {
        if word.len() < 4 || word.contains('{') || rng.index(often) != 0 {
            return word.to_owned();
        }
        let first = rng.index(MISREADINGS.len());
        let turns = MISREADINGS.iter().cycle().skip(first).take(MISREADINGS.len());
        let fitting = turns.filter(|(right, _)| word.get(1..).is_some_and(|rest| rest.contains(right))).take(1);
        let read = |(right, wrong): &(&str, &str)| {
            let (head, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            [head, &rest.replacen(right, wrong, 1)].concat()
        };
        fitting.map(read).next().unwrap_or_else(|| word.to_owned())
    };
    form.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
