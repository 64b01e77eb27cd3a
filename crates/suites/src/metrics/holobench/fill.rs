//! HoloBench's context builder as intended.
//!
//! As upstream: rows in turn from every table, an estimate per row, and a row stands in the context only while its side
//! stays below its budget. Not as upstream: with a density the other side has what the main one leaves (there: one more
//! than the whole), a table that runs out is not told again, and sentences are merged by [`super::Placement::merge`].

use super::context::{Entry, Loaded, Setting, estimate, table};
use crate::sql::{EvaluateError, Query, Table};

/// A context that cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// No row of the tables that the query reads fits.
    #[error("no row of the tables that the query reads fits")]
    NoRows,
    /// The query does not fit the rows.
    #[error("the query does not fit the rows: {0}")]
    Query(#[from] EvaluateError),
}

/// The context of a query over `tables`, which take turns in their order.
///
/// # Errors
/// [`FillError`] when no main row fits, or the query cannot be answered over those that do.
pub fn fill_context(query: &Query, tables: &[(String, Vec<Entry>)], setting: Setting) -> Result<Loaded, FillError> {
    let whole = setting.size as f64;
    let main_budget = if setting.amount > 0 { setting.amount as f64 } else { (whole * setting.density).trunc() };
    let wanted = query.tables();
    let wanted = |name: &str| wanted.iter().any(|table| table.eq_ignore_ascii_case(name));
    let mut main = Side::new(main_budget.min(whole));
    let mut other = Side::new(whole - main.budget);
    let mut gold: Vec<(&str, Vec<&Entry>)> =
        tables.iter().filter(|(name, _)| wanted(name)).map(|(name, _)| (name.as_str(), Vec::new())).collect();
    let longest = tables.iter().map(|(_, rows)| rows.len()).max().unwrap_or_default();
    for index in 0..longest {
        for (name, rows) in tables {
            let Some(entry) = rows.get(index) else { continue };
            match gold.iter_mut().find(|(known, _)| known == name) {
                Some((_, entries)) => entries.extend(main.offer(entry).then_some(entry)),
                None => drop(other.offer(entry)),
            }
        }
    }
    if main.taken.is_empty() {
        return Err(FillError::NoRows);
    }
    let answerable: Vec<Table> = gold.iter().map(|(name, entries)| shaped(name, entries, tables)).collect();
    let sentences = setting.placement.merge(&main.taken, &other.taken).into_iter().map(str::to_owned).collect();
    Ok(Loaded { sentences, gold: query.evaluate(&answerable)? })
}

/// A table with its columns even where none of its rows is in the context.
fn shaped(name: &str, entries: &[&Entry], tables: &[(String, Vec<Entry>)]) -> Table {
    let first = tables.iter().find(|(known, _)| known == name).and_then(|(_, rows)| rows.first());
    match first {
        Some(first) if entries.is_empty() => Table { rows: Vec::new(), ..table(name, &[first]) },
        _ => table(name, entries),
    }
}

/// Main rows or the others.
struct Side<'a> {
    budget: f64,
    size: f64,
    taken: Vec<&'a str>,
}

impl<'a> Side<'a> {
    fn new(budget: f64) -> Self {
        Self { budget, size: 0.0, taken: Vec::new() }
    }

    /// Whether the row stands in the context. The one that reaches the budget counts and is left out, as upstream.
    fn offer(&mut self, entry: &'a Entry) -> bool {
        if self.size >= self.budget {
            return false;
        }
        self.size += estimate(&entry.sentence);
        let fits = self.size < self.budget;
        if fits {
            self.taken.push(&entry.sentence);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::super::Placement;
    use super::*;
    use crate::sql::Value;

    fn rows(name: &str, count: usize) -> (String, Vec<Entry>) {
        let entry = |place: usize| Entry {
            sentence: format!("{name} {place:02} {}", "x".repeat(60)),
            row: vec![("v".to_owned(), Value::Integer(place as i64))],
        };
        (name.to_owned(), (0..count).map(entry).collect())
    }

    #[test]
    fn budgets_are_shared_and_no_row_is_told_twice() {
        let query = Query::parse("SELECT v FROM t").unwrap();
        let tables = [rows("t", 40), rows("u", 40)];
        let setting = Setting { size: 400, density: 0.5, amount: 0, placement: Placement::Begin };
        let loaded = fill_context(&query, &tables, setting).unwrap();
        let main = loaded.sentences.iter().filter(|text| text.starts_with('t')).count();
        let other = loaded.sentences.len() - main;
        // 18 estimated tokens a row: the eleventh stays just below 200, the twelfth does not.
        assert_eq!((main, other, loaded.gold.rows.len()), (11, 11, 11));
        let few = fill_context(&query, &[rows("t", 3), rows("u", 2)], setting).unwrap();
        assert_eq!(few.sentences.len(), 5);
        let none = Setting { size: 10, ..setting };
        assert_eq!(fill_context(&query, &tables, none), Err(FillError::NoRows));
        let given = Setting { amount: 100, ..setting };
        let loaded = fill_context(&query, &tables, given).unwrap();
        assert_eq!((loaded.gold.rows.len(), loaded.sentences.len()), (5, 5 + 16));
    }

    #[test]
    fn a_joined_table_without_rows_gives_no_answer() {
        let query = Query::parse("SELECT t.v FROM t INNER JOIN u ON t.v = u.v").unwrap();
        let setting = Setting { size: 50, density: 0.5, amount: 0, placement: Placement::End };
        let loaded = fill_context(&query, &[rows("t", 5), rows("u", 5)], setting).unwrap();
        assert_eq!((loaded.sentences.len(), loaded.gold.rows.len()), (1, 0));
    }
}
