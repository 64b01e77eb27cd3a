//! Whether a condition holds: true, false, or neither where a null stands in it.

use std::cmp::Ordering;

use super::relation::{Scope, Unit};
use super::{Comparison, Condition, EvaluateError, Expression, Set, Value};

impl Scope<'_> {
    /// Whether the condition is true for the rows of `unit`.
    pub(super) fn holds(&self, unit: &Unit<'_>, condition: &Condition) -> Result<bool, EvaluateError> {
        Ok(self.truth(unit, condition)? == Some(true))
    }

    fn truth(&self, unit: &Unit<'_>, condition: &Condition) -> Result<Option<bool>, EvaluateError> {
        Ok(match condition {
            Condition::Not(inner) => self.truth(unit, inner)?.map(|truth| !truth),
            Condition::And(one, other) => both(self.truth(unit, one)?, || self.truth(unit, other))?,
            Condition::Or(one, other) => {
                let opposite = |truth: Option<bool>| truth.map(|truth| !truth);
                let neither = both(opposite(self.truth(unit, one)?), || self.truth(unit, other).map(opposite))?;
                opposite(neither)
            }
            Condition::Compare(one, comparison, other) => {
                compared(&self.value(unit, one)?, *comparison, &self.value(unit, other)?)
            }
            Condition::Between(value, low, high) => {
                let value = self.value(unit, value)?;
                let above = compared(&value, Comparison::GreaterOrEqual, &self.value(unit, low)?);
                both(above, || Ok(compared(&value, Comparison::LessOrEqual, &self.value(unit, high)?)))?
            }
            Condition::In(value, Set::List(list)) => self.is_in(unit, &self.value(unit, value)?, list)?,
            Condition::In(_, Set::Query(_)) => return Err(EvaluateError::NotOneColumn),
            Condition::Like { text, pattern, caseless } => {
                let (text, pattern) = (self.value(unit, text)?, self.value(unit, pattern)?);
                text.text().zip(pattern.text()).map(|(text, pattern)| {
                    if *caseless { like(&text.to_lowercase(), &pattern.to_lowercase()) } else { like(&text, &pattern) }
                })
            }
            Condition::IsNull(value) => Some(self.value(unit, value)? == Value::Null),
        })
    }

    fn is_in(&self, unit: &Unit<'_>, value: &Value, list: &[Expression]) -> Result<Option<bool>, EvaluateError> {
        let mut truth = Some(false);
        for one in list {
            match compared(value, Comparison::Equal, &self.value(unit, one)?) {
                Some(true) => return Ok(Some(true)),
                Some(false) => {}
                None => truth = None,
            }
        }
        Ok(truth)
    }
}

fn both(
    one: Option<bool>,
    other: impl FnOnce() -> Result<Option<bool>, EvaluateError>,
) -> Result<Option<bool>, EvaluateError> {
    if one == Some(false) {
        return Ok(one);
    }
    let other = other()?;
    Ok(if other == Some(false) { other } else { one.and(other) })
}

/// A text beside a number is compared as the number that it writes; where it writes none, they are unequal.
fn compared(one: &Value, comparison: Comparison, other: &Value) -> Option<bool> {
    let number = |value: &Value| match value {
        Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        other => other.number(),
    };
    if [one, other].contains(&&Value::Null) {
        return None;
    }
    let order: Option<Ordering> = one.compare(other).or_else(|| number(one)?.partial_cmp(&number(other)?));
    match comparison {
        Comparison::Equal => Some(order == Some(Ordering::Equal)),
        Comparison::Unequal => Some(order != Some(Ordering::Equal)),
        Comparison::Less => order.map(Ordering::is_lt),
        Comparison::LessOrEqual => order.map(Ordering::is_le),
        Comparison::Greater => order.map(Ordering::is_gt),
        Comparison::GreaterOrEqual => order.map(Ordering::is_ge),
    }
}

/// Whether a text is like a pattern. What `%` stands for grows one by one, and only that of the last `%` can.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut place) = (0, 0);
    let mut any: Option<(usize, usize)> = None;
    while let Some(scalar) = text.get(at) {
        match pattern.get(place) {
            Some('%') => {
                any = Some((at, place));
                place += 1;
            }
            Some(wanted) if *wanted == '_' || wanted == scalar => {
                at += 1;
                place += 1;
            }
            _ => match &mut any {
                Some((start, percent)) => {
                    *start += 1;
                    at = *start;
                    place = *percent + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(place).all(|scalar| *scalar == '%')
}
