//! Judgings: comparisons planned in rounds, carried out as shards, decided once.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use sea_orm::{IntoActiveModel, NotSet, TransactionTrait};
use uuid::Uuid;

use crate::Store;
use crate::answer::Answer;
use crate::connection::micros;
use crate::endpoint::Endpoint;
pub use crate::entity::judging::Model as Judging;
use crate::entity::kind::{JudgingState, ShardKind, ShardState};
pub use crate::entity::verdict::Model as Verdict;
use crate::entity::{answer, judging, shard, verdict};
use crate::error::StoreError;
use crate::queue::{count_done, extend_lease, new_shard};

/// Rows of one insert.
const CHUNK: usize = 100;

/// Comparisons of one judge on one (task, length): a shard to be.
#[derive(Debug, Clone)]
pub struct Docket {
    /// The judge's endpoint.
    pub endpoint: Endpoint,
    /// Task, version and bucket that all verdicts share.
    pub task_slug: String,
    /// Version.
    pub task_version: i32,
    /// Bucket.
    pub length_tokens: i32,
    /// What is asked.
    pub verdicts: Vec<Verdict>,
}

/// What a judge said to one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Place within the shard.
    pub position: i32,
    /// Label of a comparison; also for ratings, where only `invalid` means something.
    pub label: String,
    /// Absolute rating, 0..1.
    pub rating: Option<f64>,
    /// What it said.
    pub raw: String,
    /// How often it was asked.
    pub asks: i32,
    /// SHA-256 of the prompt.
    pub prompt_digest: String,
    /// Why there is no verdict.
    pub cause: Option<String>,
    /// Time to the last byte.
    pub latency_ms: Option<i32>,
}

/// An answer that may be compared, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolAnswer {
    /// The answer.
    pub id: i64,
    /// Run.
    pub run_id: Uuid,
    /// Task.
    pub task_slug: String,
    /// Version.
    pub task_version: i32,
    /// Bucket.
    pub length_tokens: i32,
    /// Item.
    pub item_index: i32,
}

impl Store {
    /// Opens a judging.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn add_judging(&self, mut row: Judging) -> Result<Judging, StoreError> {
        row.created_at = micros(row.created_at);
        Ok(judging::Entity::insert(judging::ActiveModel::from(row)).exec_with_returning(&self.db).await?)
    }

    /// A judging.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn judging(&self, id: Uuid) -> Result<Option<Judging>, StoreError> {
        Ok(judging::Entity::find_by_id(id).one(&self.db).await?)
    }

    /// The newest judgings, of one suite or of all.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn judgings(&self, suite: Option<&str>, limit: u64) -> Result<Vec<Judging>, StoreError> {
        let mut found = judging::Entity::find();
        if let Some(suite) = suite {
            found = found.filter(judging::Column::SuiteSlug.eq(suite));
        }
        Ok(found.order_by_desc(judging::Column::CreatedAt).limit(limit).all(&self.db).await?)
    }

    /// Open judgings that wait for nobody: none of their shards is queued or leased.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn idle_judgings(&self) -> Result<Vec<Judging>, StoreError> {
        Ok(judging::Entity::find()
            .filter(judging::Column::State.eq(JudgingState::Open))
            .filter(Expr::exists(waiting_shards()).not())
            .all(&self.db)
            .await?)
    }

    /// Adds the next round of an open judging. `false` when somebody else added it, or a round is still under way.
    ///
    /// # Errors
    /// [`StoreError::Database`]: nothing is added.
    pub async fn add_round(
        &self,
        judging: &Judging,
        dockets: Vec<Docket>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        let turned = judging::Entity::update_many()
            .set(judging::ActiveModel { rounds: Set(judging.rounds + 1), ..Default::default() })
            .filter(judging::Column::Id.eq(judging.id))
            .filter(judging::Column::Rounds.eq(judging.rounds))
            .filter(judging::Column::State.eq(JudgingState::Open))
            .filter(Expr::exists(waiting_shards()).not())
            .exec(&transaction)
            .await?;
        if turned.rows_affected == 0 {
            return Ok(false);
        }
        for (position, docket) in (0..).zip(dockets) {
            let mut row = judge_shard(&docket, now);
            row.position = Set(position);
            let shard = shard::Entity::insert(row).exec_with_returning(&transaction).await?;
            let rows = (0..).zip(docket.verdicts).map(|(place, verdict)| {
                let verdict = Verdict { shard_id: Some(shard.id), position: place, created_at: now, ..verdict };
                verdict::ActiveModel { id: NotSet, ..verdict.into_active_model() }
            });
            insert(&transaction, rows.collect()).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Ends a judging. `false` when it had ended.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close_judging(&self, id: Uuid, why: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let closed = judging::Entity::update_many()
            .set(judging::ActiveModel {
                state: Set(JudgingState::Done),
                ended_by: Set(Some(why.to_owned())),
                closed_at: Set(Some(micros(now))),
                ..Default::default()
            })
            .filter(judging::Column::Id.eq(id))
            .filter(judging::Column::State.eq(JudgingState::Open))
            .exec(&self.db)
            .await?;
        Ok(closed.rows_affected == 1)
    }

    /// Questions of a shard in order.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn verdicts_of_shard(&self, shard: Uuid) -> Result<Vec<Verdict>, StoreError> {
        let found = verdict::Entity::find().filter(verdict::Column::ShardId.eq(shard));
        Ok(found.order_by_asc(verdict::Column::Position).all(&self.db).await?)
    }

    /// Stores decisions under a lease and extends it. Returns how many were new: a decision is taken once.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: nothing of the batch is stored.
    pub async fn record_decisions(
        &self,
        (shard_id, owner, fence): (Uuid, Uuid, u32),
        decisions: Vec<Decision>,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        extend_lease(&transaction, (shard_id, owner, fence), now + lease, now).await?;
        let mut stored = 0;
        for decision in decisions {
            stored += decide(&transaction, shard_id, owner, decision, now).await?;
        }
        count_done(&transaction, shard_id, decided_of(shard_id)).await?;
        transaction.commit().await?;
        Ok(stored)
    }

    /// Stores what a person said.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the same person judged the same battle in the same order before.
    pub async fn add_verdict(&self, row: Verdict) -> Result<(), StoreError> {
        verdict::Entity::insert(verdict::ActiveModel { id: NotSet, ..row.into_active_model() })
            .exec_without_returning(&self.db)
            .await
            .map_err(|error| StoreError::taken(error, "your verdict on this battle"))?;
        Ok(())
    }

    /// Every question of the judgings that compare a suite's answers, decided or not, in the order of planning.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn verdicts_of_suite(&self, suite: &str) -> Result<Vec<Verdict>, StoreError> {
        let compared = judgings_of(suite).and_where(Expr::col(judging::Column::Samples).eq(0)).to_owned();
        self.verdicts_in(compared).await
    }

    /// Every score of a suite's answers, decided or not, in the order of planning.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn scores_of_suite(&self, suite: &str) -> Result<Vec<Verdict>, StoreError> {
        let scored = judgings_of(suite).and_where(Expr::col(judging::Column::Samples).gt(0)).to_owned();
        self.verdicts_in(scored).await
    }

    /// Every score of one answer, in the order of planning.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn scores_of_answer(&self, answer: i64) -> Result<Vec<Verdict>, StoreError> {
        let scored = Query::select()
            .column(judging::Column::Id)
            .from(judging::Entity)
            .and_where(Expr::col(judging::Column::Samples).gt(0))
            .to_owned();
        Ok(verdict::Entity::find()
            .filter(verdict::Column::FirstAnswer.eq(answer))
            .filter(verdict::Column::JudgingId.in_subquery(scored))
            .order_by_asc(verdict::Column::Id)
            .all(&self.db)
            .await?)
    }

    async fn verdicts_in(&self, judgings: SelectStatement) -> Result<Vec<Verdict>, StoreError> {
        let found = verdict::Entity::find().filter(verdict::Column::JudgingId.in_subquery(judgings));
        Ok(found.order_by_asc(verdict::Column::Id).all(&self.db).await?)
    }

    /// Every question of one judging.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn verdicts_of_judging(&self, judging: Uuid) -> Result<Vec<Verdict>, StoreError> {
        let found = verdict::Entity::find().filter(verdict::Column::JudgingId.eq(judging));
        Ok(found.order_by_asc(verdict::Column::Id).all(&self.db).await?)
    }

    /// Every verdict on a battle.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn verdicts_of_battle(&self, battle: Uuid) -> Result<Vec<Verdict>, StoreError> {
        let found = verdict::Entity::find().filter(verdict::Column::BattleId.eq(battle));
        let found = found.order_by_asc(verdict::Column::JudgeSlug).order_by_asc(verdict::Column::Turn);
        Ok(found.all(&self.db).await?)
    }

    /// The newest decided verdicts of a judge.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn verdicts_of_judge(&self, judge: &str, limit: u64) -> Result<Vec<Verdict>, StoreError> {
        Ok(verdict::Entity::find()
            .filter(verdict::Column::JudgeSlug.eq(judge))
            .filter(verdict::Column::DecidedAt.is_not_null())
            .order_by_desc(verdict::Column::DecidedAt)
            .order_by_desc(verdict::Column::Id)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// Answers with text of runs to these tasks: what may be compared. First repetitions only.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn pool(&self, runs: &[Uuid], tasks: &[String]) -> Result<Vec<PoolAnswer>, StoreError> {
        let rows: Vec<(i64, Uuid, String, i32, i32, i32)> = answer::Entity::find()
            .select_only()
            .columns([
                answer::Column::Id,
                answer::Column::RunId,
                answer::Column::TaskSlug,
                answer::Column::TaskVersion,
                answer::Column::LengthTokens,
                answer::Column::ItemIndex,
            ])
            .filter(answer::Column::RunId.is_in(runs.iter().copied()))
            .filter(answer::Column::TaskSlug.is_in(tasks))
            .filter(answer::Column::Repetition.eq(0))
            .filter(answer::Column::Body.ne(""))
            .order_by_asc(answer::Column::Id)
            .into_tuple()
            .all(&self.db)
            .await?;
        let answer = |(id, run_id, task_slug, task_version, length_tokens, item_index)| PoolAnswer {
            id,
            run_id,
            task_slug,
            task_version,
            length_tokens,
            item_index,
        };
        Ok(rows.into_iter().map(answer).collect())
    }

    /// Answers by id, in no order.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn answers_by_id(&self, ids: &[i64]) -> Result<Vec<Answer>, StoreError> {
        Ok(answer::Entity::find().filter(answer::Column::Id.is_in(ids.iter().copied())).all(&self.db).await?)
    }

    /// Letters of every answer that a suite's judgings compare.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn answer_lengths_of_suite(&self, suite: &str) -> Result<HashMap<i64, i64>, StoreError> {
        let compared = |column: verdict::Column| {
            Query::select()
                .column((verdict::Entity, column))
                .from(verdict::Entity)
                .inner_join(
                    judging::Entity,
                    Expr::col((judging::Entity, judging::Column::Id))
                        .equals((verdict::Entity, verdict::Column::JudgingId)),
                )
                .and_where(Expr::col((judging::Entity, judging::Column::SuiteSlug)).eq(suite))
                .and_where(Expr::col((verdict::Entity, column)).is_not_null())
                .to_owned()
        };
        let rows: Vec<(i64, i64)> = answer::Entity::find()
            .select_only()
            .column(answer::Column::Id)
            .column_as(Expr::expr(Func::char_length(Expr::col(answer::Column::Body))).cast_as("bigint"), "letters")
            .filter(
                answer::Column::Id
                    .in_subquery(compared(verdict::Column::FirstAnswer))
                    .or(answer::Column::Id.in_subquery(compared(verdict::Column::SecondAnswer))),
            )
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Number of decided and of planned questions of a judging.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn judging_progress(&self, id: Uuid) -> Result<(u64, u64), StoreError> {
        let all = verdict::Entity::find().filter(verdict::Column::JudgingId.eq(id));
        let planned = all.clone().count(&self.db).await?;
        Ok((all.filter(verdict::Column::DecidedAt.is_not_null()).count(&self.db).await?, planned))
    }
}

async fn decide(
    db: &impl ConnectionTrait,
    shard_id: Uuid,
    owner: Uuid,
    decision: Decision,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let decided = verdict::Entity::update_many()
        .set(verdict::ActiveModel {
            label: Set(Some(decision.label)),
            rating: Set(decision.rating.filter(|rating| rating.is_finite())),
            raw: Set(Some(decision.raw)),
            asks: Set(decision.asks),
            prompt_digest: Set(Some(decision.prompt_digest)),
            cause: Set(decision.cause),
            latency_ms: Set(decision.latency_ms),
            worker_id: Set(Some(owner)),
            decided_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(verdict::Column::ShardId.eq(shard_id))
        .filter(verdict::Column::Position.eq(decision.position))
        .filter(verdict::Column::DecidedAt.is_null())
        .exec(db)
        .await?;
    Ok(decided.rows_affected)
}

async fn insert(db: &impl ConnectionTrait, rows: Vec<verdict::ActiveModel>) -> Result<(), StoreError> {
    for chunk in rows.chunks(CHUNK) {
        verdict::Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Judgings of a suite.
fn judgings_of(suite: &str) -> SelectStatement {
    Query::select()
        .column(judging::Column::Id)
        .from(judging::Entity)
        .and_where(Expr::col(judging::Column::SuiteSlug).eq(suite))
        .to_owned()
}

/// Shards of the judging in the outer query that somebody still has to end.
fn waiting_shards() -> SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(verdict::Entity)
        .inner_join(
            shard::Entity,
            Expr::col((shard::Entity, shard::Column::Id)).equals((verdict::Entity, verdict::Column::ShardId)),
        )
        .and_where(
            Expr::col((verdict::Entity, verdict::Column::JudgingId)).equals((judging::Entity, judging::Column::Id)),
        )
        .and_where(
            Expr::col((shard::Entity, shard::Column::State))
                .is_in([ShardState::Queued.slug(), ShardState::Leased.slug()]),
        )
        .to_owned()
}

/// Number of decided questions of a shard.
pub(crate) fn decided_of(shard: Uuid) -> SelectStatement {
    Query::select()
        .expr(Expr::col(verdict::Column::Id).count())
        .from(verdict::Entity)
        .and_where(Expr::col(verdict::Column::ShardId).eq(shard))
        .and_where(Expr::col(verdict::Column::DecidedAt).is_not_null())
        .to_owned()
}

fn judge_shard(docket: &Docket, now: DateTime<Utc>) -> shard::ActiveModel {
    shard::ActiveModel {
        task_slug: Set(docket.task_slug.clone()),
        task_version: Set(docket.task_version),
        length_tokens: Set(docket.length_tokens),
        item_count: Set(i32::try_from(docket.verdicts.len()).unwrap_or(i32::MAX)),
        ..new_shard(ShardKind::Judge, None, docket.endpoint.id, docket.endpoint.team_id, now)
    }
}
