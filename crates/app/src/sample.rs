//! Samples: rebuilt from what is stored, since no prompt is.

use std::sync::Arc;

use longboard_store::task::Task as TaskRow;
use longboard_suites::haystack::{Corpus, Haystack};
use longboard_suites::item::Item;
use longboard_suites::judging::OpenEnded;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};

use crate::{AppError, Longboard};

/// Rebuilds the items of one (task version, length, seed). CPU-bound.
#[derive(Clone)]
pub(crate) struct Press {
    pub task: Task,
    length: Length,
    seed: u64,
    corpus: Option<Arc<Corpus>>,
}

impl Press {
    pub fn item(&self, index: u32) -> Result<Item, AppError> {
        let corpus = self.corpus.as_deref().map(|corpus| corpus as &dyn Haystack);
        let request = ItemRequest { corpus, ..ItemRequest::new(self.seed, index, self.length) };
        self.task.item(&request).map_err(|error| AppError::Invalid(error.to_string()))
    }

    /// What judges see of an item.
    pub fn open_ended(&self, index: u32) -> Result<OpenEnded, AppError> {
        let nothing = || AppError::Invalid("answers to this task are not open-ended".to_owned());
        self.task.open_ended(&self.item(index)?).ok_or_else(nothing)
    }
}

impl Longboard {
    pub(crate) async fn press(&self, row: &TaskRow, length: Length, seed: i64) -> Result<Press, AppError> {
        let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
        let language = task.card().language;
        let corpus = match &row.corpus_slug {
            None => None,
            Some(slug) => {
                let found = self.store.corpus(slug).await?.ok_or_else(|| AppError::no("corpus", slug))?;
                let read = tokio::task::spawn_blocking(move || Corpus::new(language, &found.body));
                let read = read.await.map_err(AppError::stopped)?;
                Some(Arc::new(read.map_err(|error| AppError::Invalid(error.to_string()))?))
            }
        };
        Ok(Press { task, length, seed: seed.cast_unsigned(), corpus })
    }

    /// One item of a task version, e.g. for a preview or a sample page.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when the length does not go with the task.
    pub async fn item(&self, row: &TaskRow, length: Length, seed: i64, index: u32) -> Result<Item, AppError> {
        let press = self.press(row, length, seed).await?;
        tokio::task::spawn_blocking(move || press.item(index)).await.map_err(AppError::stopped)?
    }
}
