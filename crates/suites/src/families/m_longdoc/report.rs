//! Reports of many pages: a parish on each, told of in running text, in a table or in a chart.
//!
//! Everything about a page follows from the report's world and the page's number. The chronicle around it tells of towns,
//! never of parishes, so that it holds no answer.

use std::collections::BTreeSet;

use crate::card::Language;
use crate::picture::{Chart, Shape, Table};
use crate::rng::Rng;
use crate::world::{PersonId, TownId, World};

/// Years that a page tells of.
const YEARS: u32 = 6;

/// What the answer to a question stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sentence.
    Text,
    /// A table.
    Table,
    /// A chart.
    Figure,
}

impl Kind {
    /// All of them, in the order of the paper.
    pub const ALL: [Self; 3] = [Self::Text, Self::Table, Self::Figure];

    /// Name in parameters and records.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Table => "table",
            Self::Figure => "figure",
        }
    }

    /// The kind of that name.
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// The kind of page `number`, from 1: every other page is text, the rest are tables and figures in turn.
    pub const fn of_page(number: u32) -> Self {
        match number % 4 {
            1 => Self::Table,
            3 => Self::Figure,
            _ => Self::Text,
        }
    }
}

/// What is measured, in the words of sentences, questions, heads of columns and axes.
struct Measured {
    told: &'static str,
    asked: &'static str,
    noun: &'static str,
    unit: &'static str,
    column: &'static str,
    range: (u32, u32),
}

const HARVEST: Measured = Measured {
    told: "brought home {} sacks of rye",
    asked: "How many sacks of rye did {} bring home",
    noun: "harvest",
    unit: "sacks",
    column: "harvest",
    range: (300, 9_800),
};

/// In the order and with the ranges of [`World::measures`].
const MEASURED: [Measured; 4] = [
    HARVEST,
    Measured {
        told: "sold its rye at {} pence a sack",
        asked: "At how many pence a sack did {} sell its rye",
        noun: "price of rye",
        unit: "pence",
        column: "price",
        range: (4, 96),
    },
    Measured {
        told: "built {} paces of new wall",
        asked: "How many paces of new wall did {} build",
        noun: "new wall",
        unit: "paces",
        column: "wall",
        range: (12, 640),
    },
    Measured {
        told: "counted {} boats at its landing",
        asked: "How many boats did {} count at its landing",
        noun: "boat traffic",
        unit: "boats",
        column: "boats",
        range: (3, 180),
    },
];

fn measured_at(place: usize) -> &'static Measured {
    MEASURED.get(place).unwrap_or(&HARVEST)
}

/// A report.
pub struct Report {
    world: World,
    parishes: Vec<String>,
    first_year: u32,
}

/// A page.
pub struct Leaf {
    /// From 1.
    pub number: u32,
    /// `the parish of …`
    pub parish: String,
    /// What its data stand in.
    pub kind: Kind,
    first_year: u32,
    /// Amounts by year, in the order of [`MEASURED`].
    amounts: Vec<[u32; 4]>,
    wardens: Vec<String>,
    /// What a chart shows.
    charted: usize,
    shape: Shape,
}

/// A question whose answer is on one page.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// A number, a year or a name.
    pub answer: String,
    /// Names that would be wrong answers.
    pub others: Vec<String>,
    /// Numbers among which the answer is, both included; `None` where it is a name.
    pub range: Option<(u32, u32)>,
    /// The sentence that answers it, where a sentence does.
    pub sentence: Option<String>,
}

impl Report {
    /// A report of `pages` pages. One with fewer is its beginning.
    pub fn new(rng: &mut Rng, pages: u32) -> Self {
        let world = World::new(rng.next_u64());
        let first_year = rng.between(1301, 1460) as u32;
        let mut seen = BTreeSet::new();
        let names = (0..).map(|id| world.town(TownId(id)).name.of(Language::English));
        let parishes = names.filter(|name| seen.insert(name.clone())).take(pages as usize).collect();
        Self { world, parishes, first_year }
    }

    /// Page `number`, from 1.
    pub fn leaf(&self, number: u32) -> Leaf {
        let parish = self.parishes.get(number.saturating_sub(1) as usize).map_or("", String::as_str);
        let years = self.first_year..self.first_year + YEARS;
        let mut rng = Rng::from_path(&[self.world.town(TownId(number)).founded.into(), number.into()]);
        let warden = |year: u32| self.world.person(PersonId(number * YEARS + year)).name.of(Language::English);
        let amounts: Vec<[u32; 4]> =
            years.map(|year| self.world.measures(TownId(number), year).map(|measure| measure.amount)).collect();
        let charted = rng.index(MEASURED.len());
        let shape = if rng.below(2) == 0 { Shape::Line } else { Shape::Bars };
        let mut leaf = Leaf {
            number,
            parish: format!("the parish of {parish}"),
            kind: Kind::of_page(number),
            first_year: self.first_year,
            amounts,
            wardens: (0..YEARS).map(warden).collect(),
            charted,
            shape,
        };
        if leaf.extreme(charted, true).is_none() {
            leaf.shape = Shape::Bars;
        }
        leaf
    }
}

impl Leaf {
    fn year(&self, place: usize) -> u32 {
        self.first_year + place as u32
    }

    fn amount(&self, place: usize, measured: usize) -> u32 {
        self.amounts.get(place).and_then(|amounts| amounts.get(measured)).copied().unwrap_or(0)
    }

    /// What stands over a table or a chart, with a full stop.
    pub fn caption(&self) -> String {
        let years = format!("{} to {}", self.year(0), self.year(YEARS as usize - 1));
        match self.kind {
            Kind::Figure => {
                let Measured { noun, unit, .. } = measured_at(self.charted);
                format!("Figure {}: {noun} of {} in {unit}, {years}.", self.number, self.parish)
            }
            Kind::Table => format!("Table {}: {}, {years}.", self.number, self.parish),
            Kind::Text => String::new(),
        }
    }

    /// The sentences of a page of text: two amounts of different years, and a warden.
    pub fn sentences(&self, rng: &mut Rng) -> Vec<Question> {
        let years = rng.distinct(YEARS as usize, 3);
        let measured = rng.distinct(MEASURED.len(), 2);
        let mut told: Vec<Question> =
            measured.into_iter().zip(&years).map(|(measured, place)| self.told(*place, measured)).collect();
        if let Some((place, warden)) = years.last().and_then(|place| Some((*place, self.wardens.get(*place)?))) {
            let year = self.year(place);
            told.push(Question {
                text: format!("Who was warden of {} in {year}?", self.parish),
                answer: warden.clone(),
                others: self.wardens.iter().filter(|other| *other != warden).cloned().collect(),
                range: None,
                sentence: Some(format!("In {year} {warden} was warden of {}.", self.parish)),
            });
        }
        told
    }

    fn told(&self, place: usize, measured: usize) -> Question {
        let words = measured_at(measured);
        let (year, amount) = (self.year(place), self.amount(place, measured).to_string());
        let did = words.told.replace("{}", &amount);
        Question {
            text: format!("{} in {year}?", words.asked.replace("{}", &self.parish)),
            sentence: Some(format!("In {year} {} {did}.", self.parish)),
            others: Vec::new(),
            range: Some(words.range),
            answer: amount,
        }
    }

    /// A question about the table: an amount, or the year of the largest one.
    pub fn about_table(&self, rng: &mut Rng) -> Question {
        let (measured, place) = (rng.index(MEASURED.len()), rng.index(YEARS as usize));
        let largest = self.extreme(measured, true).filter(|_| rng.below(3) == 0);
        let question = match largest {
            Some(year) => self.when(measured, "highest", year),
            None => Question { sentence: None, ..self.told(place, measured) },
        };
        Question { text: format!("Read it off the table. {}", question.text), ..question }
    }

    /// A question about the chart: the value of a bar, or the year of the highest or lowest.
    pub fn about_figure(&self, rng: &mut Rng) -> Question {
        let (high, place) = (rng.below(2) == 0, rng.index(YEARS as usize));
        let by_value = self.shape == Shape::Bars && rng.below(2) == 0;
        let found = [high, !high].into_iter().find_map(|high| Some((high, self.extreme(self.charted, high)?)));
        let question = match found.filter(|_| !by_value) {
            Some((high, year)) => self.when(self.charted, if high { "highest" } else { "lowest" }, year),
            None => Question { sentence: None, ..self.told(place, self.charted) },
        };
        Question { text: format!("Read it off the figure. {}", question.text), ..question }
    }

    fn when(&self, measured: usize, which: &str, year: u32) -> Question {
        let noun = measured_at(measured).noun;
        let (first, last) = (self.year(0), self.year(YEARS as usize - 1));
        Question {
            text: format!("In which year from {first} to {last} was the {noun} of {} {which}?", self.parish),
            answer: year.to_string(),
            others: Vec::new(),
            range: Some((first, last)),
            sentence: None,
        }
    }

    /// The year of the highest or lowest amount, where it can be told from all others by eye: by a twentieth of the
    /// highest.
    fn extreme(&self, measured: usize, high: bool) -> Option<u32> {
        let mut places: Vec<usize> = (0..YEARS as usize).collect();
        places.sort_by_key(|place| self.amount(*place, measured));
        let top = places.last().map_or(0, |place| self.amount(*place, measured));
        if high {
            places.reverse();
        }
        let (first, second) = (*places.first()?, *places.get(1)?);
        let gap = self.amount(first, measured).abs_diff(self.amount(second, measured));
        (gap * 20 >= top && gap > 0).then(|| self.year(first))
    }

    /// The table of a page that has one.
    pub fn table(&self) -> Table {
        let heads = MEASURED.iter().map(|words| words.column.to_owned());
        let rows = self.amounts.iter().enumerate().map(|(place, amounts)| {
            std::iter::once(self.year(place)).chain(*amounts).map(|number| number.to_string()).collect()
        });
        Table {
            title: format!("Table {}", self.number),
            head: std::iter::once("year".to_owned()).chain(heads).collect(),
            rows: rows.collect(),
        }
    }

    /// The PNG file of the page's table or chart; `None` for a page of text.
    pub fn picture(&self) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Text => None,
            Kind::Table => Some(self.table().picture()),
            Kind::Figure => Some(self.chart().picture()),
        }
    }

    fn chart(&self) -> Chart {
        let Measured { noun, unit, .. } = measured_at(self.charted);
        let points = (0..YEARS as usize).map(|place| (self.year(place).to_string(), self.amount(place, self.charted)));
        Chart {
            title: format!("Figure {}", self.number),
            axis: format!("{noun} in {unit}"),
            shape: self.shape,
            points: points.collect(),
        }
    }
}
