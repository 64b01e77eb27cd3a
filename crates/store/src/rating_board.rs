//! Boards of ratings, and the votes that came from elsewhere.

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};
use sea_orm::{IntoActiveModel, NotSet};

use crate::Store;
use crate::connection::micros;
pub use crate::entity::ballot::Model as Ballot;
pub use crate::entity::rating_board::Model as RatingBoard;
use crate::entity::{ballot, rating_board};
use crate::error::StoreError;

/// Rows of one insert.
const CHUNK: usize = 500;

impl Store {
    /// Makes a board of votes with all of them.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the slug is in use; nothing is stored then.
    pub async fn add_vote_board(&self, mut row: RatingBoard, ballots: Vec<Ballot>) -> Result<(), StoreError> {
        row.created_at = micros(row.created_at);
        let transaction = self.db.begin().await?;
        rating_board::Entity::insert(rating_board::ActiveModel::from(row))
            .exec_without_returning(&transaction)
            .await
            .map_err(|error| StoreError::taken(error, "this board's name"))?;
        let mut rows =
            ballots.into_iter().map(|ballot| ballot::ActiveModel { id: NotSet, ..ballot.into_active_model() });
        loop {
            let chunk: Vec<ballot::ActiveModel> = rows.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            ballot::Entity::insert_many(chunk).exec_without_returning(&transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Makes the board of a suite's judgings unless it exists, and raises its data version.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn touch_judged_board(&self, mut row: RatingBoard) -> Result<(), StoreError> {
        row.created_at = micros(row.created_at);
        let slug = row.slug.clone();
        rating_board::Entity::insert(rating_board::ActiveModel::from(row))
            .on_conflict(OnConflict::column(rating_board::Column::Slug).do_nothing().to_owned())
            .try_insert()
            .exec_without_returning(&self.db)
            .await?;
        self.raise_rating_version(&slug).await
    }

    /// The board shows other numbers from now on.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn raise_rating_version(&self, slug: &str) -> Result<(), StoreError> {
        rating_board::Entity::update_many()
            .col_expr(rating_board::Column::DataVersion, Expr::col(rating_board::Column::DataVersion).add(1))
            .filter(rating_board::Column::Slug.eq(slug))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// A board of ratings.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn rating_board(&self, slug: &str) -> Result<Option<RatingBoard>, StoreError> {
        Ok(rating_board::Entity::find_by_id(slug.to_owned()).one(&self.db).await?)
    }

    /// All boards of ratings, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn rating_boards(&self) -> Result<Vec<RatingBoard>, StoreError> {
        Ok(rating_board::Entity::find().order_by_desc(rating_board::Column::CreatedAt).all(&self.db).await?)
    }

    /// Votes of a board in the order of their file.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn ballots(&self, board: &str) -> Result<Vec<Ballot>, StoreError> {
        let found = ballot::Entity::find().filter(ballot::Column::BoardSlug.eq(board));
        Ok(found.order_by_asc(ballot::Column::Id).all(&self.db).await?)
    }
}
