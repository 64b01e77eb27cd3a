//! Rankings: the documents and queries of a shard's items go to an embedder or a reranker, their scores become answers.
//!
//! Search is exact. Of a pool that is embedded only its vectors are kept: documents x dimension x 4 bytes. A reranker
//! reads the documents with every query, so their texts are kept instead.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};
use longboard_endpoint::client::OpenAiClient;
use longboard_endpoint::model::{CallError, Embedder, Input, Reranker, Spent};
use longboard_endpoint::true_false::TrueFalse;
use longboard_protocol::worker::{Completion, EndpointApi, EndpointSpec, Exchange, Metered, RunWork};
use longboard_suites::encoding::Encoding;
use longboard_suites::item::Item;
use longboard_suites::retrieval::{Content, Document, Pool, Ranked, Rankings, queries};
use longboard_suites::tokens;
use tokio::sync::OnceCell;

use super::lease::Failure;
use super::sample::{Generator, SampleEnd, failed};

/// Documents of one request, and their canonical tokens.
const BATCH: usize = 32;
const BATCH_TOKENS: u32 = 64 * 1024;

/// Bytes of text that a reranker's pool may have: they travel with every query.
const RERANKED_BYTES: usize = 48 * 1024 * 1024;

/// An embedder or a reranker, with what it made of the shard's documents.
pub(super) struct Search {
    client: OpenAiClient,
    scoring: Scoring,
    query_prefix: String,
    document_prefix: String,
    at_once: usize,
    /// Samples among which the cost of a pool is divided.
    samples: u64,
    pools: Mutex<BTreeMap<u32, Arc<OnceCell<Library>>>>,
}

/// Where scores come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scoring {
    /// Cosines of vectors; long texts become one by an encoding, or as they are.
    Vectors(Option<Encoding>),
    /// A reranker.
    Reranker,
    /// The next word of a chat model.
    NextWord,
}

impl Scoring {
    fn of(endpoint: &EndpointSpec) -> Result<Self, Failure> {
        Ok(match endpoint.api {
            EndpointApi::Rerank => Self::Reranker,
            EndpointApi::TrueFalse => Self::NextWord,
            EndpointApi::Embeddings | EndpointApi::Chat | EndpointApi::Completions => {
                let encoding = endpoint.strategy.as_deref().map(Encoding::from_str).transpose();
                Self::Vectors(encoding.map_err(|error| Failure::lasting("unknown_strategy", error))?)
            }
        })
    }
}

/// The documents of a pool as they are searched.
#[derive(Default)]
struct Library {
    ids: Vec<String>,
    /// Unit vectors in the order of `ids`; empty for a reranker.
    vectors: Vec<Vec<f32>>,
    /// Texts in the order of `ids`; empty for an embedder.
    texts: Vec<String>,
    tokens: u64,
}

/// Vectors of some contents and what they took.
#[derive(Default)]
struct Encoded {
    vectors: Vec<Vec<f32>>,
    tokens: u64,
    spent: Spent,
    calls: u32,
}

/// Rankings, what the calls took, and how many there were.
type Found = (Rankings, Spent, u32);

/// Why a sample has no ranking.
enum Unranked {
    Call(CallError),
    Unmade(Failure),
}

impl From<CallError> for Unranked {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

fn refused(cause: &str, detail: String) -> Unranked {
    Unranked::Call(CallError::Failed { cause: cause.to_owned(), detail, attempts: 0 })
}

impl Search {
    pub fn new(client: OpenAiClient, endpoint: &EndpointSpec, work: &RunWork) -> Result<Self, Failure> {
        Ok(Self {
            client,
            scoring: Scoring::of(endpoint)?,
            query_prefix: endpoint.query_prefix.clone(),
            document_prefix: endpoint.document_prefix.clone(),
            at_once: endpoint.max_concurrency.max(1) as usize,
            samples: u64::from(work.count.max(1)) * u64::from(work.repetitions.max(1)),
            pools: Mutex::default(),
        })
    }

    /// The rankings of an item's queries.
    pub async fn exchange(&self, generator: &Arc<Generator>, index: u32, item: Item) -> Result<Exchange, SampleEnd> {
        match self.ranked(generator, index, item).await {
            Ok(completion) => Ok(Exchange::Completed(completion)),
            Err(Unranked::Call(error)) => failed(error),
            Err(Unranked::Unmade(failure)) => Err(SampleEnd::Fatal(failure)),
        }
    }

    async fn ranked(&self, generator: &Arc<Generator>, index: u32, item: Item) -> Result<Completion, Unranked> {
        let pool = generator.pool(index).map_err(Unranked::Unmade)?;
        let cell = {
            let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(pools.entry(pool.block).or_default())
        };
        let library = cell.get_or_try_init(|| self.library(generator, pool)).await?;
        let asked = queries(&item).count();
        let contents: Vec<Content> = (0..asked).filter_map(|number| generator.query(&item, number)).collect();
        let sent: u64 = queries(&item).map(|query| u64::from(tokens::count(query))).sum();
        let ((rankings, spent, calls), read) = match self.scoring {
            Scoring::Vectors(encoding) => {
                (self.nearest(library, contents, encoding).await?, library.tokens / self.samples)
            }
            Scoring::Reranker | Scoring::NextWord => {
                (self.reranked(library, contents).await?, library.tokens * asked as u64)
            }
        };
        Ok(Completion {
            text: rankings.write(),
            finish_reason: Some("stop".to_owned()),
            latency_ms: spent.latency_ms,
            attempts: spent.attempts,
            retry_causes: spent.retry_causes,
            metered: Some(Box::new(Metered { calls, prompt_tokens: sent + read, ..Metered::default() })),
            ..Completion::default()
        })
    }

    /// Makes a pool ready to be searched, batch by batch.
    async fn library(&self, generator: &Arc<Generator>, pool: Pool) -> Result<Library, Unranked> {
        let batches = stream::iter(batches(generator.length_tokens(), pool.documents)).map(|numbers| {
            let generator = Arc::clone(generator);
            async move {
                let made = tokio::task::spawn_blocking(move || {
                    numbers.map(|number| generator.document(pool.block, number)).collect::<Result<Vec<Document>, _>>()
                });
                let made = made.await.map_err(|error| Unranked::Unmade(Failure::retryable("worker_error", error)))?;
                self.shelved(made.map_err(Unranked::Unmade)?).await
            }
        });
        let mut library = Library::default();
        let mut batches = batches.buffered(self.at_once);
        while let Some(batch) = batches.try_next().await? {
            library.add(batch)?;
        }
        tracing::info!(
            documents = library.ids.len(),
            vector_bytes = library.vectors.iter().map(|vector| vector.len() * 4).sum::<usize>(),
            text_bytes = library.texts.iter().map(String::len).sum::<usize>(),
            "a pool is ready to be searched"
        );
        Ok(library)
    }

    async fn shelved(&self, documents: Vec<Document>) -> Result<Library, Unranked> {
        let mut library = Library::default();
        let mut contents = Vec::with_capacity(documents.len());
        for Document { id, content } in documents {
            library.ids.push(id);
            contents.push(content);
        }
        let Scoring::Vectors(encoding) = self.scoring else {
            for content in contents {
                let Content::Text(text) = content else { return Err(no_pictures()) };
                library.tokens += u64::from(tokens::count(&text));
                library.texts.push(format!("{}{text}", self.document_prefix));
            }
            return Ok(library);
        };
        let encoded = self.encoded(contents, encoding, &self.document_prefix).await?;
        (library.vectors, library.tokens) = (encoded.vectors, encoded.tokens);
        Ok(library)
    }

    /// A unit vector for each content, of its pieces where there is an encoding.
    async fn encoded(
        &self,
        contents: Vec<Content>,
        encoding: Option<Encoding>,
        prefix: &str,
    ) -> Result<Encoded, Unranked> {
        let mut found = Encoded::default();
        let (mut inputs, mut counts) = (Vec::new(), Vec::with_capacity(contents.len()));
        for content in contents {
            let before = inputs.len();
            match (content, encoding) {
                (Content::Picture(png), _) => inputs.push(Input::Picture(png)),
                (Content::Text(text), None) => inputs.push(Input::Text(text)),
                (Content::Text(text), Some(encoding)) => {
                    inputs.extend(encoding.pieces(&text).into_iter().map(Input::Text));
                }
            }
            counts.push(inputs.len() - before);
        }
        for input in &mut inputs {
            if let Input::Text(text) = input {
                found.tokens += u64::from(tokens::count(text));
                text.insert_str(0, prefix);
            }
        }
        let mut vectors = Vec::with_capacity(inputs.len());
        for batch in inputs.chunks(BATCH) {
            let embedded = self.client.embed(batch).await?;
            found.calls += 1;
            found.spent = together(std::mem::take(&mut found.spent), embedded.spent);
            vectors.extend(embedded.vectors);
        }
        let mut rest = vectors.as_slice();
        for count in counts {
            let (own, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = others;
            found.vectors.push(one_vector(own, encoding)?);
        }
        Ok(found)
    }

    /// Cosines of each query with every document.
    async fn nearest(
        &self,
        library: &Library,
        contents: Vec<Content>,
        encoding: Option<Encoding>,
    ) -> Result<Found, Unranked> {
        let dimension = library.vectors.first().map_or(0, Vec::len);
        let encoded = self.encoded(contents, encoding, &self.query_prefix).await?;
        let mut rankings = Rankings::default();
        for query in &encoded.vectors {
            if query.len() != dimension {
                let detail = format!("a query of {} numbers, documents of {dimension}", query.len());
                return Err(refused("wrong_dimension", detail));
            }
            let scores = library.vectors.iter().map(|document| dot(query, document));
            rankings.push(library.ids.iter().cloned().zip(scores).collect());
        }
        Ok((rankings, encoded.spent, encoded.calls))
    }

    async fn reranked(&self, library: &Library, contents: Vec<Content>) -> Result<Found, Unranked> {
        let (mut rankings, mut total, mut calls) = (Rankings::default(), Spent::default(), 0);
        for content in contents {
            let Content::Text(query) = content else { return Err(no_pictures()) };
            let query = format!("{}{query}", self.query_prefix);
            let scored = if self.scoring == Scoring::NextWord {
                calls += u32::try_from(library.texts.len()).unwrap_or(u32::MAX);
                TrueFalse(&self.client).rerank(&query, &library.texts).await?
            } else {
                calls += 1;
                self.client.rerank(&query, &library.texts).await?
            };
            total = together(total, scored.spent);
            let ranked: Vec<Ranked> = library.ids.iter().cloned().zip(scored.scores).collect();
            rankings.push(ranked);
        }
        Ok((rankings, total, calls))
    }
}

impl Library {
    fn add(&mut self, batch: Self) -> Result<(), Unranked> {
        if let (Some(known), Some(new)) = (self.vectors.first(), batch.vectors.first())
            && known.len() != new.len()
        {
            let detail = format!("documents of {} and of {} numbers", known.len(), new.len());
            return Err(refused("wrong_dimension", detail));
        }
        self.ids.extend(batch.ids);
        self.vectors.extend(batch.vectors);
        self.texts.extend(batch.texts);
        self.tokens += batch.tokens;
        let bytes: usize = self.texts.iter().map(String::len).sum();
        if bytes > RERANKED_BYTES {
            let detail = format!("a reranker is sent at most {RERANKED_BYTES} bytes of documents with a query");
            return Err(refused("pool_too_large", detail));
        }
        Ok(())
    }
}

/// The unit vector of a text from those of its pieces.
fn one_vector(pieces: &[Vec<f32>], encoding: Option<Encoding>) -> Result<Vec<f32>, Unranked> {
    let [first, others @ ..] = pieces else { return Err(refused("short_batch", "no vector of a text".to_owned())) };
    if let Some(other) = others.iter().find(|other| other.len() != first.len()) {
        let detail = format!("pieces of {} and of {} numbers", first.len(), other.len());
        return Err(refused("wrong_dimension", detail));
    }
    let Some(encoding) = encoding else { return Ok(unit(first)) };
    let vector = unit(&encoding.joined(&pieces.iter().map(|piece| unit(piece)).collect::<Vec<_>>()));
    let none = || refused("zero_vector", "the pieces of a text cancel each other".to_owned());
    if vector.iter().all(|number| number.is_finite()) { Ok(vector) } else { Err(none()) }
}

fn no_pictures() -> Unranked {
    refused("no_pictures", "rerankers read text; pictures take an embedder".to_owned())
}

/// Numbers of documents that go into one request.
fn batches(length_tokens: u32, documents: u32) -> impl Iterator<Item = std::ops::Range<u32>> {
    let most = u32::try_from(BATCH).unwrap_or(1);
    let step = (BATCH_TOKENS / length_tokens.max(1)).clamp(1, most);
    (0..documents).step_by(step as usize).map(move |first| first..documents.min(first + step))
}

fn together(a: Spent, b: Spent) -> Spent {
    let add = |a: Option<u32>, b: Option<u32>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    Spent {
        prompt_tokens: add(a.prompt_tokens, b.prompt_tokens),
        latency_ms: a.latency_ms.saturating_add(b.latency_ms),
        attempts: a.attempts.saturating_add(b.attempts),
        retry_causes: a.retry_causes.into_iter().chain(b.retry_causes).collect(),
    }
}

/// Of length 1, by a sum in double precision: a vector of huge numbers has no length in single precision.
#[expect(clippy::cast_possible_truncation, reason = "the numbers are at most 1")]
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    vector.iter().map(|number| (f64::from(*number) / length) as f32).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_document_once_and_little_text() {
        for (length, documents) in [(256, 100), (32_768, 5), (1_048_576, 2), (512, 1)] {
            let all: Vec<u32> = batches(length, documents).flatten().collect();
            assert_eq!(all, (0..documents).collect::<Vec<_>>());
            assert!(batches(length, documents).all(|batch| batch.len() == 1 || batch.len() as u32 * length <= 65_536));
        }
    }

    #[test]
    fn huge_and_tiny_vectors_have_a_direction() {
        for scale in [1e-30_f32, 1.0, 1e30] {
            let vector = unit(&[3.0 * scale, 4.0 * scale]);
            assert!((vector[0] - 0.6).abs() < 1e-6 && (vector[1] - 0.8).abs() < 1e-6, "{vector:?}");
        }
    }
}
