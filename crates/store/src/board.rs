//! What boards are computed from, and their published snapshots.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_protocol::board::Board;
use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::Store;
use crate::connection::micros;
pub use crate::entity::snapshot::Model as Snapshot;
use crate::entity::{answer, snapshot};
use crate::error::StoreError;

/// Sufficient statistics of one (run, task, length).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellSums {
    /// Sum of scores; an absent score counts as 0.
    pub sum: f64,
    /// Sum of squared scores.
    pub sum_of_squares: f64,
    /// Whether every score is 0 or 1.
    pub binary: bool,
    /// Samples per outcome slug.
    pub outcomes: BTreeMap<String, u32>,
    /// Samples from whose prompt something was cut.
    pub cut: u32,
    /// Sum of their scores.
    pub cut_sum: f64,
}

/// What was cut from the prompts of one (task, length), official records only.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct CutCell {
    /// Task.
    pub task_slug: String,
    /// Window.
    pub length_tokens: i32,
    /// Samples.
    pub n: i64,
    /// Samples from which something was cut.
    pub cut: i64,
    /// Canonical tokens cut, all samples together.
    pub removed: i64,
    /// Sum of the share of evidence left over the samples that say where it stands, and their number.
    pub evidence_left: Option<f64>,
    /// Samples that say where the evidence stands.
    pub evidence_n: i64,
    /// Sum of the scores of samples that are whole, 0..1 each.
    pub whole_sum: Option<f64>,
}

/// Key of a cell: run, task slug, length in tokens.
pub type CellKey = (Uuid, String, i32);

/// Mean score at one depth and length.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthCell {
    /// Requested depth.
    pub depth_percent: i32,
    /// Bucket.
    pub length_tokens: i32,
    /// 0..1.
    pub score: f64,
    /// Samples.
    pub n: i64,
}

impl Store {
    /// Statistics of runs by task and length.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn cells(&self, runs: &[Uuid]) -> Result<BTreeMap<CellKey, CellSums>, StoreError> {
        type Row = (Uuid, String, i32, String, i64, f64, f64, i64, i64, f64);
        let score = || Expr::expr(Func::coalesce([Expr::col(answer::Column::Score), Expr::value(0.0)]));
        let between = Expr::case(score().gt(0.0).and(score().lt(1.0)), 1).finally(0);
        let cut = || answer::Column::TokensRemoved.gt(0);
        let rows: Vec<Row> = answer::Entity::find()
            .select_only()
            .columns([
                answer::Column::RunId,
                answer::Column::TaskSlug,
                answer::Column::LengthTokens,
                answer::Column::Outcome,
            ])
            .column_as(answer::Column::Id.count(), "n")
            .column_as(score().sum(), "total")
            .column_as(score().mul(score()).sum(), "squares")
            .column_as(Expr::expr(between).sum(), "between")
            .column_as(Expr::expr(Expr::case(cut(), 1).finally(0)).sum(), "cut")
            .column_as(Expr::expr(Expr::case(cut(), score()).finally(0.0)).sum(), "cut_total")
            .filter(answer::Column::RunId.is_in(runs.iter().copied()))
            .group_by(answer::Column::RunId)
            .group_by(answer::Column::TaskSlug)
            .group_by(answer::Column::LengthTokens)
            .group_by(answer::Column::Outcome)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut cells: BTreeMap<CellKey, CellSums> = BTreeMap::new();
        for (run, task, length, outcome, n, sum, squares, between, cut, cut_sum) in rows {
            let fresh = CellSums { binary: true, ..CellSums::default() };
            let cell = cells.entry((run, task, length)).or_insert(fresh);
            cell.sum += sum;
            cell.sum_of_squares += squares;
            cell.binary &= between == 0;
            cell.cut += u32::try_from(cut).unwrap_or(u32::MAX);
            cell.cut_sum += cut_sum;
            cell.outcomes.insert(outcome, u32::try_from(n).unwrap_or(u32::MAX));
        }
        Ok(cells)
    }

    /// What was cut from the prompts of a run, by task and window; empty where its items are generated.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn cuts(&self, run: Uuid) -> Result<Vec<CutCell>, StoreError> {
        let removed = || Expr::col(answer::Column::TokensRemoved);
        let score = Expr::expr(Func::coalesce([Expr::col(answer::Column::Score), Expr::value(0.0)]));
        let whole = Expr::case(removed().eq(0), score).finally(0.0);
        let found = answer::Entity::find()
            .select_only()
            .columns([answer::Column::TaskSlug, answer::Column::LengthTokens])
            .column_as(answer::Column::Id.count(), "n")
            .column_as(Expr::expr(Expr::case(removed().gt(0), 1).finally(0)).sum(), "cut")
            .column_as(answer::Column::TokensRemoved.sum(), "removed")
            .column_as(answer::Column::EvidenceLeft.sum(), "evidence_left")
            .column_as(answer::Column::EvidenceLeft.count(), "evidence_n")
            .column_as(Expr::expr(whole).sum(), "whole_sum")
            .filter(answer::Column::RunId.eq(run))
            .filter(answer::Column::TokensRemoved.is_not_null())
            .group_by(answer::Column::TaskSlug)
            .group_by(answer::Column::LengthTokens)
            .order_by_asc(answer::Column::TaskSlug)
            .order_by_asc(answer::Column::LengthTokens);
        Ok(found.into_model::<CutCell>().all(&self.db).await?)
    }

    /// Mean scores of a run by depth and length, where the task sweeps depth.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn depth_cells(&self, run: Uuid) -> Result<Vec<DepthCell>, StoreError> {
        let score = Expr::expr(Func::coalesce([Expr::col(answer::Column::Score), Expr::value(0.0)]));
        let rows: Vec<(i32, i32, f64, i64)> = answer::Entity::find()
            .select_only()
            .columns([answer::Column::DepthPercent, answer::Column::LengthTokens])
            .column_as(score.sum(), "total")
            .column_as(answer::Column::Id.count(), "n")
            .filter(answer::Column::RunId.eq(run))
            .filter(answer::Column::DepthPercent.is_not_null())
            .group_by(answer::Column::DepthPercent)
            .group_by(answer::Column::LengthTokens)
            .into_tuple()
            .all(&self.db)
            .await?;
        #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
        let cell = |(depth_percent, length_tokens, total, n): (i32, i32, f64, i64)| DepthCell {
            depth_percent,
            length_tokens,
            score: total / Ord::max(n, 1) as f64,
            n,
        };
        Ok(rows.into_iter().map(cell).collect())
    }

    /// Stores a snapshot. The same content is stored once.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the board cannot be written as JSON.
    pub async fn add_snapshot(&self, board: &Board, data_version: i64) -> Result<(), StoreError> {
        self.add_snapshot_of(&board.slug, &board.snapshot, board.published_at, board, data_version).await
    }

    /// [`Store::add_snapshot`] for a board of any kind.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the board cannot be written as JSON.
    pub async fn add_snapshot_of(
        &self,
        slug: &str,
        digest: &str,
        published_at: DateTime<Utc>,
        board: &impl Serialize,
        data_version: i64,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_string(board).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let row = snapshot::ActiveModel {
            board_slug: Set(slug.to_owned()),
            digest: Set(digest.to_owned()),
            data_version: Set(data_version),
            published_at: Set(micros(published_at)),
            body: Set(body),
        };
        let key = [snapshot::Column::BoardSlug, snapshot::Column::Digest];
        let update = [snapshot::Column::DataVersion, snapshot::Column::PublishedAt, snapshot::Column::Body];
        snapshot::Entity::insert(row)
            .on_conflict(OnConflict::columns(key).update_columns(update).to_owned())
            .exec_without_returning(&self.db)
            .await?;
        Ok(())
    }

    /// The newest snapshot of a board with its data version.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be read.
    pub async fn latest_snapshot(&self, board: &str) -> Result<Option<(Board, i64)>, StoreError> {
        self.latest_snapshot_of(board).await
    }

    /// [`Store::latest_snapshot`] of a board of any kind.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be read.
    pub async fn latest_snapshot_of<T: DeserializeOwned>(&self, board: &str) -> Result<Option<(T, i64)>, StoreError> {
        let found = snapshot::Entity::find().filter(snapshot::Column::BoardSlug.eq(board));
        let newest = found.order_by_desc(snapshot::Column::PublishedAt).one(&self.db).await?;
        newest.map(|row| Ok((read(&row.body)?, row.data_version))).transpose()
    }

    /// When each snapshot of a board was published, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn snapshots(&self, board: &str) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        Ok(snapshot::Entity::find()
            .select_only()
            .columns([snapshot::Column::Digest, snapshot::Column::PublishedAt])
            .filter(snapshot::Column::BoardSlug.eq(board))
            .order_by_desc(snapshot::Column::PublishedAt)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// A snapshot by digest.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be read.
    pub async fn snapshot(&self, board: &str, digest: &str) -> Result<Option<Board>, StoreError> {
        let key = (board.to_owned(), digest.to_owned());
        let row = snapshot::Entity::find_by_id(key).one(&self.db).await?;
        row.map(|row| read(&row.body)).transpose()
    }
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(format!("snapshot: {error}")))
}
