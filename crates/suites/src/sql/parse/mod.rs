//! Reading queries.

mod clause;
mod piece;

use super::Query;
use super::lexer::{Token, tokens};

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
const KEYWORDS: [&str; 37] = [
    "select",
    "from",
    "where",
    "group",
    "by",
    "having",
    "order",
    "limit",
    "offset",
    "inner",
    "join",
    "on",
    "and",
    "or",
    "as",
    "asc",
    "desc",
    "null",
    "distinct",
    "not",
    "in",
    "like",
    "ilike",
    "between",
    "is",
    "union",
    "intersect",
    "except",
    "all",
    "left",
    "right",
    "full",
    "outer",
    "cross",
    "natural",
    "using",
    "escape",
];

/// Words of SQL that are refused where a value is expected.
const REFUSED: [&str; 3] = ["case", "exists", "cast"];

/// Whether a word cannot be a name.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) || is_refused(word)
}

fn is_refused(word: &str) -> bool {
    REFUSED.iter().any(|refused| word.eq_ignore_ascii_case(refused))
}

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

    fn sees(&self, wanted: &str) -> bool {
        match self.peek() {
            Some(Token::Word(word)) => word.eq_ignore_ascii_case(wanted),
            Some(Token::Sign(sign)) => *sign == wanted,
            _ => false,
        }
    }

    /// Steps over a word or sign if it stands here.
    fn takes(&mut self, wanted: &str) -> bool {
        let found = self.sees(wanted);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ParseError> {
        if self.takes(wanted) { Ok(()) } else { Err(self.expected(&format!("`{wanted}`"))) }
    }

    fn expected(&self, what: &str) -> ParseError {
        match self.peek() {
            Some(Token::Word(word)) if is_refused(word) => {
                ParseError::new(format!("`{}` is not read", word.to_uppercase()))
            }
            Some(token) => ParseError::new(format!("expected {what}, found {token:?}")),
            None => ParseError::new(format!("expected {what} at the end")),
        }
    }

    /// A name if one stands here.
    fn named(&mut self) -> Option<String> {
        let name = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => word.clone(),
            Some(Token::Name(name) | Token::Quoted(name)) => name.clone(),
            _ => return None,
        };
        self.next += 1;
        Some(name)
    }

    fn name(&mut self) -> Result<String, ParseError> {
        self.named().ok_or_else(|| self.expected("a name"))
    }

    /// The name that something is given, with or without `AS`.
    fn alias(&mut self) -> Result<Option<String>, ParseError> {
        if self.takes("AS") { self.name().map(Some) } else { Ok(self.named()) }
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, ParseError>) -> Result<Vec<T>, ParseError> {
        let mut items = vec![item(self)?];
        while self.takes(",") {
            items.push(item(self)?);
        }
        Ok(items)
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

    /// A query in parentheses, after the opening one.
    fn inner_query(&mut self) -> Result<Box<Query>, ParseError> {
        self.nested(|parser| {
            let query = parser.query()?;
            parser.expect(")")?;
            Ok(Box::new(query))
        })
    }
}
