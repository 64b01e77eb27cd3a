//! Requirements on a report, each a note to its writer and a check in code.

use crate::judging::{CheckableFact, FactReport};
use crate::rng::Rng;
use crate::world::{Annals, Chapter, FIRST_YEAR};

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// The first line.
    Title(&'static str),
    /// Number of sections.
    Sections(usize),
    /// Title of one section, counted from 1.
    Section(usize, &'static str),
    /// Number of list lines.
    Bullets(usize),
    /// A word that must not occur.
    Never(&'static str),
    /// A word with how often it must occur.
    Times(&'static str, usize),
    /// The last sentence.
    Ending(&'static str),
    /// Something to be looked up in the annals.
    Fact {
        /// What the report must say, without saying it.
        wanted: String,
        /// The check.
        fact: CheckableFact,
    },
}

const TITLES: [&str; 5] = [
    "A Ledger of Quiet Years",
    "What the Stones Remember",
    "The Long Account",
    "Letters to a Later Reeve",
    "Of Bread, Walls and Weather",
];
const SECTIONS: [&str; 5] =
    ["What the Water Took", "Those Who Kept Order", "Bread and Its Price", "Masons at Work", "Days That Were Marked"];
const NEVER: [&str; 5] = ["harvest", "boats", "however", "sacks", "people"];
const OFTEN: [&str; 5] = ["lantern", "compass", "threshold", "granite", "feather"];
const ENDINGS: [&str; 5] = [
    "Let the next hand write on.",
    "So much the ink allows.",
    "The rest belongs to the wind.",
    "Here the candle was put out.",
    "Nothing else was asked of me.",
];
const NUMBERS: [&str; 9] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight"];

/// Nine requirements in random order: sections, ending, three facts, and four more of form or wording. `None` where
/// the annals tell too little up to `last`.
pub fn requirements(annals: &Annals, last: u32, rng: &mut Rng) -> Option<Vec<Requirement>> {
    let mut pick = |list: &[&'static str]| rng.choose(list).copied().unwrap_or_default();
    let (title, section, never) = (pick(&TITLES), pick(&SECTIONS), pick(&NEVER));
    let (often, ending) = (pick(&OFTEN), pick(&ENDINGS));
    let sections = 3 + rng.index(3);
    let mut further = vec![
        Requirement::Title(title),
        Requirement::Section(1 + rng.index(sections), section),
        Requirement::Bullets(3 + rng.index(3)),
        Requirement::Never(never),
        Requirement::Times(often, 2 + rng.index(3)),
    ];
    rng.shuffle(&mut further);
    further.truncate(4);
    let mut all = vec![Requirement::Sections(sections), Requirement::Ending(ending)];
    all.extend(further);
    all.extend(facts(annals, last, rng)?);
    rng.shuffle(&mut all);
    Some(all)
}

/// Two events and one office to look up.
fn facts(annals: &Annals, last: u32, rng: &mut Rng) -> Option<Vec<Requirement>> {
    let mut chapters: Vec<&Chapter> = annals.chapters().iter().collect();
    rng.shuffle(&mut chapters);
    let mut chapters = chapters.into_iter().cycle();
    let mut found: Vec<Requirement> = Vec::new();
    for chapter in chapters.by_ref().take(24) {
        if found.len() < 2
            && let Some(one) = event(annals, chapter, last, rng).filter(|one| !found.contains(one))
        {
            found.push(one);
        }
    }
    let office = chapters.take(24).find_map(|chapter| office(annals, chapter, last, rng))?;
    found.push(office);
    (found.len() == 3).then_some(found)
}

/// The year of something that one person did once.
fn event(annals: &Annals, chapter: &Chapter, last: u32, rng: &mut Rng) -> Option<Requirement> {
    let world = annals.world();
    let deeds: Vec<_> = (FIRST_YEAR..=last).flat_map(|year| chapter.deeds(world, year)).collect();
    let once = |event: &crate::world::Event| {
        deeds.iter().filter(|other| (other.kind, other.leader) == (event.kind, event.leader)).count() == 1
    };
    let single: Vec<_> = deeds.iter().filter(|event| once(event)).collect();
    let event = rng.choose(&single)?;
    let (leader, words) = (annals.person(event.leader), super::span_question::words(event.kind));
    let word = words.first()?;
    let years = (FIRST_YEAR..=last).filter(|year| *year != event.year).map(|year| year.to_string());
    let place = &chapter.name;
    Some(Requirement::Fact {
        wanted: format!("in one sentence, in which year the annals connect {leader} with a {word} at {place}"),
        fact: CheckableFact {
            statement: format!("The {word} at {place} that is connected with {leader} falls in {}.", event.year),
            anchors: vec![vec![leader], words.iter().map(|&word| word.to_owned()).collect()],
            accepted: vec![event.year.to_string()],
            contradicting: years.collect(),
        },
    })
}

/// Who held the seal in a year that does not name the holder.
fn office(annals: &Annals, chapter: &Chapter, last: u32, rng: &mut Rng) -> Option<Requirement> {
    let known = chapter.seals.first()?.from;
    if known > last {
        return None;
    }
    let year = u32::try_from(rng.between(u64::from(known), u64::from(last))).ok()?;
    let holder = annals.person(chapter.holder(year)?);
    let others = chapter.seals.iter().map(|term| annals.person(term.holder)).filter(|name| *name != holder);
    let place = &chapter.name;
    Some(Requirement::Fact {
        wanted: format!("in one sentence, who held the seal of {place} at the end of {year}"),
        fact: CheckableFact {
            statement: format!("At the end of {year} the seal of {place} lay with {holder}."),
            anchors: vec![vec![year.to_string()], vec!["seal".to_owned()]],
            accepted: vec![holder.clone()],
            contradicting: others.collect(),
        },
    })
}

impl Requirement {
    /// What the writer must do, as the end of a sentence.
    #[must_use]
    pub fn wish(&self) -> String {
        let number = |count: &usize| NUMBERS.get(*count).copied().unwrap_or("many");
        match self {
            Self::Title(title) => format!("the first line of the report is its title, \"{title}\""),
            Self::Sections(count) => {
                format!("the report has exactly {} sections, each under a line that begins with \"## \"", number(count))
            }
            Self::Section(place, title) => format!("section number {} is headed \"{title}\"", number(place)),
            Self::Bullets(count) => {
                format!("the report holds exactly {} list lines, each beginning with \"- \"", number(count))
            }
            Self::Never(word) => format!("the word \"{word}\" never stands in the report"),
            Self::Times(word, count) => {
                format!("the word \"{word}\" stands in the report exactly {} times", number(count))
            }
            Self::Ending(sentence) => {
                format!("the report ends with the sentence \"{sentence}\" and nothing follows it")
            }
            Self::Fact { wanted, .. } => format!("the report says, {wanted}"),
        }
    }

    /// Whether a report does it.
    #[must_use]
    pub fn is_met(&self, report: &str) -> bool {
        match self {
            Self::Title(title) => bare(report.trim().lines().next().unwrap_or_default()) == *title,
            Self::Sections(count) => headings(report).count() == *count,
            Self::Section(place, title) => headings(report).nth(place - 1) == Some(*title),
            Self::Bullets(count) => report.lines().filter(|line| line.trim_start().starts_with("- ")).count() == *count,
            Self::Never(word) => occurrences(report, word) == 0,
            Self::Times(word, count) => occurrences(report, word) == *count,
            Self::Ending(sentence) => report.trim_end().ends_with(sentence),
            Self::Fact { fact, .. } => FactReport::new(std::slice::from_ref(fact), report).recall > 0.0,
        }
    }
}

/// A line without marks of heading and emphasis.
fn bare(line: &str) -> &str {
    line.trim_matches(|scalar: char| scalar.is_whitespace() || matches!(scalar, '#' | '*' | '"'))
}

fn headings(report: &str) -> impl Iterator<Item = &str> {
    report.lines().filter_map(|line| line.trim_start().strip_prefix("## ")).map(bare)
}

fn occurrences(report: &str, word: &str) -> usize {
    report.split(|scalar: char| !scalar.is_alphanumeric()).filter(|found| found.eq_ignore_ascii_case(word)).count()
}

/// A short report that meets every requirement, made of them alone.
#[must_use]
pub fn conforming(all: &[Requirement]) -> String {
    let sections = all.iter().find_map(|one| if let Requirement::Sections(count) = one { Some(*count) } else { None });
    let sections = sections.unwrap_or(1);
    let mut lines: Vec<String> = all.iter().filter_map(title).collect();
    let mut body = body(all).into_iter();
    for section in 1..=sections {
        let named = all.iter().find_map(|one| match one {
            Requirement::Section(place, title) if *place == section => Some((*title).to_owned()),
            _ => None,
        });
        lines.push(format!("## {}", named.unwrap_or_else(|| format!("Part {section}"))));
        lines.push(FILLER.to_owned());
        if section == sections {
            lines.extend(body.by_ref());
        } else {
            lines.extend(body.next());
        }
    }
    lines.extend(all.iter().filter_map(|one| match one {
        Requirement::Ending(sentence) => Some((*sentence).to_owned()),
        _ => None,
    }));
    lines.join("\n\n")
}

/// Words that no requirement counts or forbids.
const FILLER: &str = "This part was put together from the annals, read from the first year to the last, and sets down what a later reader should know. Names and years are given as the annals give them, and where they are silent this account is silent too.";

fn title(one: &Requirement) -> Option<String> {
    if let Requirement::Title(title) = one { Some((*title).to_owned()) } else { None }
}

fn body(all: &[Requirement]) -> Vec<String> {
    let mut body = Vec::new();
    for one in all {
        match one {
            Requirement::Fact { fact, .. } => body.push(fact.statement.clone()),
            Requirement::Times(word, count) => body.push(format!("{}.", vec![*word; *count].join(" or "))),
            Requirement::Bullets(count) => body.push(vec!["- one more thing"; *count].join("\n")),
            _ => {}
        }
    }
    body
}
