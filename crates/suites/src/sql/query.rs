//! Queries as data.

use super::{Column, Comparison, Condition, Expression};

/// A query over one table and those joined to it, or several combined.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Whether equal rows of the answer are one.
    pub distinct: bool,
    /// What is selected, in order.
    pub select: Vec<Selected>,
    /// The table.
    pub from: Source,
    /// Tables joined to it.
    pub joins: Vec<Join>,
    /// Which rows count.
    pub filter: Option<Condition>,
    /// By whose values rows are grouped.
    pub group: Vec<Expression>,
    /// Which groups count.
    pub having: Option<Condition>,
    /// Queries combined with this one, from left to right.
    pub compounds: Vec<Compound>,
    /// How the whole answer is ordered.
    pub order: Vec<Order>,
    /// Rows of the whole answer at most.
    pub limit: Option<usize>,
    /// Rows of the whole answer left out at its start.
    pub offset: usize,
}

/// An expression of the answer with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// What.
    pub expression: Expression,
    /// Name in the answer, where it has one of its own.
    pub alias: Option<String>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A table and its name within the query, where it has one of its own.
    Table(String, Option<String>),
    /// The answer of a query and its name.
    Query(Box<Query>, Option<String>),
}

/// A joined table.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// The joined table.
    pub source: Source,
    /// Which rows are kept.
    pub kind: JoinKind,
    /// Which rows meet; without it all.
    pub on: Option<Condition>,
}

/// Which rows a join keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Those that meet.
    Inner,
    /// Those that meet, and with nulls those of the left side that meet none.
    Left,
    /// Every pair.
    Cross,
}

/// How the answers of two queries are combined. Equal rows are one except in [`SetOperation::UnionAll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperation {
    /// Rows of either.
    Union,
    /// Rows of one, then rows of the other.
    UnionAll,
    /// Rows of both.
    Intersect,
    /// Rows of the first that the second lacks.
    Except,
}

/// A query that is combined with those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Compound {
    /// How.
    pub operation: SetOperation,
    /// With which.
    pub query: Query,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// By what; a whole number is the place of a column in the answer, from one.
    pub expression: Expression,
    /// Largest first.
    pub descending: bool,
}

impl Query {
    /// A query for `select` of the table `from`, to be narrowed.
    #[must_use]
    pub fn new(from: &str, select: Vec<Selected>) -> Self {
        Self::of(Source::Table(from.to_owned(), None), select)
    }

    pub(super) fn of(from: Source, select: Vec<Selected>) -> Self {
        Self {
            distinct: false,
            select,
            from,
            joins: Vec::new(),
            filter: None,
            group: Vec::new(),
            having: None,
            compounds: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: 0,
        }
    }

    /// The tables that it reads, those of queries within it included, each as often as it is named.
    #[must_use]
    pub fn tables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for source in std::iter::once(&self.from).chain(self.joins.iter().map(|join| &join.source)) {
            match source {
                Source::Table(name, _) => names.push(name.as_str()),
                Source::Query(query, _) => names.extend(query.tables()),
            }
        }
        let mut queries = Vec::new();
        let conditions = self.joins.iter().filter_map(|join| join.on.as_ref()).chain(&self.filter).chain(&self.having);
        conditions.for_each(|condition| condition.queries(&mut queries));
        let selected = self.select.iter().map(|one| &one.expression).chain(&self.group);
        selected.chain(self.order.iter().map(|order| &order.expression)).for_each(|one| one.queries(&mut queries));
        queries.extend(self.compounds.iter().map(|compound| &compound.query));
        names.extend(queries.into_iter().flat_map(Self::tables));
        names
    }
}

impl Join {
    /// An inner join where two columns are equal.
    #[must_use]
    pub fn inner(table: &str, left: Column, right: Column) -> Self {
        let on = Condition::Compare(Expression::Column(left), Comparison::Equal, Expression::Column(right));
        Self { source: Source::Table(table.to_owned(), None), kind: JoinKind::Inner, on: Some(on) }
    }
}

impl Selected {
    /// Name of the column in the answer.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.alias, &self.expression) {
            (Some(alias), _) => alias.clone(),
            (None, Expression::Column(column)) => column.name.clone(),
            (None, Expression::Quoted(name)) => name.clone(),
            (None, other) => other.to_string().to_lowercase(),
        }
    }
}
