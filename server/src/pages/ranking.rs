//! Rankings on a sample's page, and the documents behind them.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::suites::item::Item;
use longboard_app::suites::retrieval::{Content, Judged, Ranked, Rankings, picture_type, queries};
use longboard_app::{AppError, Longboard};
use serde::Deserialize;
use uuid::Uuid;

use crate::pages::page;
use crate::pages::sample::stretch;
use crate::refusal::PageError;

/// Places of a ranking that are shown, besides those of relevant documents.
const SHOWN: usize = 10;

/// Queries of an item that are shown.
const QUERIES: usize = 12;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/runs/{id}/samples/{number}/documents/{name}", get().to(document));
}

/// What one query found.
pub(super) struct RankingView {
    pub query: String,
    pub lines: Vec<RankedLine>,
}

/// A place of a ranking.
pub(super) struct RankedLine {
    pub place: usize,
    pub document: String,
    pub score: String,
    pub relevant: bool,
}

/// The rankings in an answer; none where it holds none.
pub(super) fn rankings(item: &Item, answer: &str) -> Vec<RankingView> {
    let Ok(read) = Rankings::read(answer, queries(item).count()) else { return Vec::new() };
    let judged = Judged::of(item);
    let views = queries(item).zip(&read.rankings).enumerate().take(QUERIES);
    views.map(|(number, (query, ranking))| view(query, ranking, judged.relevant.get(number))).collect()
}

fn view(query: &str, ranking: &[Ranked], relevant: Option<&BTreeMap<String, u32>>) -> RankingView {
    let lines = ranking.iter().enumerate().map(|(place, (document, score))| RankedLine {
        place: place + 1,
        relevant: relevant.is_some_and(|grades| grades.get(document).is_some_and(|grade| *grade > 0)),
        document: document.clone(),
        score: format!("{score:.4}"),
    });
    let lines = lines.filter(|line| line.place <= SHOWN || line.relevant).take(3 * SHOWN).collect();
    RankingView { query: query.chars().take(400).collect(), lines }
}

#[derive(Deserialize)]
struct Place {
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "runs/document.html")]
struct DocumentPage {
    run: Uuid,
    number: u32,
    name: String,
    text: String,
    page: usize,
    pages: usize,
}

/// A document that a sample searched, rebuilt: text in pages, a picture as it is.
async fn document(
    path: Path<(Uuid, u32, String)>,
    place: Query<Place>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, PageError> {
    let (run, number, name) = path.into_inner();
    let found = longboard.searched(run, number, &name).await?;
    let text = match found.ok_or_else(|| AppError::NotFound(format!("document {name} of this sample")))?.content {
        Content::Picture(bytes) => {
            let media = picture_type(&bytes).unwrap_or("application/octet-stream");
            return Ok(HttpResponse::Ok().content_type(media).body(bytes));
        }
        Content::Text(text) => text,
    };
    let (shown, pages, bytes) = stretch(&text, place.page.unwrap_or(1));
    let text = text.get(bytes).unwrap_or_default().to_owned();
    page(&DocumentPage { run, number, name, text, page: shown, pages })
}
