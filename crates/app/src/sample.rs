//! Samples: rebuilt from what is stored, since no prompt is.

use std::sync::Arc;

use longboard_store::StoreError;
use longboard_store::collection::Wanted;
use longboard_store::task::Task as TaskRow;
use longboard_suites::collection::cut;
use longboard_suites::dataset::Records;
use longboard_suites::families::concept_map::ConceptMap;
use longboard_suites::haystack::{Corpus, Haystack};
use longboard_suites::item::Item;
use longboard_suites::judging::OpenEnded;
use longboard_suites::length::Length;
use longboard_suites::retrieval::{Document, document_id};
use longboard_suites::rng::Rng;
use longboard_suites::task::{ItemRequest, Task};
use uuid::Uuid;

use crate::{AppError, Longboard};

/// Rebuilds the items of one (task version, length, seed). CPU-bound.
#[derive(Clone)]
pub(crate) struct Press {
    pub task: Task,
    length: Length,
    seed: u64,
    corpus: Option<Arc<Corpus>>,
    records: Arc<Records>,
}

impl Press {
    pub fn item(&self, index: u32) -> Result<Item, AppError> {
        let corpus = self.corpus.as_deref().map(|corpus| corpus as &dyn Haystack);
        let record = self.records.get(index);
        let request =
            ItemRequest { corpus, record: record.as_ref(), ..ItemRequest::new(self.seed, index, self.length) };
        self.task.item(&request).map_err(|error| AppError::Invalid(error.to_string()))
    }

    /// The document called `name` among those that item `index` searches.
    fn searched(&self, index: u32, name: &str) -> Result<Option<Document>, AppError> {
        let Some(retrieval) = self.task.retrieval() else { return Ok(None) };
        let corpus = self.corpus.as_deref().map(|corpus| corpus as &dyn Haystack);
        let request = ItemRequest { corpus, ..ItemRequest::new(self.seed, index, self.length) };
        let pool = retrieval.pool(&self.task, &request);
        let Some(number) = (0..pool.documents).find(|&number| document_id(number) == name) else { return Ok(None) };
        let document = retrieval.document(&self.task, &request, pool.block, number);
        document.map(Some).map_err(|error| AppError::Invalid(error.to_string()))
    }

    /// The picture on a page of item `index`.
    fn picture(&self, index: u32, page: u32) -> Result<Option<Vec<u8>>, AppError> {
        Ok(self.task.picture(&self.item(index)?, page))
    }

    /// What judges see of an item.
    pub fn open_ended(&self, index: u32) -> Result<OpenEnded, AppError> {
        let nothing = || AppError::Invalid("answers to this task are not open-ended".to_owned());
        self.task.open_ended(&self.item(index)?).ok_or_else(nothing)
    }
}

/// Which item a sample is.
struct Placed {
    row: TaskRow,
    length: Length,
    seed: i64,
    index: u32,
}

/// Places in a data file by item index: shuffled by the file's digest, so that the first n items are a random n of its
/// records, the same for everybody.
pub(crate) fn record_order(sha256: &str, records: i32) -> Vec<i32> {
    let mut order: Vec<i32> = (0..records).collect();
    Rng::from_path(&[Rng::name(sha256)]).shuffle(&mut order);
    order
}

impl Longboard {
    /// A press for the items of `indices`; only they can be built where a task stands on a data file.
    pub(crate) async fn press(
        &self,
        row: &TaskRow,
        length: Length,
        seed: i64,
        indices: impl IntoIterator<Item = u32>,
    ) -> Result<Press, AppError> {
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
        let records = Arc::new(self.records(row, indices).await?);
        Ok(Press { task, length, seed: seed.cast_unsigned(), corpus, records })
    }

    /// The records behind items; none where a task is generated.
    pub(crate) async fn records(
        &self,
        row: &TaskRow,
        indices: impl IntoIterator<Item = u32>,
    ) -> Result<Records, AppError> {
        let Some(sha256) = &row.data_sha256 else { return Ok(Records::default()) };
        let data = self.store.dataset(sha256).await?.ok_or_else(|| AppError::no("data file", sha256))?;
        let order = record_order(sha256, data.records);
        let mut places = Vec::new();
        for index in indices {
            let beyond =
                || AppError::Invalid(format!("{} has {} records, no item {index}", data.file_name, data.records));
            let ordinal = order.get(index as usize).copied().ok_or_else(beyond)?;
            places.push((index, ordinal));
        }
        Ok(self.store.dataset_records(sha256, &places).await?)
    }

    /// A document that a sample searched; `None` where it searched none of that name.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a sample.
    pub async fn searched(&self, run: Uuid, number: u32, name: &str) -> Result<Option<Document>, AppError> {
        let placed = self.placed(run, number).await?;
        if let Some(sha256) = &placed.row.data_sha256 {
            return self.collected(sha256, name, placed.length).await;
        }
        let press = self.press(&placed.row, placed.length, placed.seed, []).await?;
        let (index, name) = (placed.index, name.to_owned());
        tokio::task::spawn_blocking(move || press.searched(index, &name)).await.map_err(AppError::stopped)?
    }

    /// The PNG file of the picture on a page of a sample's document; `None` where there is none.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a sample.
    pub async fn picture(&self, run: Uuid, number: u32, page: u32) -> Result<Option<Vec<u8>>, AppError> {
        let Placed { row, length, seed, index } = self.placed(run, number).await?;
        let press = self.press(&row, length, seed, [index]).await?;
        tokio::task::spawn_blocking(move || press.picture(index, page)).await.map_err(AppError::stopped)?
    }

    async fn placed(&self, run: Uuid, number: u32) -> Result<Placed, AppError> {
        let run = self.run(run).await?;
        let answer = self.answer(&run, number).await?;
        let row = self.task(&answer.task_slug, Some(answer.task_version)).await?;
        let length =
            Length::new(answer.length_tokens.cast_unsigned()).map_err(|error| AppError::Invalid(error.to_string()))?;
        Ok(Placed { row, length, seed: run.seed, index: answer.item_index.cast_unsigned() })
    }

    /// A document of a data set's collection, cut to a window.
    async fn collected(&self, sha256: &str, name: &str, length: Length) -> Result<Option<Document>, AppError> {
        let found = match self.store.collected(sha256, &Wanted::Named(vec![name.to_owned()]), 0).await {
            Err(StoreError::NotFound(_)) => return Ok(None),
            found => found?,
        };
        let cut = tokio::task::spawn_blocking(move || found.into_iter().map(|found| cut(found, length)).next());
        cut.await.map_err(AppError::stopped)
    }

    /// One item of a task version, e.g. for a preview or a sample page.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when the length does not go with the task.
    pub async fn item(&self, row: &TaskRow, length: Length, seed: i64, index: u32) -> Result<Item, AppError> {
        let press = self.press(row, length, seed, [index]).await?;
        tokio::task::spawn_blocking(move || press.item(index)).await.map_err(AppError::stopped)?
    }

    /// One item, and which concepts occur together in it where its family asks about that.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when the length does not go with the task.
    pub async fn mapped_item(
        &self,
        row: &TaskRow,
        length: Length,
        seed: i64,
        index: u32,
    ) -> Result<(Item, Option<ConceptMap>), AppError> {
        let press = self.press(row, length, seed, [index]).await?;
        let built = tokio::task::spawn_blocking(move || {
            let item = press.item(index)?;
            let map = press.task.family().concept_map(&item);
            Ok((item, map))
        });
        built.await.map_err(AppError::stopped)?
    }
}
