//! Queries by class, asked in words.

use super::tables::{Rows, Sheet, shown};
use crate::rng::Rng;
use crate::sql::{Aggregate, Column, Comparison, Condition, Expression, Join, Order, Query, Selected, Table, Value};
use crate::task::{Params, choice};

/// Class of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Groups with counts, sums and means.
    Aggregation,
    /// Largest and smallest of groups.
    MaxMin,
    /// Rows of two tables.
    Join,
    /// Groups or rows compared with a bound.
    Comparison,
    /// The first few in order.
    Ranking,
}

impl Kind {
    /// The class that parameters name.
    pub fn of(params: &Params) -> Self {
        match choice(params, "query") {
            "max_min" => Self::MaxMin,
            "join" => Self::Join,
            "comparison" => Self::Comparison,
            "ranking" => Self::Ranking,
            _ => Self::Aggregation,
        }
    }

    /// What is asked.
    pub fn what(self) -> &'static str {
        match self {
            Self::Aggregation => "count, sum or average by group",
            Self::MaxMin => "the largest or smallest of every group",
            Self::Join => "rows of two tables that belong together",
            Self::Comparison => "groups or rows above a bound that the text itself sets",
            Self::Ranking => "the first few in order",
        }
    }

    /// Tables that the query may read.
    pub fn tables(self) -> &'static [Rows] {
        match self {
            Self::Join => &[Rows::Towns, Rows::People],
            Self::Aggregation | Self::Ranking => &[Rows::People, Rows::Harvests],
            Self::MaxMin | Self::Comparison => &[Rows::Harvests, Rows::Tolls],
        }
    }

    /// Tables that it does not read.
    pub fn others(self) -> &'static [Rows] {
        match self {
            Self::Join => &[Rows::Walls, Rows::Guilds],
            Self::Aggregation | Self::Ranking => &[Rows::Walls, Rows::Tolls, Rows::Guilds],
            Self::MaxMin | Self::Comparison => &[Rows::Walls, Rows::Guilds, Rows::People],
        }
    }
}

/// A query with its words and answer.
pub struct Question {
    /// In words.
    pub text: String,
    /// As a query.
    pub query: Query,
    /// Rows of the answer as they are written.
    pub rows: Vec<Vec<String>>,
}

/// Rows of an answer at most.
const MOST_ROWS: usize = 16;

fn column(name: &str) -> Expression {
    Expression::Column(Column::named(name))
}

fn selected(expression: Expression) -> Selected {
    Selected { expression, alias: None }
}

fn of(aggregate: Aggregate, name: &str) -> Expression {
    Expression::aggregate(aggregate, Column::named(name))
}

fn ascending(name: &str) -> Order {
    Order { expression: column(name), descending: false }
}

fn grouped(table: &str, key: &str, value: Expression) -> Query {
    Query {
        group: vec![column(key)],
        order: vec![ascending(key)],
        ..Query::new(table, vec![selected(column(key)), selected(value)])
    }
}

impl Question {
    /// A question of the class about the rows that are told, where they give it between one and sixteen rows.
    pub fn ask(kind: Kind, turn: u32, sheet: &Sheet, rng: &mut Rng) -> Option<Self> {
        let turns = (turn as usize..).take(4);
        turns.into_iter().find_map(|turn| {
            let (text, query) = match kind {
                Kind::Aggregation => aggregation(turn),
                Kind::MaxMin => max_min(turn),
                Kind::Join => join(sheet, rng)?,
                Kind::Comparison => comparison(turn, sheet)?,
                Kind::Ranking => ranking(turn, rng),
            };
            let rows = query.evaluate(&sheet.tables).ok()?.rows;
            let fits = (1..=MOST_ROWS).contains(&rows.len());
            let rows = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
            fits.then_some(Self { text, query, rows })
        })
    }
}

fn aggregation(turn: usize) -> (String, Query) {
    match turn % 3 {
        0 => (
            "How many people follow each trade? Give trade and number, by trade in alphabetical order.".to_owned(),
            grouped("people", "trade", Expression::count()),
        ),
        1 => (
            "How many sacks of rye did each town harvest in all the years together? Give town and sum, by town in \
             alphabetical order."
                .to_owned(),
            grouped("harvests", "town", of(Aggregate::Sum, "sacks")),
        ),
        _ => (
            "What was the mean harvest of each town in sacks of rye? Give town and mean with one decimal, by town in \
             alphabetical order."
                .to_owned(),
            grouped("harvests", "town", of(Aggregate::Average, "sacks")),
        ),
    }
}

fn max_min(turn: usize) -> (String, Query) {
    let (words, aggregate) =
        if turn.is_multiple_of(2) { ("largest", Aggregate::Largest) } else { ("smallest", Aggregate::Smallest) };
    let (table, name, thing) = match turn / 2 % 2 {
        0 => ("harvests", "sacks", "harvest in sacks of rye"),
        _ => ("tolls", "boats", "number of boats in a year"),
    };
    (
        format!("What was the {words} {thing} of each town? Give town and number, by town in alphabetical order."),
        grouped(table, "town", of(aggregate, name)),
    )
}

fn compared(name: &str, comparison: Comparison, value: Value) -> Condition {
    Condition::Compare(column(name), comparison, Expression::Literal(value))
}

fn table<'a>(sheet: &'a Sheet, name: &str) -> Option<&'a Table> {
    sheet.tables.iter().find(|table| table.name == name)
}

/// People of one trade in the towns of one river, born late enough to be few.
fn join(sheet: &Sheet, rng: &mut Rng) -> Option<(String, Query)> {
    let (towns, people) = (table(sheet, "towns")?, table(sheet, "people")?);
    let known = |town: &Value| towns.rows.iter().find(|row| row.first() == Some(town));
    let homes: Vec<&Vec<Value>> =
        people.rows.iter().filter(|row| row.get(1).is_some_and(|town| known(town).is_some())).collect();
    let somebody = rng.choose(&homes)?;
    let (river, trade) = (known(somebody.get(1)?)?.get(1)?.clone(), somebody.get(2)?.clone());
    let near = Condition::Compare(
        Expression::Column(Column::of("towns", "river")),
        Comparison::Equal,
        Expression::Literal(river.clone()),
    );
    let same = Condition::And(near.into(), compared("trade", Comparison::Equal, trade.clone()).into());
    let mut query = Query {
        joins: vec![Join::inner("towns", Column::of("people", "town"), Column::of("towns", "town"))],
        filter: Some(same.clone()),
        order: vec![ascending("name")],
        ..Query::new("people", ["name", "born", "founded"].map(|name| selected(column(name))).to_vec())
    };
    let mut born: Vec<i64> = query
        .evaluate(&sheet.tables)
        .ok()?
        .rows
        .iter()
        .filter_map(|row| match row.get(1) {
            Some(Value::Integer(year)) => Some(*year),
            _ => None,
        })
        .collect();
    born.sort_unstable_by(|one, other| other.cmp(one));
    let since = born.get(born.len().saturating_sub(1).min(8)).copied()?;
    let late = compared("born", Comparison::GreaterOrEqual, Value::Integer(since));
    query.filter = Some(Condition::And(same.into(), late.into()));
    let (river, trade) = (shown(&river), shown(&trade));
    Some((
        format!(
            "Who worked as a {trade} in a town on {river} and was born in {since} or later? Give name, year of birth and \
             the year in which the town was founded, by name in alphabetical order."
        ),
        query,
    ))
}

fn comparison(turn: usize, sheet: &Sheet) -> Option<(String, Query)> {
    if turn.is_multiple_of(2) {
        let base = grouped("harvests", "town", of(Aggregate::Sum, "sacks"));
        let mut sums: Vec<i64> = base
            .evaluate(&sheet.tables)
            .ok()?
            .rows
            .iter()
            .filter_map(|row| match row.get(1) {
                Some(Value::Integer(sum)) => Some(*sum),
                _ => None,
            })
            .collect();
        sums.sort_unstable();
        let bound = sums.get(sums.len() / 2).copied()? / 10 * 10;
        let having = Condition::Compare(
            of(Aggregate::Sum, "sacks"),
            Comparison::Greater,
            Expression::Literal(Value::Integer(bound)),
        );
        return Some((
            format!(
                "Which towns harvested more than {bound} sacks of rye in all the years together? Give town and sum, by \
                 town in alphabetical order."
            ),
            Query { having: Some(having), ..base },
        ));
    }
    let last = table(sheet, "tolls")?.rows.last()?.get(1)?.clone();
    let mean = Query::new("tolls", vec![selected(of(Aggregate::Average, "boats"))]);
    let above = Condition::Compare(column("boats"), Comparison::Greater, Expression::Scalar(mean.into()));
    let Value::Integer(last) = last else { return None };
    let recent = compared("year", Comparison::GreaterOrEqual, Value::Integer(last - 1));
    Some((
        format!(
            "Take the mean number of boats over all towns and years. Which towns counted more boats than that in {} or \
             later? Give town, year and boats, by town in alphabetical order and by year.",
            last - 1
        ),
        Query {
            filter: Some(Condition::And(above.into(), recent.into())),
            order: vec![ascending("town"), ascending("year")],
            ..Query::new("tolls", ["town", "year", "boats"].map(|name| selected(column(name))).to_vec())
        },
    ))
}

fn ranking(turn: usize, rng: &mut Rng) -> (String, Query) {
    let limit = 4 + rng.index(5);
    let descending = |name: &str| Order { expression: column(name), descending: true };
    if turn.is_multiple_of(2) {
        let query = Query {
            order: vec![descending("sacks"), ascending("town"), ascending("year")],
            limit: Some(limit),
            ..Query::new("harvests", ["town", "year", "sacks"].map(|name| selected(column(name))).to_vec())
        };
        let text = format!(
            "What were the {limit} largest harvests of rye? Give town, year and sacks, the largest first, equal ones by \
             town and year."
        );
        return (text, query);
    }
    let query = Query {
        order: vec![descending("born"), ascending("name")],
        limit: Some(limit),
        ..Query::new("people", ["name", "born"].map(|name| selected(column(name))).to_vec())
    };
    let text = format!(
        "Which {limit} people were born last? Give name and year of birth, the latest first, equal ones by name in \
         alphabetical order."
    );
    (text, query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::Counter;
    use crate::families::holobench::tables::Source;

    const KINDS: [Kind; 5] = [Kind::Aggregation, Kind::MaxMin, Kind::Join, Kind::Comparison, Kind::Ranking];

    #[test]
    fn every_class_has_an_answer_in_the_rows_told() {
        for kind in KINDS {
            for (budget, turns) in [(1_500, 0..12), (60_000, 0..4)] {
                for turn in turns {
                    let mut rng = Rng::from_path(&[u64::from(turn)]);
                    let source = Source::new(7, 1000, budget);
                    let sheet = source.fill(kind.tables(), budget, &mut Counter::default(), &mut rng);
                    let told: usize = sheet.tables.iter().map(|table| table.rows.len()).sum();
                    assert_eq!(told, sheet.sentences.len());
                    let question = Question::ask(kind, turn, &sheet, &mut rng).unwrap();
                    assert_eq!(
                        Query::parse(&question.query.to_string()).unwrap(),
                        question.query,
                        "{}",
                        question.query
                    );
                    assert!(question.rows.iter().flatten().all(|cell| !cell.is_empty()));
                    assert!(
                        kind.others().iter().all(|rows| question
                            .query
                            .tables()
                            .into_iter()
                            .all(|name| name != rows.table()))
                    );
                }
            }
        }
    }

    #[test]
    fn rows_are_told_with_all_their_cells() {
        let mut rng = Rng::from_path(&[1]);
        let source = Source::new(3, 50, 4_000);
        for rows in [Rows::Towns, Rows::People, Rows::Harvests, Rows::Tolls, Rows::Walls, Rows::Guilds] {
            let sheet = source.fill(&[rows], 1_000, &mut Counter::default(), &mut rng);
            assert!(sheet.tokens <= 1_000 && !sheet.sentences.is_empty());
            for row in &sheet.tables[0].rows {
                let whole = |sentence: &String| row.iter().all(|cell| sentence.contains(&shown(cell)));
                assert!(sheet.sentences.iter().any(whole), "{row:?}");
            }
        }
    }
}
