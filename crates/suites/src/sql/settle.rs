//! Queries in parentheses, answered before the query around them.

use super::{Condition, EvaluateError, Expression, Order, Query, Selected, Set, Table};

impl Query {
    /// The query with the cells of those in parentheses in their place.
    pub(super) fn settled(&self, tables: &[Table]) -> Result<Self, EvaluateError> {
        let condition = |condition: &Option<Condition>| match condition {
            Some(condition) => condition.settled(tables).map(Some),
            None => Ok(None),
        };
        let mut settled = self.clone();
        settled.filter = condition(&self.filter)?;
        settled.having = condition(&self.having)?;
        for join in &mut settled.joins {
            join.on = condition(&join.on)?;
        }
        let select = self.select.iter().map(|one| {
            // The name is that of the query, not of its answer.
            let alias = one.alias.clone().or_else(|| one.expression.is_scalar().then(|| one.name()));
            Ok(Selected { expression: one.expression.settled(tables)?, alias })
        });
        settled.select = select.collect::<Result<_, _>>()?;
        settled.group = self.group.iter().map(|one| one.settled(tables)).collect::<Result<_, _>>()?;
        let order = |one: &Order| Ok(Order { expression: one.expression.settled(tables)?, ..one.clone() });
        settled.order = self.order.iter().map(order).collect::<Result<_, EvaluateError>>()?;
        Ok(settled)
    }
}

impl Expression {
    fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar(_))
    }

    fn settled(&self, tables: &[Table]) -> Result<Self, EvaluateError> {
        Ok(match self {
            Self::Scalar(query) => {
                let mut rows = query.evaluate(tables)?.rows.into_iter();
                match (rows.next().map(<[_; 1]>::try_from), rows.next()) {
                    (Some(Ok([cell])), None) => Self::Literal(cell),
                    (None, _) => Self::Literal(super::Value::Null),
                    _ => return Err(EvaluateError::NotScalar),
                }
            }
            Self::Arithmetic(one, operator, other) => {
                Self::Arithmetic(one.settled(tables)?.into(), *operator, other.settled(tables)?.into())
            }
            Self::Aggregate { aggregate, distinct, of: Some(of) } => {
                Self::Aggregate { aggregate: *aggregate, distinct: *distinct, of: Some(of.settled(tables)?.into()) }
            }
            other => other.clone(),
        })
    }
}

impl Condition {
    fn settled(&self, tables: &[Table]) -> Result<Self, EvaluateError> {
        Ok(match self {
            Self::Compare(one, comparison, other) => {
                Self::Compare(one.settled(tables)?, *comparison, other.settled(tables)?)
            }
            Self::Between(value, low, high) => {
                Self::Between(value.settled(tables)?, low.settled(tables)?, high.settled(tables)?)
            }
            Self::In(value, set) => Self::In(value.settled(tables)?, set.settled(tables)?),
            Self::Like { text, pattern, caseless } => {
                Self::Like { text: text.settled(tables)?, pattern: pattern.settled(tables)?, caseless: *caseless }
            }
            Self::IsNull(value) => Self::IsNull(value.settled(tables)?),
            Self::Not(inner) => Self::Not(inner.settled(tables)?.into()),
            Self::And(one, other) => Self::And(one.settled(tables)?.into(), other.settled(tables)?.into()),
            Self::Or(one, other) => Self::Or(one.settled(tables)?.into(), other.settled(tables)?.into()),
        })
    }
}

impl Set {
    fn settled(&self, tables: &[Table]) -> Result<Self, EvaluateError> {
        let list = match self {
            Self::List(list) => list.iter().map(|one| one.settled(tables)).collect::<Result<_, _>>()?,
            Self::Query(query) => {
                let cells = query.evaluate(tables)?.rows.into_iter().map(|row| match <[_; 1]>::try_from(row) {
                    Ok([cell]) => Ok(Expression::Literal(cell)),
                    Err(_) => Err(EvaluateError::NotOneColumn),
                });
                cells.collect::<Result<_, _>>()?
            }
        };
        Ok(Self::List(list))
    }
}
