//! What runs under strategies, and of the endpoints they work around, scored and cost.

use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::Store;
use crate::endpoint::Endpoint;
use crate::entity::kind::RunState;
use crate::entity::{answer, endpoint, run};
use crate::error::StoreError;
use crate::method::mean;

/// Scores and mean costs of one (run, task, length).
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct CostCell {
    /// The run.
    pub run_id: Uuid,
    /// Task.
    pub task_slug: String,
    /// Bucket.
    pub length_tokens: i32,
    /// Samples.
    pub n: i64,
    /// Sum of scores, 0..1 each; an absent score counts as 0.
    pub total: f64,
    /// Mean canonical tokens of the prompts.
    pub prompt_tokens: f64,
    /// Mean requests; absent where an answer took one.
    pub calls: Option<f64>,
    /// Mean canonical tokens that all requests sent.
    pub sent_tokens: Option<f64>,
    /// Mean canonical tokens that came back.
    pub written_tokens: Option<f64>,
    /// Mean completion tokens as reported.
    pub reported_tokens: Option<f64>,
    /// Mean milliseconds to the last byte.
    pub latency_ms: Option<f64>,
}

impl Store {
    /// Endpoints under strategies that are not retired, by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn strategies(&self) -> Result<Vec<Endpoint>, StoreError> {
        Ok(endpoint::Entity::find()
            .filter(endpoint::Column::PlainId.is_not_null())
            .filter(endpoint::Column::RetiredAt.is_null())
            .order_by_asc(endpoint::Column::Slug)
            .all(&self.db)
            .await?)
    }

    /// Suites that some of these endpoints have run, by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn suites_run_by(&self, endpoints: &[Uuid]) -> Result<Vec<String>, StoreError> {
        Ok(run::Entity::find()
            .select_only()
            .column(run::Column::SuiteSlug)
            .distinct()
            .filter(run::Column::EndpointId.is_in(endpoints.iter().copied()))
            .filter(run::Column::State.ne(RunState::Cancelled))
            .order_by_asc(run::Column::SuiteSlug)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// Scores and costs of runs, by length and task.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn cost_cells(&self, runs: &[Uuid]) -> Result<Vec<CostCell>, StoreError> {
        let score = || Expr::expr(Func::coalesce([Expr::col(answer::Column::Score), Expr::value(0.0)]));
        let mut sums = answer::Entity::find()
            .select_only()
            .columns([answer::Column::RunId, answer::Column::TaskSlug, answer::Column::LengthTokens])
            .column_as(answer::Column::Id.count(), "n")
            .column_as(score().sum(), "total");
        for (column, name) in MEANS {
            sums = sums.column_as(mean(column), name);
        }
        Ok(sums
            .filter(answer::Column::RunId.is_in(runs.iter().copied()))
            .group_by(answer::Column::RunId)
            .group_by(answer::Column::LengthTokens)
            .group_by(answer::Column::TaskSlug)
            .order_by_asc(answer::Column::LengthTokens)
            .order_by_asc(answer::Column::TaskSlug)
            .into_model::<CostCell>()
            .all(&self.db)
            .await?)
    }
}

const MEANS: [(answer::Column, &str); 6] = [
    (answer::Column::PromptTokens, "prompt_tokens"),
    (answer::Column::Calls, "calls"),
    (answer::Column::SentTokens, "sent_tokens"),
    (answer::Column::WrittenTokens, "written_tokens"),
    (answer::Column::ReportedCompletionTokens, "reported_tokens"),
    (answer::Column::LatencyMs, "latency_ms"),
];
