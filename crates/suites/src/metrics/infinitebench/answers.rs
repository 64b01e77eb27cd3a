//! Comparison of InfiniteBench answers.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::metrics::needlebench::pattern;
use crate::metrics::python_text::{decimal, int};

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d+\.\d+|\d+"));

/// The first number, digits of any script turned into ASCII.
pub(super) fn first_number(text: &str) -> Option<String> {
    let found = NUMBER.find(text)?;
    Some(
        found.as_str().chars().map(|scalar| decimal(scalar).map_or(scalar, |digit| char::from(b'0' + digit))).collect(),
    )
}

/// Whether `int(text)` equals a JSON number.
pub(super) fn equals(text: &str, label: &Value) -> bool {
    let (Some(number), Value::Number(label)) = (int(text), label) else { return false };
    if label.is_f64() { number.parse::<f64>().ok() == label.as_f64() } else { number == label.to_string() }
}

pub(super) use super::after_prefix as after;
