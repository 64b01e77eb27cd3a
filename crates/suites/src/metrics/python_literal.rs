//! `ast.literal_eval` without Python: whether a text is a literal, and what it holds.

use super::python_text::decimal;

/// A Python literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A string.
    Text(String),
    /// Bytes; their value is not kept.
    Bytes,
    /// A list or a tuple.
    List(Vec<Literal>),
    /// A dictionary in the order of its source; a repeated key stands as often as it is written.
    Dictionary(Vec<(Literal, Literal)>),
    /// A number as it is written.
    Number(String),
    /// A constant or a set; their value is not kept.
    Other,
}

impl Literal {
    /// The value that a dictionary ends up with under a text key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Literal> {
        let Self::Dictionary(pairs) = self else { return None };
        pairs.iter().rfind(|(name, _)| matches!(name, Self::Text(text) if text == key)).map(|(_, value)| value)
    }

    /// The text of a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Reads `source` as one literal; `None` where `ast.literal_eval` raises.
#[must_use]
pub fn literal(source: &str) -> Option<Literal> {
    if source.contains('\0') {
        return None;
    }
    let body = source.trim_start_matches([' ', '\t']);
    let mut reader = Reader { rest: body, brackets: 0, depth: 0 };
    let value = reader.tuple_or_value()?;
    reader.blank_lines();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    brackets: u32,
    depth: u32,
}

/// Nesting that CPython's parser refuses.
const MAX_DEPTH: u32 = 100;

impl<'a> Reader<'a> {
    /// Skips blanks and comments; newlines too inside brackets.
    fn blank(&mut self) {
        loop {
            let inside = self.brackets > 0;
            self.rest = self
                .rest
                .trim_start_matches(|c| matches!(c, ' ' | '\t' | '\x0c') || (inside && matches!(c, '\n' | '\r')));
            if let Some(next) = self.rest.strip_prefix("\\\n").or_else(|| self.rest.strip_prefix("\\\r\n")) {
                self.rest = next;
            } else if self.rest.starts_with('#') {
                self.rest = self.rest.find('\n').and_then(|at| self.rest.get(at..)).unwrap_or_default();
                if !inside {
                    return;
                }
            } else {
                return;
            }
        }
    }

    fn blank_lines(&mut self) {
        self.brackets += 1;
        self.blank();
        self.brackets -= 1;
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.blank();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.blank();
        self.rest.chars().next()
    }

    /// An unparenthesised tuple, or one value.
    fn tuple_or_value(&mut self) -> Option<Literal> {
        let first = self.value()?;
        if !self.eat(",") {
            return Some(first);
        }
        let mut values = vec![first];
        while !matches!(self.peek(), None | Some('\n' | '\r' | ')')) {
            values.push(self.value()?);
            if !self.eat(",") {
                break;
            }
        }
        Some(Literal::List(values))
    }

    fn value(&mut self) -> Option<Literal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = match self.peek()? {
            '(' => self.parenthesis(),
            '[' => self.list("[", "]"),
            '{' => self.braces(),
            '+' | '-' | '0'..='9' | '.' => self.number(),
            _ => self.strings().or_else(|| self.name()),
        };
        self.depth -= 1;
        value
    }

    fn open(&mut self, mark: &str) -> bool {
        let opened = self.eat(mark);
        self.brackets += u32::from(opened);
        opened
    }

    fn close(&mut self, mark: &str) -> Option<()> {
        let closed = self.eat(mark);
        self.brackets = self.brackets.saturating_sub(1);
        closed.then_some(())
    }

    fn parenthesis(&mut self) -> Option<Literal> {
        self.open("(");
        if self.peek() == Some(')') {
            self.close(")")?;
            return Some(Literal::List(Vec::new()));
        }
        let value = self.tuple_or_value()?;
        self.close(")")?;
        Some(value)
    }

    fn list(&mut self, open: &str, close: &str) -> Option<Literal> {
        self.open(open);
        let mut values = Vec::new();
        while self.peek().is_some_and(|next| !close.starts_with(next)) {
            values.push(self.value()?);
            if !self.eat(",") {
                break;
            }
        }
        self.close(close)?;
        Some(Literal::List(values))
    }

    fn braces(&mut self) -> Option<Literal> {
        self.open("{");
        let (mut kind, mut pairs) = (None, Vec::new());
        while self.peek().is_some_and(|next| next != '}') {
            let key = self.value()?;
            let pair = self.eat(":");
            if *kind.get_or_insert(pair) != pair {
                return None;
            }
            if pair {
                pairs.push((key, self.value()?));
            }
            if !self.eat(",") {
                break;
            }
        }
        self.close("}")?;
        Some(if kind == Some(false) { Literal::Other } else { Literal::Dictionary(pairs) })
    }

    fn name(&mut self) -> Option<Literal> {
        for name in ["None", "True", "False", "Ellipsis"] {
            if let Some(rest) = self.rest.strip_prefix(name)
                && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                && name != "Ellipsis"
            {
                self.rest = rest;
                return Some(Literal::Other);
            }
        }
        if self.eat("set") && self.open("(") {
            self.close(")")?;
            return Some(Literal::Other);
        }
        None
    }

    /// Signs, a number, and the two-part form of complex numbers.
    fn number(&mut self) -> Option<Literal> {
        let from = self.rest;
        while self.eat("+") || self.eat("-") {}
        if self.rest.starts_with("...") {
            self.rest = self.rest.strip_prefix("...").unwrap_or_default();
            return Some(Literal::Other);
        }
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_')).unwrap_or(self.rest.len());
        let (mut token, mut rest) = self.rest.split_at_checked(end)?;
        if token.ends_with(['e', 'E']) && !token.starts_with("0x") && rest.starts_with(['+', '-']) {
            let digits = rest.chars().skip(1).take_while(char::is_ascii_digit).count();
            let whole = self.rest.split_at_checked(end + 1 + digits)?;
            (token, rest) = whole;
        }
        is_number(token).then_some(())?;
        self.rest = rest;
        if matches!(self.peek(), Some('+' | '-')) {
            let complex = self.complex_tail();
            return complex.then_some(Literal::Other);
        }
        let written = from.get(..from.len() - rest.len()).unwrap_or_default();
        Some(Literal::Number(written.to_owned()))
    }

    fn complex_tail(&mut self) -> bool {
        let _ = self.eat("+") || self.eat("-");
        self.blank();
        let end =
            self.rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | 'e'))).unwrap_or(self.rest.len());
        let Some((token, rest)) = self.rest.split_at_checked(end) else { return false };
        let Some(rest) = rest.strip_prefix(['j', 'J']) else { return false };
        self.rest = rest;
        is_number(token)
    }

    /// One string literal or several side by side.
    fn strings(&mut self) -> Option<Literal> {
        let mut text = String::new();
        let mut kind = None;
        while let Some((prefix, rest)) = string_prefix(self.rest) {
            self.rest = rest;
            let bytes = prefix.contains(['b', 'B']);
            if *kind.get_or_insert(bytes) != bytes {
                return None;
            }
            self.string(prefix.contains(['r', 'R']), bytes, &mut text)?;
            self.blank();
        }
        kind.map(|bytes| if bytes { Literal::Bytes } else { Literal::Text(text) })
    }

    fn string(&mut self, raw: bool, bytes: bool, text: &mut String) -> Option<()> {
        let quote = self.rest.chars().next()?;
        let single: String = quote.into();
        let triple = single.repeat(3);
        let (end, multiline) = if self.rest.starts_with(&triple) { (triple, true) } else { (single, false) };
        self.rest = self.rest.strip_prefix(end.as_str())?;
        loop {
            if let Some(rest) = self.rest.strip_prefix(end.as_str()) {
                self.rest = rest;
                return Some(());
            }
            let scalar = self.next()?;
            if (matches!(scalar, '\n' | '\r') && !multiline) || (bytes && !scalar.is_ascii()) {
                return None;
            }
            match scalar {
                '\\' if raw => {
                    text.push('\\');
                    text.push(self.next()?);
                }
                '\\' => self.escape(bytes, text)?,
                '\r' => {
                    self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
                    text.push('\n');
                }
                other => text.push(other),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut scalars = self.rest.chars();
        let scalar = scalars.next()?;
        self.rest = scalars.as_str();
        Some(scalar)
    }

    fn escape(&mut self, bytes: bool, text: &mut String) -> Option<()> {
        let scalar = self.next()?;
        let plain = match scalar {
            '\n' => return Some(()),
            '\\' | '\'' | '"' => scalar,
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.hex(2)?,
            'u' if !bytes => self.hex(4)?,
            'U' if !bytes => self.hex(8)?,
            'N' if !bytes => return None,
            '0'..='7' => self.octal(scalar),
            other => {
                text.push('\\');
                other
            }
        };
        text.push(plain);
        Some(())
    }

    fn hex(&mut self, digits: usize) -> Option<char> {
        let (token, rest) = self.rest.split_at_checked(digits)?;
        let code =
            token.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(token, 16).ok())??;
        self.rest = rest;
        (code <= 0x0010_ffff).then(|| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn octal(&mut self, first: char) -> char {
        let mut code = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|next| next.to_digit(8)) else { break };
            code = code * 8 + digit;
            let _ = self.next();
        }
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

/// A string prefix without formatting; `f""` is no literal.
fn string_prefix(rest: &str) -> Option<(&str, &str)> {
    let end = rest.find(['"', '\''])?;
    let (prefix, tail) = rest.split_at_checked(end)?;
    let known = ["", "r", "u", "b", "br", "rb"].contains(&prefix.to_ascii_lowercase().as_str());
    known.then_some((prefix, tail))
}

fn is_number(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let digits = digits.strip_prefix('_').unwrap_or(digits);
            return is_run(digits, |c| c.is_digit(radix));
        }
    }
    let real = lower.strip_suffix('j');
    let float = real.is_some() || lower.contains(['.', 'e']);
    let body = real.unwrap_or(&lower);
    if !float {
        return is_run(body, |c| c.is_ascii_digit())
            && (!body.starts_with('0') || body.trim_matches(['0', '_']).is_empty());
    }
    let (mantissa, exponent) = body.split_once('e').map_or((body, None), |(m, e)| (m, Some(e)));
    let exponent_fine =
        exponent.is_none_or(|e| is_run(e.strip_prefix(['+', '-']).unwrap_or(e), |c| c.is_ascii_digit()));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let side = |text: &str| text.is_empty() || is_run(text, |c| c.is_ascii_digit());
    exponent_fine && side(whole) && side(part) && !(whole.is_empty() && part.is_empty())
}

/// Digits with single underscores between them.
fn is_run(text: &str, digit: impl Fn(char) -> bool) -> bool {
    !text.is_empty()
        && text.split('_').all(|group| !group.is_empty() && group.chars().all(&digit))
        && text.chars().all(|c| c == '_' || decimal(c).is_some() || c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_told_from_other_text() {
        let text = |value: &str| Some(Literal::Text(value.to_owned()));
        let texts = |values: &[&str]| values.iter().map(|value| Literal::Text((*value).to_owned())).collect();
        for (source, value) in [
            ("\"abc\"", text("abc")),
            ("  'abc' # x\n\n", text("abc")),
            ("'a' \"b\"", text("ab")),
            ("('a')", text("a")),
            ("r'\\n'", text("\\n")),
            ("'\\x41\\u0042\\103'", text("ABC")),
            ("'''a\nb'''", text("a\nb")),
            ("['a', 'b',]", Some(Literal::List(texts(&["a", "b"])))),
            ("'a',", Some(Literal::List(texts(&["a"])))),
            ("b'a'", Some(Literal::Bytes)),
            ("{'a': 1}", Some(Literal::Dictionary(vec![(Literal::Text("a".into()), Literal::Number("1".into()))]))),
            ("{1, 2}", Some(Literal::Other)),
            ("{}", Some(Literal::Dictionary(Vec::new()))),
            ("-1.5e3", Some(Literal::Number("-1.5e3".into()))),
            ("1+2j", Some(Literal::Other)),
            ("None", Some(Literal::Other)),
            ("", None),
            ("abc", None),
            ("12ab", None),
            ("007", None),
            ("'a", None),
            ("f'a'", None),
            ("'a' b'b'", None),
            ("'a\nb'", None),
            ("\n'a'", None),
            ("{'a': 1, 2}", None),
        ] {
            assert_eq!(literal(source), value, "{source:?}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_key_wins() {
        let read = literal("{'a': 'x', 'b': ['y'], 'a': 'z'}").unwrap();
        assert_eq!(read.get("a").and_then(Literal::text), Some("z"));
        assert_eq!(read.get("b"), Some(&Literal::List(vec![Literal::Text("y".into())])));
        assert_eq!(read.get("c"), None);
    }
}
