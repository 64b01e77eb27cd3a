//! Methods: reference endpoints and what their answers scored and cost.

use sea_orm::sea_query::{Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::Store;
use crate::endpoint::Endpoint;
use crate::entity::kind::EndpointKind;
use crate::entity::{answer, endpoint};
use crate::error::StoreError;
use crate::run::one_per_endpoint;

/// Scores and mean costs of one (endpoint, task, length), from the run that stands on the board.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodCell {
    /// The method's endpoint.
    pub endpoint_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// Task.
    pub task_slug: String,
    /// Bucket.
    pub length_tokens: i32,
    /// Samples.
    pub n: i64,
    /// Sum of scores, 0..1 each; an absent score counts as 0.
    pub sum: f64,
    /// Sum of squared scores.
    pub sum_of_squares: f64,
    /// Mean canonical tokens of the prompts.
    pub prompt_tokens: f64,
    /// Mean tokens stored per head; this and the costs below are absent where no answer carries them.
    pub kept_tokens: Option<f64>,
    /// Mean of the most tokens that a head stores.
    pub max_kept_tokens: Option<f64>,
    /// Mean bytes of the cache.
    pub cache_bytes: Option<f64>,
    /// Mean milliseconds choosing what is read.
    pub selection_ms: Option<f64>,
    /// Mean milliseconds reading it.
    pub attention_ms: Option<f64>,
    /// Mean floating-point operations of attention.
    pub attention_flops: Option<f64>,
    /// Mean bytes that attention read.
    pub attention_bytes: Option<f64>,
}

#[derive(FromQueryResult)]
struct Row {
    run_id: Uuid,
    task_slug: String,
    length_tokens: i32,
    n: i64,
    total: f64,
    squares: f64,
    prompt_tokens: f64,
    kept_tokens: Option<f64>,
    max_kept_tokens: Option<f64>,
    cache_bytes: Option<f64>,
    selection_ms: Option<f64>,
    attention_ms: Option<f64>,
    attention_flops: Option<f64>,
    attention_bytes: Option<f64>,
}

impl Store {
    /// Reference endpoints that are not retired, by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn methods(&self) -> Result<Vec<Endpoint>, StoreError> {
        Ok(endpoint::Entity::find()
            .filter(endpoint::Column::Kind.eq(EndpointKind::Reference))
            .filter(endpoint::Column::RetiredAt.is_null())
            .filter(endpoint::Column::Method.is_not_null())
            .order_by_asc(endpoint::Column::Slug)
            .all(&self.db)
            .await?)
    }

    /// Scores and costs of every method on a suite, from the run that stands on its board, by length and task.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn method_cells(&self, suite: &str) -> Result<Vec<MethodCell>, StoreError> {
        let methods = self.methods().await?;
        let mut runs = one_per_endpoint(self.runs_of_suite(suite).await?);
        runs.retain(|run| methods.iter().any(|method| method.id == run.endpoint_id));
        let score = || Expr::expr(Func::coalesce([Expr::col(answer::Column::Score), Expr::value(0.0)]));
        let mut sums = answer::Entity::find()
            .select_only()
            .columns([answer::Column::RunId, answer::Column::TaskSlug, answer::Column::LengthTokens])
            .column_as(answer::Column::Id.count(), "n")
            .column_as(score().sum(), "total")
            .column_as(score().mul(score()).sum(), "squares");
        for (column, name) in MEANS {
            sums = sums.column_as(mean(column), name);
        }
        let rows = sums
            .filter(answer::Column::RunId.is_in(runs.iter().map(|run| run.id)))
            .group_by(answer::Column::RunId)
            .group_by(answer::Column::LengthTokens)
            .group_by(answer::Column::TaskSlug)
            .order_by_asc(answer::Column::LengthTokens)
            .order_by_asc(answer::Column::TaskSlug)
            .into_model::<Row>()
            .all(&self.db)
            .await?;
        let endpoint_of = |row: &Row| runs.iter().find(|run| run.id == row.run_id).map(|run| run.endpoint_id);
        Ok(rows.into_iter().filter_map(|row| Some(cell(endpoint_of(&row)?, row))).collect())
    }
}

const MEANS: [(answer::Column, &str); 8] = [
    (answer::Column::PromptTokens, "prompt_tokens"),
    (answer::Column::KeptTokens, "kept_tokens"),
    (answer::Column::MaxKeptTokens, "max_kept_tokens"),
    (answer::Column::CacheBytes, "cache_bytes"),
    (answer::Column::SelectionMs, "selection_ms"),
    (answer::Column::AttentionMs, "attention_ms"),
    (answer::Column::AttentionFlops, "attention_flops"),
    (answer::Column::AttentionBytes, "attention_bytes"),
];

/// The mean as a floating-point number: PostgreSQL's mean of whole numbers is a decimal.
pub(crate) fn mean(column: answer::Column) -> SimpleExpr {
    Expr::expr(Expr::col(column).cast_as("double precision")).avg()
}

fn cell(endpoint_id: Uuid, row: Row) -> MethodCell {
    MethodCell {
        endpoint_id,
        run_id: row.run_id,
        task_slug: row.task_slug,
        length_tokens: row.length_tokens,
        n: row.n,
        sum: row.total,
        sum_of_squares: row.squares,
        prompt_tokens: row.prompt_tokens,
        kept_tokens: row.kept_tokens,
        max_kept_tokens: row.max_kept_tokens,
        cache_bytes: row.cache_bytes,
        selection_ms: row.selection_ms,
        attention_ms: row.attention_ms,
        attention_flops: row.attention_flops,
        attention_bytes: row.attention_bytes,
    }
}
