//! Words and signs of a query's text.

use super::ParseError;

/// A piece of a query's text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or keyword.
    Word(String),
    /// A number as written.
    Number(String),
    /// A quoted text without its quotes.
    Text(String),
    /// A sign.
    Sign(&'static str),
}

const SIGNS: [&str; 12] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "*"];

/// Splits the text of a query; a final semicolon is dropped.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut rest = text.trim().trim_end_matches(';').trim_end();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if first == '\'' {
            quoted(rest)?
        } else if first.is_ascii_digit() || first == '-' {
            number(rest)?
        } else if first.is_alphabetic() || first == '_' {
            let (word, after) = run(rest, |scalar| scalar.is_alphanumeric() || scalar == '_');
            (Token::Word(word.to_owned()), after)
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| ParseError::new(format!("unexpected `{first}`")))?;
            (Token::Sign(sign), rest.strip_prefix(sign).unwrap_or_default())
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|scalar| !belongs(scalar)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn number(text: &str) -> Result<(Token, &str), ParseError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (body, after) = run(digits, |scalar| scalar.is_ascii_digit() || scalar == '.');
    if !body.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(ParseError::new("expected a number after `-`"));
    }
    let sign = if digits.len() < text.len() { "-" } else { "" };
    Ok((Token::Number(format!("{sign}{body}")), after))
}

/// A text in single quotes; a doubled quote stands for one.
fn quoted(text: &str) -> Result<(Token, &str), ParseError> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'').unwrap_or(text);
    loop {
        let (piece, after) = rest.split_once('\'').ok_or_else(|| ParseError::new("a quoted text does not end"))?;
        value.push_str(piece);
        match after.strip_prefix('\'') {
            Some(further) => {
                value.push('\'');
                rest = further;
            }
            None => return Ok((Token::Text(value), after)),
        }
    }
}
