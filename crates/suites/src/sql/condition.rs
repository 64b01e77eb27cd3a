//! What must hold for a row or a group.

use super::{Expression, Query};

/// What must hold. Comparisons with null are neither true nor false.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A comparison of two expressions.
    Compare(Expression, Comparison, Expression),
    /// Between two bounds, both included.
    Between(Expression, Expression, Expression),
    /// Equal to one of several.
    In(Expression, Set),
    /// A text like a pattern, in which `%` stands for any text and `_` for any character.
    Like {
        /// The text.
        text: Expression,
        /// The pattern.
        pattern: Expression,
        /// Whether case is left aside.
        caseless: bool,
    },
    /// Null.
    IsNull(Expression),
    /// The opposite.
    Not(Box<Condition>),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Either.
    Or(Box<Condition>, Box<Condition>),
}

/// What a value may be one of.
#[derive(Debug, Clone, PartialEq)]
pub enum Set {
    /// These.
    List(Vec<Expression>),
    /// The only column of a query's answer.
    Query(Box<Query>),
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

impl Condition {
    /// Whether an aggregate stands in it, queries in parentheses aside.
    pub(super) fn aggregates(&self) -> bool {
        match self {
            Self::Not(inner) => inner.aggregates(),
            Self::And(one, other) | Self::Or(one, other) => one.aggregates() || other.aggregates(),
            leaf => leaf.expressions().into_iter().any(Expression::aggregates),
        }
    }

    /// Expressions of one that consists of no others.
    fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Compare(one, _, other) | Self::Like { text: one, pattern: other, .. } => vec![one, other],
            Self::Between(value, low, high) => vec![value, low, high],
            Self::In(value, Set::List(list)) => std::iter::once(value).chain(list).collect(),
            Self::In(value, Set::Query(_)) | Self::IsNull(value) => vec![value],
            Self::Not(_) | Self::And(..) | Self::Or(..) => Vec::new(),
        }
    }

    pub(super) fn queries<'a>(&'a self, found: &mut Vec<&'a Query>) {
        match self {
            Self::Not(inner) => inner.queries(found),
            Self::And(one, other) | Self::Or(one, other) => {
                one.queries(found);
                other.queries(found);
            }
            leaf => {
                if let Self::In(_, Set::Query(query)) = leaf {
                    found.push(query);
                }
                leaf.expressions().into_iter().for_each(|expression| expression.queries(found));
            }
        }
    }

    /// What must all hold for it to hold.
    pub(super) fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::And(one, other) => [one.conjuncts(), other.conjuncts()].concat(),
            other => vec![other],
        }
    }
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
