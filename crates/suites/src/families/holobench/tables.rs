//! Tables of the world, and how their rows are told.

use std::collections::HashSet;

use crate::card::Language;
use crate::counter::Counter;
use crate::rng::Rng;
use crate::sql::{Table, Value};
use crate::world::{PersonId, TownId, World};

/// A kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Towns: town, river, founded.
    Towns,
    /// People: name, town, trade, born, died.
    People,
    /// Harvests: town, year, sacks.
    Harvests,
    /// Tolls: town, year, boats.
    Tolls,
    /// Walls: town, year, paces.
    Walls,
    /// Guilds: guild, members, dues.
    Guilds,
}

impl Rows {
    /// Name of the table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Towns => "towns",
            Self::People => "people",
            Self::Harvests => "harvests",
            Self::Tolls => "tolls",
            Self::Walls => "walls",
            Self::Guilds => "guilds",
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Towns => &["town", "river", "founded"],
            Self::People => &["name", "town", "trade", "born", "died"],
            Self::Harvests => &["town", "year", "sacks"],
            Self::Tolls => &["town", "year", "boats"],
            Self::Walls => &["town", "year", "paces"],
            Self::Guilds => &["guild", "members", "dues"],
        }
    }
}

/// Where rows come from: some towns of the world.
pub struct Source {
    world: World,
    towns: Vec<(TownId, String)>,
}

/// Rows of one kind, one after the other.
type Stream<'a> = Box<dyn Iterator<Item = Vec<Value>> + 'a>;

/// Rows told as sentences, and the tables that they make.
pub struct Sheet {
    /// Sentences in random order.
    pub sentences: Vec<String>,
    /// Their tables.
    pub tables: Vec<Table>,
    /// Canonical tokens of the sentences with their line breaks.
    pub tokens: u32,
}

/// First year of the measured tables.
const FIRST_YEAR: u32 = 700;
/// Towns that measured tables tell of, so that groups stay few.
pub const MEASURED_TOWNS: usize = 9;
/// Canonical tokens of a row, about.
const ROW_TOKENS: u32 = 24;

impl Source {
    /// Towns enough for rows of `budget` canonical tokens.
    pub fn new(seed: u64, first: u32, budget: u32) -> Self {
        let world = World::new(seed);
        let wanted = MEASURED_TOWNS.max((budget / ROW_TOKENS / 40) as usize);
        let mut seen = HashSet::new();
        let named = (first..).map(|id| (TownId(id), world.town(TownId(id)).name.of(Language::English)));
        let towns = named.filter(|(_, name)| seen.insert(name.clone())).take(wanted).collect();
        Self { world, towns }
    }

    /// Rows of `kinds` in turn until `budget` canonical tokens are full. A kind that runs out is left out.
    pub fn fill(&self, kinds: &[Rows], budget: u32, counter: &mut Counter, rng: &mut Rng) -> Sheet {
        let mut streams: Vec<(Rows, Stream<'_>)> = kinds.iter().map(|kind| (*kind, self.rows(*kind))).collect();
        let empty = |kind: &Rows| Table {
            name: kind.table().to_owned(),
            columns: kind.columns().iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        };
        let mut sheet = Sheet { sentences: Vec::new(), tables: kinds.iter().map(empty).collect(), tokens: 0 };
        let mut misses = 0;
        let mut running = true;
        while misses < 8 && running {
            running = false;
            for ((kind, stream), table) in streams.iter_mut().zip(&mut sheet.tables) {
                let Some(row) = stream.next() else { continue };
                running = true;
                let sentence = told(*kind, &row, rng);
                let cost = counter.count(&[&sentence, "\n"].concat());
                if sheet.tokens + cost > budget {
                    misses += 1;
                    continue;
                }
                sheet.tokens += cost;
                sheet.sentences.push(sentence);
                table.rows.push(row);
            }
        }
        rng.shuffle(&mut sheet.sentences);
        sheet
    }

    fn rows(&self, kind: Rows) -> Stream<'_> {
        match kind {
            Rows::Towns => Box::new(self.towns.iter().map(|(id, name)| {
                let town = self.world.town(*id);
                vec![text(name), text(&town.river.of(Language::English)), number(town.founded)]
            })),
            Rows::People => Box::new(self.people()),
            Rows::Harvests => Box::new(self.measured(0)),
            Rows::Walls => Box::new(self.measured(2)),
            Rows::Tolls => Box::new(self.measured(3)),
            Rows::Guilds => Box::new(self.guilds()),
        }
    }

    /// People with names of their own, town by town in turn.
    fn people(&self) -> impl Iterator<Item = Vec<Value>> + '_ {
        let mut seen = HashSet::new();
        let ids = (0..96).flat_map(move |place| self.towns.iter().map(move |(town, name)| (town.0 * 96 + place, name)));
        ids.filter_map(move |(id, town)| {
            let one = self.world.person(PersonId(id));
            let name = one.name.of(Language::English);
            let fresh = seen.insert(name.clone());
            fresh.then(|| vec![text(&name), text(town), text(one.trade.noun()), number(one.born), number(one.died)])
        })
    }

    /// One of a year's measured amounts of the first towns, year by year.
    fn measured(&self, place: usize) -> impl Iterator<Item = Vec<Value>> + '_ {
        let towns = self.towns.iter().take(MEASURED_TOWNS);
        (FIRST_YEAR..).flat_map(move |year| {
            towns.clone().filter_map(move |(id, name)| {
                let measure = self.world.measures(*id, year).into_iter().nth(place)?;
                Some(vec![text(name), number(year), number(measure.amount)])
            })
        })
    }

    /// Guilds of people of the towns; endless.
    fn guilds(&self) -> impl Iterator<Item = Vec<Value>> + '_ {
        let first = self.towns.first().map_or(0, |(id, _)| id.0);
        (0_u32..).map(move |step| {
            let patron = self.world.person(PersonId((first + step) % (1 << 24) * 96 + 7));
            let mut rng = Rng::from_path(&[u64::from(first), u64::from(step)]);
            let (members, dues) = (rng.between(5, 240) as u32, rng.between(3, 99) as u32);
            let guild = format!("{} of {}", patron.trade.noun(), patron.name.of(Language::English));
            vec![text(&guild), number(members), number(dues)]
        })
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(number: u32) -> Value {
    Value::Integer(i64::from(number))
}

/// A cell as it is told and answered.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:.1}"),
        Value::Null => "nothing".to_owned(),
    }
}

fn told(kind: Rows, row: &[Value], rng: &mut Rng) -> String {
    let cells: Vec<String> = row.iter().map(shown).collect();
    let cell = |place: usize| cells.get(place).map_or("", String::as_str);
    let (a, b, c, d, e) = (cell(0), cell(1), cell(2), cell(3), cell(4));
    match (kind, rng.index(2)) {
        (Rows::Towns, 0) => format!("{a} lies on {b} and was founded in {c}."),
        (Rows::Towns, _) => format!("On {b} stands {a}, founded in {c}."),
        (Rows::People, 0) => format!("{a}, a {c} of {b}, was born in {d} and died in {e}."),
        (Rows::People, _) => format!("Born in {d}, {a} worked as a {c} at {b} until {e}, the year of death."),
        (Rows::Harvests, 0) => format!("{a} harvested {c} sacks of rye in {b}."),
        (Rows::Harvests, _) => format!("In {b} the fields of {a} gave {c} sacks of rye."),
        (Rows::Tolls, 0) => format!("The toll keeper of {a} counted {c} boats in {b}."),
        (Rows::Tolls, _) => format!("In {b} there passed {c} boats at {a}."),
        (Rows::Walls, 0) => format!("{a} raised {c} paces of wall in {b}."),
        (Rows::Walls, _) => format!("In {b} the wall of {a} grew by {c} paces."),
        (Rows::Guilds, 0) => format!("The guild under the {a} has {b} members who pay {c} pence each."),
        (Rows::Guilds, _) => format!("For {c} pence one may join the {b} members of the guild under the {a}."),
    }
}
