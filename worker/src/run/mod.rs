//! `run`: the fleet loop. A worker claims shards from Longboard's server, carries them out against the endpoints they
//! name, and posts what came back. It holds nothing that another worker could not continue from.

mod backoff;
mod command;
mod judge;
mod lease;
mod library;
mod method;
mod outbox;
mod probe;
mod renewal;
mod retrieval;
mod sample;
mod server;
mod shard;
mod stock;
mod strategy;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use longboard_endpoint::policy::{AddressPolicy, AllowRule};
use longboard_protocol::worker::{ClaimRequest, ShardLease};
use longboard_suites::program::SANDBOX_LABEL;
use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use backoff::Backoff;
pub(crate) use command::Run;
use method::Methods;
use server::{ApiError, Server};
use shard::Kit;

use crate::device::Device;
use crate::sandbox::Sandbox;

/// How long the server may hold a claim while nothing is queued.
const CLAIM_WAIT_MS: u64 = 20_000;

/// A claim that brought nothing and took less was not held at all.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Label of a worker that reads the reference model's attention on a device.
const GPU_LABEL: &str = "gpu";

/// A worker of some slots, each of which carries one shard at a time.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// Address of Longboard's server, e.g. `https://longboard.example`.
    pub server: String,
    /// Worker token.
    pub token: SecretString,
    /// What this worker can do: `reference` to run the reference model itself, `gpu`, or what an operator names.
    pub labels: Vec<String>,
    /// Shards at a time, at least 1.
    pub slots: usize,
    /// Endpoint addresses that may be reached although they are local.
    pub allow: Vec<AllowRule>,
    /// Where programs of models are run; brings a label of its own.
    pub sandbox: Option<Sandbox>,
    /// Where the reference model's attention is read; a device brings a label of its own.
    pub device: Device,
}

impl Fleet {
    /// Works until `stop`, and then gives open shards back.
    ///
    /// # Errors
    /// When the server's address or the token is wrong, or the device cannot be used. A server that cannot be reached is
    /// waited for.
    pub async fn serve(self, stop: CancellationToken) -> anyhow::Result<()> {
        self.serve_by(stop, Voice::Log).await
    }

    async fn serve_by(self, stop: CancellationToken, voice: Voice) -> anyhow::Result<()> {
        let mut labels = self.labels;
        labels.extend(self.sandbox.iter().map(|_| SANDBOX_LABEL.to_owned()));
        labels.extend((self.device != Device::Cpu).then(|| GPU_LABEL.to_owned()));
        let methods = Arc::new(Methods::on(self.device)?);
        let crew = Arc::new(Crew {
            server: Arc::new(Server::new(&self.server, &self.token)?),
            kit: Kit { policy: AddressPolicy::new(self.allow), methods, sandbox: self.sandbox },
            labels,
            link: Link { url: self.server, voice, up: Mutex::new(None) },
            stop,
        });
        let mut first = crew.connect().await?;
        let mut slots = JoinSet::new();
        for _ in 0..self.slots.max(1) {
            slots.spawn(Arc::clone(&crew).slot(first.take()));
        }
        while let Some(ended) = slots.join_next().await {
            ended.context("a slot of the worker stopped; start it again")?;
        }
        Ok(())
    }
}

/// What the slots share.
struct Crew {
    server: Arc<Server>,
    kit: Kit,
    labels: Vec<String>,
    link: Link,
    stop: CancellationToken,
}

impl Crew {
    /// The first claim, which does not wait: what is wrong with address or token shows at once.
    async fn connect(&self) -> anyhow::Result<Option<ShardLease>> {
        let mut backoff = claim_backoff();
        while !self.stop.is_cancelled() {
            match self.claim(0).await {
                Ok(leased) => return Ok(leased),
                Err(error @ (ApiError::Refused { .. } | ApiError::Rejected { .. })) => bail!("{error}"),
                Err(_) => self.pause(&mut backoff).await,
            }
        }
        Ok(None)
    }

    /// Claims and carries out until the worker is stopped.
    async fn slot(self: Arc<Self>, first: Option<ShardLease>) {
        let mut backoff = claim_backoff();
        let mut next = first;
        loop {
            if let Some(leased) = next.take() {
                tracing::info!(shard = %leased.shard, fence = leased.fence, "claimed");
                shard::carry_out(&self.server, leased, &self.kit, &self.stop).await;
            }
            if self.stop.is_cancelled() {
                return;
            }
            let asked = Instant::now();
            let claimed = self.claim(CLAIM_WAIT_MS).await;
            if claimed.is_ok() {
                backoff.reset();
            }
            // A server that goes down lets waiting claims go: asking again at once would only spin.
            let soon = claimed.is_err() || asked.elapsed() < SHORTEST_WAIT;
            next = claimed.ok().flatten();
            if next.is_none() && soon {
                self.pause(&mut backoff).await;
            }
        }
    }

    /// One claim; `None` also when the worker is stopped meanwhile.
    async fn claim(&self, wait_ms: u64) -> Result<Option<ShardLease>, ApiError> {
        let request =
            ClaimRequest { labels: self.labels.clone(), wait_ms, version: env!("CARGO_PKG_VERSION").to_owned() };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ok(None),
            claimed = self.server.claim(&request) => {
                self.link.saw(claimed.as_ref().err());
                claimed
            }
        }
    }

    async fn pause(&self, backoff: &mut Backoff) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = backoff.pause() => {}
        }
    }
}

fn claim_backoff() -> Backoff {
    Backoff::new(Duration::from_secs(1), Duration::from_secs(30))
}

/// Where a change of the link is told.
#[derive(Debug, Clone, Copy)]
enum Voice {
    /// The log: the worker is part of another program.
    Log,
    /// Standard error: somebody started the command.
    Terminal,
}

/// Whether the server answers, told only when it changes.
struct Link {
    url: String,
    voice: Voice,
    up: Mutex<Option<bool>>,
}

impl Link {
    fn saw(&self, error: Option<&ApiError>) {
        let now = error.is_none();
        let before = self.up.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if before == Some(now) {
            return;
        }
        let line = match error {
            None => format!("worker connected to {}", self.url),
            Some(error) => format!("{} does not answer; trying again: {error}", self.url),
        };
        match self.voice {
            Voice::Terminal => eprintln!("{line}"),
            Voice::Log if now => tracing::info!("{line}"),
            Voice::Log => tracing::warn!("{line}"),
        }
    }
}
