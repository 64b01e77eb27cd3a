//! The lease queue: shards with an owner, an expiry and a fencing number.
//!
//! A claim is one statement on both databases, so two workers never hold the same shard. Every later call repeats
//! (owner, fence); a worker that was frozen past its lease finds zero rows and is told so.

use chrono::{DateTime, Duration, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use uuid::Uuid;

use crate::Store;
use crate::connection::micros;
use crate::entity::kind::{ProbeState, ShardKind, ShardState};
pub use crate::entity::shard::Model as Shard;
use crate::entity::{answer, endpoint, shard, verdict};
use crate::error::StoreError;
use crate::judging::decided_of;

/// Attempts after which a shard is dead.
pub const MAX_FAILURES: i32 = 5;

/// Longest back-off between attempts.
const MAX_BACKOFF: Duration = Duration::minutes(10);

/// Why an attempt ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Named cause.
    pub cause: String,
    /// For people.
    pub detail: String,
    /// Whether another attempt may help.
    pub retryable: bool,
    /// Whether it counts towards [`MAX_FAILURES`]; a worker that shuts down does not.
    pub counted: bool,
}

/// Shards by state, for the fleet page and for scaling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Waiting for a worker.
    pub queued: u64,
    /// In work.
    pub leased: u64,
    /// Given up.
    pub dead: u64,
}

impl Store {
    /// Leases the next shard this worker may have: probes first, then the team with the fewest leases, then the oldest.
    ///
    /// Shards of an endpoint wait while its probe is pending and while it has all the leases it allows. That limit is
    /// read without a lock: workers that claim in the same instant may exceed it by their number for one lease.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn claim(
        &self,
        owner: Uuid,
        labels: &[String],
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<Option<Shard>, StoreError> {
        let now = micros(now);
        let leased = shard::Entity::update_many()
            .set(shard::ActiveModel {
                state: Set(ShardState::Leased),
                lease_owner: Set(Some(owner)),
                lease_until: Set(Some(now + lease)),
                updated_at: Set(now),
                ..Default::default()
            })
            .col_expr(shard::Column::Fence, Expr::col(shard::Column::Fence).add(1))
            .filter(Expr::col(shard::Column::Id).eq(next_shard(labels, now)))
            .filter(shard::Column::State.eq(ShardState::Queued))
            .exec_with_returning(&self.db)
            .await?;
        Ok(leased.into_iter().next())
    }

    /// Extends a lease. `true` when the run was cancelled meanwhile.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn renew(
        &self,
        id: Uuid,
        owner: Uuid,
        fence: u32,
        in_flight: u32,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = micros(now);
        let renewed = shard::Entity::update_many()
            .set(shard::ActiveModel {
                lease_until: Set(Some(now + lease)),
                in_flight: Set(Ord::min(in_flight, 100_000).cast_signed()),
                updated_at: Set(now),
                ..Default::default()
            })
            .filter(held_or_cancelled(id, owner, fence))
            .exec_with_returning(&self.db)
            .await?;
        let shard = renewed.into_iter().next().ok_or(StoreError::LeaseLost)?;
        Ok(shard.state == ShardState::Cancelled)
    }

    /// Ends a shard whose answers are all stored.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or [`StoreError::AnswersMissing`] while some are not.
    pub async fn finish(&self, id: Uuid, owner: Uuid, fence: u32, now: DateTime<Utc>) -> Result<Shard, StoreError> {
        let wanted = || Expr::col(shard::Column::ItemCount).mul(Expr::col(shard::Column::Repetitions));
        let complete = Condition::any()
            .add(Expr::expr(answers_of(id)).gte(wanted()))
            .add(shard::Column::Kind.eq(ShardKind::Judge).and(Expr::expr(decided_of(id)).gte(wanted())));
        let finished = shard::Entity::update_many()
            .set(shard::ActiveModel {
                state: Set(ShardState::Done),
                in_flight: Set(0),
                updated_at: Set(micros(now)),
                ..Default::default()
            })
            .filter(held(id, owner, fence))
            .filter(complete)
            .exec_with_returning(&self.db)
            .await?;
        if let Some(shard) = finished.into_iter().next() {
            return Ok(shard);
        }
        let shard = shard::Entity::find().filter(held(id, owner, fence)).one(&self.db).await?;
        let shard = shard.ok_or(StoreError::LeaseLost)?;
        let stored = match shard.kind {
            ShardKind::Judge => {
                let decided = verdict::Entity::find().filter(verdict::Column::ShardId.eq(id));
                decided.filter(verdict::Column::DecidedAt.is_not_null()).count(&self.db).await?
            }
            _ => answer::Entity::find().filter(answer::Column::ShardId.eq(id)).count(&self.db).await?,
        };
        let stored = i32::try_from(stored).unwrap_or(i32::MAX);
        Err(StoreError::AnswersMissing { missing: shard.item_count * shard.repetitions - stored })
    }

    /// Gives a shard back. It is queued again with back-off, or dead; a dead probe marks its endpoint as failed.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn fail(
        &self,
        id: Uuid,
        owner: Uuid,
        fence: u32,
        failure: &Failure,
        now: DateTime<Utc>,
    ) -> Result<Shard, StoreError> {
        let shard = shard::Entity::find().filter(held(id, owner, fence)).one(&self.db).await?;
        let shard = shard.ok_or(StoreError::LeaseLost)?;
        self.give_back(&shard, failure, micros(now)).await?.ok_or(StoreError::LeaseLost)
    }

    /// Takes expired leases back and returns their shards as they are now.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn reap(&self, now: DateTime<Utc>) -> Result<Vec<Shard>, StoreError> {
        let now = micros(now);
        let expired = shard::Entity::find()
            .filter(shard::Column::State.eq(ShardState::Leased))
            .filter(shard::Column::LeaseUntil.lt(now))
            .limit(200)
            .all(&self.db)
            .await?;
        let mut taken = Vec::with_capacity(expired.len());
        for shard in expired {
            let failure = Failure {
                cause: "lease_expired".to_owned(),
                detail: "the worker stopped renewing its lease".to_owned(),
                retryable: true,
                counted: true,
            };
            taken.extend(self.give_back(&shard, &failure, now).await?);
        }
        Ok(taken)
    }

    /// Takes back what a worker held that is known to be gone, e.g. because it lived in a process that was just started
    /// again. Returns how many shards.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn release(&self, owner: Uuid, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let now = micros(now);
        let held = shard::Entity::find()
            .filter(shard::Column::State.eq(ShardState::Leased))
            .filter(shard::Column::LeaseOwner.eq(owner))
            .all(&self.db)
            .await?;
        let mut released = 0;
        for shard in held {
            let failure = Failure {
                cause: "worker_restarted".to_owned(),
                detail: "the worker was started again".to_owned(),
                retryable: true,
                counted: false,
            };
            released += usize::from(self.give_back(&shard, &failure, now).await?.is_some());
        }
        Ok(released)
    }

    /// `None` when the shard is no longer as it was read: its lease was renewed, or somebody else has it.
    async fn give_back(&self, was: &Shard, failure: &Failure, now: DateTime<Utc>) -> Result<Option<Shard>, StoreError> {
        let failures = was.failures + i32::from(failure.counted);
        let dead = !failure.retryable || failures >= MAX_FAILURES;
        let delay = if failure.counted { backoff(failures) } else { Duration::zero() };
        let changed = shard::Entity::update_many()
            .set(shard::ActiveModel {
                state: Set(if dead { ShardState::Dead } else { ShardState::Queued }),
                failures: Set(failures),
                not_before: Set(now + delay),
                lease_until: Set(None),
                in_flight: Set(0),
                last_cause: Set(Some(failure.cause.clone())),
                last_detail: Set(Some(failure.detail.clone())),
                updated_at: Set(now),
                ..Default::default()
            })
            .filter(shard::Column::Id.eq(was.id))
            .filter(shard::Column::Fence.eq(was.fence))
            .filter(shard::Column::State.eq(ShardState::Leased))
            .filter(shard::Column::LeaseUntil.eq(was.lease_until))
            .exec_with_returning(&self.db)
            .await?;
        let shard = changed.into_iter().next();
        if let Some(shard) = shard.as_ref().filter(|shard| dead && shard.kind == ShardKind::Probe) {
            self.probe_died(shard, now).await?;
        }
        Ok(shard)
    }

    async fn probe_died(&self, shard: &Shard, now: DateTime<Utc>) -> Result<(), StoreError> {
        endpoint::Entity::update_many()
            .set(endpoint::ActiveModel {
                probe_state: Set(ProbeState::Failed),
                probed_at: Set(Some(now)),
                ..Default::default()
            })
            .filter(endpoint::Column::Id.eq(shard.endpoint_id))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// A shard.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn shard(&self, id: Uuid) -> Result<Option<Shard>, StoreError> {
        Ok(shard::Entity::find_by_id(id).one(&self.db).await?)
    }

    /// The shard under this lease; cancelled ones too, so that what is done can be posted.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn leased(&self, id: Uuid, owner: Uuid, fence: u32) -> Result<Shard, StoreError> {
        let found = shard::Entity::find().filter(held_or_cancelled(id, owner, fence)).one(&self.db).await?;
        found.ok_or(StoreError::LeaseLost)
    }

    /// Shards by state.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn queue_depth(&self) -> Result<QueueDepth, StoreError> {
        let rows: Vec<(ShardState, i64)> = shard::Entity::find()
            .select_only()
            .column(shard::Column::State)
            .column_as(shard::Column::Id.count(), "n")
            .filter(shard::Column::State.is_in([ShardState::Queued, ShardState::Leased, ShardState::Dead]))
            .group_by(shard::Column::State)
            .into_tuple()
            .all(&self.db)
            .await?;
        let of = |state| rows.iter().find(|row| row.0 == state).map_or(0, |row| row.1.cast_unsigned());
        Ok(QueueDepth { queued: of(ShardState::Queued), leased: of(ShardState::Leased), dead: of(ShardState::Dead) })
    }

    /// Shards in these states, last changed first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn shards_in(&self, states: &[ShardState], limit: u64) -> Result<Vec<Shard>, StoreError> {
        Ok(shard::Entity::find()
            .filter(shard::Column::State.is_in(states.iter().copied()))
            .order_by_desc(shard::Column::UpdatedAt)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// Shards of a run in order.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn shards_of(&self, run: Uuid) -> Result<Vec<Shard>, StoreError> {
        let found = shard::Entity::find().filter(shard::Column::RunId.eq(run));
        Ok(found.order_by_asc(shard::Column::Position).all(&self.db).await?)
    }
}

/// 5 s, 15 s, 45 s, …
fn backoff(failures: i32) -> Duration {
    let exponent = Ord::min(u32::try_from(failures - 1).unwrap_or(0), 8);
    Duration::seconds(5 * 3_i64.pow(exponent)).min(MAX_BACKOFF)
}

/// The next shard's id, locked on PostgreSQL. It must stay inside the claiming statement: SQLite has no row locks, its
/// statements are atomic instead.
fn next_shard(labels: &[String], now: DateTime<Utc>) -> SelectStatement {
    let s = Alias::new("s");
    let column = |column: shard::Column| Expr::col((s.clone(), column));
    let mut allowed = vec![String::new()];
    allowed.extend(labels.iter().cloned());
    let endpoint_ready = Query::select()
        .expr(Expr::value(1))
        .from_as(endpoint::Entity, "e")
        .and_where(Expr::col(("e", endpoint::Column::Id)).equals((s.clone(), shard::Column::EndpointId)))
        .cond_where(
            Condition::any()
                .add(column(shard::Column::Kind).eq(ShardKind::Probe.slug()))
                .add(Expr::col(("e", endpoint::Column::ProbeState)).ne(ProbeState::Pending.slug())),
        )
        .and_where(Expr::expr(leases_by(shard::Column::EndpointId)).lt(Expr::col(("e", endpoint::Column::MaxLeases))))
        .to_owned();
    Query::select()
        .column((s.clone(), shard::Column::Id))
        .from_as(shard::Entity, s.clone())
        .and_where(column(shard::Column::State).eq(ShardState::Queued.slug()))
        .and_where(column(shard::Column::NotBefore).lte(now))
        .and_where(column(shard::Column::Requires).is_in(allowed))
        .and_where(Expr::exists(endpoint_ready))
        .order_by((s.clone(), shard::Column::Priority), sea_orm::Order::Desc)
        .order_by_expr(Expr::expr(leases_by(shard::Column::TeamId)), sea_orm::Order::Asc)
        .order_by((s.clone(), shard::Column::CreatedAt), sea_orm::Order::Asc)
        .order_by((s.clone(), shard::Column::Position), sea_orm::Order::Asc)
        .limit(1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned()
}

/// Number of leased shards that share a column with shard `s`.
fn leases_by(shared: shard::Column) -> SelectStatement {
    Query::select()
        .expr(Expr::col(("b", shard::Column::Id)).count())
        .from_as(shard::Entity, "b")
        .and_where(Expr::col(("b", shared)).equals(("s", shared)))
        .and_where(Expr::col(("b", shard::Column::State)).eq(ShardState::Leased.slug()))
        .to_owned()
}

/// Number of stored answers of a shard.
pub(crate) fn answers_of(shard: Uuid) -> SelectStatement {
    Query::select()
        .expr(Expr::col(answer::Column::Id).count())
        .from(answer::Entity)
        .and_where(Expr::col(answer::Column::ShardId).eq(shard))
        .to_owned()
}

/// Extends the lease under which something is posted, also of a cancelled shard, so that what is done can be posted.
pub(crate) async fn extend_lease(
    db: &impl ConnectionTrait,
    (id, owner, fence): (Uuid, Uuid, u32),
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let touched = shard::Entity::update_many()
        .set(shard::ActiveModel { lease_until: Set(Some(until)), updated_at: Set(now), ..Default::default() })
        .filter(held_or_cancelled(id, owner, fence))
        .exec(db)
        .await?;
    if touched.rows_affected == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}

/// Notes how much of a shard is stored, as `stored` counts it.
pub(crate) async fn count_done(db: &impl ConnectionTrait, id: Uuid, stored: SelectStatement) -> Result<(), StoreError> {
    shard::Entity::update_many()
        .col_expr(shard::Column::DoneCount, Expr::expr(stored).cast_as("integer"))
        .filter(shard::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends a shard that is a single check, whose result is stored in the same transaction.
pub(crate) async fn end_check(
    db: &impl ConnectionTrait,
    kind: ShardKind,
    (id, owner, fence): (Uuid, Uuid, u32),
    now: DateTime<Utc>,
) -> Result<Shard, StoreError> {
    let done = shard::Entity::update_many()
        .set(shard::ActiveModel {
            state: Set(ShardState::Done),
            updated_at: Set(now),
            done_count: Set(1),
            in_flight: Set(0),
            ..Default::default()
        })
        .filter(shard::Column::Kind.eq(kind))
        .filter(held(id, owner, fence))
        .exec_with_returning(db)
        .await?;
    done.into_iter().next().ok_or(StoreError::LeaseLost)
}

/// The shard is leased by this owner under this fence.
fn held(id: Uuid, owner: Uuid, fence: u32) -> Condition {
    owned(id, owner, fence).add(shard::Column::State.eq(ShardState::Leased))
}

fn held_or_cancelled(id: Uuid, owner: Uuid, fence: u32) -> Condition {
    owned(id, owner, fence).add(shard::Column::State.is_in([ShardState::Leased, ShardState::Cancelled]))
}

fn owned(id: Uuid, owner: Uuid, fence: u32) -> Condition {
    Condition::all()
        .add(shard::Column::Id.eq(id))
        .add(shard::Column::LeaseOwner.eq(owner))
        .add(shard::Column::Fence.eq(fence.cast_signed()))
}

/// A queued shard with nothing special about it.
pub(crate) fn new_shard(
    kind: ShardKind,
    run: Option<Uuid>,
    endpoint: Uuid,
    team: Uuid,
    now: DateTime<Utc>,
) -> shard::ActiveModel {
    shard::ActiveModel {
        id: Set(Uuid::now_v7()),
        run_id: Set(run),
        endpoint_id: Set(endpoint),
        team_id: Set(team),
        kind: Set(kind),
        task_slug: Set(String::new()),
        task_version: Set(0),
        length_tokens: Set(0),
        first_index: Set(0),
        item_count: Set(0),
        repetitions: Set(1),
        requires: Set(String::new()),
        priority: Set(0),
        position: Set(0),
        state: Set(ShardState::Queued),
        fence: Set(0),
        failures: Set(0),
        lease_owner: Set(None),
        lease_until: Set(None),
        not_before: Set(now),
        done_count: Set(0),
        in_flight: Set(0),
        last_cause: Set(None),
        last_detail: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    }
}
