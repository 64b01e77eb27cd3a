//! Answering queries.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Aggregate, Column, Comparison, Condition, Expression, Join, Order, Query, Value};

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
    /// A column that is not there.
    #[error("no column `{0}`")]
    UnknownColumn(String),
    /// A column name that two tables have.
    #[error("column `{0}` is ambiguous: name its table")]
    Ambiguous(String),
    /// A query in parentheses that gives more than one cell.
    #[error("a query in parentheses must give one cell")]
    NotScalar,
    /// A sum or mean of texts.
    #[error("column `{0}` holds something that is no number")]
    NotNumbers(String),
}

/// Rows of joined tables while a query is answered.
struct Relation {
    columns: Vec<(String, String)>,
    rows: Vec<Vec<Value>>,
}

impl Query {
    /// Answers the query. Names are compared without regard to case, as in SQL. Groups without an order come in order of their first rows.
    ///
    /// # Errors
    /// [`EvaluateError`] when a name is unknown or ambiguous, or a sum is taken over texts.
    pub fn evaluate(&self, tables: &[Table]) -> Result<Answer, EvaluateError> {
        let mut relation = Relation::of(find(tables, &self.from)?);
        for join in &self.joins {
            relation = relation.join(join, find(tables, &join.table)?)?;
        }
        let filter = self.filter.as_ref().map(|filter| settle(filter, tables)).transpose()?;
        let having = self.having.as_ref().map(|having| settle(having, tables)).transpose()?;
        let kept: Vec<usize> = match &filter {
            None => (0..relation.rows.len()).collect(),
            Some(filter) => matching(&relation, filter)?,
        };
        let mut answer: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
        for unit in self.units(&relation, &kept)? {
            let counts = having.as_ref().map_or(Ok(true), |having| holds(&relation, &unit, having))?;
            if counts {
                answer.push((self.cells(&relation, &unit)?, self.keys(&relation, &unit)?));
            }
        }
        answer.sort_by(|(_, one), (_, other)| ordered(&self.order, one, other));
        let rows = answer.into_iter().map(|(cells, _)| cells).take(self.limit.unwrap_or(usize::MAX)).collect();
        Ok(Answer { columns: self.select.iter().map(super::Selected::name).collect(), rows })
    }

    fn is_grouped(&self) -> bool {
        let aggregates = |expression: &Expression| matches!(expression, Expression::Aggregate(..));
        !self.group.is_empty() || self.having.is_some() || self.select.iter().any(|one| aggregates(&one.expression))
    }

    /// The rows behind each row of the answer.
    fn units(&self, relation: &Relation, kept: &[usize]) -> Result<Vec<Vec<usize>>, EvaluateError> {
        if !self.is_grouped() {
            return Ok(kept.iter().map(|&row| vec![row]).collect());
        }
        if self.group.is_empty() {
            return Ok(vec![kept.to_vec()]);
        }
        let places = self.group.iter().map(|column| relation.place(column)).collect::<Result<Vec<_>, _>>()?;
        let mut known: HashMap<Vec<String>, usize> = HashMap::new();
        let mut units: Vec<Vec<usize>> = Vec::new();
        for &row in kept {
            let key = places.iter().map(|&place| relation.cell(row, place).key()).collect();
            let unit = *known.entry(key).or_insert(units.len());
            match units.get_mut(unit) {
                Some(rows) => rows.push(row),
                None => units.push(vec![row]),
            }
        }
        Ok(units)
    }

    fn cells(&self, relation: &Relation, unit: &[usize]) -> Result<Vec<Value>, EvaluateError> {
        self.select.iter().map(|one| relation.value(unit, &one.expression)).collect()
    }

    /// What the answer is ordered by; a name may be an alias.
    fn keys(&self, relation: &Relation, unit: &[usize]) -> Result<Vec<Value>, EvaluateError> {
        let alias = |order: &Order| {
            let Expression::Column(Column { table: None, name }) = &order.expression else { return None };
            self.select.iter().find(|one| one.alias.as_deref() == Some(name)).map(|one| one.expression.clone())
        };
        let value = |order: &Order| relation.value(unit, &alias(order).unwrap_or_else(|| order.expression.clone()));
        self.order.iter().map(value).collect()
    }
}

fn find<'a>(tables: &'a [Table], name: &str) -> Result<&'a Table, EvaluateError> {
    let table = tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
    table.ok_or_else(|| EvaluateError::UnknownTable(name.to_owned()))
}

fn ordered(order: &[Order], one: &[Value], other: &[Value]) -> Ordering {
    let keys = order.iter().zip(one.iter().zip(other));
    keys.fold(Ordering::Equal, |so_far, (order, (one, other))| {
        so_far.then_with(|| if order.descending { other.sorted(one) } else { one.sorted(other) })
    })
}

/// Replaces queries in parentheses by their cells.
fn settle(condition: &Condition, tables: &[Table]) -> Result<Condition, EvaluateError> {
    let side = |expression: &Expression| match expression {
        Expression::Scalar(query) => {
            let answer = query.evaluate(tables)?;
            let mut cells = answer.rows.into_iter().flatten();
            match (cells.next(), cells.next()) {
                (Some(cell), None) => Ok(Expression::Literal(cell)),
                (None, _) => Ok(Expression::Literal(Value::Null)),
                _ => Err(EvaluateError::NotScalar),
            }
        }
        other => Ok(other.clone()),
    };
    Ok(match condition {
        Condition::Compare(left, comparison, right) => Condition::Compare(side(left)?, *comparison, side(right)?),
        Condition::And(one, other) => Condition::And(settle(one, tables)?.into(), settle(other, tables)?.into()),
        Condition::Or(one, other) => Condition::Or(settle(one, tables)?.into(), settle(other, tables)?.into()),
    })
}

fn matching(relation: &Relation, filter: &Condition) -> Result<Vec<usize>, EvaluateError> {
    let mut kept = Vec::new();
    for row in 0..relation.rows.len() {
        if holds(relation, &[row], filter)? {
            kept.push(row);
        }
    }
    Ok(kept)
}

fn holds(relation: &Relation, unit: &[usize], condition: &Condition) -> Result<bool, EvaluateError> {
    match condition {
        Condition::And(one, other) => Ok(holds(relation, unit, one)? && holds(relation, unit, other)?),
        Condition::Or(one, other) => Ok(holds(relation, unit, one)? || holds(relation, unit, other)?),
        Condition::Compare(left, comparison, right) => {
            let order = relation.value(unit, left)?.compare(&relation.value(unit, right)?);
            Ok(order.is_some_and(|order| match comparison {
                Comparison::Equal => order.is_eq(),
                Comparison::Unequal => order.is_ne(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
            }))
        }
    }
}

impl Relation {
    fn of(table: &Table) -> Self {
        let columns = table.columns.iter().map(|column| (table.name.clone(), column.clone())).collect();
        Self { columns, rows: table.rows.clone() }
    }

    fn place(&self, column: &Column) -> Result<usize, EvaluateError> {
        let fits = |(table, name): &(String, String)| {
            name.eq_ignore_ascii_case(&column.name)
                && column.table.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(table))
        };
        let mut places = self.columns.iter().enumerate().filter(|(_, one)| fits(one)).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (None, _) => Err(EvaluateError::UnknownColumn(column.to_string())),
            _ => Err(EvaluateError::Ambiguous(column.to_string())),
        }
    }

    fn cell(&self, row: usize, place: usize) -> &Value {
        self.rows.get(row).and_then(|row| row.get(place)).unwrap_or(&Value::Null)
    }

    /// Joins by a table of the right side's cells. Nulls meet nothing.
    fn join(self, join: &Join, table: &Table) -> Result<Self, EvaluateError> {
        let right = Self::of(table);
        let (own, theirs) = match (self.place(&join.left), right.place(&join.right)) {
            (Ok(own), Ok(theirs)) => (own, theirs),
            _ => (self.place(&join.right)?, right.place(&join.left)?),
        };
        let mut index: HashMap<String, Vec<&Vec<Value>>> = HashMap::new();
        for row in right.rows.iter().filter(|row| row.get(theirs) != Some(&Value::Null)) {
            index.entry(row.get(theirs).map(Value::key).unwrap_or_default()).or_default().push(row);
        }
        let meets = |row: &Vec<Value>| index.get(&row.get(own).map(Value::key).unwrap_or_default());
        let joined = self.rows.iter().filter(|row| row.get(own) != Some(&Value::Null)).flat_map(|row| {
            let others = meets(row).into_iter().flatten();
            others.map(|other| row.iter().chain(*other).cloned().collect()).collect::<Vec<_>>()
        });
        let rows = joined.collect();
        Ok(Self { columns: self.columns.into_iter().chain(right.columns).collect(), rows })
    }

    fn value(&self, unit: &[usize], expression: &Expression) -> Result<Value, EvaluateError> {
        match expression {
            Expression::Literal(value) => Ok(value.clone()),
            Expression::Column(column) => {
                let place = self.place(column)?;
                Ok(unit.first().map_or(Value::Null, |&row| self.cell(row, place).clone()))
            }
            Expression::Aggregate(_, None) => Ok(Value::Integer(unit.len() as i64)),
            Expression::Aggregate(aggregate, Some(column)) => self.aggregate(unit, *aggregate, column),
            Expression::Scalar(_) => Err(EvaluateError::NotScalar),
        }
    }

    fn aggregate(&self, unit: &[usize], aggregate: Aggregate, column: &Column) -> Result<Value, EvaluateError> {
        let place = self.place(column)?;
        let cells: Vec<&Value> =
            unit.iter().map(|&row| self.cell(row, place)).filter(|cell| **cell != Value::Null).collect();
        let extreme = |value: Option<&&Value>| value.map_or(Value::Null, |value| (*value).clone());
        Ok(match aggregate {
            Aggregate::Count => Value::Integer(cells.len() as i64),
            Aggregate::Largest => extreme(cells.iter().max_by(|one, other| one.sorted(other))),
            Aggregate::Smallest => extreme(cells.iter().min_by(|one, other| one.sorted(other))),
            Aggregate::Sum | Aggregate::Average if cells.is_empty() => Value::Null,
            Aggregate::Sum => total(&cells, column)?,
            Aggregate::Average => {
                let sum = total(&cells, column)?.number().unwrap_or_default();
                Value::Real(sum / cells.len() as f64)
            }
        })
    }
}

/// The sum of cells: whole as long as all are whole and it fits.
fn total(cells: &[&Value], column: &Column) -> Result<Value, EvaluateError> {
    let whole = cells.iter().try_fold(0_i64, |sum, cell| match cell {
        Value::Integer(number) => sum.checked_add(*number),
        _ => None,
    });
    if let Some(sum) = whole {
        return Ok(Value::Integer(sum));
    }
    let numbers = cells.iter().map(|cell| cell.number()).collect::<Option<Vec<f64>>>();
    numbers
        .map(|numbers| Value::Real(numbers.iter().sum()))
        .ok_or_else(|| EvaluateError::NotNumbers(column.to_string()))
}
