//! One shard from claim to end.

use std::collections::HashSet;
use std::pin::pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use longboard_endpoint::client::{Api, ClientError, Deadlines, EndpointConfig, OpenAiClient};
use longboard_endpoint::policy::AddressPolicy;
use longboard_endpoint::strategy::Strategy;
use longboard_protocol::judging::{JudgeSpec, Trial};
use longboard_protocol::worker::{Answer, EndpointApi, EndpointSpec, ProbeReport, RunWork, ShardLease, Work};
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::judge::{Court, Judge};
use super::lease::{Failure, Lease};
use super::method::Methods;
use super::retrieval::Search;
use super::sample::{Bench, Contestant, Generator, SampleEnd};
use super::server::{ApiError, Server};
use super::{outbox, probe, renewal};
use crate::request::Eyes;
use crate::sandbox::Sandbox;

/// How long calls in flight may still take once the worker is told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// How long giving a shard back may take after that.
const FAREWELL: Duration = Duration::from_secs(5);

/// Samples in a row that find nobody before the shard is given back.
pub(super) const UNREACHABLE_IN_A_ROW: u32 = 3;

/// Prompt tokens held at once, so that long prompts cannot fill the memory whatever the endpoint carries.
const HELD_TOKENS: u32 = 8 * 1024 * 1024;

/// Answers that may wait for the server before calls wait for them.
const WAITING_ANSWERS: usize = 256;

/// What a worker brings to its shards.
pub(super) struct Kit {
    /// Which addresses may be reached.
    pub policy: AddressPolicy,
    /// The reference model under its policies.
    pub methods: Arc<Methods>,
    /// Where programs of models are run.
    pub sandbox: Option<Sandbox>,
}

/// How the work on a shard ended.
pub(super) enum End {
    /// Everything is answered and posted.
    Finished,
    /// The endpoint is probed.
    Probed(Box<ProbeReport>),
    /// The judge is examined.
    Examined(Vec<Trial>),
    /// It cannot go on here.
    Failed(Failure),
    /// The run was cancelled.
    Cancelled,
    /// Another worker has it.
    Lost,
}

/// Carries a shard to its end, which the server learns unless the lease was lost or the run cancelled.
pub(super) async fn carry_out(server: &Arc<Server>, leased: ShardLease, kit: &Kit, stop: &CancellationToken) {
    let since = Instant::now();
    let lease = Arc::new(Lease::new(Arc::clone(server), &leased));
    // Aborted when this function ends, however it ends.
    let mut renewals = JoinSet::new();
    renewals.spawn(renewal::keep(Arc::clone(&lease), leased.lease_ms, since));
    let work = async {
        let end = work(&lease, leased, kit, stop).await;
        settle(&lease, end).await;
    };
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        biased;
        () = lease.lost.cancelled() => {}
        () = work => {}
        () = grace => {
            let farewell = settle(&lease, End::Failed(Failure::shutdown()));
            if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
                tracing::warn!(shard = %lease.shard, "the shard could not be given back; its lease runs out");
            }
        }
    }
}

/// Tells the server how it ended.
async fn settle(lease: &Lease, end: End) {
    let told = match end {
        End::Finished => lease.finish().await,
        End::Probed(report) => lease.report(*report).await,
        End::Examined(trials) => lease.health(trials).await,
        End::Failed(failure) => {
            tracing::warn!(shard = %lease.shard, cause = failure.cause, detail = failure.detail, "the shard is given back");
            lease.fail(failure).await
        }
        End::Cancelled | End::Lost => Ok(()),
    };
    match told {
        Ok(()) => {}
        Err(ApiError::Lost) => tracing::warn!(shard = %lease.shard, "the server did not take the shard's end"),
        Err(error) => tracing::warn!(shard = %lease.shard, %error, "the server did not take the shard's end"),
    }
}

async fn work(lease: &Arc<Lease>, leased: ShardLease, kit: &Kit, stop: &CancellationToken) -> End {
    let ShardLease { shard, endpoint, work, .. } = leased;
    let seed = shard.as_u64_pair().1;
    match work {
        Work::Probe => {
            let probed =
                probe::report(connect(&endpoint, seed, &kit.policy), endpoint.api, seed, endpoint.context_limit_tokens);
            tokio::select! {
                biased;
                () = lease.cancelled.cancelled() => End::Cancelled,
                end = probed => end,
            }
        }
        Work::Run(work) => match contestant(lease, &endpoint, &work, seed, kit).await {
            Ok(contestant) => run(lease, contestant, &endpoint, *work, kit, stop).await,
            Err(failure) => End::Failed(failure),
        },
        Work::Judge(work) => match court(lease, &work.judge, &endpoint, seed, &kit.policy, stop) {
            Ok(court) => court.hear(*work).await,
            Err(failure) => End::Failed(failure),
        },
        Work::Health(work) => match court(lease, &work.judge, &endpoint, seed, &kit.policy, stop) {
            Ok(court) => court.examine(*work).await,
            Err(failure) => End::Failed(failure),
        },
    }
}

fn court(
    lease: &Arc<Lease>,
    spec: &JudgeSpec,
    endpoint: &EndpointSpec,
    seed: u64,
    policy: &AddressPolicy,
    stop: &CancellationToken,
) -> Result<Court, Failure> {
    let judge = match Judge::builtin(spec)? {
        Some(judge) => judge,
        None => Judge::Model(Box::new(connect(endpoint, seed, policy).map_err(|error| unusable(&error))?)),
    };
    let at_once = endpoint.max_concurrency as usize;
    Ok(Court { judge, lease: Arc::clone(lease), at_once, stop: stop.clone() })
}

async fn contestant(
    lease: &Arc<Lease>,
    endpoint: &EndpointSpec,
    work: &RunWork,
    seed: u64,
    kit: &Kit,
) -> Result<Contestant, Failure> {
    let Some(spec) = endpoint.method.clone() else {
        let client = connect(endpoint, seed, &kit.policy).map_err(|error| unusable(&error))?;
        if matches!(endpoint.api, EndpointApi::Embeddings | EndpointApi::Rerank | EndpointApi::TrueFalse) {
            let search = Search::new(client, endpoint, work, Arc::clone(lease));
            return search.map(|search| Contestant::Search(Box::new(search)));
        }
        return Ok(Contestant::Endpoint(Box::new(client)));
    };
    let methods = Arc::clone(&kit.methods);
    let built = tokio::task::spawn_blocking(move || methods.model(&spec));
    built.await.map_err(|error| Failure::retryable("worker_error", error))?.map(Contestant::Method)
}

fn connect(endpoint: &EndpointSpec, seed: u64, policy: &AddressPolicy) -> Result<OpenAiClient, ClientError> {
    let first_byte = Duration::from_millis(endpoint.first_byte_timeout_ms);
    let config = EndpointConfig {
        api: match endpoint.api {
            EndpointApi::Completions => Api::Completions,
            // What ranks is never asked to generate.
            EndpointApi::Chat | EndpointApi::Embeddings | EndpointApi::Rerank | EndpointApi::TrueFalse => Api::Chat,
        },
        secret: endpoint.secret.clone().map(SecretString::from),
        max_concurrency: endpoint.max_concurrency,
        deadlines: Deadlines { first_byte, ..Deadlines::default() },
        ..EndpointConfig::new(endpoint.base_url.clone(), endpoint.model.clone())
    };
    OpenAiClient::new(config, policy, seed)
}

fn unusable(error: &ClientError) -> Failure {
    match error {
        ClientError::Policy(_) => Failure::lasting("address_refused", error),
        ClientError::Secret => Failure::lasting("unauthorised", error),
        ClientError::Setup(_) => Failure::retryable("worker_error", error),
    }
}

/// Runs the open samples, and posts their answers at the same time.
async fn run(
    lease: &Arc<Lease>,
    contestant: Contestant,
    endpoint: &EndpointSpec,
    work: RunWork,
    kit: &Kit,
    stop: &CancellationToken,
) -> End {
    let work = Arc::new(work);
    let reading = tokio::task::spawn_blocking({
        let work = Arc::clone(&work);
        move || Generator::new(&work.task, work.length_tokens, work.seed)
    });
    let generator = match reading.await {
        Ok(Ok(generator)) => Arc::new(generator),
        Ok(Err(failure)) => return End::Failed(failure),
        Err(error) => return End::Failed(Failure::retryable("worker_error", error)),
    };
    let strategy = match &contestant {
        Contestant::Endpoint(_) => endpoint.strategy.as_deref().map(Strategy::from_str).transpose(),
        Contestant::Method(_) | Contestant::Search(_) => Ok(None),
    };
    let strategy = match strategy {
        Ok(strategy) => strategy,
        Err(error) => return End::Failed(Failure::lasting("unknown_strategy", error)),
    };
    let context_limit = endpoint.context_limit_tokens;
    let sandbox = kit.sandbox.clone();
    let eyes = Eyes::default();
    let bench =
        Arc::new(Bench { contestant, lease: Arc::clone(lease), generator, context_limit, sandbox, strategy, eyes });
    let at_once = endpoint.max_concurrency.min(HELD_TOKENS / work.length_tokens.max(1)).max(1);
    let (sender, receiver) = mpsc::channel(WAITING_ANSWERS);
    let answering = async { Ok(answer(bench, &work, at_once as usize, stop, sender).await) };
    match tokio::try_join!(answering, outbox::deliver(lease, receiver)) {
        Ok((end, ())) | Err(end) => end,
    }
}

/// Runs the open samples in order. Once told to stop it begins no more, but waits for those that are under way.
async fn answer(
    bench: Arc<Bench>,
    work: &RunWork,
    at_once: usize,
    stop: &CancellationToken,
    answers: mpsc::Sender<Answer>,
) -> End {
    let lease = Arc::clone(&bench.lease);
    let mut open = open(work);
    let begun = std::iter::from_fn(|| if stop.is_cancelled() { None } else { open.next() });
    let mut missed = Missed::default();
    {
        let mut ends = pin!(stream::iter(begun).map(|sample| Arc::clone(&bench).run(sample)).buffer_unordered(at_once));
        loop {
            let next = tokio::select! {
                biased;
                () = lease.cancelled.cancelled() => return End::Cancelled,
                next = ends.next() => next,
            };
            match next {
                None => break,
                Some(SampleEnd::Fatal(failure)) => return End::Failed(failure),
                Some(SampleEnd::Unreachable(detail)) => {
                    if missed.count(detail) >= UNREACHABLE_IN_A_ROW {
                        return missed.end();
                    }
                }
                Some(SampleEnd::Answered(answer)) => {
                    missed.reset();
                    // Refused only when the outbox has ended, and then its end counts.
                    let _ = answers.send(*answer).await;
                }
            }
        }
    }
    if open.next().is_some() { End::Failed(Failure::shutdown()) } else { missed.end() }
}

/// Samples of the shard without an answer, in order.
fn open(work: &RunWork) -> impl Iterator<Item = (u32, u32)> + use<> {
    let answered: HashSet<(u32, u32)> = work.answered.iter().copied().collect();
    let repetitions = work.repetitions.max(1);
    (work.first_index..work.first_index.saturating_add(work.count))
        .flat_map(move |index| (0..repetitions).map(move |repetition| (index, repetition)))
        .filter(move |sample| !answered.contains(sample))
}

/// Samples that found nobody. They stay open for the next attempt at the shard.
#[derive(Default)]
pub(super) struct Missed {
    in_a_row: u32,
    last: Option<String>,
}

impl Missed {
    /// Somebody was found.
    pub(super) fn reset(&mut self) {
        self.in_a_row = 0;
    }

    pub(super) fn count(&mut self, detail: String) -> u32 {
        self.last = Some(detail);
        self.in_a_row += 1;
        self.in_a_row
    }

    /// The shard is finished only when none was missed.
    pub(super) fn end(self) -> End {
        self.last.map_or(End::Finished, |detail| End::Failed(Failure::retryable("endpoint_unreachable", detail)))
    }
}

/// The end of a shard whose posts the server does not take.
pub(super) fn rejected(error: ApiError) -> End {
    match error {
        ApiError::Lost => End::Lost,
        error => End::Failed(Failure::retryable("answers_rejected", error)),
    }
}
