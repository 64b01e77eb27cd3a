//! Answering queries.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::relation::{Relation, Scope, Unit};
use super::{Column, Compound, Condition, Expression, Order, Query, Selected, SetOperation, Source, Value};

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name.
    pub name: String,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Rows, each with one cell per column.
    pub rows: Vec<Vec<Value>>,
}

/// What a query gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows in order.
    pub rows: Vec<Vec<Value>>,
}

/// A query that does not fit the tables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// A table that is not there.
    #[error("no table `{0}`")]
    UnknownTable(String),
    /// A column that is not there; a query in parentheses does not see those of the query around it.
    #[error("no column `{0}`")]
    UnknownColumn(String),
    /// A column name that two tables have.
    #[error("column `{0}` is ambiguous: name its table")]
    Ambiguous(String),
    /// A query in parentheses that gives more than one cell.
    #[error("a query in parentheses must give one cell")]
    NotScalar,
    /// A query after `IN` that gives more than one column.
    #[error("a query after IN must give one column")]
    NotOneColumn,
    /// Combined queries of different widths.
    #[error("combined queries must give equally many columns")]
    UnequalWidths,
    /// A place that the answer has not.
    #[error("the answer has no column number {0}")]
    NoPlace(i64),
    /// A sum or mean of texts.
    #[error("column `{0}` holds something that is no number")]
    NotNumbers(String),
    /// A join of too many rows.
    #[error("a join looks at more than {0} pairs of rows")]
    TooManyPairs(usize),
}

/// A row of the answer with what it is ordered by.
type Keyed = (Vec<Value>, Vec<Value>);

impl Query {
    /// Answers the query. Names are compared without regard to case, as in SQL. Groups without an order come in order of
    /// their first rows.
    ///
    /// # Errors
    /// [`EvaluateError`] when a name is unknown or ambiguous, or a sum is taken over texts.
    pub fn evaluate(&self, tables: &[Table]) -> Result<Answer, EvaluateError> {
        let mut query = self.settled(tables)?;
        let relation = query.relation(tables)?;
        query.select = query.expanded(&relation)?;
        let columns: Vec<String> = query.select.iter().map(Selected::name).collect();
        let mut rows = query.keyed(&relation)?;
        if !query.compounds.is_empty() {
            let mut combined: Vec<Vec<Value>> = rows.into_iter().map(|(cells, _)| cells).collect();
            if query.distinct {
                combined = distinct(combined);
            }
            for compound in &query.compounds {
                combined = compound.combined(combined, columns.len(), tables)?;
            }
            rows = query.ordered_by_columns(&columns, combined)?;
        }
        rows.sort_by(|(_, one), (_, other)| ordered(&query.order, one, other));
        if query.distinct && query.compounds.is_empty() {
            let mut known = HashSet::new();
            rows.retain(|(cells, _)| known.insert(key(cells)));
        }
        let rows = rows.into_iter().map(|(cells, _)| cells).skip(query.offset);
        Ok(Answer { columns, rows: rows.take(query.limit.unwrap_or(usize::MAX)).collect() })
    }

    /// All rows of its tables, joined.
    fn relation(&self, tables: &[Table]) -> Result<Relation, EvaluateError> {
        let mut relation = self.from.relation(tables)?;
        let filter = self.filter.as_ref().map_or(Vec::new(), Condition::conjuncts);
        for join in &self.joins {
            relation = relation.join(join, join.source.relation(tables)?, &filter)?;
        }
        Ok(relation)
    }

    /// What is selected, every column by itself.
    fn expanded(&self, relation: &Relation) -> Result<Vec<Selected>, EvaluateError> {
        let mut selected = Vec::new();
        for one in &self.select {
            let Expression::All(table) = &one.expression else {
                selected.push(one.clone());
                continue;
            };
            let wanted =
                |name: &&(String, String)| table.as_ref().is_none_or(|table| table.eq_ignore_ascii_case(&name.0));
            let before = selected.len();
            selected.extend(relation.names.iter().filter(wanted).map(|(table, name)| Selected {
                expression: Expression::Column(Column::of(table, name)),
                alias: None,
            }));
            if selected.len() == before {
                return Err(EvaluateError::UnknownTable(table.clone().unwrap_or_default()));
            }
        }
        Ok(selected)
    }

    /// Rows of the answer with what they are ordered by, unless the order is that of combined queries.
    fn keyed(&self, relation: &Relation) -> Result<Vec<Keyed>, EvaluateError> {
        let scope = relation.scope(&self.select);
        let mut kept: Vec<&[Value]> = Vec::new();
        for row in &relation.rows {
            if self.filter.as_ref().map_or(Ok(true), |filter| scope.holds(&[row], filter))? {
                kept.push(row);
            }
        }
        let plain = relation.scope(&[]);
        let mut rows = Vec::new();
        for unit in self.units(&scope, &kept)? {
            if self.having.as_ref().map_or(Ok(true), |having| scope.holds(&unit, having))? {
                let cells = self.select.iter().map(|one| plain.value(&unit, &one.expression));
                let keys = if self.compounds.is_empty() { self.keys(&scope, &unit)? } else { Vec::new() };
                rows.push((cells.collect::<Result<_, _>>()?, keys));
            }
        }
        Ok(rows)
    }

    fn is_grouped(&self) -> bool {
        let ordered = self.order.iter().map(|order| &order.expression);
        let aggregates = self.select.iter().map(|one| &one.expression).chain(ordered).any(Expression::aggregates);
        !self.group.is_empty() || self.having.is_some() || aggregates
    }

    /// The rows behind each row of the answer.
    fn units<'a>(&self, scope: &Scope<'_>, kept: &[&'a [Value]]) -> Result<Vec<Vec<&'a [Value]>>, EvaluateError> {
        if !self.is_grouped() {
            return Ok(kept.iter().map(|&row| vec![row]).collect());
        }
        if self.group.is_empty() {
            return Ok(vec![kept.to_vec()]);
        }
        let group = self.group.iter().map(|one| self.at_place(one)).collect::<Result<Vec<_>, _>>()?;
        let mut known: HashMap<Vec<String>, usize> = HashMap::new();
        let mut units: Vec<Vec<&[Value]>> = Vec::new();
        for &row in kept {
            let cells = group.iter().map(|one| scope.value(&[row], one)).collect::<Result<Vec<_>, _>>()?;
            let unit = *known.entry(key(&cells)).or_insert(units.len());
            match units.get_mut(unit) {
                Some(rows) => rows.push(row),
                None => units.push(vec![row]),
            }
        }
        Ok(units)
    }

    /// What the answer is ordered by; a name may be that of something selected.
    fn keys(&self, scope: &Scope<'_>, unit: &Unit<'_>) -> Result<Vec<Value>, EvaluateError> {
        let value = |order: &Order| {
            let selected = match &order.expression {
                Expression::Column(column) => scope.selected_as(column),
                Expression::Quoted(name) => scope.selected_as(&Column::named(name)),
                _ => None,
            };
            scope.value(unit, selected.unwrap_or(self.at_place(&order.expression)?))
        };
        self.order.iter().map(value).collect()
    }

    /// What is selected at the place that a whole number names, and any other expression itself.
    fn at_place<'a>(&'a self, expression: &'a Expression) -> Result<&'a Expression, EvaluateError> {
        let Expression::Literal(Value::Integer(place)) = expression else { return Ok(expression) };
        let index = usize::try_from(*place).ok().and_then(|place| place.checked_sub(1));
        let selected = index.and_then(|index| self.select.get(index));
        selected.map(|one| &one.expression).ok_or(EvaluateError::NoPlace(*place))
    }

    /// Keys of combined rows, which have the first query's columns and no others.
    fn ordered_by_columns(&self, columns: &[String], rows: Vec<Vec<Value>>) -> Result<Vec<Keyed>, EvaluateError> {
        let names: Vec<_> = columns.iter().map(|column| (String::new(), column.clone())).collect();
        let scope = Scope { names: &names, selected: &[] };
        let key = |row: &[Value], order: &Order| match &order.expression {
            Expression::Literal(Value::Integer(place)) => {
                let index = usize::try_from(*place).ok().and_then(|place| place.checked_sub(1));
                index.and_then(|index| row.get(index)).cloned().ok_or(EvaluateError::NoPlace(*place))
            }
            other => scope.value(&[row], other),
        };
        let keyed = |row: Vec<Value>| {
            let keys = self.order.iter().map(|order| key(&row, order)).collect::<Result<_, _>>()?;
            Ok((row, keys))
        };
        rows.into_iter().map(keyed).collect()
    }
}

impl Compound {
    fn combined(
        &self,
        rows: Vec<Vec<Value>>,
        width: usize,
        tables: &[Table],
    ) -> Result<Vec<Vec<Value>>, EvaluateError> {
        let answer = self.query.evaluate(tables)?;
        if answer.columns.len() != width {
            return Err(EvaluateError::UnequalWidths);
        }
        let theirs: HashSet<Vec<String>> = answer.rows.iter().map(|row| key(row)).collect();
        let mut rows = rows;
        match self.operation {
            SetOperation::Union | SetOperation::UnionAll => rows.extend(answer.rows),
            SetOperation::Intersect => rows.retain(|row| theirs.contains(&key(row))),
            SetOperation::Except => rows.retain(|row| !theirs.contains(&key(row))),
        }
        Ok(if self.operation == SetOperation::UnionAll { rows } else { distinct(rows) })
    }
}

impl Source {
    fn relation(&self, tables: &[Table]) -> Result<Relation, EvaluateError> {
        match self {
            Self::Table(name, alias) => {
                let table = tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
                let table = table.ok_or_else(|| EvaluateError::UnknownTable(name.clone()))?;
                Ok(Relation::of(table, alias.as_ref().unwrap_or(&table.name)))
            }
            Self::Query(query, alias) => {
                let Answer { columns, rows } = query.evaluate(tables)?;
                let name = alias.clone().unwrap_or_default();
                Ok(Relation::of(&Table { name: name.clone(), columns, rows }, &name))
            }
        }
    }
}

/// Text that is equal for equal rows.
fn key(cells: &[Value]) -> Vec<String> {
    cells.iter().map(Value::key).collect()
}

fn distinct(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut known = HashSet::new();
    rows.retain(|row| known.insert(key(row)));
    rows
}

/// Nulls come last, whichever way the others are ordered.
fn ordered(order: &[Order], one: &[Value], other: &[Value]) -> Ordering {
    let keys = order.iter().zip(one.iter().zip(other));
    keys.fold(Ordering::Equal, |so_far, (order, (one, other))| {
        let backwards = order.descending && ![one, other].contains(&&Value::Null);
        so_far.then_with(|| if backwards { other.sorted(one) } else { one.sorted(other) })
    })
}
