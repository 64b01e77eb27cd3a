//! A board as a page and as CSV. Rows are rendered once per edition; a request only puts them together.

use std::sync::Arc;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, VARY,
};
use actix_web::web::{Bytes, Data, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Utc;
use longboard_protocol::board::{Board, BoardRow, Cell, Columns};
use sha2::{Digest, Sha256};

use crate::charts::{spark, whisker};
use crate::form::Fields;
use crate::pages::board_view::{Filter, View};
use crate::pages::dial::DialView;
use crate::refusal::PageError;
use crate::shelf::{Body, Edition, RatingEdition, Shelf};

/// Samples per cell from which a forecast of more says nothing anybody would do.
const MANY: u64 = 10_000;

type Reply = Result<HttpResponse, PageError>;

/// What a board is asked for.
#[derive(Clone, Copy)]
enum Form {
    Html,
    Json,
    Csv,
}

impl Form {
    /// Slug and form of the last part of the path. One route instead of three: patterns cost more than anything else
    /// on this path.
    fn of(name: &str) -> (&str, Self) {
        match name.rsplit_once('.') {
            Some((slug, "json")) => (slug, Self::Json),
            Some((slug, "csv")) => (slug, Self::Csv),
            _ => (name, Self::Html),
        }
    }

    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        })
    }

    const fn kept(self, edition: &Edition) -> &Body {
        match self {
            Self::Html => &edition.html,
            Self::Json => &edition.json,
            Self::Csv => &edition.csv,
        }
    }
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/boards/{board}", get().to(board));
}

/// A board: of scores as `Board`; of ratings with rows, views, judges and calibration, each rating with interval and rank set.
#[utoipa::path(get, path = "/boards/{slug}.json", tag = "boards", security(()), params(("slug" = String, Path)),
    responses((status = 200, body = serde_json::Value), (status = 404, description = "no such board")))]
pub(crate) async fn board(request: HttpRequest, shelf: Data<Shelf>) -> Reply {
    let (slug, form) = Form::of(request.match_info().get("board").unwrap_or_default());
    if let Some(edition) = shelf.find_ratings(slug, Utc::now()).await? {
        return Ok(rated(&request, &edition, form));
    }
    let edition = shelf.find(slug, Utc::now()).await?;
    let view = match request.query_string() {
        "" => View::default(),
        query => View::of(&Fields::parse(query.as_bytes())),
    };
    if view == View::default() || matches!(form, Form::Json) {
        return Ok(kept(&request, &edition, form));
    }
    let body = match form {
        Form::Html => edition.table.page(&view).render().map_err(PageError::Template)?,
        Form::Json | Form::Csv => csv(&view.apply(&edition.board)),
    };
    let digest: String = hex::encode(Sha256::digest(view.query())).chars().take(12).collect();
    let etag = format!("\"{}-{digest}\"", edition.board.snapshot);
    let etag = HeaderValue::from_str(&etag).unwrap_or(edition.etag.clone());
    Ok(answer(&request, etag, form, false, Bytes::from(body)))
}

fn accepts(request: &HttpRequest, name: HeaderName, text: &[u8]) -> bool {
    let value = request.headers().get(name);
    value.is_some_and(|value| value.as_bytes().windows(text.len()).any(|part| part == text))
}

/// A body of the shelf.
fn kept(request: &HttpRequest, edition: &Edition, form: Form) -> HttpResponse {
    let gzip = accepts(request, ACCEPT_ENCODING, b"gzip");
    let body = form.kept(edition);
    let bytes = if gzip { &body.gzip } else { &body.plain };
    answer(request, edition.etag.clone(), form, gzip, bytes.clone())
}

/// A board of ratings, in the view of the query.
fn rated(request: &HttpRequest, edition: &RatingEdition, form: Form) -> HttpResponse {
    let gzip = accepts(request, ACCEPT_ENCODING, b"gzip");
    let fields = Fields::parse(request.query_string().as_bytes());
    let body = match form {
        Form::Html => edition.view(fields.text("view")),
        Form::Json => &edition.json,
        Form::Csv => &edition.csv,
    };
    let bytes = if gzip { &body.gzip } else { &body.plain };
    answer(request, edition.etag.clone(), form, gzip, bytes.clone())
}

fn answer(request: &HttpRequest, etag: HeaderValue, form: Form, gzip: bool, body: Bytes) -> HttpResponse {
    let known = accepts(request, IF_NONE_MATCH, etag.as_bytes());
    let mut response = if known { HttpResponse::NotModified().finish() } else { HttpResponse::Ok().body(body) };
    let headers = response.headers_mut();
    headers.insert(ETAG, etag);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(CONTENT_TYPE, form.content_type());
    if gzip && !known {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A board with its rows as HTML.
pub struct Table {
    board: Arc<Board>,
    description: String,
    /// In the board's order.
    rows: Vec<Arc<str>>,
    published_at: String,
}

/// A board.
#[derive(Template)]
#[template(path = "boards/board.html")]
pub struct BoardPage {
    board: Arc<Board>,
    description: String,
    headers: Vec<Header>,
    rows: Vec<Arc<str>>,
    filters: Vec<Filter>,
    narrowed: bool,
    filtered: bool,
    remarks: Vec<String>,
    csv: String,
    published_at: String,
    snapshot: String,
    by_task: bool,
    entries: usize,
    /// Entries that may be first.
    top: usize,
    critical: Option<String>,
    /// Of the whole board; empty where a view shows less.
    dials: Vec<DialView>,
}

struct Header {
    title: String,
    hint: String,
    link: String,
    sorted: &'static str,
    /// Task page.
    about: Option<String>,
}

#[derive(Template)]
#[template(path = "boards/row.html")]
struct RowHtml {
    /// May be first.
    top: bool,
    rank: String,
    rank_hint: String,
    entry: String,
    name: String,
    kind: String,
    team: String,
    flags: Vec<String>,
    run: Option<String>,
    score: String,
    interval: String,
    whiskers: String,
    reach: String,
    certified: Option<String>,
    next: Option<String>,
    other_means: String,
    spark: String,
    cells: Vec<Shown>,
    by_task: bool,
}

struct Shown {
    text: String,
    /// Tint from 0 to 10; absent without a score.
    tint: Option<u8>,
    hint: String,
}

impl Table {
    /// Renders the rows.
    ///
    /// # Errors
    /// When a template fails.
    pub fn new(board: Arc<Board>, description: &str) -> Result<Self, askama::Error> {
        Ok(Self {
            description: description.to_owned(),
            rows: rendered(&board)?,
            published_at: board.published_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            board,
        })
    }

    /// The board as it was published.
    #[must_use]
    pub fn published(&self) -> BoardPage {
        self.page(&View::default())
    }

    /// The page of a view.
    pub(crate) fn page(&self, view: &View) -> BoardPage {
        let (board, rows) = if view.narrows() {
            let board = Arc::new(view.apply(&self.board));
            let rows = rendered(&board).unwrap_or_default();
            (board, rows)
        } else {
            let order = view.order(&self.board);
            let rows = order.into_iter().filter_map(|row| self.rows.get(row).cloned()).collect();
            (Arc::clone(&self.board), rows)
        };
        BoardPage {
            headers: headers(&board, view),
            filters: view.filters(&self.board),
            narrowed: view.narrows(),
            filtered: view.filters_anything(),
            remarks: view.remarks(&self.board),
            csv: format!("/boards/{}.csv{}", board.slug, view.query()),
            description: self.description.clone(),
            published_at: self.published_at.clone(),
            snapshot: board.snapshot.chars().take(12).collect(),
            by_task: board.columns == Columns::Tasks,
            entries: self.board.rows.len(),
            top: board.rows.iter().filter(|row| may_be_first(row)).count(),
            critical: board.rank_critical.map(|critical| format!("{critical:.2}")),
            dials: board.dials.iter().filter(|_| !view.narrows()).map(DialView::of).collect(),
            rows,
            board,
        }
    }
}

fn rendered(board: &Board) -> Result<Vec<Arc<str>>, askama::Error> {
    board.rows.iter().map(|row| Ok(Arc::from(row_html(board, row).render()?))).collect()
}

/// Column titles with what explains them and, for tasks, their slugs.
fn columns(board: &Board) -> Vec<(String, String, Option<String>)> {
    match board.columns {
        Columns::Lengths => {
            board.lengths.iter().map(|length| (length.clone(), format!("{length} tokens, o200k_base"), None)).collect()
        }
        Columns::Tasks => {
            board.tasks.iter().map(|task| (task.title.clone(), task.metric.clone(), Some(task.slug.clone()))).collect()
        }
    }
}

fn headers(board: &Board, view: &View) -> Vec<Header> {
    let fixed = [("Model", "name"), ("Score", "score")];
    let fixed = fixed.map(|(title, key)| (title.to_owned(), key.to_owned(), String::new(), None));
    let own = columns(board).into_iter().map(|(title, hint, task)| {
        let key = task.clone().unwrap_or_else(|| title.clone());
        (title, key, hint, task)
    });
    let header = |(title, key, hint, task): (String, String, String, Option<String>)| Header {
        link: format!("/boards/{}{}", board.slug, view.sorted_by(&key).query()),
        sorted: view.direction(&key),
        about: task.map(|task| format!("/tasks/{task}")),
        title,
        hint,
    };
    fixed.into_iter().chain(own).map(header).collect()
}

fn cells<'a>(board: &'a Board, row: &'a BoardRow) -> Box<dyn Iterator<Item = Option<&'a Cell>> + 'a> {
    match board.columns {
        Columns::Lengths => Box::new(board.lengths.iter().map(|length| row.by_length.get(length))),
        Columns::Tasks => Box::new(board.tasks.iter().map(|task| row.by_task.get(&task.slug))),
    }
}

fn row_html(board: &Board, row: &BoardRow) -> RowHtml {
    let scores: Vec<Option<f64>> = cells(board, row).map(|cell| cell.and_then(|cell| cell.score)).collect();
    let by_task = board.columns == Columns::Tasks;
    RowHtml {
        top: may_be_first(row),
        rank: row.rank.map_or_else(
            || "–".to_owned(),
            |[best, worst]| if best == worst { best.to_string() } else { format!("{best}–{worst}") },
        ),
        rank_hint: rank_hint(row),
        entry: row.entry.clone(),
        name: row.name.clone(),
        kind: row.kind.clone(),
        team: row.team.clone(),
        flags: row.flags.clone(),
        run: row.run.clone(),
        score: number(row.score, 1),
        interval: row.ci95.map(|[low, high]| format!("{low:.1}–{high:.1}")).unwrap_or_default(),
        reach: row.effective_length.point.clone().unwrap_or_else(|| "–".to_owned()),
        certified: row
            .effective_length
            .point
            .is_some()
            .then(|| row.effective_length.certified.clone().unwrap_or_else(|| "none".to_owned())),
        next: row.effective_length.next.as_ref().and_then(|next| {
            let more = next.more_items.filter(|more| *more < MANY)?;
            Some(format!("{}: {more} more per cell", next.length))
        }),
        other_means: row
            .aggregates
            .map(|means| {
                let [increasing, decreasing, area] = [means.increasing, means.decreasing, means.area]
                    .map(|mean| format!("{:.1} ({:.1}–{:.1})", mean.score, mean.ci95[0], mean.ci95[1]));
                format!(
                    "Weighted to long lengths {increasing}, to short ones {decreasing}, area over log length {area}"
                )
            })
            .unwrap_or_default(),
        whiskers: row.score.zip(row.ci95).map(|(score, ci95)| whisker(score, ci95)).unwrap_or_default(),
        spark: if by_task { String::new() } else { spark(&scores) },
        cells: cells(board, row).map(|cell| shown(cell, board.columns)).collect(),
        by_task,
    }
}

fn may_be_first(row: &BoardRow) -> bool {
    row.rank.is_some_and(|[best, _]| best == 1)
}

/// What stands behind a rank, for those who ask.
fn rank_hint(row: &BoardRow) -> String {
    let Some(p_best) = row.p_best else { return String::new() };
    let next = match row.more_to_separate {
        Some(0) => "; certainly before the next entry".to_owned(),
        Some(more) if more < MANY => format!("; {more} more samples per cell would separate it from the next entry"),
        _ => String::new(),
    };
    format!("best in {:.1} % of draws{next}", 100.0 * p_best)
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
    for (title, ..) in columns(board) {
        text.push(',');
        text.push_str(&field(&title));
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
/// A field of a CSV file; one that a spreadsheet would compute is quoted.
pub(super) fn field(text: &str) -> String {
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
