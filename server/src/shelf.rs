//! The shelf of published boards: every body rendered and compressed once per data version, served from memory.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use askama::Template;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use longboard_app::publish::current_board;
use longboard_app::rating::{RatingBoard, current_rating_board};
use longboard_app::{AppError, Store};
use longboard_protocol::board::{Board, BoardRow};

use crate::pages::board::{Table, csv};
use crate::pages::rating::{self, RatingPage};

/// How often the shelf asks whether data changed: one small query.
const REFRESH: Duration = Duration::from_secs(1);

/// A body with its compressed form.
pub struct Body {
    /// As it is.
    pub plain: Bytes,
    /// gzip, level 9.
    pub gzip: Bytes,
}

impl Body {
    fn new(text: String) -> std::io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes())?;
        Ok(Self { gzip: Bytes::from(encoder.finish()?), plain: Bytes::from(text) })
    }
}

/// A published board, ready to send.
pub struct Edition {
    /// Data version it shows.
    pub data_version: i64,
    /// Strong ETag: the digest of the content.
    pub etag: HeaderValue,
    /// Title, for the list of boards.
    pub title: String,
    /// The content, for other pages.
    pub board: Arc<Board>,
    /// The content, for views of the page.
    pub table: Table,
    /// The page.
    pub html: Body,
    /// The page's data.
    pub json: Body,
    /// The table.
    pub csv: Body,
}

/// A published board of ratings, ready to send.
pub struct RatingEdition {
    /// Data version it shows.
    data_version: i64,
    /// Strong ETag: the digest of the content.
    pub etag: HeaderValue,
    /// The content, for other pages.
    pub board: Arc<RatingBoard>,
    /// A page per view, the headline's first.
    pages: Vec<(String, Body)>,
    /// The page's data.
    pub json: Body,
    /// The tables.
    pub csv: Body,
}

impl RatingEdition {
    fn new(board: RatingBoard, data_version: i64) -> anyhow::Result<Self> {
        let board = Arc::new(board);
        let mut slugs = vec![board.headline.clone()];
        slugs.extend(board.views.iter().map(|view| view.slug.clone()).filter(|slug| *slug != board.headline));
        let page = |slug: String| Ok((slug.clone(), Body::new(RatingPage::new(Arc::clone(&board), &slug).render()?)?));
        Ok(Self {
            data_version,
            etag: HeaderValue::from_str(&format!("\"{}\"", board.snapshot))?,
            pages: slugs.into_iter().map(page).collect::<anyhow::Result<_>>()?,
            json: Body::new(serde_json::to_string(&*board)?)?,
            csv: Body::new(rating::csv(&board))?,
            board,
        })
    }

    /// The page of a view; the headline's where there is no such view.
    #[must_use]
    pub fn view(&self, slug: &str) -> &Body {
        let own = self.pages.iter().find(|(known, _)| known == slug).or_else(|| self.pages.first());
        own.map_or(&self.json, |(_, body)| body)
    }
}

/// All published boards.
pub struct Shelf {
    store: Store,
    editions: RwLock<HashMap<String, Arc<Edition>>>,
    ratings: RwLock<BTreeMap<String, Arc<RatingEdition>>>,
}

impl Shelf {
    /// An empty shelf.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, editions: RwLock::default(), ratings: RwLock::default() }
    }

    /// A board by slug.
    #[must_use]
    pub fn get(&self, slug: &str) -> Option<Arc<Edition>> {
        self.editions.read().unwrap_or_else(PoisonError::into_inner).get(slug).cloned()
    }

    /// A board of ratings by slug.
    #[must_use]
    pub fn ratings(&self, slug: &str) -> Option<Arc<RatingEdition>> {
        self.ratings.read().unwrap_or_else(PoisonError::into_inner).get(slug).cloned()
    }

    /// A board of ratings by slug, also one that was added a moment ago.
    ///
    /// # Errors
    /// [`AppError`] when the store does not answer.
    pub async fn find_ratings(&self, slug: &str, now: DateTime<Utc>) -> Result<Option<Arc<RatingEdition>>, AppError> {
        if let Some(edition) = self.ratings(slug) {
            return Ok(Some(edition));
        }
        if self.get(slug).is_none() && self.store.rating_board(slug).await?.is_some() {
            self.refresh_ratings(now).await?;
        }
        Ok(self.ratings(slug))
    }

    /// All boards of ratings by slug.
    #[must_use]
    pub fn all_ratings(&self) -> Vec<Arc<RatingEdition>> {
        self.ratings.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// A board by slug, also one that was added a moment ago.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn find(&self, slug: &str, now: DateTime<Utc>) -> Result<Arc<Edition>, AppError> {
        if let Some(edition) = self.get(slug) {
            return Ok(edition);
        }
        if self.store.suite(slug).await?.is_some() {
            self.refresh(now).await?;
        }
        self.get(slug).ok_or_else(|| AppError::NotFound(format!("board `{slug}`")))
    }

    /// The rows of a model on all boards, by board.
    #[must_use]
    pub fn rows(&self, model: &str) -> Vec<(Arc<Edition>, BoardRow)> {
        let editions = self.editions.read().unwrap_or_else(PoisonError::into_inner);
        let row = |edition: &Arc<Edition>| {
            let row = edition.board.rows.iter().find(|row| row.entry == model)?;
            Some((Arc::clone(edition), row.clone()))
        };
        let mut rows: Vec<_> = editions.values().filter_map(row).collect();
        rows.sort_by(|left, right| left.0.board.slug.cmp(&right.0.board.slug));
        rows
    }

    /// Replaces the editions whose data changed.
    ///
    /// # Errors
    /// [`AppError`] when the store does not answer; the old editions stay.
    pub async fn refresh(&self, now: DateTime<Utc>) -> Result<(), AppError> {
        for suite in self.store.suites().await? {
            if self.get(&suite.slug).is_some_and(|edition| edition.data_version == suite.data_version) {
                continue;
            }
            let (board, data_version) = current_board(&self.store, &suite.slug, now).await?;
            let edition = edition(board, &suite.description, data_version)
                .map_err(|error| AppError::Invalid(format!("board `{}` cannot be rendered: {error}", suite.slug)))?;
            let mut editions = self.editions.write().unwrap_or_else(PoisonError::into_inner);
            editions.insert(suite.slug, Arc::new(edition));
        }
        self.refresh_ratings(now).await
    }

    async fn refresh_ratings(&self, now: DateTime<Utc>) -> Result<(), AppError> {
        for row in self.store.rating_boards().await? {
            if self.ratings(&row.slug).is_some_and(|edition| edition.data_version == row.data_version) {
                continue;
            }
            let (board, data_version) = current_rating_board(&self.store, &row.slug, now).await?;
            let edition = RatingEdition::new(board, data_version)
                .map_err(|error| AppError::Invalid(format!("board `{}` cannot be rendered: {error}", row.slug)))?;
            let mut ratings = self.ratings.write().unwrap_or_else(PoisonError::into_inner);
            ratings.insert(row.slug, Arc::new(edition));
        }
        Ok(())
    }

    /// Refreshes until it is dropped. A failure is logged and tried again.
    pub async fn keep_fresh(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(REFRESH);
        loop {
            ticks.tick().await;
            if let Err(error) = self.refresh(Utc::now()).await {
                tracing::warn!(%error, "boards could not be refreshed");
            }
        }
    }
}

fn edition(board: Board, description: &str, data_version: i64) -> anyhow::Result<Edition> {
    let board = Arc::new(board);
    let table = Table::new(Arc::clone(&board), description)?;
    Ok(Edition {
        data_version,
        etag: HeaderValue::from_str(&format!("\"{}\"", board.snapshot))?,
        title: board.title.clone(),
        html: Body::new(table.published().render()?)?,
        json: Body::new(serde_json::to_string(&board)?)?,
        csv: Body::new(csv(&board))?,
        table,
        board,
    })
}
