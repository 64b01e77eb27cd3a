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
    /// A name in double quotes.
    Quoted(String),
    /// A name in backquotes or square brackets.
    Name(String),
    /// A sign.
    Sign(&'static str),
}

const SIGNS: [&str; 16] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "*", "+", "-", "/", "%"];

/// Words and signs of a query that is read.
const MAX_TOKENS: usize = 4096;

/// Whether a name needs no quotes.
pub(super) fn is_plain(name: &str) -> bool {
    let begins = |first: char| first.is_alphabetic() || first == '_';
    name.starts_with(begins) && name.chars().all(belongs)
}

fn belongs(scalar: char) -> bool {
    scalar.is_alphanumeric() || scalar == '_'
}

/// Splits the text of a query; a final semicolon is dropped.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut rest = text.trim().trim_end_matches(';').trim_end();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if first == '\'' {
            let (text, after) = quoted(rest, '\'')?;
            (Token::Text(text), after)
        } else if first == '"' {
            let (name, after) = quoted(rest, '"')?;
            (Token::Quoted(name), after)
        } else if first == '`' {
            let (name, after) = quoted(rest, '`')?;
            (Token::Name(name), after)
        } else if let Some(rest) = rest.strip_prefix('[') {
            let (name, after) =
                rest.split_once(']').ok_or_else(|| ParseError::new("a name in brackets does not end"))?;
            (Token::Name(name.to_owned()), after)
        } else if first.is_ascii_digit() {
            number(rest)?
        } else if first.is_alphabetic() || first == '_' {
            let (word, after) = run(rest, belongs);
            (Token::Word(word.to_owned()), after)
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| ParseError::new(format!("unexpected `{first}`")))?;
            (Token::Sign(sign), rest.strip_prefix(sign).unwrap_or_default())
        };
        tokens.push(token);
        if tokens.len() > MAX_TOKENS {
            return Err(ParseError::new(format!("it has more than {MAX_TOKENS} words and signs")));
        }
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|scalar| !belongs(scalar)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Digits with a point and an exponent, where they have them.
fn number(text: &str) -> Result<(Token, &str), ParseError> {
    let (body, mut after) = run(text, |scalar| scalar.is_ascii_digit() || scalar == '.');
    let mut written = body.to_owned();
    if let Some(exponent) = after.strip_prefix(['e', 'E']) {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let (digits, rest) = run(unsigned, |scalar| scalar.is_ascii_digit());
        if digits.is_empty() {
            return Err(ParseError::new(format!("`{body}` is followed by no exponent")));
        }
        written = format!("{body}e{}{digits}", if exponent.starts_with('-') { "-" } else { "" });
        after = rest;
    }
    Ok((Token::Number(written), after))
}

/// What stands in quotes; a doubled quote stands for one.
fn quoted(text: &str, quote: char) -> Result<(String, &str), ParseError> {
    let mut value = String::new();
    let mut rest = text.strip_prefix(quote).unwrap_or(text);
    loop {
        let (piece, after) = rest.split_once(quote).ok_or_else(|| ParseError::new("what is in quotes does not end"))?;
        value.push_str(piece);
        match after.strip_prefix(quote) {
            Some(further) => {
                value.push(quote);
                rest = further;
            }
            None => return Ok((value, after)),
        }
    }
}
