//! Cells.

use std::cmp::Ordering;
use std::fmt;

use serde_json::json;

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: the mean or the largest of no rows.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// Text.
    Text(String),
}

impl Value {
    /// The cell of a JSON value; lists, objects and truth values are no cells.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        Some(match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Integer(whole),
                None => Self::Real(number.as_f64()?),
            },
            serde_json::Value::String(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }

    /// The cell as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Integer(number) => json!(number),
            Self::Real(number) => json!(number),
            Self::Text(text) => json!(text),
        }
    }

    /// The number, of either kind.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// What is written in the cell; nothing in null.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            number => Some(number.to_string()),
        }
    }

    /// Comparison as conditions make it: `None` where either side is null or the kinds differ.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(other)),
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    /// A total order for sorting: numbers, then text, then null.
    #[must_use]
    pub fn sorted(&self, other: &Self) -> Ordering {
        let rank = |value: &Self| match value {
            Self::Integer(_) | Self::Real(_) => 0,
            Self::Text(_) => 1,
            Self::Null => 2,
        };
        self.compare(other).unwrap_or_else(|| rank(self).cmp(&rank(other)))
    }

    /// Text that is equal for equal cells.
    pub(super) fn key(&self) -> String {
        match (self, self.number()) {
            (Self::Text(text), _) => format!("t{text}"),
            (_, Some(number)) => format!("n{number:?}"),
            _ => String::new(),
        }
    }
}

impl fmt::Display for Value {
    /// As SQL writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}
