//! Reading queries.

use super::lexer::{Token, tokens};
use super::{Aggregate, Column, Comparison, Condition, Expression, Join, Order, Query, Selected, Value};

/// A text that is no query of the subset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a query that can be answered here: {0}")]
pub struct ParseError(String);

impl ParseError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Nesting of parentheses that is read.
const MAX_DEPTH: u32 = 32;

/// Words that cannot be names.
const KEYWORDS: [&str; 18] = [
    "select", "from", "where", "group", "by", "having", "order", "limit", "inner", "join", "on", "and", "or", "as",
    "asc", "desc", "null", "distinct",
];

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// [`ParseError`] says what was expected or found.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
        let query = parser.query()?;
        match parser.peek() {
            None => Ok(query),
            Some(token) => Err(ParseError::new(format!("unexpected {token:?} after the query"))),
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(sign)) if *sign == wanted);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ParseError> {
        if self.word(wanted) || self.sign(wanted) { Ok(()) } else { Err(self.expected(&format!("`{wanted}`"))) }
    }

    fn expected(&self, what: &str) -> ParseError {
        match self.peek() {
            Some(token) => ParseError::new(format!("expected {what}, found {token:?}")),
            None => ParseError::new(format!("expected {what} at the end")),
        }
    }

    fn name(&mut self) -> Result<String, ParseError> {
        match self.peek() {
            Some(Token::Word(word)) if KEYWORDS.iter().all(|keyword| !word.eq_ignore_ascii_case(keyword)) => {
                let word = word.clone();
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.expected("a name")),
        }
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, ParseError>) -> Result<Vec<T>, ParseError> {
        let mut items = vec![item(self)?];
        while self.sign(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn query(&mut self) -> Result<Query, ParseError> {
        self.expect("SELECT")?;
        let select = self.list(Self::selected)?;
        self.expect("FROM")?;
        let mut query = Query::new(&self.name()?, select);
        while self.word("INNER") || matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("join"))
        {
            query.joins.push(self.join()?);
        }
        if self.word("WHERE") {
            query.filter = Some(self.condition()?);
        }
        if self.word("GROUP") {
            self.expect("BY")?;
            query.group = self.list(Self::column)?;
        }
        if self.word("HAVING") {
            query.having = Some(self.condition()?);
        }
        if self.word("ORDER") {
            self.expect("BY")?;
            query.order = self.list(Self::order)?;
        }
        if self.word("LIMIT") {
            query.limit = Some(self.limit()?);
        }
        Ok(query)
    }

    fn limit(&mut self) -> Result<usize, ParseError> {
        let limit = match self.peek() {
            Some(Token::Number(digits)) => digits.parse().ok(),
            _ => None,
        };
        let limit = limit.ok_or_else(|| self.expected("a whole number"))?;
        self.next += 1;
        Ok(limit)
    }

    fn join(&mut self) -> Result<Join, ParseError> {
        self.expect("JOIN")?;
        let table = self.name()?;
        self.expect("ON")?;
        let left = self.column()?;
        self.expect("=")?;
        Ok(Join { table, left, right: self.column()? })
    }

    fn selected(&mut self) -> Result<Selected, ParseError> {
        let expression = self.expression()?;
        let alias = if self.word("AS") { Some(self.name()?) } else { None };
        Ok(Selected { expression, alias })
    }

    fn order(&mut self) -> Result<Order, ParseError> {
        let expression = self.expression()?;
        let descending = self.word("DESC");
        if !descending {
            let _ = self.word("ASC");
        }
        Ok(Order { expression, descending })
    }

    fn column(&mut self) -> Result<Column, ParseError> {
        let first = self.name()?;
        if self.sign(".") { Ok(Column { table: Some(first), name: self.name()? }) } else { Ok(Column::named(&first)) }
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ParseError::new("nested too deeply"));
        }
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn condition(&mut self) -> Result<Condition, ParseError> {
        let mut condition = self.conjunction()?;
        while self.word("OR") {
            condition = Condition::Or(Box::new(condition), Box::new(self.conjunction()?));
        }
        Ok(condition)
    }

    fn conjunction(&mut self) -> Result<Condition, ParseError> {
        let mut condition = self.comparison()?;
        while self.word("AND") {
            condition = Condition::And(Box::new(condition), Box::new(self.comparison()?));
        }
        Ok(condition)
    }

    fn opens_query(&self) -> bool {
        matches!(self.tokens.get(self.next + 1), Some(Token::Word(word)) if word.eq_ignore_ascii_case("select"))
    }

    fn comparison(&mut self) -> Result<Condition, ParseError> {
        if matches!(self.peek(), Some(Token::Sign("("))) && !self.opens_query() {
            return self.nested(|parser| {
                parser.expect("(")?;
                let condition = parser.condition()?;
                parser.expect(")")?;
                Ok(condition)
            });
        }
        let left = self.expression()?;
        let sign = match self.peek() {
            Some(Token::Sign("!=")) => "<>",
            Some(Token::Sign(sign)) => sign,
            _ => "",
        };
        let comparison = Comparison::ALL.iter().find(|(_, written)| *written == sign);
        let (comparison, _) = comparison.ok_or_else(|| self.expected("a comparison"))?;
        self.next += 1;
        Ok(Condition::Compare(left, *comparison, self.expression()?))
    }

    fn expression(&mut self) -> Result<Expression, ParseError> {
        let literal = match self.peek() {
            Some(Token::Number(digits)) => Some(
                digits
                    .parse()
                    .map(Value::Integer)
                    .or_else(|_| digits.parse().map(Value::Real))
                    .map_err(|_: std::num::ParseFloatError| ParseError::new(format!("`{digits}` is no number")))?,
            ),
            Some(Token::Text(text)) => Some(Value::Text(text.clone())),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = literal {
            self.next += 1;
            return Ok(Expression::Literal(value));
        }
        if self.sign("(") {
            return self.nested(|parser| {
                let query = parser.query()?;
                parser.expect(")")?;
                Ok(Expression::Scalar(Box::new(query)))
            });
        }
        match self.aggregate()? {
            Some(aggregate) => Ok(aggregate),
            None => Ok(Expression::Column(self.column()?)),
        }
    }

    fn aggregate(&mut self) -> Result<Option<Expression>, ParseError> {
        let Some(Token::Word(word)) = self.peek() else { return Ok(None) };
        let known = Aggregate::ALL.iter().find(|(_, name)| word.eq_ignore_ascii_case(name));
        let Some((aggregate, _)) = known else { return Ok(None) };
        if !matches!(self.tokens.get(self.next + 1), Some(Token::Sign("("))) {
            return Ok(None);
        }
        self.next += 2;
        let column = if *aggregate == Aggregate::Count && self.sign("*") { None } else { Some(self.column()?) };
        self.expect(")")?;
        Ok(Some(Expression::Aggregate(*aggregate, column)))
    }
}
