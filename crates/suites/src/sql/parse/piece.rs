//! Expressions and conditions. Both may stand in parentheses, so that only what follows tells them apart.

use super::{ParseError, Parser, Token, is_keyword};
use crate::sql::{Aggregate, Column, Comparison, Condition, Expression, Operator, Set, Value};

/// What was read.
enum Piece {
    Value(Expression),
    Truth(Condition),
}

impl Piece {
    fn value(self) -> Result<Expression, ParseError> {
        match self {
            Self::Value(expression) => Ok(expression),
            Self::Truth(condition) => {
                Err(ParseError::new(format!("expected a value, found the condition {condition}")))
            }
        }
    }

    fn truth(self) -> Result<Condition, ParseError> {
        match self {
            Self::Truth(condition) => Ok(condition),
            Self::Value(expression) => Err(ParseError::new(format!("expected a comparison after {expression}"))),
        }
    }
}

impl Parser {
    pub(super) fn expression(&mut self) -> Result<Expression, ParseError> {
        self.sum()?.value()
    }

    pub(super) fn condition(&mut self) -> Result<Condition, ParseError> {
        let piece = self.disjunction()?;
        match (piece, self.peek()) {
            (Piece::Value(expression), None) => {
                Err(ParseError::new(format!("expected a comparison after {expression} at the end")))
            }
            (piece, _) => piece.truth(),
        }
    }

    fn disjunction(&mut self) -> Result<Piece, ParseError> {
        let mut piece = self.conjunction()?;
        while self.takes("OR") {
            piece = Piece::Truth(Condition::Or(piece.truth()?.into(), self.conjunction()?.truth()?.into()));
        }
        Ok(piece)
    }

    fn conjunction(&mut self) -> Result<Piece, ParseError> {
        let mut piece = self.negation()?;
        while self.takes("AND") {
            piece = Piece::Truth(Condition::And(piece.truth()?.into(), self.negation()?.truth()?.into()));
        }
        Ok(piece)
    }

    fn negation(&mut self) -> Result<Piece, ParseError> {
        if !self.takes("NOT") {
            return self.predicate();
        }
        let inner = self.nested(Self::negation)?.truth()?;
        Ok(Piece::Truth(Condition::Not(inner.into())))
    }

    fn predicate(&mut self) -> Result<Piece, ParseError> {
        let piece = self.sum()?;
        if self.takes("IS") {
            let not = self.takes("NOT");
            self.expect("NULL")?;
            return Ok(negated(not, Condition::IsNull(piece.value()?)));
        }
        let not = self.takes("NOT");
        if self.takes("IN") {
            return Ok(negated(not, Condition::In(piece.value()?, self.set()?)));
        }
        if self.takes("BETWEEN") {
            let low = self.expression()?;
            self.expect("AND")?;
            return Ok(negated(not, Condition::Between(piece.value()?, low, self.expression()?)));
        }
        let caseless = self.sees("ILIKE");
        if self.takes("LIKE") || self.takes("ILIKE") {
            let (text, pattern) = (piece.value()?, self.expression()?);
            if self.sees("ESCAPE") {
                return Err(ParseError::new("`ESCAPE` is not read"));
            }
            return Ok(negated(not, Condition::Like { text, pattern, caseless }));
        }
        if not {
            return Err(self.expected("`IN`, `BETWEEN` or `LIKE` after `NOT`"));
        }
        match self.comparison() {
            Some(comparison) => Ok(Piece::Truth(Condition::Compare(piece.value()?, comparison, self.expression()?))),
            None => Ok(piece),
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let sign = match self.peek() {
            Some(Token::Sign("!=")) => "<>",
            Some(Token::Sign(sign)) => sign,
            _ => return None,
        };
        let (comparison, _) = Comparison::ALL.into_iter().find(|(_, written)| *written == sign)?;
        self.next += 1;
        Some(comparison)
    }

    fn set(&mut self) -> Result<Set, ParseError> {
        self.expect("(")?;
        if self.sees("SELECT") {
            return Ok(Set::Query(self.inner_query()?));
        }
        let list = self.list(Self::expression)?;
        self.expect(")")?;
        Ok(Set::List(list))
    }

    fn sum(&mut self) -> Result<Piece, ParseError> {
        let mut piece = self.product()?;
        while let Some(operator) = self.operator(true) {
            let other = self.product()?.value()?;
            piece = Piece::Value(Expression::Arithmetic(piece.value()?.into(), operator, other.into()));
        }
        Ok(piece)
    }

    fn product(&mut self) -> Result<Piece, ParseError> {
        let mut piece = self.primary()?;
        while let Some(operator) = self.operator(false) {
            let other = self.primary()?.value()?;
            piece = Piece::Value(Expression::Arithmetic(piece.value()?.into(), operator, other.into()));
        }
        Ok(piece)
    }

    fn operator(&mut self, sum: bool) -> Option<Operator> {
        let Some(Token::Sign(sign)) = self.peek() else { return None };
        let (operator, _) = Operator::ALL.into_iter().find(|(one, written)| written == sign && one.is_sum() == sum)?;
        self.next += 1;
        Some(operator)
    }

    fn primary(&mut self) -> Result<Piece, ParseError> {
        if self.takes("(") {
            if self.sees("SELECT") {
                return Ok(Piece::Value(Expression::Scalar(self.inner_query()?)));
            }
            return self.nested(|parser| {
                let piece = parser.disjunction()?;
                parser.expect(")")?;
                Ok(piece)
            });
        }
        if let Some(value) = self.literal()? {
            return Ok(Piece::Value(Expression::Literal(value)));
        }
        if let Some(aggregate) = self.aggregate()? {
            return Ok(Piece::Value(aggregate));
        }
        self.column().map(Piece::Value)
    }

    fn literal(&mut self) -> Result<Option<Value>, ParseError> {
        let minus = self.takes("-");
        let value = match self.peek() {
            Some(Token::Number(digits)) => {
                let written = if minus { format!("-{digits}") } else { digits.clone() };
                let real = || written.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Real);
                let number = written.parse().ok().map(Value::Integer).or_else(real);
                number.ok_or_else(|| ParseError::new(format!("`{written}` is no number")))?
            }
            _ if minus => return Err(self.expected("a number after `-`")),
            Some(Token::Text(text)) => Value::Text(text.clone()),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Value::Null,
            _ => return Ok(None),
        };
        self.next += 1;
        Ok(Some(value))
    }

    fn aggregate(&mut self) -> Result<Option<Expression>, ParseError> {
        let (Some(Token::Word(word)), Some(Token::Sign("("))) = (self.peek(), self.tokens.get(self.next + 1)) else {
            return Ok(None);
        };
        if is_keyword(word) {
            return Ok(None);
        }
        let known = Aggregate::ALL.iter().find(|(_, name)| word.eq_ignore_ascii_case(name));
        let (aggregate, _) =
            *known.ok_or_else(|| ParseError::new(format!("the function `{}` is not read", word.to_uppercase())))?;
        self.next += 2;
        if aggregate == Aggregate::Count && self.takes("*") {
            self.expect(")")?;
            return Ok(Some(Expression::count()));
        }
        let distinct = self.takes("DISTINCT");
        let of = self.nested(Self::expression)?;
        if of.aggregates() {
            return Err(ParseError::new("an aggregate stands within an aggregate"));
        }
        self.expect(")")?;
        Ok(Some(Expression::Aggregate { aggregate, distinct, of: Some(of.into()) }))
    }

    fn column(&mut self) -> Result<Expression, ParseError> {
        let quoted = matches!(self.peek(), Some(Token::Quoted(_)));
        let first = self.name()?;
        Ok(if self.takes(".") {
            Expression::Column(Column { table: Some(first), name: self.name()? })
        } else if quoted {
            Expression::Quoted(first)
        } else {
            Expression::Column(Column::named(&first))
        })
    }
}

fn negated(not: bool, condition: Condition) -> Piece {
    Piece::Truth(if not { Condition::Not(condition.into()) } else { condition })
}
