//! Rankings: the documents and queries of a shard's items go to an embedder or a reranker, their scores become answers.
//!
//! Search is exact. Of a pool that is embedded only its vectors are kept: documents x dimension x 4 bytes, for a strategy
//! that keeps sentences apart sentences x dimension x 4 bytes and the texts. A reranker reads the documents with every
//! query, so their texts are kept instead. What is kept is bounded (`library`).

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt};
use longboard_endpoint::client::OpenAiClient;
use longboard_endpoint::model::{CallError, Embedder, Input, Reranker, Spent};
use longboard_endpoint::true_false::TrueFalse;
use longboard_protocol::worker::{Completion, EndpointApi, EndpointSpec, Exchange, Metered, Picked, RunWork};
use longboard_suites::aggregate::dot;
use longboard_suites::bm25;
use longboard_suites::collection;
use longboard_suites::encoding::Encoding;
use longboard_suites::item::Item;
use longboard_suites::paraformer::Paraformer;
use longboard_suites::retrieval::{Content, Document, Ranked, Rankings, queries};
use longboard_suites::searching::Searching;
use longboard_suites::tokens;
use tokio::sync::OnceCell;

use super::lease::{Failure, Lease};
use super::library::Library;
use super::sample::{Generator, SampleEnd, failed};
use super::stock::{self, BATCH, Source};

/// A pool that several items search.
type Shared = Arc<OnceCell<Arc<Library>>>;

/// An embedder or a reranker, with what it made of the shard's documents.
pub(super) struct Search {
    client: OpenAiClient,
    lease: Arc<Lease>,
    scoring: Scoring,
    query_prefix: String,
    document_prefix: String,
    at_once: usize,
    /// Samples among which the cost of a pool is divided.
    samples: u64,
    pools: Mutex<BTreeMap<u32, Shared>>,
}

/// Where scores come from.
#[derive(Clone, Copy, PartialEq)]
enum Scoring {
    /// Cosines of vectors; long texts become one by an encoding, or as they are.
    Vectors(Option<Encoding>),
    /// Vectors of sentences, weighed by the query, and BM25.
    Sentences(Paraformer),
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
                let strategy = endpoint.strategy.as_deref().map(Searching::from_str).transpose();
                match strategy.map_err(|error| Failure::lasting("unknown_strategy", error))? {
                    None => Self::Vectors(None),
                    Some(Searching::Encoding(encoding)) => Self::Vectors(Some(encoding)),
                    Some(Searching::Paraformer(paraformer)) => Self::Sentences(paraformer),
                }
            }
        })
    }
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
pub(super) enum Unranked {
    Call(CallError),
    Unmade(Failure),
}

impl From<CallError> for Unranked {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

pub(super) fn refused(cause: &str, detail: String) -> Unranked {
    Unranked::Call(CallError::Failed { cause: cause.to_owned(), detail, attempts: 0 })
}

impl Search {
    pub fn new(
        client: OpenAiClient,
        endpoint: &EndpointSpec,
        work: &RunWork,
        lease: Arc<Lease>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            client,
            lease,
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
        let source = generator.source(index).map_err(Unranked::Unmade)?;
        let shared = source.shared();
        let library = match shared {
            Some(block) => {
                let cell = {
                    let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
                    Arc::clone(pools.entry(block).or_default())
                };
                Arc::clone(cell.get_or_try_init(|| self.library(generator, source)).await?)
            }
            None => self.library(generator, source).await?,
        };
        let contents = self.asked(generator, &item).await?;
        let (asked, depth) = (contents.len(), generator.depth());
        let sent: u64 = queries(&item).map(|query| u64::from(tokens::count(query))).sum();
        let once = if shared.is_some() { library.tokens / self.samples } else { library.tokens };
        let ((rankings, spent, calls), read) = match self.scoring {
            Scoring::Vectors(encoding) => (self.nearest(&library, contents, encoding, depth).await?, once),
            Scoring::Sentences(paraformer) => (self.weighed(library, contents, paraformer, depth).await?, once),
            Scoring::Reranker | Scoring::NextWord => {
                (self.reranked(&library, contents, depth).await?, library.tokens * asked as u64)
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

    /// What an item's queries are; pictures of official ones stand in the collection.
    async fn asked(&self, generator: &Generator, item: &Item) -> Result<Vec<Content>, Unranked> {
        let Some(names) = collection::asides(item) else {
            return Ok((0..queries(item).count()).filter_map(|number| generator.query(item, number)).collect());
        };
        let found = stock::fetched(&self.lease, Picked::Named { names }).await.map_err(Unranked::Unmade)?;
        Ok(found.into_iter().map(|document| document.content).collect())
    }

    /// Makes a pool ready to be searched, batch by batch.
    async fn library(&self, generator: &Arc<Generator>, source: Source) -> Result<Arc<Library>, Unranked> {
        let batches = source.batches(Arc::clone(generator), Arc::clone(&self.lease), self.at_once);
        let batches = batches.map(|batch| async { self.shelved(batch.map_err(Unranked::Unmade)?).await });
        let mut library = Library::default();
        let mut batches = std::pin::pin!(batches.buffered(self.at_once));
        while let Some(batch) = batches.try_next().await? {
            library.add(batch)?;
        }
        library.report();
        if !matches!(self.scoring, Scoring::Sentences(_)) {
            return Ok(Arc::new(library));
        }
        let indexed = tokio::task::spawn_blocking(move || {
            library.index = Some(bm25::Index::new(&library.texts));
            library.texts = Vec::new();
            Arc::new(library)
        });
        indexed.await.map_err(|error| Unranked::Unmade(Failure::retryable("worker_error", error)))
    }

    async fn shelved(&self, documents: Vec<Document>) -> Result<Library, Unranked> {
        let mut library = Library::default();
        let mut contents = Vec::with_capacity(documents.len());
        for Document { id, content } in documents {
            library.ids.push(id);
            contents.push(content);
        }
        let encoding = match self.scoring {
            Scoring::Vectors(encoding) => encoding,
            Scoring::Sentences(_) => return self.sentences(library, contents).await,
            Scoring::Reranker | Scoring::NextWord => return self.texts(library, contents),
        };
        let encoded = self.encoded(contents, encoding, &self.document_prefix).await?;
        (library.vectors, library.tokens) = (encoded.vectors, encoded.tokens);
        Ok(library)
    }

    /// Texts as a reranker is sent them.
    fn texts(&self, mut library: Library, contents: Vec<Content>) -> Result<Library, Unranked> {
        for content in contents {
            let Content::Text(text) = content else { return Err(no_pictures()) };
            library.tokens += u64::from(tokens::count(&text));
            library.texts.push(format!("{}{text}", self.document_prefix));
        }
        Ok(library)
    }

    /// A vector for each sentence, and the texts for BM25.
    async fn sentences(&self, mut library: Library, contents: Vec<Content>) -> Result<Library, Unranked> {
        let mut apart = Vec::new();
        for content in contents {
            let Content::Text(text) = content else {
                return Err(refused(
                    "no_pictures",
                    "sentences are of texts; choose no strategy for pictures".to_owned(),
                ));
            };
            let before = apart.len();
            apart.extend(Paraformer::sentences(&text).into_iter().map(Content::Text));
            library.parts.push(apart.len() - before);
            library.texts.push(text);
        }
        let encoded = self.encoded(apart, None, &self.document_prefix).await?;
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
                (Content::Picture(bytes), _) => inputs.push(Input::Picture(bytes)),
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
        depth: usize,
    ) -> Result<Found, Unranked> {
        let encoded = self.encoded(contents, encoding, &self.query_prefix).await?;
        let mut rankings = Rankings::default();
        for query in &encoded.vectors {
            alike(query, library)?;
            let scores = library.vectors.iter().map(|document| dot(query, document));
            rankings.push_deep(library.ids.iter().cloned().zip(scores).collect(), depth);
        }
        Ok((rankings, encoded.spent, encoded.calls))
    }

    /// Sentences weighed by each query, mixed with BM25.
    async fn weighed(
        &self,
        library: Arc<Library>,
        contents: Vec<Content>,
        paraformer: Paraformer,
        depth: usize,
    ) -> Result<Found, Unranked> {
        let texts: Vec<String> = contents
            .iter()
            .filter_map(|content| match content {
                Content::Text(text) => Some(text.clone()),
                Content::Picture(_) => None,
            })
            .collect();
        let encoded = self.encoded(contents, None, &self.query_prefix).await?;
        for query in &encoded.vectors {
            alike(query, &library)?;
        }
        let vectors = encoded.vectors;
        let ranked = tokio::task::spawn_blocking(move || {
            let mut rankings = Rankings::default();
            for (vector, text) in vectors.iter().zip(&texts) {
                let lexical = library.index.as_ref().map(|index| index.scores(text)).unwrap_or_default();
                let scores = library.matrices().zip(lexical);
                let scores = scores.map(|(sentences, lexical)| paraformer.score(vector, sentences, lexical));
                rankings.push_deep(library.ids.iter().cloned().zip(scores).collect(), depth);
            }
            rankings
        });
        let rankings = ranked.await.map_err(|error| Unranked::Unmade(Failure::retryable("worker_error", error)))?;
        Ok((rankings, encoded.spent, encoded.calls))
    }

    async fn reranked(&self, library: &Library, contents: Vec<Content>, depth: usize) -> Result<Found, Unranked> {
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
            rankings.push_deep(ranked, depth);
        }
        Ok((rankings, total, calls))
    }
}

/// Whether a query can be compared with the documents.
fn alike(query: &[f32], library: &Library) -> Result<(), Unranked> {
    let dimension = library.dimension();
    if query.len() == dimension {
        return Ok(());
    }
    Err(refused("wrong_dimension", format!("a query of {} numbers, documents of {dimension}", query.len())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_and_tiny_vectors_have_a_direction() {
        for scale in [1e-30_f32, 1.0, 1e30] {
            let vector = unit(&[3.0 * scale, 4.0 * scale]);
            assert!((vector[0] - 0.6).abs() < 1e-6 && (vector[1] - 0.8).abs() < 1e-6, "{vector:?}");
        }
    }
}
