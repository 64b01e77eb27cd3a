//! Task versions, corpora and suites.

use chrono::{DateTime, Utc};
use longboard_suites::suite::Suite as SuiteDefinition;
use longboard_suites::task::TaskDefinition;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::Value;

use crate::Store;
use crate::connection::micros;
pub use crate::entity::corpus::Model as Corpus;
use crate::entity::kind::{TaskSlugs, TaskVersion};
pub use crate::entity::suite::Model as Suite;
pub use crate::entity::task::Model as Task;
use crate::entity::{corpus, suite, task};
use crate::error::StoreError;
use crate::seed::{IMPORTED_FAMILY, suite_row};

impl Task {
    /// Whether answers come from prediction files, so that there is no generator.
    #[must_use]
    pub fn imported(&self) -> bool {
        self.family == IMPORTED_FAMILY
    }

    /// The definition that the generator reads.
    #[must_use]
    pub fn definition(&self) -> TaskDefinition {
        TaskDefinition {
            slug: self.slug.clone(),
            version: self.version.cast_unsigned(),
            title: self.title.clone(),
            family: self.family.clone(),
            params: self.params.as_object().cloned().unwrap_or_default(),
            data: self.data_sha256.clone(),
        }
    }

    /// Its name and version.
    #[must_use]
    pub fn reference(&self) -> TaskVersion {
        TaskVersion { slug: self.slug.clone(), version: self.version }
    }
}

impl Store {
    /// The newest version of every task, by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn tasks(&self) -> Result<Vec<Task>, StoreError> {
        let all = task::Entity::find()
            .order_by_asc(task::Column::Slug)
            .order_by_desc(task::Column::Version)
            .all(&self.db)
            .await?;
        let mut newest: Vec<Task> = Vec::with_capacity(all.len());
        for row in all {
            if newest.last().is_none_or(|last| last.slug != row.slug) {
                newest.push(row);
            }
        }
        Ok(newest)
    }

    /// A version of a task; the newest without a number.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn task(&self, slug: &str, version: Option<i32>) -> Result<Option<Task>, StoreError> {
        let mut found = task::Entity::find().filter(task::Column::Slug.eq(slug));
        if let Some(version) = version {
            found = found.filter(task::Column::Version.eq(version));
        }
        Ok(found.order_by_desc(task::Column::Version).one(&self.db).await?)
    }

    /// All versions of a task, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn task_versions(&self, slug: &str) -> Result<Vec<Task>, StoreError> {
        let found = task::Entity::find().filter(task::Column::Slug.eq(slug));
        Ok(found.order_by_desc(task::Column::Version).all(&self.db).await?)
    }

    /// Publishes a task version. Two maintainers who publish at once cannot both have the same number.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when this version exists.
    pub async fn publish_task(
        &self,
        definition: &TaskDefinition,
        corpus_slug: Option<String>,
        author: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = task::ActiveModel {
            slug: Set(definition.slug.clone()),
            version: Set(definition.version.cast_signed()),
            title: Set(definition.title.clone()),
            family: Set(definition.family.clone()),
            params: Set(Value::Object(definition.params.clone())),
            corpus_slug: Set(corpus_slug),
            data_sha256: Set(definition.data.clone()),
            author: Set(author.to_owned()),
            published_at: Set(micros(now)),
        };
        let inserted = task::Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(|error| StoreError::taken(error, "this task version"))
    }

    /// Adds a corpus.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the slug is in use: a corpus never changes.
    pub async fn add_corpus(&self, mut row: Corpus) -> Result<(), StoreError> {
        row.created_at = micros(row.created_at);
        let row = corpus::ActiveModel::from(row);
        let inserted = corpus::Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(|error| StoreError::taken(error, "this corpus name"))
    }

    /// A corpus with its text.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn corpus(&self, slug: &str) -> Result<Option<Corpus>, StoreError> {
        Ok(corpus::Entity::find_by_id(slug).one(&self.db).await?)
    }

    /// All corpora, with an empty text.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn corpora(&self) -> Result<Vec<Corpus>, StoreError> {
        let all = corpus::Entity::find()
            .select_only()
            .columns([
                corpus::Column::Slug,
                corpus::Column::Title,
                corpus::Column::Language,
                corpus::Column::Digest,
                corpus::Column::CreatedAt,
            ])
            .column_as(Expr::value(""), "body")
            .order_by_asc(corpus::Column::Slug);
        Ok(all.all(&self.db).await?)
    }

    /// All suites in the order of boards.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn suites(&self) -> Result<Vec<Suite>, StoreError> {
        Ok(suite::Entity::find().order_by_asc(suite::Column::Position).all(&self.db).await?)
    }

    /// A suite.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn suite(&self, slug: &str) -> Result<Option<Suite>, StoreError> {
        Ok(suite::Entity::find_by_id(slug).one(&self.db).await?)
    }

    /// Adds a suite behind the others.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the slug is in use.
    pub async fn add_suite(&self, definition: SuiteDefinition, now: DateTime<Utc>) -> Result<(), StoreError> {
        let position = i32::try_from(suite::Entity::find().count(&self.db).await?).unwrap_or(i32::MAX);
        let row = suite_row(definition, position, micros(now));
        let inserted = suite::Entity::insert(row).exec_without_returning(&self.db).await;
        inserted.map(drop).map_err(|error| StoreError::taken(error, "this suite name"))
    }

    /// Replaces the tasks of a suite; runs keep the versions they froze.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_suite_tasks(&self, slug: &str, tasks: Vec<String>) -> Result<(), StoreError> {
        let done = suite::Entity::update_many()
            .set(suite::ActiveModel { tasks: Set(TaskSlugs(tasks)), ..Default::default() })
            .col_expr(suite::Column::DataVersion, Expr::col(suite::Column::DataVersion).add(1))
            .filter(suite::Column::Slug.eq(slug))
            .exec(&self.db)
            .await?;
        if done.rows_affected == 0 { Err(StoreError::NotFound("such suite")) } else { Ok(()) }
    }

    /// Notes that a board's data changed.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn raise_data_version(&self, slug: &str) -> Result<(), StoreError> {
        suite::Entity::update_many()
            .col_expr(suite::Column::DataVersion, Expr::col(suite::Column::DataVersion).add(1))
            .filter(suite::Column::Slug.eq(slug))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}
