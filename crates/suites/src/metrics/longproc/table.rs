//! Tables in tab-separated values.

use std::collections::{HashMap, HashSet};

use super::super::infinitebench::normalise;
use super::super::python_text::strip;

/// Scores of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableScore {
    /// Harmonic mean of the other two: the number that is reported.
    pub f1: f64,
    /// Share of the answer's rows that are rows of the reference; a row given twice counts twice.
    pub precision: f64,
    /// Share of the reference's rows that the answer has.
    pub recall: f64,
    /// Whether the answer was a table of the reference's width with at least one row.
    pub extracted: bool,
}

impl TableScore {
    const UNREADABLE: Self = Self { f1: 0.0, precision: 0.0, recall: 0.0, extracted: false };

    fn new(precision: f64, recall: f64) -> Self {
        let sum = precision + recall;
        Self { f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 }, precision, recall, extracted: true }
    }
}

/// Official score of the table in an answer. Names of columns are not compared.
#[must_use]
pub fn html_to_tsv(answer: &str, reference: &str) -> TableScore {
    let Some((given, wanted)) = pair(answer, reference) else { return TableScore::UNREADABLE };
    let known: HashSet<&Row> = wanted.iter().collect();
    let said: HashSet<&Row> = given.iter().collect();
    let right = given.iter().filter(|row| known.contains(row)).count();
    let found = wanted.iter().filter(|row| said.contains(row)).count();
    TableScore::new(super::share(right, given.len()), super::share(found, wanted.len()))
}

/// F1 of rows as bags: a row said more often than the reference has it is wrong.
#[must_use]
pub fn html_to_tsv_strict(answer: &str, reference: &str) -> f64 {
    let Some((given, wanted)) = pair(answer, reference) else { return 0.0 };
    let mut left: HashMap<&Row, usize> = HashMap::new();
    for row in &wanted {
        *left.entry(row).or_default() += 1;
    }
    let mut same = 0;
    for row in &given {
        if let Some(count) = left.get_mut(row).filter(|count| **count > 0) {
            *count -= 1;
            same += 1;
        }
    }
    TableScore::new(super::share(same, given.len()), super::share(same, wanted.len())).f1
}

type Row = Vec<String>;

/// Both tables, of one width and not empty.
fn pair(answer: &str, reference: &str) -> Option<(Vec<Row>, Vec<Row>)> {
    let ((width, given), (wanted_width, wanted)) = (rows(fenced(answer))?, rows(reference)?);
    (width == wanted_width && !given.is_empty() && !wanted.is_empty()).then_some((given, wanted))
}

/// The text between the first opening and the last closing fence, or all behind an opening one, or everything.
fn fenced(answer: &str) -> &str {
    const OPEN: &str = "```tsv";
    let Some((_, inside)) = answer.split_once(OPEN) else { return answer };
    inside.rsplit_once("```").map_or(inside, |(inside, _)| inside)
}

/// Width of the header and the normalised rows under it. A last row of another width is left out, any other such row
/// reads as cells without a value. `None` without a row, or where the official reader stops.
fn rows(text: &str) -> Option<(usize, Vec<Row>)> {
    let mut rows = Reader::read(strip(text))?.into_iter();
    let header = rows.next()?;
    let (width, mut rows) = (header.len(), rows.collect::<Vec<_>>());
    // Two columns of one name make the official reader stop.
    if header.iter().collect::<HashSet<_>>().len() < width || rows.is_empty() {
        return None;
    }
    if rows.last().is_some_and(|row| row.len() != width) {
        rows.pop();
    }
    let cells = |row: Vec<String>| if row.len() == width { row } else { vec!["N/A".to_owned(); width] };
    let plain = |cell: &String| normalise(cell).replace(' ', "");
    Some((width, rows.into_iter().map(|row| cells(row).iter().map(plain).collect()).collect()))
}

/// Longest cell of Python's `csv`, in scalars.
const CELL: usize = 131_072;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    RowStart,
    CellStart,
    Cell,
    Quoted,
    QuoteInQuoted,
    LineEnd,
}

/// Python's `csv.reader` over lines without their line ends, tab as separator.
struct Reader {
    state: State,
    cell: String,
    length: usize,
    row: Row,
}

impl Reader {
    /// All rows; `None` where the official reader raises.
    fn read(text: &str) -> Option<Vec<Row>> {
        let mut reader = Self { state: State::RowStart, cell: String::new(), length: 0, row: Vec::new() };
        let mut rows = Vec::new();
        for line in text.split('\n') {
            for scalar in line.chars() {
                reader.take(scalar)?;
            }
            if reader.end_line() {
                rows.push(std::mem::take(&mut reader.row));
            }
        }
        if reader.state == State::Quoted {
            reader.end_cell();
            rows.push(reader.row);
        }
        Some(rows)
    }

    fn take(&mut self, scalar: char) -> Option<()> {
        let line_end = matches!(scalar, '\r' | '\n');
        match self.state {
            State::LineEnd if line_end => {}
            State::LineEnd => return None,
            State::RowStart if line_end => self.state = State::LineEnd,
            State::Quoted if scalar == '"' => self.state = State::QuoteInQuoted,
            State::Quoted => self.push(scalar)?,
            State::QuoteInQuoted if scalar == '"' => {
                self.push(scalar)?;
                self.state = State::Quoted;
            }
            State::RowStart | State::CellStart if scalar == '"' => self.state = State::Quoted,
            _ if line_end => {
                self.end_cell();
                self.state = State::LineEnd;
            }
            _ if scalar == '\t' => {
                self.end_cell();
                self.state = State::CellStart;
            }
            _ => {
                self.push(scalar)?;
                self.state = State::Cell;
            }
        }
        Some(())
    }

    /// Ends a line; whether the row is complete.
    fn end_line(&mut self) -> bool {
        match self.state {
            State::Quoted => return false,
            State::RowStart | State::LineEnd => {}
            State::CellStart | State::Cell | State::QuoteInQuoted => self.end_cell(),
        }
        self.state = State::RowStart;
        true
    }

    fn push(&mut self, scalar: char) -> Option<()> {
        self.cell.push(scalar);
        self.length += 1;
        (self.length <= CELL).then_some(())
    }

    fn end_cell(&mut self) {
        self.length = 0;
        self.row.push(std::mem::take(&mut self.cell));
    }
}
