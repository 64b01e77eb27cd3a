//! A subset of SQL over small tables.
//!
//! Enough for questions over tables of facts: read by [`Query::parse`], written by its `Display`, answered by
//! [`Query::evaluate`]. Read are `SELECT [DISTINCT]` of expressions, inner, left and cross joins with names of their
//! own, `WHERE`, `GROUP BY`, `HAVING`, `ORDER BY`, `LIMIT`, `UNION`, `INTERSECT` and `EXCEPT`; conditions with `NOT`,
//! `IN`, `LIKE`, `BETWEEN` and `IS NULL`; arithmetic, the five aggregates, and queries in parentheses that stand for
//! themselves. Where dialects differ, DuckDB's rules hold: `/` gives a real number, `LIKE` minds case, nulls come last.
//!
//! Refused, by name: functions, `CAST`, `CASE`, `EXISTS`, `WITH`, windows, `USING`, `NATURAL`, right and full joins, and
//! queries in parentheses that read columns of the query around them.

mod condition;
mod display;
mod evaluate;
mod expression;
mod lexer;
mod parse;
mod query;
mod relation;
mod settle;
mod truth;
mod value;

pub use condition::{Comparison, Condition, Set};
pub use evaluate::{Answer, EvaluateError, Table};
pub use expression::{Aggregate, Column, Expression, Operator};
pub use parse::ParseError;
pub use query::{Compound, Join, JoinKind, Order, Query, Selected, SetOperation, Source};
pub use value::Value;

#[cfg(test)]
mod tests;
