//! Vote logs as CSV.

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::StatsError;
use crate::vote::{Ballot, VoteLog, Winner};

/// Why a file is no vote log.
#[derive(Debug, thiserror::Error)]
pub enum VoteFileError {
    /// A column is missing.
    #[error("column `{0}` is missing: the first line must name model_a, model_b and winner")]
    MissingColumn(&'static str),
    /// A column is there twice.
    #[error("column `{0}` is there twice: keep one")]
    RepeatedColumn(&'static str),
    /// A field has a value it may not have.
    #[error("line {line}, column `{column}`: `{value}` is not {wanted}")]
    Field {
        /// Line of the file, from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// The vote is no vote.
    #[error("line {line}: {source}")]
    Vote {
        /// Line of the file, from 1.
        line: u64,
        /// Why.
        source: StatsError,
    },
    /// Not readable, not CSV or not UTF-8.
    #[error("the file cannot be read as CSV in UTF-8: {0}")]
    Csv(#[from] csv::Error),
}

const WINNERS: &str = "one of model_a, model_b, tie, both_bad, tie (bothbad)";

#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    model_a: usize,
    model_b: usize,
    winner: usize,
    question: Option<usize>,
    judge: Option<usize>,
    weight: Option<usize>,
    order: Option<usize>,
    lengths: Option<[usize; 2]>,
}

/// Reads a log. Columns `model_a`, `model_b` and `winner` (`model_a`, `model_b`, `tie`, `both_bad`, `tie (bothbad)`) are
/// needed; `question` or `item`, `judge`, `weight`, `order` (`ab`: `model_a` was shown first, the default; `ba`) and
/// `len_a` with `len_b` are optional. Others are ignored.
///
/// # Errors
/// [`VoteFileError`] with line and column.
pub fn read(reader: impl std::io::Read) -> Result<VoteLog, VoteFileError> {
    let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
    let columns = columns(&mut reader)?;
    let mut log = VoteLog::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let ballot = ballot(&record, &columns, line)?;
        log.push(&ballot).map_err(|source| VoteFileError::Vote { line, source })?;
    }
    Ok(log)
}

fn columns(reader: &mut Reader<impl std::io::Read>) -> Result<Columns, VoteFileError> {
    let headers = reader.headers()?.clone();
    let find = |name: &'static str| {
        let mut places = headers.iter().enumerate().filter(|(place, header)| clean(*place, header) == name);
        let first = places.next().map(|(place, _)| place);
        if places.next().is_some() { Err(VoteFileError::RepeatedColumn(name)) } else { Ok(first) }
    };
    let need = |name| find(name)?.ok_or(VoteFileError::MissingColumn(name));
    let lengths = match (find("len_a")?, find("len_b")?) {
        (Some(a), Some(b)) => Some([a, b]),
        (None, None) => None,
        (Some(_), None) => return Err(VoteFileError::MissingColumn("len_b")),
        (None, Some(_)) => return Err(VoteFileError::MissingColumn("len_a")),
    };
    Ok(Columns {
        model_a: need("model_a")?,
        model_b: need("model_b")?,
        winner: need("winner")?,
        question: find("question")?.or(find("item")?),
        judge: find("judge")?,
        weight: find("weight")?,
        order: find("order")?,
        lengths,
    })
}

/// Spreadsheets put a byte-order mark before the first header.
fn clean(place: usize, header: &str) -> &str {
    if place == 0 { header.trim_start_matches('\u{feff}') } else { header }
}

fn ballot<'a>(record: &'a StringRecord, columns: &Columns, line: u64) -> Result<Ballot<'a>, VoteFileError> {
    let field = |place: usize| record.get(place).unwrap_or_default();
    let optional = |place: Option<usize>| place.map_or("", field);
    let wrong = |column, value: &str, wanted| VoteFileError::Field { line, column, value: value.to_owned(), wanted };
    let number = |column, place: usize| {
        let text = field(place);
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
        value.ok_or_else(|| wrong(column, text, "a number that is finite and not negative"))
    };
    for (column, place) in [("model_a", columns.model_a), ("model_b", columns.model_b)] {
        if field(place).is_empty() {
            return Err(wrong(column, "", "a model name"));
        }
    }
    let winner = match field(columns.winner) {
        "model_a" => Winner::First,
        "model_b" => Winner::Second,
        "tie" | "both_bad" | "tie (bothbad)" => Winner::Tie,
        other => return Err(wrong("winner", other, WINNERS)),
    };
    let lengths = match columns.lengths {
        Some([a, b]) if !(field(a).is_empty() && field(b).is_empty()) => {
            Some([number("len_a", a)?, number("len_b", b)?])
        }
        _ => None,
    };
    let weight = match columns.weight {
        Some(place) if !field(place).is_empty() => number("weight", place)?,
        _ => 1.0,
    };
    let ballot = Ballot {
        first: field(columns.model_a),
        second: field(columns.model_b),
        winner,
        question: optional(columns.question),
        judge: optional(columns.judge),
        weight,
        lengths,
    };
    match optional(columns.order) {
        "" | "ab" | "model_a" | "model_a_first" => Ok(ballot),
        "ba" | "model_b" | "model_b_first" => Ok(turned(&ballot)),
        other => Err(wrong("order", other, "ab (model_a was shown first) or ba")),
    }
}

fn turned<'a>(ballot: &Ballot<'a>) -> Ballot<'a> {
    Ballot {
        first: ballot.second,
        second: ballot.first,
        winner: ballot.winner.swapped(),
        lengths: ballot.lengths.map(|[a, b]| [b, a]),
        ..*ballot
    }
}
