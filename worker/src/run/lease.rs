//! A lease in the worker's hands: the calls it allows and the ways it ends early.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use longboard_endpoint::model::cleaned;
use longboard_protocol::judging::{HealthRequest, Spoken, Trial, VerdictsReply, VerdictsRequest};
use longboard_protocol::worker::{
    Answer, AnswersReply, AnswersRequest, DocumentsReply, DocumentsRequest, FailRequest, FinishRequest, Picked,
    ProbeReport, ProbeRequest, RenewReply, RenewRequest, ShardLease,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backoff::Backoff;
use super::server::{ApiError, Server};

/// A shard under lease.
pub(super) struct Lease {
    server: Arc<Server>,
    /// The shard.
    pub shard: Uuid,
    fence: u32,
    in_flight: AtomicU32,
    /// Set when the shard is no longer ours: nothing may be posted any more.
    pub lost: CancellationToken,
    /// Set when the run was cancelled: what is done is posted, nothing else.
    pub cancelled: CancellationToken,
}

/// Why a shard is given back.
#[derive(Debug)]
pub(super) struct Failure {
    pub cause: &'static str,
    pub detail: String,
    pub retryable: bool,
}

impl Failure {
    /// Another attempt may help.
    pub fn retryable(cause: &'static str, detail: impl ToString) -> Self {
        Self { cause, detail: detail.to_string(), retryable: true }
    }

    /// No attempt helps before somebody changes something.
    pub fn lasting(cause: &'static str, detail: impl ToString) -> Self {
        Self { cause, detail: detail.to_string(), retryable: false }
    }

    /// This worker goes down; another one continues.
    pub fn shutdown() -> Self {
        Self::retryable("worker_shutdown", "the worker was stopped; another one continues after the last answer")
    }
}

/// One request in flight, until dropped.
pub(super) struct InFlight<'a>(&'a AtomicU32);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lease {
    pub fn new(server: Arc<Server>, lease: &ShardLease) -> Self {
        Self {
            server,
            shard: lease.shard,
            fence: lease.fence,
            in_flight: AtomicU32::new(0),
            lost: CancellationToken::new(),
            cancelled: CancellationToken::new(),
        }
    }

    /// Counts a request for the fleet page.
    pub fn request(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    /// One renewal, not retried.
    pub async fn renew(&self, deadline: Duration) -> Result<RenewReply, ApiError> {
        let request = RenewRequest { fence: self.fence, in_flight: self.in_flight.load(Ordering::Relaxed) };
        self.server.renew(self.shard, &request, deadline).await
    }

    /// Posts answers until the server has them.
    pub async fn answers(&self, answers: Vec<Answer>) -> Result<AnswersReply, ApiError> {
        let request = AnswersRequest { fence: self.fence, answers };
        self.insist(|| self.server.answers(self.shard, &request)).await
    }

    /// Fetches documents of the collection that the shard's items search.
    pub async fn documents(&self, picked: Picked) -> Result<DocumentsReply, ApiError> {
        let request = DocumentsRequest { fence: self.fence, picked };
        self.insist(|| self.server.documents(self.shard, &request)).await
    }

    /// Ends the shard. A 409 also says that answers are missing, so the lease is not taken as lost.
    pub async fn finish(&self) -> Result<(), ApiError> {
        let request = FinishRequest { fence: self.fence };
        self.insist(|| self.server.finish(self.shard, &request)).await
    }

    /// Posts a probe's report.
    pub async fn report(&self, report: ProbeReport) -> Result<(), ApiError> {
        let request = ProbeRequest { fence: self.fence, report };
        self.insist(|| self.server.probe(self.shard, &request)).await
    }

    /// Posts what a judge said until the server has it.
    pub async fn verdicts(&self, verdicts: Vec<Spoken>) -> Result<VerdictsReply, ApiError> {
        let request = VerdictsRequest { fence: self.fence, verdicts };
        self.insist(|| self.server.verdicts(self.shard, &request)).await
    }

    /// Posts what a judge said in its health check.
    pub async fn health(&self, trials: Vec<Trial>) -> Result<(), ApiError> {
        let request = HealthRequest { fence: self.fence, trials };
        self.insist(|| self.server.health(self.shard, &request)).await
    }

    /// Gives the shard back.
    pub async fn fail(&self, failure: Failure) -> Result<(), ApiError> {
        let Failure { cause, detail, retryable } = failure;
        let request = FailRequest { fence: self.fence, cause: cause.to_owned(), detail: cleaned(&detail), retryable };
        self.insist(|| self.server.fail(self.shard, &request)).await
    }

    /// Repeats a call over what may pass. The lease bounds it: once lost, nothing is sent any more.
    async fn insist<T, F>(&self, call: impl Fn() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10));
        loop {
            if self.lost.is_cancelled() {
                return Err(ApiError::Lost);
            }
            match call().await {
                Err(error) if error.may_pass() => {
                    tracing::debug!(shard = %self.shard, %error, "a call is repeated");
                    backoff.pause().await;
                }
                ended => return ended,
            }
        }
    }
}
