//! Built-in tasks and suites, added when they are missing and never changed.

use chrono::{DateTime, Utc};
use longboard_suites::predictions::{imported_suites, imported_tasks};
use longboard_suites::suite::Suite;
use longboard_suites::task::Task;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, Set, TryInsertResult};
use serde_json::{Map, Value};

use crate::Store;
use crate::entity::kind::{LengthList, TaskSlugs};
use crate::entity::{suite, task};
use crate::error::StoreError;

/// Family name of tasks whose answers come from prediction files.
pub const IMPORTED_FAMILY: &str = "predictions";

/// Author of built-in tasks.
pub const BUILTIN_AUTHOR: &str = "longboard";

pub(crate) async fn builtin(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let generated = Task::builtin().iter().map(|task| {
        let definition = task.definition();
        task_row(&definition.slug, definition.version, &definition.title, &definition.family, &definition.params, now)
    });
    let imported =
        imported_tasks().map(|task| task_row(task.slug, 1, task.title, IMPORTED_FAMILY, &Map::default(), now));
    let keep = OnConflict::columns([task::Column::Slug, task::Column::Version]).do_nothing().to_owned();
    for row in generated.chain(imported) {
        ignore(
            task::Entity::insert(row).on_conflict(keep.clone()).try_insert().exec_without_returning(&store.db).await?,
        );
    }
    let suites = Suite::builtin().into_iter().chain(imported_suites());
    let keep = OnConflict::column(suite::Column::Slug).do_nothing().to_owned();
    for (position, definition) in (0..).zip(suites) {
        let row = suite_row(definition, position, now);
        ignore(
            suite::Entity::insert(row).on_conflict(keep.clone()).try_insert().exec_without_returning(&store.db).await?,
        );
    }
    Ok(())
}

/// A row that exists stays as it is.
fn ignore<T>(_: TryInsertResult<T>) {}

fn task_row(
    slug: &str,
    version: u32,
    title: &str,
    family: &str,
    params: &Map<String, Value>,
    now: DateTime<Utc>,
) -> task::ActiveModel {
    task::ActiveModel {
        slug: Set(slug.to_owned()),
        version: Set(version.cast_signed()),
        title: Set(title.to_owned()),
        family: Set(family.to_owned()),
        params: Set(Value::Object(params.clone())),
        corpus_slug: Set(None),
        data_sha256: Set(None),
        author: Set(BUILTIN_AUTHOR.to_owned()),
        published_at: Set(now),
    }
}

pub(crate) fn suite_row(definition: Suite, position: i32, now: DateTime<Utc>) -> suite::ActiveModel {
    suite::ActiveModel {
        slug: Set(definition.slug),
        title: Set(definition.title),
        description: Set(definition.description),
        tasks: Set(TaskSlugs(definition.tasks)),
        lengths: Set(LengthList(definition.lengths)),
        samples: Set(definition.samples.cast_signed()),
        imported: Set(definition.imported),
        position: Set(position),
        data_version: Set(0),
        created_at: Set(now),
    }
}
