//! How queries are written: with no more parentheses than were read, so that what is written can be read again.

use std::fmt::{self, Display, Formatter};

use super::lexer::is_plain;
use super::parse::is_keyword;
use super::{
    Aggregate, Column, Comparison, Compound, Condition, Expression, Join, JoinKind, Operator, Order, Query, Selected,
    Set, SetOperation, Source,
};

fn listed<T: Display>(f: &mut Formatter<'_>, lead: &str, items: &[T], joint: &str) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if place == 0 { lead } else { joint })?;
    }
    Ok(())
}

/// A name, in backquotes where it could be read as something else.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) && !is_keyword(self.0) {
            f.write_str(self.0)
        } else {
            write!(f, "`{}`", self.0.replace('`', "``"))
        }
    }
}

fn aliased(f: &mut Formatter<'_>, alias: Option<&String>) -> fmt::Result {
    alias.map_or(Ok(()), |alias| write!(f, " AS {}", Name(alias)))
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        listed(f, if self.distinct { "SELECT DISTINCT " } else { "SELECT " }, &self.select, ", ")?;
        write!(f, " FROM {}", self.from)?;
        listed(f, "", &self.joins, "")?;
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        listed(f, " GROUP BY ", &self.group, ", ")?;
        if let Some(having) = &self.having {
            write!(f, " HAVING {having}")?;
        }
        listed(f, "", &self.compounds, "")?;
        listed(f, " ORDER BY ", &self.order, ", ")?;
        if let Some(limit) = self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        if self.offset > 0 { write!(f, " OFFSET {}", self.offset) } else { Ok(()) }
    }
}

impl Display for Compound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let operation = match self.operation {
            SetOperation::Union => "UNION",
            SetOperation::UnionAll => "UNION ALL",
            SetOperation::Intersect => "INTERSECT",
            SetOperation::Except => "EXCEPT",
        };
        write!(f, " {operation} {}", self.query)
    }
}

impl Display for Selected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.expression)?;
        aliased(f, self.alias.as_ref())
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(name, alias) => {
                write!(f, "{}", Name(name))?;
                aliased(f, alias.as_ref())
            }
            Self::Query(query, alias) => {
                write!(f, "({query})")?;
                aliased(f, alias.as_ref())
            }
        }
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            JoinKind::Inner => "INNER",
            JoinKind::Left => "LEFT",
            JoinKind::Cross => "CROSS",
        };
        write!(f, " {kind} JOIN {}", self.source)?;
        self.on.as_ref().map_or(Ok(()), |on| write!(f, " ON {on}"))
    }
}

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.table {
            Some(table) => write!(f, "{}.{}", Name(table), Name(&self.name)),
            None => Name(&self.name).fmt(f),
        }
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = |wanted| Aggregate::ALL.iter().find(|(one, _)| *one == wanted).map_or("", |(_, name)| name);
        match self {
            Self::Column(column) => column.fmt(f),
            Self::Quoted(name) => write!(f, "\"{}\"", name.replace('"', "\"\"")),
            Self::All(None) => f.write_str("*"),
            Self::All(Some(table)) => write!(f, "{}.*", Name(table)),
            Self::Literal(value) => value.fmt(f),
            Self::Aggregate { aggregate, distinct, of } => {
                write!(f, "{}({}", name(*aggregate), if *distinct { "DISTINCT " } else { "" })?;
                match of {
                    Some(of) => write!(f, "{of})"),
                    None => f.write_str("*)"),
                }
            }
            Self::Arithmetic(one, operator, other) => {
                let sign = Operator::ALL.iter().find(|(one, _)| one == operator).map_or("", |(_, sign)| sign);
                let sum = |side: &Self| matches!(side, Self::Arithmetic(_, inner, _) if inner.is_sum());
                bracketed(f, one, !operator.is_sum() && sum(one))?;
                write!(f, " {sign} ")?;
                let whole = matches!(**other, Self::Arithmetic(..)) && (!operator.is_sum() || sum(other));
                bracketed(f, other, whole)
            }
            Self::Scalar(query) => write!(f, "({query})"),
        }
    }
}

fn bracketed(f: &mut Formatter<'_>, inner: &impl Display, brackets: bool) -> fmt::Result {
    if brackets { write!(f, "({inner})") } else { inner.fmt(f) }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(left, comparison, right) => {
                let sign = Comparison::ALL.iter().find(|(one, _)| one == comparison).map_or("", |(_, sign)| sign);
                write!(f, "{left} {sign} {right}")
            }
            Self::Not(inner) => match &**inner {
                Self::Between(..) | Self::In(..) | Self::Like { .. } | Self::IsNull(_) => predicate(f, inner, "NOT "),
                other => {
                    f.write_str("NOT ")?;
                    bracketed(f, other, matches!(other, Self::And(..) | Self::Or(..)))
                }
            },
            Self::And(one, other) => {
                bracketed(f, one, matches!(**one, Self::Or(..)))?;
                f.write_str(" AND ")?;
                bracketed(f, other, matches!(**other, Self::And(..) | Self::Or(..)))
            }
            Self::Or(one, other) => {
                write!(f, "{one} OR ")?;
                bracketed(f, other, matches!(**other, Self::Or(..)))
            }
            leaf => predicate(f, leaf, ""),
        }
    }
}

/// A condition on one value, `not` before its word.
fn predicate(f: &mut Formatter<'_>, condition: &Condition, not: &str) -> fmt::Result {
    match condition {
        Condition::Between(value, low, high) => write!(f, "{value} {not}BETWEEN {low} AND {high}"),
        Condition::In(value, Set::Query(query)) => write!(f, "{value} {not}IN ({query})"),
        Condition::In(value, Set::List(list)) => {
            write!(f, "{value} {not}IN (")?;
            listed(f, "", list, ", ")?;
            f.write_str(")")
        }
        Condition::Like { text, pattern, caseless } => {
            write!(f, "{text} {not}{} {pattern}", if *caseless { "ILIKE" } else { "LIKE" })
        }
        Condition::IsNull(value) => write!(f, "{value} IS {not}NULL"),
        other => other.fmt(f),
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.expression, if self.descending { " DESC" } else { "" })
    }
}
