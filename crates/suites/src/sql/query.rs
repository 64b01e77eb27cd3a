//! Queries as data, and how they are written.

use std::fmt::{self, Display, Formatter};

use super::Value;

/// A query over one table and those joined to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What is selected, in order.
    pub select: Vec<Selected>,
    /// The table.
    pub from: String,
    /// Tables joined to it.
    pub joins: Vec<Join>,
    /// Which rows count.
    pub filter: Option<Condition>,
    /// Columns by whose values rows are grouped.
    pub group: Vec<Column>,
    /// Which groups count.
    pub having: Option<Condition>,
    /// How the answer is ordered.
    pub order: Vec<Order>,
    /// Rows of the answer at most.
    pub limit: Option<usize>,
}

/// An expression of the answer with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// What.
    pub expression: Expression,
    /// Name in the answer, where it has one of its own.
    pub alias: Option<String>,
}

/// An inner join on equality.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// The joined table.
    pub table: String,
    /// One side of the equality.
    pub left: Column,
    /// The other.
    pub right: Column,
}

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
    /// A constant.
    Literal(Value),
    /// An aggregate over the group; without a column it counts rows.
    Aggregate(Aggregate, Option<Column>),
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

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A comparison of two expressions.
    Compare(Expression, Comparison, Expression),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Either.
    Or(Box<Condition>, Box<Condition>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// By what.
    pub expression: Expression,
    /// Largest first.
    pub descending: bool,
}

impl Query {
    /// A query for `select` of `from`, to be narrowed.
    #[must_use]
    pub fn new(from: &str, select: Vec<Selected>) -> Self {
        Self {
            select,
            from: from.to_owned(),
            joins: Vec::new(),
            filter: None,
            group: Vec::new(),
            having: None,
            order: Vec::new(),
            limit: None,
        }
    }

    /// The tables that it reads, scalar queries aside.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.from.as_str()).chain(self.joins.iter().map(|join| join.table.as_str()))
    }
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

impl Selected {
    /// Name of the column in the answer.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.alias, &self.expression) {
            (Some(alias), _) => alias.clone(),
            (None, Expression::Column(column)) => column.name.clone(),
            (None, other) => other.to_string().to_lowercase(),
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

impl Comparison {
    pub(super) const ALL: [(Self, &'static str); 6] = [
        (Self::Equal, "="),
        (Self::Unequal, "<>"),
        (Self::Less, "<"),
        (Self::LessOrEqual, "<="),
        (Self::Greater, ">"),
        (Self::GreaterOrEqual, ">="),
    ];
}

fn listed<T: Display>(f: &mut Formatter<'_>, lead: &str, items: &[T], joint: &str) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if place == 0 { lead } else { joint })?;
    }
    Ok(())
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        listed(f, "SELECT ", &self.select, ", ")?;
        write!(f, " FROM {}", self.from)?;
        listed(f, "", &self.joins, "")?;
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        listed(f, " GROUP BY ", &self.group, ", ")?;
        if let Some(having) = &self.having {
            write!(f, " HAVING {having}")?;
        }
        listed(f, " ORDER BY ", &self.order, ", ")?;
        self.limit.map_or(Ok(()), |limit| write!(f, " LIMIT {limit}"))
    }
}

impl Display for Selected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.expression)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, " AS {alias}"))
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, " INNER JOIN {} ON {} = {}", self.table, self.left, self.right)
    }
}

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.table {
            Some(table) => write!(f, "{table}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = |wanted| Aggregate::ALL.iter().find(|(one, _)| *one == wanted).map_or("", |(_, name)| name);
        match self {
            Self::Column(column) => column.fmt(f),
            Self::Literal(value) => value.fmt(f),
            Self::Aggregate(aggregate, Some(column)) => write!(f, "{}({column})", name(*aggregate)),
            Self::Aggregate(aggregate, None) => write!(f, "{}(*)", name(*aggregate)),
            Self::Scalar(query) => write!(f, "({query})"),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(left, comparison, right) => {
                let sign = Comparison::ALL.iter().find(|(one, _)| one == comparison).map_or("", |(_, sign)| sign);
                write!(f, "{left} {sign} {right}")
            }
            Self::And(one, other) => write!(f, "({one} AND {other})"),
            Self::Or(one, other) => write!(f, "({one} OR {other})"),
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.expression, if self.descending { " DESC" } else { "" })
    }
}
