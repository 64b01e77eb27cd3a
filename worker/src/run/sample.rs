//! One sample of a shard: build, send, name the end. The server scores.

use std::sync::Arc;

use longboard_endpoint::client::OpenAiClient;
use longboard_endpoint::model::{CallError, ChatModel, Reply, ShownPicture};
use longboard_endpoint::picture::UNSENT;
use longboard_endpoint::strategy::Strategy;
use longboard_protocol::worker::{Answer, Completion, CorpusSpec, Exchange, ProgramRun, TaskSpec};
use longboard_suites::collection::Stock;
use longboard_suites::dataset::{Record, Records};
use longboard_suites::haystack::{Corpus, Haystack};
use longboard_suites::item::Item;
use longboard_suites::judging::OpenEnded;
use longboard_suites::length::Length;
use longboard_suites::program::{Program, Ran};
use longboard_suites::retrieval::{Content, Document, Retrieval};
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::lease::{Failure, Lease};
use super::method;
use super::retrieval::Search;
use super::stock::Source;
use super::strategy;
use crate::request::{Eyes, pictures, request};
use crate::sandbox::Sandbox;
use crate::serve::Reference;

/// What became of a sample.
pub(super) enum SampleEnd {
    /// It has an answer.
    Answered(Box<Answer>),
    /// The endpoint cannot be reached; the sample stays open.
    Unreachable(String),
    /// Every other sample would end like this as well.
    Fatal(Failure),
}

/// Who answers.
pub(super) enum Contestant {
    /// An endpoint with an address.
    Endpoint(Box<OpenAiClient>),
    /// The reference model in this process.
    Method(Arc<Reference>),
    /// An endpoint whose answers are rankings.
    Search(Box<Search>),
}

/// What all samples of a shard share.
pub(super) struct Bench {
    pub contestant: Contestant,
    pub lease: Arc<Lease>,
    pub generator: Arc<Generator>,
    pub context_limit: Option<u32>,
    pub sandbox: Option<Sandbox>,
    /// What is done around a chat endpoint.
    pub strategy: Option<Strategy>,
    /// Whether a chat endpoint reads pictures.
    pub eyes: Eyes,
}

/// The cause of a shard whose length no item can have.
const UNSATISFIABLE: &str = "unsatisfiable";

/// Builds the items of a shard.
pub(super) struct Generator {
    task: Task,
    length: Length,
    seed: u64,
    corpus: Option<Corpus>,
    records: Records,
}

impl Generator {
    /// Checks the task and reads the corpus. CPU-bound where there is one.
    pub fn new(spec: &TaskSpec, length_tokens: u32, seed: u64) -> Result<Self, Failure> {
        let definition = TaskDefinition {
            slug: spec.slug.clone(),
            version: spec.version,
            title: spec.title.clone(),
            family: spec.family.clone(),
            params: spec.params.clone(),
            data: spec.data.as_ref().map(|data| data.sha256.clone()),
        };
        let task = Task::new(definition).map_err(|error| Failure::lasting("unknown_task", error))?;
        let length = Length::new(length_tokens).map_err(|error| Failure::lasting(UNSATISFIABLE, error))?;
        let corpus = spec.corpus.as_ref().map(|corpus| read(&task, corpus)).transpose()?;
        let unreadable = |error| Failure::lasting("unreadable_record", error);
        let by_index =
            spec.data.iter().flat_map(|data| &data.records).map(|row| {
                Ok((row.index, (row.document as usize, Record::deserialize(&row.record).map_err(unreadable)?)))
            });
        let by_index = by_index.collect::<Result<_, _>>()?;
        let documents = spec.data.as_ref().map(|data| data.documents.clone()).unwrap_or_default();
        Ok(Self { task, length, seed, corpus, records: Records { documents, by_index } })
    }

    /// The documents that item `index` searches.
    pub fn source(&self, index: u32) -> Result<Source, Failure> {
        let retrieval = self.retrieval()?;
        if let Some((_, record)) = self.records.by_index.get(&index) {
            return Ok(Source::Collected(Stock::of(record)));
        }
        Ok(Source::Made(retrieval.pool(&self.task, &ItemRequest::new(self.seed, index, self.length))))
    }

    /// Places of a ranking that are kept.
    pub fn depth(&self) -> usize {
        self.task.retrieval().map_or(0, Retrieval::depth)
    }

    /// A document of a pool. CPU-bound.
    pub fn document(&self, block: u32, number: u32) -> Result<Document, Failure> {
        let corpus = self.corpus.as_ref().map(|corpus| corpus as &dyn Haystack);
        let request = ItemRequest { corpus, ..ItemRequest::new(self.seed, 0, self.length) };
        let document = self.retrieval()?.document(&self.task, &request, block, number);
        document.map_err(|error| Failure::lasting(UNSATISFIABLE, error))
    }

    /// Query `number` of an item.
    pub fn query(&self, item: &Item, number: usize) -> Option<Content> {
        self.task.retrieval()?.query(&self.task, item, number)
    }

    /// Bucket.
    pub fn length(&self) -> Length {
        self.length
    }

    /// Bucket in canonical tokens.
    pub fn length_tokens(&self) -> u32 {
        self.length.tokens()
    }

    fn retrieval(&self) -> Result<&'static dyn Retrieval, Failure> {
        let none = || format!("`{}` ranks no documents; this endpoint can only rank", self.task.slug());
        self.task.retrieval().ok_or_else(|| Failure::lasting("no_ranking", none()))
    }

    fn item(&self, index: u32) -> Result<Item, Failure> {
        let corpus = self.corpus.as_ref().map(|corpus| corpus as &dyn Haystack);
        let record = self.records.get(index);
        let request =
            ItemRequest { corpus, record: record.as_ref(), ..ItemRequest::new(self.seed, index, self.length) };
        self.task.item(&request).map_err(|error| Failure::lasting(UNSATISFIABLE, error))
    }

    /// Whether a failure to make an item is its record's own: other records may well fit.
    fn is_of_its_record(&self, index: u32, failure: &Failure) -> bool {
        failure.cause == UNSATISFIABLE && self.records.by_index.contains_key(&index)
    }

    /// The program in an answer, where it has to be run.
    fn program(&self, index: u32, answer: &str) -> Result<Option<Program>, Failure> {
        if self.task.needs_sandbox() { Ok(self.task.program(&self.item(index)?, answer)) } else { Ok(None) }
    }

    /// What judges see of an item.
    pub fn open_ended(&self, index: u32) -> Result<OpenEnded, Failure> {
        let found = self.task.open_ended(&self.item(index)?);
        let refusal =
            || format!("answers to `{}` are not open-ended; judges have nothing to compare", self.task.slug());
        found.ok_or_else(|| Failure::lasting("not_open_ended", refusal()))
    }
}

fn read(task: &Task, corpus: &CorpusSpec) -> Result<Corpus, Failure> {
    let unusable = |what: &str| Failure::lasting("corpus_unusable", format!("corpus `{}`: {what}", corpus.slug));
    if !hex::encode(Sha256::digest(&corpus.text)).eq_ignore_ascii_case(&corpus.digest) {
        return Err(unusable("the text does not have the digest it is known by; upload it again"));
    }
    Corpus::new(task.card().language, &corpus.text).map_err(|error| unusable(&error.to_string()))
}

impl Bench {
    /// Runs one sample to its end.
    pub async fn run(self: Arc<Self>, (index, repetition): (u32, u32)) -> SampleEnd {
        let generator = Arc::clone(&self.generator);
        let built = tokio::task::spawn_blocking(move || {
            generator.item(index).map(|item| {
                let (digest, drawn) = (item.prompt_digest(), pictures(&generator.task, &item));
                (item, digest, drawn)
            })
        });
        let (item, prompt_digest, drawn) = match built.await {
            Ok(Ok(built)) => built,
            Ok(Err(failure)) if self.generator.is_of_its_record(index, &failure) => {
                let result = Exchange::Unmade { reason: failure.detail };
                let unmade = Answer { index, repetition, prompt_digest: String::new(), prompt_tokens: 0, result };
                return SampleEnd::Answered(Box::new(unmade));
            }
            Ok(Err(failure)) => return SampleEnd::Fatal(failure),
            Err(error) => return SampleEnd::Fatal(Failure::retryable("worker_error", error)),
        };
        let prompt_tokens = item.prompt_tokens;
        match self.exchange(index, item, drawn).await {
            Err(end) => end,
            Ok(result) => {
                let result = match self.ran(index, result).await {
                    Ok(result) => result,
                    Err(failure) => return SampleEnd::Fatal(failure),
                };
                SampleEnd::Answered(Box::new(Answer { index, repetition, prompt_digest, prompt_tokens, result }))
            }
        }
    }

    /// Runs the program of an answer whose task asks for one.
    async fn ran(&self, index: u32, result: Exchange) -> Result<Exchange, Failure> {
        let Exchange::Completed(completion) = result else { return Ok(result) };
        let Some(program) = self.generator.program(index, &completion.text)? else {
            return Ok(Exchange::Completed(completion));
        };
        let none = || Failure::retryable("no_sandbox", "answers hold programs; start a worker with --sandbox");
        let sandbox = self.sandbox.as_ref().ok_or_else(none)?;
        let ran = sandbox.run(&program).await.map_err(|error| Failure::retryable("sandbox_failed", error))?;
        let program = Some(ProgramRun {
            compiles: ran != Ran::NotCompiled,
            outputs: ran.outputs().map(<[_]>::to_vec).unwrap_or_default(),
        });
        Ok(Exchange::Completed(Completion { program, ..completion }))
    }

    /// The end of every sample with pictures, where they are not read.
    async fn unseen(&self) -> Result<Option<Exchange>, SampleEnd> {
        let failure = match (&self.strategy, &self.contestant) {
            (None, Contestant::Endpoint(client)) => {
                let _counted = self.lease.request();
                match self.eyes.failure(client, self.lease.shard.as_u64_pair().1).await {
                    Ok(failure) => failure,
                    Err(error) => return failed(error).map(Some),
                }
            }
            (Some(_), _) => Some((UNSENT, "strategies send text alone".to_owned())),
            (None, _) => Some((UNSENT, "this contestant reads text alone".to_owned())),
        };
        Ok(failure.map(|(cause, detail)| Exchange::Failed { cause: cause.to_owned(), detail, attempts: 1 }))
    }

    /// Has the prompt answered, unless it is longer than the endpoint's declared limit.
    async fn exchange(&self, index: u32, mut item: Item, pictures: Vec<ShownPicture>) -> Result<Exchange, SampleEnd> {
        if !pictures.is_empty()
            && let Some(unseen) = self.unseen().await?
        {
            return Ok(unseen);
        }
        if let (Some(strategy), Contestant::Endpoint(client)) = (&self.strategy, &self.contestant) {
            let _counted = self.lease.request();
            return strategy::exchange(strategy, client.as_ref(), &item).await;
        }
        let needed_tokens = item.prompt_tokens.saturating_add(item.output_tokens);
        if let Some(limit_tokens) = self.context_limit.filter(|&limit| needed_tokens > limit) {
            return Ok(Exchange::OverLength { needed_tokens, limit_tokens });
        }
        let _counted = self.lease.request();
        match &self.contestant {
            Contestant::Method(model) => method::exchange(model, item).await,
            Contestant::Search(search) => search.exchange(&self.generator, index, item).await,
            Contestant::Endpoint(client) => match client.complete(request(&mut item, pictures)).await {
                Ok(reply) => Ok(Exchange::Completed(completion(reply))),
                Err(error) => failed(error),
            },
        }
    }
}

pub(super) fn completion(reply: Reply) -> Completion {
    Completion {
        text: reply.text,
        finish_reason: reply.finish_reason,
        reported_prompt_tokens: reply.prompt_tokens,
        reported_completion_tokens: reply.completion_tokens,
        first_token_ms: reply.first_token_ms,
        latency_ms: reply.latency_ms,
        attempts: reply.attempts,
        retry_causes: reply.retry_causes,
        cost: None,
        program: None,
        metered: None,
    }
}

/// A failure of this sample, or of every sample.
pub(super) fn failed(error: CallError) -> Result<Exchange, SampleEnd> {
    let detail = error.to_string();
    match error {
        CallError::TimedOut { stage, attempts } => Ok(Exchange::TimedOut { stage: stage.to_owned(), attempts }),
        CallError::Failed { cause, .. } if cause == "not_found" => {
            let todo = format!("{detail}; check the base URL and the model name");
            Err(SampleEnd::Fatal(Failure::lasting("not_found", todo)))
        }
        CallError::Failed { cause, detail, attempts } => Ok(Exchange::Failed { cause, detail, attempts }),
        CallError::Unreachable { .. } => Err(SampleEnd::Unreachable(detail)),
        CallError::AddressRefused { .. } => Err(SampleEnd::Fatal(Failure::lasting("address_refused", detail))),
        CallError::Unauthorised { .. } => Err(SampleEnd::Fatal(Failure::lasting("unauthorised", detail))),
    }
}
