//! Clauses of a query.

use super::{ParseError, Parser, Token};
use crate::sql::{Compound, Condition, Expression, Join, JoinKind, Order, Query, Selected, SetOperation, Source};

impl Parser {
    pub(super) fn query(&mut self) -> Result<Query, ParseError> {
        let mut query = self.simple()?;
        while let Some(operation) = self.operation() {
            let compound = Compound { operation, query: self.simple()? };
            let mixed = query.compounds.iter().map(|one| one.operation).find(|one| *one != operation);
            if mixed.is_some_and(|one| [one, operation].contains(&SetOperation::Intersect)) {
                return Err(ParseError::new(
                    "INTERSECT beside UNION or EXCEPT is read differently by different dialects",
                ));
            }
            query.compounds.push(compound);
        }
        if self.takes("ORDER") {
            self.expect("BY")?;
            query.order = self.list(Self::order)?;
        }
        if self.takes("LIMIT") {
            query.limit = Some(self.whole_number()?);
        }
        if self.takes("OFFSET") {
            query.offset = self.whole_number()?;
        }
        Ok(query)
    }

    fn operation(&mut self) -> Option<SetOperation> {
        if self.takes("UNION") {
            return Some(if self.takes("ALL") { SetOperation::UnionAll } else { SetOperation::Union });
        }
        if self.takes("INTERSECT") {
            return Some(SetOperation::Intersect);
        }
        self.takes("EXCEPT").then_some(SetOperation::Except)
    }

    /// A query up to what combines it with another.
    fn simple(&mut self) -> Result<Query, ParseError> {
        self.expect("SELECT")?;
        let distinct = self.takes("DISTINCT");
        let select = self.list(Self::selected)?;
        self.expect("FROM")?;
        let mut query = Query { distinct, ..Query::of(self.source()?, select) };
        while let Some(kind) = self.join_kind()? {
            query.joins.push(self.join(kind)?);
        }
        if self.takes("WHERE") {
            query.filter = Some(self.row_condition("WHERE")?);
        }
        if self.takes("GROUP") {
            self.expect("BY")?;
            query.group = self.list(Self::group)?;
        }
        if self.takes("HAVING") {
            query.having = Some(self.condition()?);
        }
        Ok(query)
    }

    fn source(&mut self) -> Result<Source, ParseError> {
        if self.takes("(") {
            let query = self.inner_query()?;
            return Ok(Source::Query(query, self.alias()?));
        }
        let name = self.name()?;
        Ok(Source::Table(name, self.alias()?))
    }

    /// What joins the next table, if one follows.
    fn join_kind(&mut self) -> Result<Option<JoinKind>, ParseError> {
        if self.takes(",") {
            return Ok(Some(JoinKind::Cross));
        }
        let kind = if self.takes("CROSS") {
            JoinKind::Cross
        } else if self.takes("LEFT") {
            let _ = self.takes("OUTER");
            JoinKind::Left
        } else if self.takes("INNER") || self.sees("JOIN") {
            JoinKind::Inner
        } else {
            let refused = ["RIGHT", "FULL", "NATURAL"].into_iter().find(|word| self.sees(word));
            return refused.map_or(Ok(None), |word| Err(ParseError::new(format!("`{word} JOIN` is not read"))));
        };
        self.expect("JOIN")?;
        Ok(Some(kind))
    }

    fn join(&mut self, kind: JoinKind) -> Result<Join, ParseError> {
        let source = self.source()?;
        if kind == JoinKind::Cross {
            return Ok(Join { source, kind, on: None });
        }
        if self.sees("USING") {
            return Err(ParseError::new("`USING` is not read"));
        }
        self.expect("ON")?;
        Ok(Join { source, kind, on: Some(self.row_condition("ON")?) })
    }

    fn row_condition(&mut self, clause: &str) -> Result<Condition, ParseError> {
        let condition = self.condition()?;
        if condition.aggregates() {
            return Err(ParseError::new(format!("an aggregate stands in {clause}")));
        }
        Ok(condition)
    }

    fn group(&mut self) -> Result<Expression, ParseError> {
        let expression = self.expression()?;
        if expression.aggregates() {
            return Err(ParseError::new("an aggregate stands in GROUP BY"));
        }
        Ok(expression)
    }

    fn selected(&mut self) -> Result<Selected, ParseError> {
        if self.takes("*") {
            return Ok(Selected { expression: Expression::All(None), alias: None });
        }
        let ahead = |place: usize| self.tokens.get(self.next + place);
        if ahead(1) == Some(&Token::Sign(".")) && ahead(2) == Some(&Token::Sign("*")) {
            let table = self.name()?;
            self.next += 2;
            return Ok(Selected { expression: Expression::All(Some(table)), alias: None });
        }
        let expression = self.expression()?;
        Ok(Selected { expression, alias: self.alias()? })
    }

    fn order(&mut self) -> Result<Order, ParseError> {
        let expression = self.expression()?;
        let descending = self.takes("DESC");
        if !descending {
            let _ = self.takes("ASC");
        }
        Ok(Order { expression, descending })
    }

    fn whole_number(&mut self) -> Result<usize, ParseError> {
        let number = match self.peek() {
            Some(Token::Number(digits)) => digits.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.expected("a whole number"))?;
        self.next += 1;
        Ok(number)
    }
}
