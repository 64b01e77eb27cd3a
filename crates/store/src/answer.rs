//! Answers: stored once, whatever happens to workers and messages.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use longboard_protocol::method::MethodCost;
use longboard_protocol::worker::Metered;
use longboard_suites::outcome::Outcome;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, TransactionTrait};
use sea_orm::{IntoActiveModel, NotSet, TryInsertResult};
use uuid::Uuid;

use crate::Store;
use crate::connection::micros;
use crate::entity::answer;
pub use crate::entity::answer::Model as Answer;
use crate::entity::kind::{Causes, Reports};
use crate::error::StoreError;
use crate::queue::{answers_of, count_done, extend_lease};

/// Rows of one insert.
const CHUNK: usize = 200;

/// A filter over the samples of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleFilter {
    /// Only this task.
    pub task: Option<String>,
    /// Only this bucket.
    pub length_tokens: Option<i32>,
    /// Only this outcome.
    pub outcome: Option<String>,
}

/// One answer's latency figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Bucket.
    pub length_tokens: i32,
    /// Time to first token.
    pub first_token_ms: Option<i32>,
    /// Time to last byte.
    pub latency_ms: i32,
}

/// Task, bucket and index: an item within a season.
pub type ItemKey = (String, i32, i32);

impl Answer {
    /// An answer of which nothing is known yet: neither text nor score, and its outcome is an endpoint error.
    #[must_use]
    pub fn blank(task_slug: &str, task_version: i32, length_tokens: i32, item_index: i32, now: DateTime<Utc>) -> Self {
        Self {
            id: 0,
            run_id: Uuid::nil(),
            shard_id: None,
            number: 0,
            task_slug: task_slug.to_owned(),
            task_version,
            length_tokens,
            item_index,
            repetition: 0,
            item_key: None,
            prompt_digest: String::new(),
            prompt_tokens: 0,
            body: String::new(),
            reference: None,
            outcome: Outcome::EndpointError.slug().to_owned(),
            score: None,
            strict: None,
            extracted: String::new(),
            depth_percent: None,
            tokens_removed: None,
            evidence_left: None,
            finish_reason: None,
            reported_prompt_tokens: None,
            reported_completion_tokens: None,
            first_token_ms: None,
            latency_ms: None,
            attempts: 0,
            retry_causes: Causes::default(),
            cause: None,
            detail: None,
            worker_id: None,
            created_at: now,
            kept_tokens: None,
            max_kept_tokens: None,
            selection_ms: None,
            attention_ms: None,
            attention_flops: None,
            attention_bytes: None,
            cache_bytes: None,
            calls: None,
            sent_tokens: None,
            written_tokens: None,
            reports: None,
        }
    }

    /// The same answer with what all its calls took.
    #[must_use]
    pub fn with_metered(self, metered: Metered) -> Self {
        Self {
            calls: i32::try_from(metered.calls).ok(),
            sent_tokens: i64::try_from(metered.prompt_tokens).ok(),
            written_tokens: i64::try_from(metered.completion_tokens).ok(),
            reports: (!metered.reports.is_empty()).then_some(Reports(metered.reports)),
            ..self
        }
    }

    /// The same answer with what it cost.
    #[must_use]
    pub fn with_cost(self, cost: &MethodCost) -> Self {
        Self {
            kept_tokens: Some(cost.kept_tokens),
            max_kept_tokens: Some(cost.max_kept_tokens),
            selection_ms: Some(cost.selection_ms),
            attention_ms: Some(cost.attention_ms),
            attention_flops: Some(cost.attention_flops),
            attention_bytes: Some(cost.attention_bytes),
            cache_bytes: i64::try_from(cost.cache_bytes).ok(),
            ..self
        }
    }

    /// What it cost, for answers of the reference model.
    #[must_use]
    pub fn cost(&self) -> Option<MethodCost> {
        Some(MethodCost {
            kept_tokens: self.kept_tokens?,
            max_kept_tokens: self.max_kept_tokens?,
            cache_bytes: u64::try_from(self.cache_bytes?).ok()?,
            selection_ms: self.selection_ms?,
            attention_ms: self.attention_ms?,
            attention_flops: self.attention_flops?,
            attention_bytes: self.attention_bytes?,
        })
    }
}

impl Store {
    /// Stores a batch under a lease and extends the lease. Returns how many were new; the first copy of an answer stays.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: nothing of the batch is stored.
    pub async fn record_answers(
        &self,
        shard_id: Uuid,
        owner: Uuid,
        fence: u32,
        answers: Vec<Answer>,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let now = micros(now);
        let transaction = self.db.begin().await?;
        extend_lease(&transaction, (shard_id, owner, fence), now + lease, now).await?;
        let stored = insert(&transaction, answers).await?;
        count_done(&transaction, shard_id, answers_of(shard_id)).await?;
        transaction.commit().await?;
        Ok(stored)
    }

    /// Items of a shard that are answered: (index, repetition).
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn answered(&self, shard: Uuid) -> Result<Vec<(i32, i32)>, StoreError> {
        Ok(answer::Entity::find()
            .select_only()
            .columns([answer::Column::ItemIndex, answer::Column::Repetition])
            .filter(answer::Column::ShardId.eq(shard))
            .order_by_asc(answer::Column::ItemIndex)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// The answer with this number.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn answer(&self, run: Uuid, number: i32) -> Result<Option<Answer>, StoreError> {
        let found = answer::Entity::find().filter(answer::Column::RunId.eq(run));
        Ok(found.filter(answer::Column::Number.eq(number)).one(&self.db).await?)
    }

    /// Answers of a run by number, one page, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn answers(
        &self,
        run: Uuid,
        filter: &SampleFilter,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<Answer>, u64), StoreError> {
        let mut found = answer::Entity::find().filter(answer::Column::RunId.eq(run));
        if let Some(task) = &filter.task {
            found = found.filter(answer::Column::TaskSlug.eq(task));
        }
        if let Some(length) = filter.length_tokens {
            found = found.filter(answer::Column::LengthTokens.eq(length));
        }
        if let Some(outcome) = &filter.outcome {
            found = found.filter(answer::Column::Outcome.eq(outcome));
        }
        let total = found.clone().count(&self.db).await?;
        let page = found.order_by_asc(answer::Column::Number).offset(offset).limit(limit);
        Ok((page.all(&self.db).await?, total))
    }

    /// Every answer's item, repetition and score, 0..1; an answer that could not be scored counts 0.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn scores(&self, run: Uuid) -> Result<Vec<(ItemKey, i32, f64)>, StoreError> {
        let rows: Vec<(String, i32, i32, i32, Option<f64>)> = answer::Entity::find()
            .select_only()
            .columns([
                answer::Column::TaskSlug,
                answer::Column::LengthTokens,
                answer::Column::ItemIndex,
                answer::Column::Repetition,
                answer::Column::Score,
            ])
            .filter(answer::Column::RunId.eq(run))
            .order_by_asc(answer::Column::Number)
            .into_tuple()
            .all(&self.db)
            .await?;
        let scored = |(task, length, index, repetition, score): (String, i32, i32, i32, Option<f64>)| {
            ((task, length, index), repetition, score.unwrap_or(0.0))
        };
        Ok(rows.into_iter().map(scored).collect())
    }

    /// The number of each answer of a run, by item and repetition.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn answer_numbers(&self, run: Uuid) -> Result<BTreeMap<(ItemKey, i32), i32>, StoreError> {
        let rows: Vec<(String, i32, i32, i32, i32)> = answer::Entity::find()
            .select_only()
            .columns([
                answer::Column::TaskSlug,
                answer::Column::LengthTokens,
                answer::Column::ItemIndex,
                answer::Column::Repetition,
                answer::Column::Number,
            ])
            .filter(answer::Column::RunId.eq(run))
            .into_tuple()
            .all(&self.db)
            .await?;
        let numbered = |(task, length, index, repetition, number)| (((task, length, index), repetition), number);
        Ok(rows.into_iter().map(numbered).collect())
    }

    /// Answers of runs at one length with their run: item, repetition and score, 0..1; an answer that could not be scored
    /// counts 0.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn scores_at(
        &self,
        runs: &[Uuid],
        length_tokens: i32,
    ) -> Result<Vec<(Uuid, (ItemKey, i32, f64))>, StoreError> {
        let rows: Vec<(Uuid, String, i32, i32, Option<f64>)> = answer::Entity::find()
            .select_only()
            .columns([
                answer::Column::RunId,
                answer::Column::TaskSlug,
                answer::Column::ItemIndex,
                answer::Column::Repetition,
                answer::Column::Score,
            ])
            .filter(answer::Column::RunId.is_in(runs.iter().copied()))
            .filter(answer::Column::LengthTokens.eq(length_tokens))
            .into_tuple()
            .all(&self.db)
            .await?;
        let scored = |(run, task, index, repetition, score): (Uuid, String, i32, i32, Option<f64>)| {
            (run, ((task, length_tokens, index), repetition, score.unwrap_or(0.0)))
        };
        Ok(rows.into_iter().map(scored).collect())
    }

    /// Latencies of a run.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn timings(&self, run: Uuid) -> Result<Vec<Timing>, StoreError> {
        let rows: Vec<(i32, Option<i32>, i32)> = answer::Entity::find()
            .select_only()
            .columns([answer::Column::LengthTokens, answer::Column::FirstTokenMs, answer::Column::LatencyMs])
            .filter(answer::Column::RunId.eq(run))
            .filter(answer::Column::LatencyMs.is_not_null())
            .into_tuple()
            .all(&self.db)
            .await?;
        let timing = |(length_tokens, first_token_ms, latency_ms)| Timing { length_tokens, first_token_ms, latency_ms };
        Ok(rows.into_iter().map(timing).collect())
    }

    /// Causes of retries and failures of a run with their counts, most frequent first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn causes(&self, run: Uuid) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(Causes, Option<String>)> = answer::Entity::find()
            .select_only()
            .columns([answer::Column::RetryCauses, answer::Column::Cause])
            .filter(answer::Column::RunId.eq(run))
            .filter(answer::Column::Attempts.gt(1).or(answer::Column::Cause.is_not_null()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for cause in rows.into_iter().flat_map(|(causes, cause)| causes.0.into_iter().chain(cause)) {
            *counts.entry(cause).or_default() += 1;
        }
        let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(counts)
    }
}

pub(crate) async fn insert(db: &impl sea_orm::ConnectionTrait, answers: Vec<Answer>) -> Result<u64, StoreError> {
    let mut stored = 0;
    let rows: Vec<answer::ActiveModel> = answers
        .into_iter()
        .map(|mut row| {
            row.created_at = micros(row.created_at);
            row.score = row.score.filter(|score| score.is_finite());
            row.strict = row.strict.filter(|score| score.is_finite());
            answer::ActiveModel { id: NotSet, ..row.into_active_model() }
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        let inserted = answer::Entity::insert_many(chunk.to_vec())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .try_insert()
            .exec_without_returning(db)
            .await?;
        if let TryInsertResult::Inserted(count) = inserted {
            stored += count;
        }
    }
    Ok(stored)
}
