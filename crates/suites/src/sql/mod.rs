//! A subset of SQL over small tables: filters, equi-joins, groups with aggregates, having, order and limit.
//!
//! Enough for questions over tables of facts: read by [`Query::parse`], written by its `Display`, answered by
//! [`Query::evaluate`].

mod evaluate;
mod lexer;
mod parse;
mod query;
mod value;

pub use evaluate::{Answer, EvaluateError, Table};
pub use parse::ParseError;
pub use query::{Aggregate, Column, Comparison, Condition, Expression, Join, Order, Query, Selected};
pub use value::Value;

#[cfg(test)]
mod tests;
