//! A data file in pieces: its lines, the rows of a table, the elements of the one JSON array that it is, or the members of
//! the one JSON object, each as an object of its own. Never more than a piece is in memory.

use std::io::{self, BufRead};

/// Where a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number among the pieces, from 1: the line for lines.
    pub number: usize,
    /// Line on which it begins, from 1.
    pub line: usize,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A piece, now in the buffer.
    Piece(Place),
    /// A piece beyond the limit, which begins here.
    TooLong(Place),
    /// The file ends within its array.
    Open(Place),
    /// No more.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unknown,
    Lines,
    /// Lines whose quotes may hold line ends.
    Rows,
    Elements,
    /// An object of named records, not yet opened.
    Object,
    Members,
    /// After the array or object.
    Rest,
}

/// The pieces of a file.
pub(crate) struct Pieces<R> {
    reader: R,
    limit: usize,
    shape: Shape,
    number: usize,
    line: usize,
}

impl<R: BufRead> Pieces<R> {
    /// Pieces of at most `limit` bytes.
    pub fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, shape: Shape::Unknown, number: 0, line: 1 }
    }

    /// Rows of a CSV file.
    pub fn rows(reader: R, limit: usize) -> Self {
        Self { shape: Shape::Rows, ..Self::new(reader, limit) }
    }

    /// Members of the object that a file is.
    pub fn members(reader: R, limit: usize) -> Self {
        Self { shape: Shape::Object, ..Self::new(reader, limit) }
    }

    /// The reader, as far as it was read.
    pub fn into_reader(self) -> R {
        self.reader
    }

    /// Fills `buffer` with the next piece.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Next> {
        buffer.clear();
        if matches!(self.shape, Shape::Unknown | Shape::Object) {
            self.open()?;
        }
        match self.shape {
            Shape::Elements => self.element(buffer, b']'),
            Shape::Members => self.member(buffer),
            Shape::Rows => self.row(buffer),
            Shape::Unknown | Shape::Object | Shape::Lines | Shape::Rest => self.line(buffer),
        }
    }

    /// Whether the first character that is no blank opens an array, or the object that is expected.
    fn open(&mut self) -> io::Result<()> {
        let members = self.shape == Shape::Object;
        self.shape = Shape::Lines;
        while let Some(byte) = self.peek()? {
            match byte {
                b'[' => self.shape = Shape::Elements,
                b'{' if members => self.shape = Shape::Members,
                b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf => {
                    self.take(byte);
                    continue;
                }
                _ => {}
            }
            break;
        }
        if self.shape != Shape::Lines {
            self.take(b'[');
        }
        self.number = if self.shape == Shape::Lines { self.line - 1 } else { 0 };
        Ok(())
    }

    fn line(&mut self, buffer: &mut Vec<u8>) -> io::Result<Next> {
        let length = io::Read::take(&mut self.reader, self.limit as u64 + 1).read_until(b'\n', buffer)?;
        if length == 0 {
            return Ok(Next::End);
        }
        self.number += 1;
        let place = Place { number: self.number, line: self.line };
        self.line += 1;
        Ok(if length > self.limit { Next::TooLong(place) } else { Next::Piece(place) })
    }

    fn row(&mut self, buffer: &mut Vec<u8>) -> io::Result<Next> {
        let first = self.line;
        loop {
            let before = buffer.len();
            let room = (self.limit - before.min(self.limit)) as u64 + 1;
            let length = io::Read::take(&mut self.reader, room).read_until(b'\n', buffer)?;
            self.line += usize::from(length > 0);
            let place = Place { number: self.number + 1, line: first };
            if buffer.len() > self.limit {
                return Ok(Next::TooLong(place));
            }
            let quotes = buffer.iter().filter(|byte| **byte == b'"').count();
            match (length, quotes % 2) {
                (0, 1) => return Ok(Next::Open(place)),
                (0, _) if buffer.is_empty() => return Ok(Next::End),
                (_, 1) => {}
                _ => {
                    self.number += 1;
                    return Ok(Next::Piece(place));
                }
            }
        }
    }

    /// A member between braces of its own.
    fn member(&mut self, buffer: &mut Vec<u8>) -> io::Result<Next> {
        let next = self.element(buffer, b'}')?;
        if matches!(next, Next::Piece(_)) && !(self.shape == Shape::Rest && buffer.is_empty()) {
            buffer.insert(0, b'{');
            buffer.push(b'}');
        }
        Ok(next)
    }

    fn element(&mut self, buffer: &mut Vec<u8>, end: u8) -> io::Result<Next> {
        let mut place = Place { number: self.number + 1, line: self.line };
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        while let Some(byte) = self.peek()? {
            self.take(byte);
            if !quoted && depth == 0 && (byte == b',' || byte == end) {
                if byte == end {
                    self.shape = Shape::Rest;
                }
                if buffer.is_empty() && byte == end {
                    return if end == b'}' { Ok(Next::Piece(place)) } else { self.line(buffer) };
                }
                self.number += 1;
                return Ok(Next::Piece(place));
            }
            if buffer.is_empty() && byte.is_ascii_whitespace() {
                place.line = self.line;
                continue;
            }
            if buffer.len() == self.limit {
                return Ok(Next::TooLong(place));
            }
            buffer.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => depth += 1,
                b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(Next::Open(place))
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    fn take(&mut self, byte: u8) {
        self.reader.consume(1);
        self.line += usize::from(byte == b'\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn pieces(text: &str, limit: usize) -> (Vec<(usize, usize, String)>, Next) {
        let mut pieces = Pieces::new(text.as_bytes(), limit);
        let (mut found, mut buffer) = (Vec::new(), Vec::new());
        loop {
            match pieces.next(&mut buffer).unwrap() {
                Next::Piece(place) => {
                    found.push((place.number, place.line, String::from_utf8(buffer.clone()).unwrap()));
                }
                last => return (found, last),
            }
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        let (found, last) = pieces("\n{}\n\n{\"a\": [1]}", 100);
        let texts: Vec<(usize, &str)> = found.iter().map(|(number, _, text)| (*number, text.trim())).collect();
        assert_eq!((texts, last), (vec![(2, "{}"), (3, ""), (4, "{\"a\": [1]}")], Next::End));
    }

    #[test]
    fn an_array_falls_into_its_elements() {
        let (found, last) = pieces("\u{feff}[\n  {\"a\": \"],\\\"\"},\n  {\"b\":\n [1, {}]}\n]\n", 100);
        let expected = [(1, 2, "{\"a\": \"],\\\"\"}".to_owned()), (2, 3, "{\"b\":\n [1, {}]}\n".to_owned())];
        assert_eq!(found.iter().filter(|(.., text)| !text.trim().is_empty()).cloned().collect::<Vec<_>>(), expected);
        assert_eq!(last, Next::End);
        assert_eq!(pieces("[]", 100).1, Next::End);
    }

    #[test]
    fn a_quoted_cell_may_go_on_over_lines() {
        let text = "a,\"b\nc\",d\ne,\"f \"\"g\"\"\",h\n";
        let mut pieces = Pieces::rows(text.as_bytes(), 100);
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        while let Next::Piece(place) = pieces.next(&mut buffer).unwrap() {
            found.push((place.number, place.line, buffer.len()));
        }
        assert_eq!(found, [(1, 1, 10), (2, 3, 14)]);
        assert!(matches!(Pieces::rows(&b"\"a"[..], 100).next(&mut buffer).unwrap(), Next::Open(_)));
        assert!(matches!(Pieces::rows(&b"aaaaa"[..], 4).next(&mut buffer).unwrap(), Next::TooLong(_)));
    }

    #[test]
    fn an_object_falls_into_its_members() {
        let read = |text: &str| {
            let mut pieces = Pieces::members(text.as_bytes(), 100);
            let (mut found, mut buffer) = (Vec::new(), Vec::new());
            while let Next::Piece(place) = pieces.next(&mut buffer).unwrap() {
                found.push((place.line, String::from_utf8(buffer.clone()).unwrap()));
            }
            found.retain(|(_, text)| !text.trim().is_empty());
            (found, pieces.next(&mut buffer).unwrap())
        };
        let (found, last) = read("{\n \"a\": {\"x\": \"},\\\"\"},\n \"b\":\n [1, {}]\n}\n");
        assert_eq!(last, Next::End);
        let expected = [(2, "{\"a\": {\"x\": \"},\\\"\"}}"), (3, "{\"b\":\n [1, {}]\n}")];
        assert_eq!(found.iter().map(|(line, text)| (*line, text.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!(read("{}"), (Vec::new(), Next::End));
        assert_eq!(read("{} x").0, [(1, " x".to_owned())]);
        assert_eq!(read("[{\"a\": 1}]").0, [(1, "{\"a\": 1}".to_owned())], "a list of records as ever");
        let mut open = Pieces::members(&b"{\"a\": {"[..], 100);
        assert!(matches!(open.next(&mut Vec::new()).unwrap(), Next::Open(_)));
    }

    #[test]
    fn what_is_no_array_shows() {
        assert_eq!(pieces("[{\"a\": 1}, {\"b\"", 100).1, Next::Open(Place { number: 2, line: 1 }));
        assert_eq!(pieces("[{\"a\": 1}] x", 100).0.last().unwrap().2, " x");
        assert_eq!(pieces("[\"12345678\"]", 5).1, Next::TooLong(Place { number: 1, line: 1 }));
        assert_eq!(pieces("12345678\n", 5).1, Next::TooLong(Place { number: 1, line: 1 }));
        assert_eq!(pieces("[1,,2]", 100).0.len(), 3, "an empty element is a piece and no record");
    }

    proptest! {
        #[test]
        fn elements_are_what_the_array_holds(texts in proptest::collection::vec("\\PC{0,20}", 0..6), pretty: bool) {
            let list: Vec<Value> = texts.iter().map(|text| json!({ "text": text, "list": [text, {}] })).collect();
            let text = if pretty { serde_json::to_string_pretty(&list) } else { serde_json::to_string(&list) }.unwrap();
            let (found, last) = pieces(&text, 10_000);
            let read: Vec<Value> = found.iter().map(|(.., text)| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!((read, last), (list, Next::End));
        }
    }
}
