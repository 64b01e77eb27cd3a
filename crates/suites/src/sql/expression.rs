//! What can be computed from a row or a group.

use super::{Query, Value};

/// A column, with its table where the name alone would not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Table.
    pub table: Option<String>,
    /// Name.
    pub name: String,
}

/// What can be computed from a row or a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A column, of the group's first row.
    Column(Column),
    /// A name in double quotes: the column, or where there is none the text itself, as SQLite reads it.
    Quoted(String),
    /// All columns, or all of one table. Only what is selected may be this.
    All(Option<String>),
    /// A constant.
    Literal(Value),
    /// An aggregate over the group.
    Aggregate {
        /// Which.
        aggregate: Aggregate,
        /// Whether equal values count once.
        distinct: bool,
        /// Over the values of what; rows are counted without it.
        of: Option<Box<Expression>>,
    },
    /// Two numbers reckoned together.
    Arithmetic(Box<Expression>, Operator, Box<Expression>),
    /// The single cell that another query gives.
    Scalar(Box<Query>),
}

/// How a group is aggregated. Nulls are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Number of rows.
    Count,
    /// Sum.
    Sum,
    /// Mean.
    Average,
    /// Largest.
    Largest,
    /// Smallest.
    Smallest,
}

/// An operator of arithmetic. What is divided by zero is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operator {
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

impl Column {
    /// A column by its name alone.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { table: None, name: name.to_owned() }
    }

    /// A column of a table.
    #[must_use]
    pub fn of(table: &str, name: &str) -> Self {
        Self { table: Some(table.to_owned()), name: name.to_owned() }
    }
}

impl Expression {
    /// An aggregate over a column.
    #[must_use]
    pub fn aggregate(aggregate: Aggregate, column: Column) -> Self {
        Self::Aggregate { aggregate, distinct: false, of: Some(Box::new(Self::Column(column))) }
    }

    /// The number of rows.
    #[must_use]
    pub fn count() -> Self {
        Self::Aggregate { aggregate: Aggregate::Count, distinct: false, of: None }
    }

    /// Whether an aggregate stands in it, queries in parentheses aside.
    pub(super) fn aggregates(&self) -> bool {
        match self {
            Self::Aggregate { .. } => true,
            Self::Arithmetic(one, _, other) => one.aggregates() || other.aggregates(),
            _ => false,
        }
    }

    pub(super) fn queries<'a>(&'a self, found: &mut Vec<&'a Query>) {
        match self {
            Self::Scalar(query) => found.push(query),
            Self::Aggregate { of: Some(of), .. } => of.queries(found),
            Self::Arithmetic(one, _, other) => {
                one.queries(found);
                other.queries(found);
            }
            _ => {}
        }
    }
}

impl Aggregate {
    pub(super) const ALL: [(Self, &'static str); 5] = [
        (Self::Count, "COUNT"),
        (Self::Sum, "SUM"),
        (Self::Average, "AVG"),
        (Self::Largest, "MAX"),
        (Self::Smallest, "MIN"),
    ];
}

impl Operator {
    pub(super) const ALL: [(Self, &'static str); 5] =
        [(Self::Plus, "+"), (Self::Minus, "-"), (Self::Times, "*"), (Self::Over, "/"), (Self::Modulo, "%")];

    /// Whether it binds less than the others.
    pub(super) fn is_sum(self) -> bool {
        matches!(self, Self::Plus | Self::Minus)
    }
}
