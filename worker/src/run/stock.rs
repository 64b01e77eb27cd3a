//! The documents of a pool, batch by batch: made from the seed, or fetched from the server's collection and cut.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};
use longboard_protocol::worker::{CollectedDocument, CollectedPart, Picked};
use longboard_suites::collection::{self, Stock};
use longboard_suites::retrieval::{Content, Document, Pool};

use super::lease::{Failure, Lease};
use super::sample::Generator;

/// Documents of one batch, and their canonical tokens.
pub(super) const BATCH: usize = 32;
const BATCH_TOKENS: u32 = 64 * 1024;

/// Where the documents come from that an item searches.
pub(super) enum Source {
    /// Made from the seed.
    Made(Pool),
    /// Official ones.
    Collected(Stock),
}

/// Documents of a batch.
type Batch = Result<Vec<Document>, Failure>;

impl Source {
    /// Which pool it is, where other items may search it too.
    pub fn shared(&self) -> Option<u32> {
        match self {
            Self::Made(pool) => Some(pool.block),
            Self::Collected(Stock::Whole(_)) => Some(0),
            Self::Collected(Stock::Named(_)) => None,
        }
    }

    /// All documents in order; at most `ahead` batches are made before they are taken.
    pub fn batches(self, generator: Arc<Generator>, lease: Arc<Lease>, ahead: usize) -> BoxStream<'static, Batch> {
        let step = step(generator.length_tokens());
        match self {
            Self::Made(pool) => {
                let made = ranges(pool.documents, step).map(move |numbers| made(Arc::clone(&generator), pool, numbers));
                stream::iter(made).buffered(ahead).boxed()
            }
            Self::Collected(stock) => {
                let rest = Rest { asked: asked(stock, step), generator, lease };
                stream::try_unfold(rest, Rest::fetched).boxed()
            }
        }
    }
}

async fn made(generator: Arc<Generator>, pool: Pool, numbers: std::ops::Range<u32>) -> Batch {
    let made =
        tokio::task::spawn_blocking(move || numbers.map(|number| generator.document(pool.block, number)).collect());
    made.await.map_err(|error| Failure::retryable("worker_error", error))?
}

/// What is still to be fetched of a collection.
struct Rest {
    asked: VecDeque<Picked>,
    generator: Arc<Generator>,
    lease: Arc<Lease>,
}

impl Rest {
    async fn fetched(mut self) -> Result<Option<(Vec<Document>, Self)>, Failure> {
        let Some(picked) = self.asked.pop_front() else { return Ok(None) };
        let documents = fetched(&self.lease, picked.clone()).await?;
        if let Some(rest) = behind(picked, documents.len()) {
            self.asked.push_front(rest);
        }
        let length = self.generator.length();
        let cut = move || documents.into_iter().map(|document| collection::cut(document, length)).collect();
        let documents = tokio::task::spawn_blocking(cut).await;
        Ok(Some((documents.map_err(|error| Failure::retryable("worker_error", error))?, self)))
    }
}

/// The first of the picked documents as the server has them, at least one.
pub(super) async fn fetched(lease: &Lease, picked: Picked) -> Result<Vec<Document>, Failure> {
    let reply = lease.documents(picked.clone()).await;
    let reply = reply.map_err(|error| Failure::retryable("no_documents", error))?;
    let most = match &picked {
        Picked::From { count, .. } => *count as usize,
        Picked::Named { names } => names.len(),
    };
    let named = match &picked {
        Picked::Named { names } => reply.documents.iter().zip(names).all(|(document, name)| document.id == *name),
        Picked::From { .. } => true,
    };
    if reply.documents.is_empty() || reply.documents.len() > most || !named {
        return Err(Failure::retryable("no_documents", "the server sent other documents than were asked for"));
    }
    reply.documents.into_iter().map(read).collect()
}

fn read(CollectedDocument { id, part }: CollectedDocument) -> Result<Document, Failure> {
    let content = match part {
        CollectedPart::Text(text) => Content::Text(text),
        CollectedPart::Picture(written) => {
            Content::Picture(hex::decode(written).map_err(|error| Failure::retryable("no_documents", error))?)
        }
    };
    Ok(Document { id, content })
}

/// Canonical tokens of a batch are bounded by its number of documents.
fn step(length_tokens: u32) -> u32 {
    (BATCH_TOKENS / length_tokens.max(1)).clamp(1, u32::try_from(BATCH).unwrap_or(1))
}

fn ranges(documents: u32, step: u32) -> impl Iterator<Item = std::ops::Range<u32>> + Send {
    (0..documents).step_by(step as usize).map(move |first| first..documents.min(first.saturating_add(step)))
}

fn asked(stock: Stock, step: u32) -> VecDeque<Picked> {
    match stock {
        Stock::Whole(documents) => ranges(documents, step)
            .map(|numbers| Picked::From { first: numbers.start, count: numbers.end - numbers.start })
            .collect(),
        Stock::Named(names) => {
            names.chunks(step as usize).map(|names| Picked::Named { names: names.to_vec() }).collect()
        }
    }
}

/// What is left to ask for once the first `count` documents are there.
fn behind(picked: Picked, count: usize) -> Option<Picked> {
    match picked {
        Picked::From { first, count: all } => {
            let got = u32::try_from(count).unwrap_or(u32::MAX);
            let rest = all.saturating_sub(got);
            (rest > 0).then(|| Picked::From { first: first.saturating_add(got), count: rest })
        }
        Picked::Named { mut names } => {
            names.drain(..count.min(names.len()));
            (!names.is_empty()).then_some(Picked::Named { names })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_document_once_and_little_text() {
        for (length, documents) in [(256, 100), (32_768, 5), (1_048_576, 2), (512, 1)] {
            let batches = || ranges(documents, step(length));
            let all: Vec<u32> = batches().flatten().collect();
            assert_eq!(all, (0..documents).collect::<Vec<_>>());
            assert!(batches().all(|batch| batch.len() == 1 || batch.len() as u32 * length <= 65_536));
        }
    }

    #[test]
    fn what_did_not_come_is_asked_for_again() {
        let mut asked = asked(Stock::Whole(70), 32);
        let mut got = Vec::new();
        while let Some(picked) = asked.pop_front() {
            let Picked::From { first, count } = picked else { panic!("{picked:?}") };
            let sent = count.min(5);
            got.extend(first..first + sent);
            asked.extend(behind(picked, sent as usize));
        }
        got.sort_unstable();
        assert_eq!(got, (0..70).collect::<Vec<_>>());
        let names = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(behind(Picked::Named { names: names() }, 1), Some(Picked::Named { names: vec!["b".to_owned()] }));
        assert_eq!(behind(Picked::Named { names: names() }, 2), None);
    }
}
