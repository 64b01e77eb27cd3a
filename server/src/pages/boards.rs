//! The list of boards.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig, get};
use askama::Template;
use longboard_app::rating::{RatingBoard, RatingRow};
use longboard_app::{Longboard, Suite};
use longboard_protocol::board::BoardRow;

use crate::pages::page;
use crate::refusal::PageError;
use crate::shelf::Shelf;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/", get().to(boards));
}

async fn boards(longboard: Data<Longboard>, shelf: Data<Shelf>) -> Result<HttpResponse, PageError> {
    page(&BoardsPage::new(&longboard.store().suites().await?, &shelf))
}

/// All boards.
#[derive(Template)]
#[template(path = "boards/list.html")]
pub struct BoardsPage {
    boards: Vec<Listed>,
    ratings: Vec<ListedRating>,
}

struct ListedRating {
    slug: String,
    title: String,
    first: Vec<Leader>,
    judged: bool,
    votes: usize,
    entries: usize,
}

struct Listed {
    slug: String,
    title: String,
    description: String,
    tasks: usize,
    lengths: String,
    entries: usize,
    /// The first three complete entries.
    first: Vec<Leader>,
}

struct Leader {
    entry: String,
    name: String,
    score: String,
}

impl BoardsPage {
    /// The boards in the order of suites.
    #[must_use]
    pub fn new(suites: &[Suite], shelf: &Shelf) -> Self {
        let listed = |suite: &Suite| Listed {
            slug: suite.slug.clone(),
            title: suite.title.clone(),
            description: suite.description.clone(),
            tasks: suite.tasks.0.len(),
            lengths: suite.lengths.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            entries: shelf.get(&suite.slug).map_or(0, |edition| edition.board.rows.len()),
            first: shelf.get(&suite.slug).map(|edition| leaders(&edition.board.rows)).unwrap_or_default(),
        };
        let ratings = shelf.all_ratings();
        let ratings = ratings.iter().map(|edition| listed_rating(&edition.board)).collect();
        Self { boards: suites.iter().map(listed).collect(), ratings }
    }
}

fn listed_rating(board: &RatingBoard) -> ListedRating {
    let leader = |row: &RatingRow| {
        Some(Leader { entry: row.entry.clone(), name: row.entry.clone(), score: format!("{:.0}", row.elo?) })
    };
    ListedRating {
        slug: board.slug.clone(),
        title: board.title.clone(),
        first: board.rows.iter().filter_map(leader).take(3).collect(),
        judged: board.suite.is_some(),
        votes: board.views.first().map_or(0, |view| view.rating.counts.votes),
        entries: board.rows.len(),
    }
}

fn leaders(rows: &[BoardRow]) -> Vec<Leader> {
    let leader = |row: &BoardRow| {
        Some(Leader { entry: row.entry.clone(), name: row.name.clone(), score: format!("{:.1}", row.score?) })
    };
    rows.iter().filter_map(leader).take(3).collect()
}
