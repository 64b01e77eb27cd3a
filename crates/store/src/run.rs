//! Runs: a suite against an endpoint.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_suites::suite::Slice;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set,
    TransactionTrait,
};
use uuid::Uuid;

use crate::Store;
use crate::answer::{Answer, insert as insert_answers};
use crate::connection::micros;
use crate::entity::kind::{LengthList, RunState, ShardKind, ShardState, TaskVersions};
pub use crate::entity::run::Model as Run;
pub use crate::entity::run_event::Model as RunEvent;
use crate::entity::{answer, run, run_event, shard, team};
use crate::error::StoreError;
use crate::queue::new_shard;

/// Rows of one insert: well below SQLite's bound on variables.
const CHUNK: usize = 200;

/// A run to be.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Endpoint.
    pub endpoint_id: Uuid,
    /// Team.
    pub team_id: Uuid,
    /// Suite.
    pub suite_slug: String,
    /// Season seed.
    pub seed: i64,
    /// Samples per (task, length).
    pub samples: i32,
    /// Frozen task versions in order.
    pub tasks: TaskVersions,
    /// Buckets, short to long.
    pub lengths: LengthList,
    /// Whether it may stand on the board.
    pub counts: bool,
    /// Who submits it.
    pub submitted_by: String,
    /// Label its workers must have; empty for none.
    pub requires: String,
    /// Tasks whose shards need another label, by slug.
    pub task_requires: BTreeMap<String, String>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Stored answers.
    pub done: i64,
    /// Samples in all.
    pub total: i64,
}

impl Store {
    /// Stores a run with all its shards, unless its team has `open_limit` open runs.
    ///
    /// # Errors
    /// [`StoreError::OverQuota`], or [`StoreError::NotFound`] without the team.
    pub async fn submit_run(
        &self,
        new: NewRun,
        slices: &[Slice],
        open_limit: u64,
        now: DateTime<Utc>,
    ) -> Result<Run, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        lock_team(&transaction, new.team_id, now).await?;
        let open = run::Entity::find()
            .filter(run::Column::TeamId.eq(new.team_id))
            .filter(run::Column::State.eq(RunState::Open))
            .count(&transaction)
            .await?;
        if open >= open_limit {
            return Err(StoreError::OverQuota(format!(
                "the team has {open} open runs, the limit is {open_limit}; wait for one or cancel one"
            )));
        }
        let id = Uuid::now_v7();
        let (requires, task_requires) = (new.requires.clone(), new.task_requires.clone());
        let requires = |slice: &Slice| task_requires.get(&slice.task).unwrap_or(&requires).clone();
        let run = run::Entity::insert(run_row(id, new, slices, now)).exec_with_returning(&transaction).await?;
        let shards: Vec<shard::ActiveModel> =
            (0..).zip(slices).map(|(position, slice)| run_shard(&run, slice, position, requires(slice), now)).collect();
        for chunk in shards.chunks(CHUNK) {
            shard::Entity::insert_many(chunk.to_vec()).exec_without_returning(&transaction).await?;
        }
        event(&transaction, id, "submitted", &format!("by {}", run.submitted_by), now).await?;
        transaction.commit().await?;
        Ok(run)
    }

    /// Stores a run that came as prediction files with its answers: closed at once, without shards.
    ///
    /// # Errors
    /// [`StoreError::Database`]: nothing is stored.
    pub async fn add_imported_run(
        &self,
        new: NewRun,
        answers: Vec<Answer>,
        now: DateTime<Utc>,
    ) -> Result<Run, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let total = i32::try_from(answers.len()).unwrap_or(i32::MAX);
        let row = run::ActiveModel {
            total: Set(total),
            state: Set(RunState::Done),
            started_at: Set(Some(now)),
            closed_at: Set(Some(now)),
            ..run_row(Uuid::now_v7(), new, &[], now)
        };
        let run = run::Entity::insert(row).exec_with_returning(&transaction).await?;
        let answers = answers.into_iter().map(|answer| Answer { run_id: run.id, ..answer }).collect();
        insert_answers(&transaction, answers).await?;
        event(&transaction, run.id, "imported", &format!("{total} answers by {}", run.submitted_by), now).await?;
        transaction.commit().await?;
        Ok(run)
    }

    /// A run.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn run(&self, id: Uuid) -> Result<Option<Run>, StoreError> {
        Ok(run::Entity::find_by_id(id).one(&self.db).await?)
    }

    /// Runs of an endpoint, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn runs_of_endpoint(&self, endpoint: Uuid, limit: u64) -> Result<Vec<Run>, StoreError> {
        let found = run::Entity::find().filter(run::Column::EndpointId.eq(endpoint));
        Ok(found.order_by_desc(run::Column::CreatedAt).limit(limit).all(&self.db).await?)
    }

    /// Runs of a team, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn runs_of_team(&self, team: Uuid, limit: u64) -> Result<Vec<Run>, StoreError> {
        let found = run::Entity::find().filter(run::Column::TeamId.eq(team));
        Ok(found.order_by_desc(run::Column::CreatedAt).limit(limit).all(&self.db).await?)
    }

    /// Runs in these states, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn runs_in(&self, states: &[RunState], limit: u64) -> Result<Vec<Run>, StoreError> {
        let found = run::Entity::find().filter(run::Column::State.is_in(states.iter().copied()));
        Ok(found.order_by_desc(run::Column::CreatedAt).limit(limit).all(&self.db).await?)
    }

    /// Runs that may stand on a suite's board, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn runs_of_suite(&self, suite: &str) -> Result<Vec<Run>, StoreError> {
        Ok(newest_on(suite).filter(run::Column::Counts.eq(true)).all(&self.db).await?)
    }

    /// Runs of a suite, of parts of it too, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn runs_on(&self, suite: &str) -> Result<Vec<Run>, StoreError> {
        Ok(newest_on(suite).all(&self.db).await?)
    }

    /// Where a run stands.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn progress(&self, run: &Run) -> Result<Progress, StoreError> {
        let done = answer::Entity::find().filter(answer::Column::RunId.eq(run.id)).count(&self.db).await?;
        Ok(Progress { done: done.cast_signed(), total: i64::from(run.total) })
    }

    /// Notes the first lease of a run.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn start_run(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        run::Entity::update_many()
            .set(run::ActiveModel { started_at: Set(Some(micros(now))), ..Default::default() })
            .filter(run::Column::Id.eq(id))
            .filter(run::Column::StartedAt.is_null())
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Closes a run none of whose shards is queued or leased. `None` when it is not over, or closed already.
    ///
    /// Called after the transaction that ended a shard: of two workers that end the last two at once, the later sees both.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close_run(&self, id: Uuid, now: DateTime<Utc>) -> Result<Option<Run>, StoreError> {
        let now = micros(now);
        let waiting = shards_in_state(id, &[ShardState::Queued, ShardState::Leased]);
        let dead = shards_in_state(id, &[ShardState::Dead]);
        let closed = run::Entity::update_many()
            .set(run::ActiveModel { closed_at: Set(Some(now)), ..Default::default() })
            .col_expr(
                run::Column::State,
                Expr::case(Expr::exists(dead), RunState::Incomplete.slug()).finally(RunState::Done.slug()).into(),
            )
            .filter(run::Column::Id.eq(id))
            .filter(run::Column::State.eq(RunState::Open))
            .filter(Expr::exists(waiting).not())
            .exec_with_returning(&self.db)
            .await?;
        let Some(run) = closed.into_iter().next() else { return Ok(None) };
        event(&self.db, id, "closed", run.state.slug(), now).await?;
        Ok(Some(run))
    }

    /// Stops an open run. Workers learn it with their next renewal.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the run is not open.
    pub async fn cancel_run(&self, id: Uuid, by: &str, now: DateTime<Utc>) -> Result<Run, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let run = change_state(&transaction, id, &[RunState::Open], RunState::Cancelled, Some(now)).await?;
        shard::Entity::update_many()
            .set(shard::ActiveModel { state: Set(ShardState::Cancelled), updated_at: Set(now), ..Default::default() })
            .filter(shard::Column::RunId.eq(id))
            .filter(shard::Column::State.is_in([ShardState::Queued, ShardState::Leased]))
            .exec(&transaction)
            .await?;
        event(&transaction, id, "cancelled", &format!("by {by}"), now).await?;
        transaction.commit().await?;
        Ok(run)
    }

    /// Queues the cancelled and dead shards of a run again. Stored answers stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the run is neither cancelled nor incomplete.
    pub async fn resume_run(&self, id: Uuid, by: &str, now: DateTime<Utc>) -> Result<Run, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let from = [RunState::Cancelled, RunState::Incomplete];
        let run = change_state(&transaction, id, &from, RunState::Open, None).await?;
        shard::Entity::update_many()
            .set(shard::ActiveModel {
                state: Set(ShardState::Queued),
                failures: Set(0),
                not_before: Set(now),
                lease_owner: Set(None),
                lease_until: Set(None),
                in_flight: Set(0),
                updated_at: Set(now),
                ..Default::default()
            })
            .filter(shard::Column::RunId.eq(id))
            .filter(shard::Column::State.is_in([ShardState::Cancelled, ShardState::Dead]))
            .exec(&transaction)
            .await?;
        event(&transaction, id, "resumed", &format!("by {by}"), now).await?;
        transaction.commit().await?;
        Ok(run)
    }

    /// Notes something about a run.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn add_event(&self, run: Uuid, kind: &str, detail: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        event(&self.db, run, kind, detail, micros(now)).await
    }

    /// The newest events of a run, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn events(&self, run: Uuid, limit: u64) -> Result<Vec<RunEvent>, StoreError> {
        let found = run_event::Entity::find().filter(run_event::Column::RunId.eq(run));
        Ok(found.order_by_desc(run_event::Column::Id).limit(limit).all(&self.db).await?)
    }
}

fn newest_on(suite: &str) -> Select<run::Entity> {
    run::Entity::find()
        .filter(run::Column::SuiteSlug.eq(suite))
        .filter(run::Column::State.ne(RunState::Cancelled))
        .order_by_desc(run::Column::CreatedAt)
}

/// Of runs from newest to oldest, those that stand on a board: each endpoint's newest finished one, else its newest.
#[must_use]
pub fn one_per_endpoint(runs: Vec<Run>) -> Vec<Run> {
    let mut chosen: Vec<Run> = Vec::new();
    for run in runs {
        match chosen.iter_mut().find(|other| other.endpoint_id == run.endpoint_id) {
            Some(other) if other.state != RunState::Done && run.state == RunState::Done => *other = run,
            Some(_) => {}
            None => chosen.push(run),
        }
    }
    chosen
}

/// Writes the team's row, so that transactions of one team that check a quota go one after the other on both databases.
async fn lock_team(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
    let touched = team::Entity::update_many()
        .set(team::ActiveModel { touched_at: Set(now), ..Default::default() })
        .filter(team::Column::Id.eq(id))
        .exec(db)
        .await?;
    if touched.rows_affected == 0 { Err(StoreError::NotFound("such team")) } else { Ok(()) }
}

async fn change_state(
    db: &impl ConnectionTrait,
    id: Uuid,
    from: &[RunState],
    to: RunState,
    closed_at: Option<DateTime<Utc>>,
) -> Result<Run, StoreError> {
    let changed = run::Entity::update_many()
        .set(run::ActiveModel { state: Set(to), closed_at: Set(closed_at), ..Default::default() })
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.is_in(from.iter().copied()))
        .exec_with_returning(db)
        .await?;
    changed.into_iter().next().ok_or(StoreError::NotFound("run in a state that allows this"))
}

async fn event(
    db: &impl ConnectionTrait,
    run: Uuid,
    kind: &str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = run_event::ActiveModel {
        run_id: Set(run),
        at: Set(now),
        kind: Set(kind.to_owned()),
        detail: Set(detail.to_owned()),
        ..Default::default()
    };
    run_event::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

fn shards_in_state(run: Uuid, states: &[ShardState]) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(shard::Entity)
        .and_where(Expr::col(shard::Column::RunId).eq(run))
        .and_where(Expr::col(shard::Column::State).is_in(states.iter().map(|state| state.slug())))
        .to_owned()
}

fn run_row(id: Uuid, new: NewRun, slices: &[Slice], now: DateTime<Utc>) -> run::ActiveModel {
    let total: u32 = slices.iter().map(|slice| slice.count).sum();
    run::ActiveModel {
        id: Set(id),
        endpoint_id: Set(new.endpoint_id),
        team_id: Set(new.team_id),
        suite_slug: Set(new.suite_slug),
        seed: Set(new.seed),
        samples: Set(new.samples),
        tasks: Set(new.tasks),
        lengths: Set(new.lengths),
        state: Set(RunState::Open),
        counts: Set(new.counts),
        total: Set(total.cast_signed()),
        submitted_by: Set(new.submitted_by),
        created_at: Set(now),
        started_at: Set(None),
        closed_at: Set(None),
    }
}

fn run_shard(run: &Run, slice: &Slice, position: i32, requires: String, now: DateTime<Utc>) -> shard::ActiveModel {
    let version = run.tasks.0.iter().find(|task| task.slug == slice.task).map_or(1, |task| task.version);
    shard::ActiveModel {
        task_slug: Set(slice.task.clone()),
        task_version: Set(version),
        length_tokens: Set(slice.length.tokens().cast_signed()),
        first_index: Set(slice.first_index.cast_signed()),
        item_count: Set(slice.count.cast_signed()),
        position: Set(position),
        requires: Set(requires),
        ..new_shard(ShardKind::Run, Some(run.id), run.endpoint_id, run.team_id, now)
    }
}
