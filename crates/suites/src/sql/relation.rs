//! Joined rows, and what can be read from them.

use std::collections::HashMap;

use super::{
    Aggregate, Column, Comparison, Condition, EvaluateError, Expression, Join, JoinKind, Operator, Selected, Table,
    Value,
};

/// Rows behind one row of the answer.
pub(super) type Unit<'a> = [&'a [Value]];

/// Pairs of rows that a join looks at, at most.
const MAX_PAIRS: usize = 1 << 20;

/// Rows of joined tables while a query is answered.
pub(super) struct Relation {
    /// The table and name of every column.
    pub(super) names: Vec<(String, String)>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// Names that an expression may use.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) names: &'a [(String, String)],
    /// What is selected: its names stand for it where no column has them.
    pub(super) selected: &'a [Selected],
}

impl Relation {
    /// The rows of a table under a name.
    pub(super) fn of(table: &Table, name: &str) -> Self {
        let names = table.columns.iter().map(|column| (name.to_owned(), column.clone())).collect();
        Self { names, rows: table.rows.clone() }
    }

    pub(super) fn scope<'a>(&'a self, selected: &'a [Selected]) -> Scope<'a> {
        Scope { names: &self.names, selected }
    }

    /// Joins `right`. `filter` is what the whole query asks of its rows: equalities in it narrow what is looked at.
    ///
    /// Where columns must be equal, only rows of the same key meet; nulls meet nothing.
    pub(super) fn join(self, join: &Join, right: Self, filter: &[&Condition]) -> Result<Self, EvaluateError> {
        let width = self.names.len();
        let blank = vec![Value::Null; right.names.len()];
        let names: Vec<_> = self.names.into_iter().chain(right.names).collect();
        let scope = Scope { names: &names, selected: &[] };
        let own = join.on.as_ref().map_or(Vec::new(), Condition::conjuncts);
        let helpful = if join.kind == JoinKind::Left { &[] } else { filter };
        let equal: Vec<_> = own.iter().chain(helpful).filter_map(|one| scope.equality(one, width)).collect();
        let key = |row: &[Value], side: fn(&(usize, usize)) -> usize| -> Option<Vec<String>> {
            let cells = equal.iter().map(|pair| row.get(side(pair)).filter(|cell| **cell != Value::Null));
            cells.map(|cell| cell.map(Value::key)).collect()
        };
        let mut index: HashMap<Vec<String>, Vec<&Vec<Value>>> = HashMap::new();
        for row in &right.rows {
            if let Some(key) = key(row, |pair| pair.1) {
                index.entry(key).or_default().push(row);
            }
        }
        let mut pairs = 0_usize;
        let mut rows = Vec::new();
        for left in &self.rows {
            let others = key(left, |pair| pair.0).and_then(|key| index.get(&key)).map_or(&[][..], Vec::as_slice);
            pairs = pairs.saturating_add(others.len());
            if pairs > MAX_PAIRS {
                return Err(EvaluateError::TooManyPairs(MAX_PAIRS));
            }
            let before = rows.len();
            for other in others {
                let row = [left.as_slice(), other.as_slice()].concat();
                if join.on.as_ref().map_or(Ok(true), |on| scope.holds(&[&row], on))? {
                    rows.push(row);
                }
            }
            if join.kind == JoinKind::Left && rows.len() == before {
                rows.push([left.as_slice(), &blank].concat());
            }
        }
        Ok(Self { names, rows })
    }
}

impl Scope<'_> {
    fn place(&self, column: &Column) -> Result<usize, EvaluateError> {
        let fits = |(table, name): &(String, String)| {
            name.eq_ignore_ascii_case(&column.name)
                && column.table.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(table))
        };
        let mut places = self.names.iter().enumerate().filter(|(_, one)| fits(one)).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (None, _) => Err(EvaluateError::UnknownColumn(column.to_string())),
            _ => Err(EvaluateError::Ambiguous(column.to_string())),
        }
    }

    /// Places, on the left and within the right side, of columns that the condition asks to be equal.
    fn equality(&self, condition: &Condition, width: usize) -> Option<(usize, usize)> {
        let Condition::Compare(Expression::Column(one), Comparison::Equal, Expression::Column(other)) = condition
        else {
            return None;
        };
        let (one, other) = (self.place(one).ok()?, self.place(other).ok()?);
        let (left, right) = (one.min(other), one.max(other));
        (left < width).then_some(())?;
        Some((left, right.checked_sub(width)?))
    }

    /// The value of an expression for the rows of `unit`.
    pub(super) fn value(&self, unit: &Unit<'_>, expression: &Expression) -> Result<Value, EvaluateError> {
        match expression {
            Expression::Literal(value) => Ok(value.clone()),
            Expression::Column(column) => self.column(unit, column),
            Expression::Quoted(name) => match self.column(unit, &Column::named(name)) {
                Err(EvaluateError::UnknownColumn(_)) => Ok(Value::Text(name.clone())),
                found => found,
            },
            Expression::Aggregate { of: None, .. } => Ok(Value::Integer(unit.len() as i64)),
            Expression::Aggregate { aggregate, distinct, of: Some(of) } => {
                self.aggregate(unit, *aggregate, *distinct, of)
            }
            Expression::Arithmetic(one, operator, other) => {
                let (left, right) = (self.value(unit, one)?, self.value(unit, other)?);
                let refuse = || EvaluateError::NotNumbers(expression.to_string());
                reckon(&left, *operator, &right).ok_or_else(refuse)
            }
            Expression::Scalar(_) => Err(EvaluateError::NotScalar),
            Expression::All(_) => Err(EvaluateError::UnknownColumn("*".to_owned())),
        }
    }

    fn column(&self, unit: &Unit<'_>, column: &Column) -> Result<Value, EvaluateError> {
        match self.place(column) {
            Ok(place) => Ok(unit.first().and_then(|row| row.get(place)).cloned().unwrap_or(Value::Null)),
            Err(error) => match self.selected_as(column) {
                Some(expression) => Scope { selected: &[], ..*self }.value(unit, expression),
                None => Err(error),
            },
        }
    }

    /// What is selected under a name.
    pub(super) fn selected_as(&self, column: &Column) -> Option<&Expression> {
        let named = |one: &&Selected| one.alias.as_ref().is_some_and(|alias| alias.eq_ignore_ascii_case(&column.name));
        self.selected.iter().find(|one| column.table.is_none() && named(one)).map(|one| &one.expression)
    }

    fn aggregate(
        &self,
        unit: &Unit<'_>,
        aggregate: Aggregate,
        distinct: bool,
        of: &Expression,
    ) -> Result<Value, EvaluateError> {
        if unit.is_empty() {
            // A name that is unknown is so without rows too.
            self.value(unit, of)?;
        }
        let mut cells = Vec::with_capacity(unit.len());
        for row in unit {
            cells.push(self.value(&[*row], of)?);
        }
        cells.retain(|cell| *cell != Value::Null);
        if distinct {
            let mut known = std::collections::HashSet::new();
            cells.retain(|cell| known.insert(cell.key()));
        }
        let refuse = || EvaluateError::NotNumbers(of.to_string());
        Ok(match aggregate {
            Aggregate::Count => Value::Integer(cells.len() as i64),
            Aggregate::Largest => cells.into_iter().max_by(Value::sorted).unwrap_or(Value::Null),
            Aggregate::Smallest => cells.into_iter().min_by(Value::sorted).unwrap_or(Value::Null),
            Aggregate::Sum | Aggregate::Average if cells.is_empty() => Value::Null,
            Aggregate::Sum => total(&cells).ok_or_else(refuse)?,
            Aggregate::Average => {
                let sum = total(&cells).and_then(|sum| sum.number()).ok_or_else(refuse)?;
                Value::Real(sum / cells.len() as f64)
            }
        })
    }
}

/// The sum of cells: whole as long as all are whole and it fits. `None` where one is no number.
fn total(cells: &[Value]) -> Option<Value> {
    let whole = cells.iter().try_fold(0_i64, |sum, cell| match cell {
        Value::Integer(number) => sum.checked_add(*number),
        _ => None,
    });
    whole.map(Value::Integer).or_else(|| {
        let numbers = cells.iter().map(Value::number).collect::<Option<Vec<f64>>>()?;
        Some(Value::Real(numbers.iter().sum()))
    })
}

/// Whole as long as both are whole and it fits, quotients aside. `None` where a side is a text.
fn reckon(one: &Value, operator: Operator, other: &Value) -> Option<Value> {
    if [one, other].contains(&&Value::Null) {
        return Some(Value::Null);
    }
    if let (Value::Integer(one), Value::Integer(other)) = (one, other) {
        let whole = match operator {
            Operator::Plus => one.checked_add(*other),
            Operator::Minus => one.checked_sub(*other),
            Operator::Times => one.checked_mul(*other),
            Operator::Modulo => one.checked_rem(*other),
            Operator::Over => None,
        };
        if let Some(whole) = whole {
            return Some(Value::Integer(whole));
        }
    }
    let (one, other) = (one.number()?, other.number()?);
    let result = match operator {
        Operator::Plus => one + other,
        Operator::Minus => one - other,
        Operator::Times => one * other,
        Operator::Over => one / other,
        Operator::Modulo => one % other,
    };
    Some(if result.is_finite() { Value::Real(result) } else { Value::Null })
}
