//! What a long answer states, fact by fact, and what the item's facts or a corpus say of it.

use std::sync::Arc;

use longboard_store::task::{Corpus, Task as TaskRow};
use longboard_suites::item::Item;
use longboard_suites::judging::{FactReport, OpenEnded, Standing};
use longboard_suites::safe::{FactStore, K_MAXIMUM, K_MEDIAN, Passages, RatedFact, Report, Support, rate};
use longboard_suites::task::Task;
use serde::Serialize;

use crate::{AppError, Longboard};

/// Output budget from which on an answer is long enough to be cut into facts.
const LONG_TOKENS: u32 = 256;

/// A corpus ready to be searched.
#[derive(Debug, Clone)]
pub(crate) struct Indexed {
    digest: String,
    passages: Arc<Passages>,
}

/// A long answer held against the facts of its item, or against a corpus.
#[derive(Debug, Clone, Serialize)]
pub struct Factuality {
    /// Every fact the answer should state, with how it stands to it: `right`, `wrong` or `missing`.
    pub asked: Vec<(String, &'static str)>,
    /// What the answer says, cut into facts, each with verdict and evidence.
    pub said: Vec<RatedFact>,
    /// Facts said that the store supports.
    pub supported: u64,
    /// Facts said that it does not.
    pub unsupported: u64,
    /// F1@K in percent by K: the paper's median and largest number of facts, and the number this item asks for.
    pub f1_at: Vec<(u64, f64)>,
}

impl Longboard {
    /// Corpora, without their texts, that answers to a task can be checked against: those in its language. None where
    /// answers are short.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a task that this version does not know.
    pub async fn sources(&self, row: &TaskRow) -> Result<Vec<Corpus>, AppError> {
        if row.imported() {
            return Ok(Vec::new());
        }
        let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
        if task.card().output_tokens < LONG_TOKENS {
            return Ok(Vec::new());
        }
        let language = task.card().language.code();
        let all = self.store.corpora().await?;
        Ok(all.into_iter().filter(|corpus| corpus.language == language).collect())
    }

    /// Checks an answer, fact by fact, against a corpus.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such corpus.
    pub async fn factuality_in(&self, corpus: &str, answer: String) -> Result<Factuality, AppError> {
        let passages = self.passages(corpus).await?;
        let found = tokio::task::spawn_blocking(move || {
            let report = rate(&answer, passages.as_ref());
            Factuality::new(Vec::new(), report, [K_MEDIAN, K_MAXIMUM].into_iter())
        });
        found.await.map_err(AppError::stopped)
    }

    async fn passages(&self, corpus: &str) -> Result<Arc<Passages>, AppError> {
        let mut held = self.index.lock().await;
        let row = self.store.corpus(corpus).await?.ok_or_else(|| AppError::no("corpus", corpus))?;
        if let Some(indexed) = held.as_ref().filter(|indexed| indexed.digest == row.digest) {
            return Ok(Arc::clone(&indexed.passages));
        }
        let digest = row.digest;
        let indexing = tokio::task::spawn_blocking(move || Arc::new(Passages::new(&row.body)));
        let passages = indexing.await.map_err(AppError::stopped)?;
        *held = Some(Indexed { digest, passages: Arc::clone(&passages) });
        Ok(passages)
    }
}

/// Holds an answer against the facts of its item, which the caller has rebuilt; `None` where answers are closed or the
/// item has no facts.
///
/// # Errors
/// [`AppError::Invalid`] for a task that this version does not know.
pub async fn factuality(row: &TaskRow, item: Item, answer: String) -> Result<Option<Factuality>, AppError> {
    let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
    let found = tokio::task::spawn_blocking(move || checked(&task.open_ended(&item)?, &answer));
    found.await.map_err(AppError::stopped)
}

fn checked(material: &OpenEnded, answer: &str) -> Option<Factuality> {
    if material.facts.is_empty() {
        return None;
    }
    let standings = FactReport::new(&material.facts, answer).standings;
    let asked = material.facts.iter().zip(standings).map(|(fact, standing)| {
        let word = match standing {
            Standing::Right => "right",
            Standing::Wrong => "wrong",
            Standing::Missing => "missing",
        };
        (fact.statement.clone(), word)
    });
    let report = rate(answer, &FactStore::new(material.facts.clone()));
    let own = u64::try_from(material.facts.len()).unwrap_or(u64::MAX);
    Some(Factuality::new(asked.collect(), report, [own, K_MEDIAN, K_MAXIMUM].into_iter()))
}

impl Factuality {
    fn new(asked: Vec<(String, &'static str)>, report: Report, at: impl Iterator<Item = u64>) -> Self {
        Self {
            asked,
            supported: report.count(Support::Supported),
            unsupported: report.count(Support::NotSupported),
            f1_at: at.filter_map(|k| Some((k, 100.0 * report.f1_at(k)?))).collect(),
            said: report.facts,
        }
    }
}
