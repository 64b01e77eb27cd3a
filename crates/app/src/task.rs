//! Tasks, corpora and suites as maintainers shape them.

use chrono::{DateTime, Utc};
use longboard_store::task::{Corpus as CorpusRow, Task as TaskRow};
use longboard_suites::card::Language;
use longboard_suites::haystack::Corpus;
use longboard_suites::length::Length;
use longboard_suites::suite::Suite;
use longboard_suites::task::{Task, TaskDefinition};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::account::Maintainer;
use crate::slug::{line, slug};
use crate::{AppError, Longboard};

/// Largest corpus in bytes: it travels with every shard that needs it.
pub const CORPUS_BYTES: usize = 16 * 1024 * 1024;

/// A task to be: the version is the server's to choose.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Slug; an existing one gets a new version.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Family.
    pub family: String,
    /// Parameters as the form gives them.
    pub params: serde_json::Map<String, Value>,
    /// Uploaded haystack instead of the built-in world.
    pub corpus: Option<String>,
}

/// A corpus to be.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Title; its slug is the corpus' name.
    pub title: String,
    /// Language of the text.
    pub language: Language,
    /// Text.
    pub text: String,
}

impl Longboard {
    /// The draft as an unpublished version, checked.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the parameter and what is allowed.
    pub async fn draft(&self, draft: &Draft, now: DateTime<Utc>) -> Result<TaskRow, AppError> {
        let newest = self.store.task(draft.slug.trim(), None).await?;
        if newest.as_ref().is_some_and(TaskRow::imported) {
            return Err(AppError::Invalid("this task comes from prediction files; choose another slug".to_owned()));
        }
        let version = newest.map_or(1, |row| row.version + 1);
        let definition = TaskDefinition {
            slug: draft.slug.trim().to_owned(),
            version: version.cast_unsigned(),
            title: line("the title", &draft.title, 80)?,
            family: draft.family.clone(),
            params: draft.params.clone(),
            data: None,
        };
        let task = Task::new(definition).map_err(|error| AppError::Invalid(error.to_string()))?;
        if let Some(name) = &draft.corpus {
            let corpus = self.store.corpus(name).await?.ok_or_else(|| AppError::no("corpus", name))?;
            if corpus.language != task.card().language.code() {
                return Err(AppError::Invalid(format!("the task is in another language than corpus `{name}`")));
            }
        }
        let checked = task.definition();
        Ok(TaskRow {
            slug: checked.slug.clone(),
            version,
            title: checked.title.clone(),
            family: checked.family.clone(),
            params: Value::Object(checked.params.clone()),
            corpus_slug: draft.corpus.clone(),
            data_sha256: None,
            author: String::new(),
            published_at: now,
        })
    }

    /// Publishes a draft as an immutable version.
    ///
    /// # Errors
    /// [`AppError::Invalid`] as [`Longboard::draft`]; [`AppError::Store`] when somebody published this version meanwhile.
    pub async fn publish_task(&self, by: &Maintainer, draft: &Draft, now: DateTime<Utc>) -> Result<TaskRow, AppError> {
        let row = self.draft(draft, now).await?;
        self.store.publish_task(&row.definition(), row.corpus_slug.clone(), &by.user().name, now).await?;
        let detail = json!({"version": row.version, "family": row.family, "params": row.params});
        self.note(&by.user().email, "publish_task", &row.slug, detail, now).await?;
        for suite in self.store.suites().await?.iter().filter(|suite| suite.tasks.0.contains(&row.slug)) {
            self.store.raise_data_version(&suite.slug).await?;
        }
        Ok(row)
    }

    /// Stores a corpus that tasks may use as haystack.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a text that is too short, too long or of no sentences.
    pub async fn upload_corpus(&self, by: &Maintainer, upload: Upload, now: DateTime<Utc>) -> Result<String, AppError> {
        let title = line("the title", &upload.title, 80)?;
        if upload.text.len() > CORPUS_BYTES || upload.text.contains('\0') {
            return Err(AppError::Invalid(format!("a corpus is plain text of at most {} MiB", CORPUS_BYTES >> 20)));
        }
        let (language, text) = (upload.language, upload.text);
        let read = tokio::task::spawn_blocking(move || {
            Corpus::new(language, &text).map(|corpus| (corpus.tokens(), hex::encode(Sha256::digest(&text)), text))
        });
        let read = read.await.map_err(AppError::stopped)?;
        let (tokens, digest, body) = read.map_err(|error| AppError::Invalid(error.to_string()))?;
        let slug = slug(&title)?;
        let detail = json!({"digest": digest, "tokens": tokens});
        let row = CorpusRow {
            slug: slug.clone(),
            title,
            language: language.code().to_owned(),
            digest,
            body,
            created_at: now,
        };
        self.store.add_corpus(row).await?;
        self.note(&by.user().email, "upload_corpus", &slug, detail, now).await?;
        Ok(slug)
    }

    /// Adds a suite, and with it a board.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the field; [`AppError::Store`] when the name is taken.
    pub async fn add_suite(&self, by: &Maintainer, suite: Suite, now: DateTime<Utc>) -> Result<String, AppError> {
        let title = line("the title", &suite.title, 80)?;
        let slug = slug(&title)?;
        if suite.lengths.is_empty() || !(1..=500).contains(&suite.samples) {
            return Err(AppError::Invalid("a suite needs a length, and 1 to 500 samples per cell".to_owned()));
        }
        self.check_tasks(&suite.tasks, &suite.lengths).await?;
        let description = suite.description.trim().chars().take(500).collect();
        let detail = json!({"tasks": suite.tasks, "samples": suite.samples});
        self.store.add_suite(Suite { slug: slug.clone(), title, description, ..suite }, now).await?;
        self.note(&by.user().email, "add_suite", &slug, detail, now).await?;
        Ok(slug)
    }

    /// Changes the tasks of a suite; its board shows complete scores again once its models have run them.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn set_suite_tasks(
        &self,
        by: &Maintainer,
        slug: &str,
        tasks: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let suite = self.store.suite(slug).await?.ok_or_else(|| AppError::no("suite", slug))?;
        if suite.imported {
            return Err(AppError::Invalid("this suite follows its benchmark's files and cannot be changed".to_owned()));
        }
        self.check_tasks(&tasks, &suite.lengths.0).await?;
        let detail = json!({"tasks": tasks});
        self.store.set_suite_tasks(slug, tasks).await?;
        self.note(&by.user().email, "set_suite_tasks", slug, detail, now).await
    }

    async fn check_tasks(&self, tasks: &[String], lengths: &[Length]) -> Result<(), AppError> {
        if tasks.is_empty() {
            return Err(AppError::Invalid("a suite needs a task".to_owned()));
        }
        let shortest = lengths.iter().map(|length| length.tokens()).min().unwrap_or(0);
        for slug in tasks {
            let missing = || AppError::Invalid(format!("there is no task `{slug}`; the list of tasks has the slugs"));
            let row = self.store.task(slug, None).await?.ok_or_else(missing)?;
            if row.imported() {
                return Err(AppError::Invalid(format!("`{slug}` comes from prediction files and cannot be run")));
            }
            let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
            if task.min_tokens() > shortest {
                let needs = task.min_tokens();
                return Err(AppError::Invalid(format!("`{slug}` needs {needs} tokens; leave out shorter lengths")));
            }
        }
        Ok(())
    }
}
