//! A board as a page and as CSV. Numbers are formatted once, when the page is built from the snapshot.

use actix_web::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use longboard_app::AppError;
use longboard_protocol::board::{Board, BoardRow, Cell, Columns};

use crate::refusal::PageError;
use crate::shelf::{Body, Edition, Shelf};

type Reply = Result<HttpResponse, PageError>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/boards/{slug}.json", get().to(board_json))
        .route("/boards/{slug}.csv", get().to(board_csv))
        .route("/boards/{slug}", get().to(board_page));
}

async fn board_page(request: HttpRequest, slug: Path<String>, shelf: Data<Shelf>) -> Reply {
    edition(&request, &slug, &shelf, "text/html; charset=utf-8", |edition| &edition.html)
}

async fn board_json(request: HttpRequest, slug: Path<String>, shelf: Data<Shelf>) -> Reply {
    edition(&request, &slug, &shelf, "application/json", |edition| &edition.json)
}

async fn board_csv(request: HttpRequest, slug: Path<String>, shelf: Data<Shelf>) -> Reply {
    edition(&request, &slug, &shelf, "text/csv; charset=utf-8", |edition| &edition.csv)
}

fn edition(
    request: &HttpRequest,
    slug: &str,
    shelf: &Shelf,
    content_type: &str,
    body: impl Fn(&Edition) -> &Body,
) -> Reply {
    let edition = shelf.get(slug).ok_or_else(|| AppError::NotFound(format!("board `{slug}`")))?;
    let wanted = |name, text: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(text))
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((ETAG, edition.etag.as_str()))
        .insert_header((CACHE_CONTROL, "public, no-cache"))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((header::CONTENT_TYPE, content_type));
    if wanted(IF_NONE_MATCH, &edition.etag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    if wanted(ACCEPT_ENCODING, "gzip") {
        return Ok(response.insert_header((CONTENT_ENCODING, "gzip")).body(body(&edition).gzip.clone()));
    }
    Ok(response.body(body(&edition).plain.clone()))
}

/// A board.
#[derive(Template)]
#[template(path = "boards/board.html")]
pub struct BoardPage {
    slug: String,
    title: String,
    description: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    notes: Vec<String>,
    published_at: String,
    snapshot: String,
    by_task: bool,
}

struct Column {
    title: String,
    hint: String,
}

struct Row {
    rank: String,
    name: String,
    kind: String,
    team: String,
    flags: String,
    score: String,
    interval: String,
    reach: String,
    certified: String,
    cells: Vec<Shown>,
}

struct Shown {
    text: String,
    /// Tint from 0 to 10; absent without a score.
    tint: Option<u8>,
    hint: String,
}

impl BoardPage {
    /// Formats a snapshot.
    #[must_use]
    pub fn new(board: &Board, description: &str) -> Self {
        Self {
            slug: board.slug.clone(),
            title: board.title.clone(),
            description: description.to_owned(),
            columns: columns(board),
            rows: board.rows.iter().map(|row| shown_row(board, row)).collect(),
            notes: board.notes.clone(),
            published_at: board.published_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            snapshot: board.snapshot.chars().take(12).collect(),
            by_task: board.columns == Columns::Tasks,
        }
    }
}

fn columns(board: &Board) -> Vec<Column> {
    match board.columns {
        Columns::Lengths => {
            let column =
                |length: &String| Column { title: length.clone(), hint: format!("{length} tokens, o200k_base") };
            board.lengths.iter().map(column).collect()
        }
        Columns::Tasks => {
            let column = |task: &longboard_protocol::board::BoardTask| Column {
                title: task.title.clone(),
                hint: task.metric.clone(),
            };
            board.tasks.iter().map(column).collect()
        }
    }
}

fn cells<'a>(board: &'a Board, row: &'a BoardRow) -> Box<dyn Iterator<Item = Option<&'a Cell>> + 'a> {
    match board.columns {
        Columns::Lengths => Box::new(board.lengths.iter().map(|length| row.by_length.get(length))),
        Columns::Tasks => Box::new(board.tasks.iter().map(|task| row.by_task.get(&task.slug))),
    }
}

fn shown_row(board: &Board, row: &BoardRow) -> Row {
    Row {
        rank: row.rank.map_or_else(
            || "–".to_owned(),
            |[best, worst]| if best == worst { best.to_string() } else { format!("{best}–{worst}") },
        ),
        name: row.name.clone(),
        kind: row.kind.clone(),
        team: row.team.clone(),
        flags: row.flags.join(", "),
        score: number(row.score, 1),
        interval: row.ci95.map(|[low, high]| format!("{low:.1}–{high:.1}")).unwrap_or_default(),
        reach: row.effective_length.point.clone().unwrap_or_else(|| "–".to_owned()),
        certified: row.effective_length.certified.clone().unwrap_or_else(|| "–".to_owned()),
        cells: cells(board, row).map(|cell| shown(cell, board.columns)).collect(),
    }
}

fn shown(cell: Option<&Cell>, columns: Columns) -> Shown {
    let decimals = if columns == Columns::Tasks { 2 } else { 1 };
    let Some(cell) = cell.filter(|cell| cell.n > 0) else {
        return Shown { text: "–".to_owned(), tint: None, hint: "no samples".to_owned() };
    };
    let interval = cell.ci95.map(|[low, high]| format!("95 % interval {low:.1} to {high:.1}, ")).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10")]
    let tint = cell.score.map(|score| (score / 10.0).round().clamp(0.0, 10.0) as u8);
    Shown {
        text: number(cell.score, decimals),
        tint,
        hint: format!("{interval}{} of {} samples", cell.n, cell.expected),
    }
}

/// A number, or a dash: an absent value is never 0.
fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"))
}

/// The table as CSV, scores in full precision.
#[must_use]
pub fn csv(board: &Board) -> String {
    let mut text = String::from(
        "entry,name,kind,team,rank_best,rank_worst,score,ci95_low,ci95_high,effective_length,certified_length",
    );
    for column in columns(board) {
        text.push(',');
        text.push_str(&field(&column.title));
    }
    text.push('\n');
    for row in &board.rows {
        let plain = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let rank = |pick: usize| {
            row.rank.and_then(|set| set.get(pick).copied()).map(|rank| rank.to_string()).unwrap_or_default()
        };
        let bound = |pick: usize| plain(row.ci95.and_then(|ci| ci.get(pick).copied()));
        let mut fields = vec![field(&row.entry), field(&row.name), field(&row.kind), field(&row.team)];
        fields.extend([rank(0), rank(1), plain(row.score), bound(0), bound(1)]);
        fields.extend(
            [&row.effective_length.point, &row.effective_length.certified]
                .map(|reach| reach.clone().unwrap_or_default()),
        );
        fields.extend(cells(board, row).map(|cell| plain(cell.and_then(|cell| cell.score))));
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// A quoted field. One that a spreadsheet would read as a formula gets an apostrophe in front.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if formula { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) || formula {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_sees_no_formula() {
        assert_eq!(field("=1+1"), "\"'=1+1\"");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("gpt4"), "gpt4");
    }

    #[test]
    fn an_absent_value_is_a_dash() {
        assert_eq!(number(None, 1), "–");
        assert_eq!(number(Some(0.0), 1), "0.0");
    }
}
