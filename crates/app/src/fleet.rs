//! The fleet: tokens, leases and how they end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use longboard_endpoint::model::cleaned;
use longboard_protocol::worker::{
    CheckStatus, ClaimRequest, CorpusSpec, DataRecord, DataSpec, EndpointApi, EndpointSpec, FailRequest, ProbeReport,
    RenewReply, RenewRequest, RunWork, ShardLease, TaskSpec, Work,
};
use longboard_store::account::Worker;
use longboard_store::endpoint::{Endpoint, ProbeResult};
use longboard_store::queue::{Failure, Shard};
use longboard_store::task::Task as TaskRow;
use longboard_store::token::{TokenKind, token_hash};
use longboard_store::{EndpointCall, ShardKind, StoreError};
use longboard_suites::dataset::Records;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::account::Maintainer;
use crate::slug::line;
use crate::{AppError, Bell, Fresh, Longboard};

/// Longest a claim is held while nothing is queued.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often a held claim looks by itself: back-offs end without a bell.
const LOOK: Duration = Duration::from_secs(2);

/// Proof that a call comes from a worker.
#[derive(Debug, Clone)]
pub struct FleetMember(Worker);

impl FleetMember {
    /// Which one.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.0
    }
}

impl Longboard {
    /// Makes a worker token, as an operator. It is shown once: only its hash is kept.
    ///
    /// # Errors
    /// [`AppError::Store`] when the name is taken.
    pub async fn create_worker(
        &self,
        by: &str,
        name: &str,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<SecretString, AppError> {
        let name = line("the worker's name", name, 80)?;
        let token = TokenKind::Worker.token(fresh);
        let worker = self.store.add_worker(&name, token_hash(token.expose_secret()), now).await?;
        self.note(by, "create_worker", worker.id, json!({"name": name}), now).await?;
        Ok(token)
    }

    /// Ends a worker's token.
    ///
    /// # Errors
    /// [`AppError::Store`] without such a worker.
    pub async fn revoke_worker(&self, by: &Maintainer, id: Uuid, now: DateTime<Utc>) -> Result<(), AppError> {
        self.store.revoke_worker(id, now).await?;
        self.note(&by.user().email, "revoke_worker", id, json!({}), now).await
    }

    /// The in-process worker under a token that follows from `key`, made on first use. What it still held is free again.
    ///
    /// # Errors
    /// [`AppError::Store`] when its token was revoked.
    pub async fn in_process_worker(&self, key: Fresh, now: DateTime<Utc>) -> Result<SecretString, AppError> {
        let token = TokenKind::Worker.token(key);
        match self.store.worker_by_token(&token_hash(token.expose_secret())).await? {
            Some(worker) => self.store.release(worker.id, now).await.map(|_| token).map_err(AppError::from),
            None => self.create_worker("operator", "in-process", key, now).await,
        }
    }

    /// Who a worker token belongs to.
    ///
    /// # Errors
    /// [`AppError::Unknown`].
    pub async fn fleet_member(&self, token: &str) -> Result<FleetMember, AppError> {
        let found = self.store.worker_by_token(&token_hash(token)).await?;
        let refused = "the worker token is not valid; make one with longboard admin create-worker-token";
        found.map(FleetMember).ok_or_else(|| AppError::Unknown(refused.to_owned()))
    }

    /// Leases a shard, waiting for one as long as the worker wants and the server allows.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn claim(
        &self,
        by: &FleetMember,
        request: ClaimRequest,
        clock: fn() -> DateTime<Utc>,
    ) -> Result<Option<ShardLease>, AppError> {
        let labels: Vec<String> = request.labels.iter().take(20).map(|label| cleaned(label)).collect();
        let version: String = cleaned(&request.version).chars().take(40).collect();
        self.store.see_worker(by.0.id, &labels, &version, clock()).await?;
        let until = tokio::time::Instant::now() + LONGEST_WAIT.min(Duration::from_millis(request.wait_ms));
        loop {
            // Listening before looking: a bell between the two is not missed.
            let mut listener = self.listen();
            if let Some(lease) = self.lease_next(by, &labels, clock()).await? {
                return Ok(Some(lease));
            }
            let look = until.min(tokio::time::Instant::now() + LOOK);
            let heard = tokio::time::timeout_at(look, listener.hear(|bell| bell == Bell::Queue)).await;
            if heard.is_err() && look == until {
                return Ok(None);
            }
        }
    }

    /// A shard whose endpoint may not be reached any more ends here, and the next one is tried.
    async fn lease_next(
        &self,
        by: &FleetMember,
        labels: &[String],
        now: DateTime<Utc>,
    ) -> Result<Option<ShardLease>, AppError> {
        while let Some(shard) = self.store.claim(by.0.id, labels, self.lease, now).await? {
            match self.leased_work(&shard, now).await {
                Ok(lease) => return Ok(Some(lease)),
                Err(AppError::Invalid(detail)) => {
                    let failure = refusal("cannot_start", detail);
                    self.end_early(by, &shard, failure, now).await?;
                }
                Err(AppError::Store(error @ StoreError::Sealed)) => {
                    let failure = refusal("secret_unreadable", error.to_string());
                    self.end_early(by, &shard, failure, now).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn leased_work(&self, shard: &Shard, now: DateTime<Utc>) -> Result<ShardLease, AppError> {
        let endpoint = self.store.endpoint(shard.endpoint_id).await?;
        let endpoint = endpoint.ok_or_else(|| AppError::Invalid("the endpoint is gone".to_owned()))?;
        let plain = self.plain(&endpoint).await?;
        self.reachable(plain.as_ref().unwrap_or(&endpoint))?;
        let work = match shard.kind {
            ShardKind::Probe => Work::Probe,
            ShardKind::Run => Work::Run(Box::new(self.run_work(shard, now).await?)),
            ShardKind::Judge => Work::Judge(Box::new(self.judge_work(shard).await?)),
            ShardKind::Health => Work::Health(Box::new(self.health_work(shard).await?)),
        };
        Ok(ShardLease {
            shard: shard.id,
            fence: shard.fence.cast_unsigned(),
            lease_ms: u64::try_from(self.lease.num_milliseconds()).unwrap_or(0),
            endpoint: EndpointSpec {
                strategy: endpoint.strategy.clone(),
                ..self.endpoint_spec(plain.as_ref().unwrap_or(&endpoint))?
            },
            work,
        })
    }

    fn endpoint_spec(&self, row: &Endpoint) -> Result<EndpointSpec, AppError> {
        let secret = row.secret_ciphertext.as_deref();
        let secret = secret.map(|sealed| self.store.vault().open(row.team_id, row.id, sealed)).transpose()?;
        Ok(EndpointSpec {
            id: row.id,
            base_url: row.base_url.clone(),
            model: row.model.clone(),
            api: match row.api {
                EndpointCall::Chat => EndpointApi::Chat,
                EndpointCall::Completions => EndpointApi::Completions,
                EndpointCall::Embeddings => EndpointApi::Embeddings,
                EndpointCall::Rerank => EndpointApi::Rerank,
                EndpointCall::TrueFalse => EndpointApi::TrueFalse,
            },
            secret: secret.map(|secret| secret.expose_secret().to_owned()),
            max_concurrency: (row.max_concurrency / row.max_leases.max(1)).max(1).cast_unsigned(),
            context_limit_tokens: row.context_limit_tokens.map(i32::cast_unsigned),
            first_byte_timeout_ms: row.first_byte_timeout_ms.max(1000).cast_unsigned(),
            method: row.method.as_ref().map(|method| method.0.spec.clone()),
            strategy: None,
            query_prefix: row.query_prefix.clone(),
            document_prefix: row.document_prefix.clone(),
        })
    }

    async fn run_work(&self, shard: &Shard, now: DateTime<Utc>) -> Result<RunWork, AppError> {
        let gone = |what: &str| AppError::Invalid(format!("the {what} is gone"));
        let run = shard.run_id.ok_or_else(|| gone("run"))?;
        let run = self.store.run(run).await?.ok_or_else(|| gone("run"))?;
        if run.started_at.is_none() {
            self.store.start_run(run.id, now).await?;
        }
        let row = self.store.task(&shard.task_slug, Some(shard.task_version)).await?;
        let first = shard.first_index.cast_unsigned();
        let indices = first..first + shard.item_count.cast_unsigned();
        let task = self.task_spec(&row.ok_or_else(|| gone("task"))?, indices).await?;
        let answered = self.store.answered(shard.id).await?;
        Ok(RunWork {
            run: run.id,
            task,
            length_tokens: shard.length_tokens.cast_unsigned(),
            seed: run.seed.cast_unsigned(),
            first_index: shard.first_index.cast_unsigned(),
            count: shard.item_count.cast_unsigned(),
            repetitions: shard.repetitions.cast_unsigned(),
            answered: answered.into_iter().map(|(index, rep)| (index.cast_unsigned(), rep.cast_unsigned())).collect(),
        })
    }

    /// A task version with its corpus and the records of `indices`, as workers take it.
    pub(crate) async fn task_spec(
        &self,
        row: &TaskRow,
        indices: impl IntoIterator<Item = u32>,
    ) -> Result<TaskSpec, AppError> {
        let gone = || AppError::Invalid("the corpus is gone".to_owned());
        let corpus = match &row.corpus_slug {
            None => None,
            Some(slug) => {
                let found = self.store.corpus(slug).await?.ok_or_else(gone)?;
                Some(CorpusSpec { slug: found.slug, digest: found.digest, text: found.body })
            }
        };
        let data = match &row.data_sha256 {
            None => None,
            Some(sha256) => {
                let Records { documents, by_index } = self.records(row, indices).await?;
                let invalid = |error: serde_json::Error| AppError::Invalid(error.to_string());
                let records = by_index.into_iter().map(|(index, (place, record))| {
                    let record = serde_json::to_value(record).map_err(invalid)?;
                    Ok(DataRecord { index, document: u32::try_from(place).unwrap_or(u32::MAX), record })
                });
                let records = records.collect::<Result<_, AppError>>()?;
                Some(DataSpec { sha256: sha256.clone(), documents, records })
            }
        };
        let definition = row.definition();
        Ok(TaskSpec {
            slug: definition.slug,
            version: definition.version,
            title: definition.title,
            family: definition.family,
            params: definition.params,
            corpus,
            data,
        })
    }

    /// Extends a lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn renew(
        &self,
        by: &FleetMember,
        shard: Uuid,
        request: &RenewRequest,
        now: DateTime<Utc>,
    ) -> Result<RenewReply, AppError> {
        let cancelled = self.store.renew(shard, by.0.id, request.fence, request.in_flight, self.lease, now).await?;
        Ok(RenewReply { lease_ms: u64::try_from(self.lease.num_milliseconds()).unwrap_or(0), cancelled })
    }

    /// Ends a shard whose answers are all stored.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], [`StoreError::AnswersMissing`].
    pub async fn finish_shard(
        &self,
        by: &FleetMember,
        shard: Uuid,
        fence: u32,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let shard = self.store.finish(shard, by.0.id, fence, now).await?;
        self.ring(Bell::Queue);
        let Some(id) = shard.run_id else { return self.advance_judgings(now).await };
        if let Some(run) = self.store.run(id).await? {
            self.changed(&run).await?;
        }
        self.close_if_over(id, now).await
    }

    /// Takes a shard back from a worker that cannot go on.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn fail_shard(
        &self,
        by: &FleetMember,
        shard: Uuid,
        request: FailRequest,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let shard = self.store.leased(shard, by.0.id, request.fence).await?;
        let failure = Failure {
            counted: request.cause != "worker_shutdown",
            cause: cleaned(&request.cause).chars().take(60).collect(),
            detail: cleaned(&request.detail),
            retryable: request.retryable,
        };
        self.end_early(by, &shard, failure, now).await
    }

    async fn end_early(
        &self,
        by: &FleetMember,
        shard: &Shard,
        failure: Failure,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let shard = self.store.fail(shard.id, by.0.id, shard.fence.cast_unsigned(), &failure, now).await?;
        self.gave_up(&shard, now).await
    }

    /// Stores what a probe found.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or [`AppError::Invalid`] for a report that is none.
    pub async fn record_probe(
        &self,
        by: &FleetMember,
        shard: Uuid,
        fence: u32,
        report: ProbeReport,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let report = trimmed(report)?;
        let result = ProbeResult {
            usable: report.checks.iter().all(|check| check.status != CheckStatus::Failed),
            token_ratio: report.token_ratio,
            truncates: report.truncates,
            report: serde_json::to_value(&report).map_err(|error| AppError::Invalid(error.to_string()))?,
        };
        let endpoint = self.store.record_probe(shard, by.0.id, fence, result, now).await?;
        for run in self.store.runs_of_endpoint(endpoint.id, 20).await? {
            self.changed(&run).await?;
        }
        self.ring(Bell::Queue);
        Ok(())
    }
}

fn refusal(cause: &str, detail: String) -> Failure {
    Failure { cause: cause.to_owned(), detail, retryable: false, counted: true }
}

/// A report within the bounds that a page can show.
fn trimmed(mut report: ProbeReport) -> Result<ProbeReport, AppError> {
    if report.checks.is_empty() || report.checks.len() > 20 || report.canaries.len() > 20 {
        return Err(AppError::Invalid("a probe reports 1 to 20 checks and at most 20 canaries".to_owned()));
    }
    for check in &mut report.checks {
        check.name = cleaned(&check.name).chars().take(40).collect();
        check.detail = cleaned(&check.detail);
    }
    Ok(report)
}
