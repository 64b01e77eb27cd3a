//! Official data files: checked line by line, stored whole or not at all, and made into tasks of a suite.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use longboard_store::dataset::{Beside, Dataset as DatasetRow};
use longboard_store::run::Run;
use longboard_store::task::Task as TaskRow;
use longboard_store::{Store, StoreError};
use longboard_suites::dataset::Dataset;
use longboard_suites::families;
use longboard_suites::length::Length;
use longboard_suites::predictions::imported_task;
use longboard_suites::suite::Suite;
use longboard_suites::task::{Family, Task, TaskDefinition};
use serde_json::json;
use tokio::sync::mpsc;

use crate::data_file::{DataFile, DatasetError, Facts, Found};
use crate::{AppError, Longboard};

/// Records on their way from the file into the database.
const IN_FLIGHT: usize = 16;

/// Windows that a suite of official data is run at, in units of 1024 tokens.
const WINDOWS: [u32; 4] = [4, 8, 16, 32];

/// Most records of one task in a suite of official data.
const SAMPLES: i32 = 100;

/// Told the number of bytes read since the last call.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetReport {
    /// The task that stands on it.
    pub task: String,
    /// Records in it.
    pub records: u32,
    /// Lines or elements without a record of this data set, e.g. questions for judges among those with a score.
    pub skipped: usize,
    /// Digest of the file and what stands beside it.
    pub sha256: String,
    /// Files that stand beside it.
    pub beside: usize,
    /// False when the same bytes were stored before.
    pub stored: bool,
}

/// The family called `slug`, with its reader.
///
/// # Errors
/// [`AppError::Invalid`] lists the families that have official data.
pub fn reader(slug: &str) -> Result<(&'static dyn Family, &'static dyn Dataset), AppError> {
    let found = families::find(slug).and_then(|family| Some((family, family.dataset()?)));
    found.ok_or_else(|| {
        let known: Vec<&str> =
            families::all().iter().filter(|family| family.dataset().is_some()).map(|family| family.slug()).collect();
        AppError::Invalid(format!("`{slug}` is no family with official data; those are: {}", known.join(", ")))
    })
}

impl Longboard {
    /// Imports one file for a family, as `subset` or as its name says: the first reading checks every line, the second stores. `progress` is called
    /// with the number of bytes read since the last call.
    ///
    /// # Errors
    /// [`DatasetError`] names what is wrong; nothing is stored then.
    pub async fn import_dataset(
        &self,
        by: &str,
        (family, subset): (&str, Option<&str>),
        path: &Path,
        progress: Progress,
        now: DateTime<Utc>,
    ) -> Result<DatasetReport, DatasetError> {
        let (family, dataset) = reader(family)?;
        let file = DataFile::new(family, dataset, subset, path.to_owned(), progress)?;
        let checking = file.clone();
        let facts = tokio::task::spawn_blocking(move || checking.check()).await.map_err(AppError::stopped)??;
        let stored = match self.store_dataset(by, file.clone(), &facts, now).await {
            Ok(()) => true,
            Err(DatasetError::App(AppError::Store(StoreError::Taken(_)))) => false,
            Err(error) => return Err(error),
        };
        let task = self.dataset_task(by, &file, &facts, now).await?;
        let detail = json!({"file": file.name, "records": facts.records, "sha256": facts.sha256});
        self.note(by, "import_dataset", &task, detail, now).await?;
        Ok(DatasetReport {
            task,
            records: facts.records.cast_unsigned(),
            skipped: facts.skipped,
            beside: facts.beside.len(),
            sha256: facts.sha256,
            stored,
        })
    }

    async fn store_dataset(
        &self,
        by: &str,
        file: DataFile,
        facts: &Facts,
        now: DateTime<Utc>,
    ) -> Result<(), DatasetError> {
        let row = DatasetRow {
            sha256: facts.sha256.clone(),
            family: file.family.slug().to_owned(),
            subset: file.subset.name.to_owned(),
            file_name: file.name.clone(),
            licence: file.terms(),
            records: facts.records,
            bytes: facts.bytes,
            imported_by: by.to_owned(),
            imported_at: now,
            file_sha256: Some(facts.file_sha256.clone()),
            beside: Some(Beside(facts.beside.clone())),
        };
        let mut writer = self.store.begin_dataset(row).await?;
        let (sender, mut records) = mpsc::channel(IN_FLIGHT);
        let reading = tokio::task::spawn_blocking(move || file.read(&mut |found| sender.blocking_send(found).is_ok()));
        while let Some(found) = records.recv().await {
            match found {
                Found::Document(number, document) => writer.push_document(number, &document).await?,
                Found::Record(record) => writer.push(&record).await?,
                Found::Query(record, document) => writer.push_query(&record, &document).await?,
            }
        }
        let again = reading.await.map_err(AppError::stopped)??;
        if again.sha256 != facts.sha256 {
            return Err(DatasetError::Changed);
        }
        Ok(writer.commit().await?)
    }

    /// Publishes the task that stands on a file, in a suite of the family's official data.
    async fn dataset_task(
        &self,
        by: &str,
        file: &DataFile,
        facts: &Facts,
        now: DateTime<Utc>,
    ) -> Result<String, DatasetError> {
        let task = self.publish_over_data(by, file.definition(&facts.sha256), now).await?;
        self.list_in_suite(file.family, task.slug(), facts.records, now).await?;
        Ok(task.slug().to_owned())
    }

    /// Publishes a task that stands on a data file; a version that stands on other bytes is followed by a new one.
    pub(crate) async fn publish_over_data(
        &self,
        by: &str,
        mut definition: TaskDefinition,
        now: DateTime<Utc>,
    ) -> Result<Task, AppError> {
        let newest = self.store.task(&definition.slug, None).await?;
        let same = newest.as_ref().is_some_and(|row| row.data_sha256 == definition.data);
        definition.version = newest.map_or(1, |row| row.version.cast_unsigned() + u32::from(!same));
        let task = Task::new(definition).map_err(|error| AppError::Invalid(error.to_string()))?;
        if !same {
            self.store.publish_task(task.definition(), None, by, now).await?;
        }
        Ok(task)
    }

    async fn list_in_suite(
        &self,
        family: &dyn Family,
        task: &str,
        records: i32,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let slug = format!("{}-data", family.slug().replace('_', "-"));
        let Some(suite) = self.store.suite(&slug).await? else {
            let lengths = WINDOWS.iter().filter_map(|kilo| Length::new(kilo * 1024).ok());
            let suite = Suite {
                slug,
                title: format!("{}, official data", family.title()),
                description: format!(
                    "Records of {}'s own files with its official metrics. Columns are windows: longer prompts are cut as the benchmark cuts them, and each sample says how much was taken out.",
                    family.title()
                ),
                tasks: vec![task.to_owned()],
                lengths: lengths.collect(),
                samples: records.clamp(1, SAMPLES).cast_unsigned(),
                imported: false,
            };
            return Ok(self.store.add_suite(suite, now).await?);
        };
        let mut tasks = suite.tasks.0;
        if !tasks.iter().any(|known| known == task) {
            tasks.push(task.to_owned());
            self.store.set_suite_tasks(&slug, tasks).await?;
        }
        Ok(())
    }

    /// How many items there are of a task; `None` where they are generated.
    pub(crate) async fn available_items(&self, row: &TaskRow) -> Result<Option<u32>, AppError> {
        available(&self.store, row).await
    }

    pub(crate) async fn expected_samples(&self, run: &Run) -> Result<BTreeMap<String, u32>, AppError> {
        expected_samples(&self.store, run).await
    }
}

async fn available(store: &Store, row: &TaskRow) -> Result<Option<u32>, AppError> {
    if row.imported() {
        return Ok(imported_task(&row.slug).map(|known| known.samples));
    }
    let Some(sha256) = &row.data_sha256 else { return Ok(None) };
    Ok(store.dataset(sha256).await?.map(|data| data.records.cast_unsigned()))
}

/// Samples of each task in every cell of a run: those that the run asks for, or all there are.
pub(crate) async fn expected_samples(store: &Store, run: &Run) -> Result<BTreeMap<String, u32>, AppError> {
    let asked = run.samples.cast_unsigned();
    let mut expected = BTreeMap::new();
    for task in &run.tasks.0 {
        let Some(row) = store.task(&task.slug, Some(task.version)).await? else { continue };
        let there = available(store, &row).await?;
        let count = there.map_or(asked, |there| if row.imported() { there } else { there.min(asked) });
        expected.insert(task.slug.clone(), count);
    }
    Ok(expected)
}
