//! The worker API as seen from the worker: one method per call.

use std::time::Duration;

use anyhow::{Context, bail};
use longboard_endpoint::model::cleaned;
use longboard_protocol::judging::{HealthRequest, VerdictsReply, VerdictsRequest};
use longboard_protocol::worker::{
    AnswersReply, AnswersRequest, ClaimRequest, DocumentsReply, DocumentsRequest, FailRequest, FinishRequest,
    ProbeRequest, RenewReply, RenewRequest, ShardLease,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Longest wait for a call that the server answers at once.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// What a claim may take longer than the wait it asks for.
const CLAIM_MARGIN: Duration = Duration::from_secs(10);

/// Largest reply: a lease may carry an uploaded corpus.
const REPLY_LIMIT: usize = 128 * 1024 * 1024;

/// A connection to Longboard's server.
pub(super) struct Server {
    http: Client,
    api: Url,
}

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// 409: another worker holds the shard, or nobody does.
    #[error("the lease is lost")]
    Lost,
    /// 401 or 403.
    #[error(
        "the server refuses this worker token: create one with longboard admin create-worker-token (HTTP {status})"
    )]
    Refused { status: u16 },
    /// Another 4xx, or an answer that is none.
    #[error(
        "the server rejects the call (HTTP {status}): {detail}; check that --server is Longboard's own address and that worker and server have the same version"
    )]
    Rejected { status: u16, detail: String },
    /// No connection, no answer in time, or a status that may pass.
    #[error("the server cannot be reached: {detail}")]
    Unreachable { detail: String },
}

impl ApiError {
    /// Whether the same call may work later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Unreachable { .. })
    }
}

impl Server {
    /// A connection to `base`; nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the token cannot be used.
    pub fn new(base: &str, token: &SecretString) -> anyhow::Result<Self> {
        let mut api = Url::parse(base.trim())
            .with_context(|| format!("`{base}` is not a server address; write it like https://longboard.example"))?;
        if !matches!(api.scheme(), "http" | "https") || api.query().is_some() || api.fragment().is_some() {
            bail!("`{base}` is not a server address; write it like https://longboard.example");
        }
        let path = format!("{}/api/v1/worker/", api.path().trim_end_matches('/'));
        api.set_path(&path);
        // The workspace builds reqwest without a provider; a second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .default_headers(headers(token)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .tcp_nodelay(true)
            .build()
            .context("the HTTP client cannot be set up")?;
        Ok(Self { http, api })
    }

    /// Asks for a shard; `None` when nothing came within `request.wait_ms`.
    pub async fn claim(&self, request: &ClaimRequest) -> Result<Option<ShardLease>, ApiError> {
        let deadline = Duration::from_millis(request.wait_ms) + CLAIM_MARGIN;
        let (status, body) = self.post("claim", request, deadline).await?;
        if status == StatusCode::NO_CONTENT { Ok(None) } else { read(status, &body).map(Some) }
    }

    /// Keeps a lease.
    pub async fn renew(&self, shard: Uuid, request: &RenewRequest, deadline: Duration) -> Result<RenewReply, ApiError> {
        let (status, body) = self.post(&format!("shards/{shard}/renew"), request, deadline).await?;
        read(status, &body)
    }

    /// Posts answers.
    pub async fn answers(&self, shard: Uuid, request: &AnswersRequest) -> Result<AnswersReply, ApiError> {
        let (status, body) = self.post(&format!("shards/{shard}/answers"), request, CALL_DEADLINE).await?;
        read(status, &body)
    }

    /// Fetches documents of a collection.
    pub async fn documents(&self, shard: Uuid, request: &DocumentsRequest) -> Result<DocumentsReply, ApiError> {
        let (status, body) = self.post(&format!("shards/{shard}/documents"), request, CALL_DEADLINE).await?;
        read(status, &body)
    }

    /// Ends a shard whose items are all answered.
    pub async fn finish(&self, shard: Uuid, request: &FinishRequest) -> Result<(), ApiError> {
        self.post(&format!("shards/{shard}/finish"), request, CALL_DEADLINE).await.map(drop)
    }

    /// Gives a shard back.
    pub async fn fail(&self, shard: Uuid, request: &FailRequest) -> Result<(), ApiError> {
        self.post(&format!("shards/{shard}/fail"), request, CALL_DEADLINE).await.map(drop)
    }

    /// Posts a probe's report.
    pub async fn probe(&self, shard: Uuid, request: &ProbeRequest) -> Result<(), ApiError> {
        self.post(&format!("shards/{shard}/probe"), request, CALL_DEADLINE).await.map(drop)
    }

    /// Posts what a judge said.
    pub async fn verdicts(&self, shard: Uuid, request: &VerdictsRequest) -> Result<VerdictsReply, ApiError> {
        let (status, body) = self.post(&format!("shards/{shard}/verdicts"), request, CALL_DEADLINE).await?;
        read(status, &body)
    }

    /// Posts a judge's health check.
    pub async fn health(&self, shard: Uuid, request: &HealthRequest) -> Result<(), ApiError> {
        self.post(&format!("shards/{shard}/health"), request, CALL_DEADLINE).await.map(drop)
    }

    async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
        deadline: Duration,
    ) -> Result<(StatusCode, Vec<u8>), ApiError> {
        let rejected = |detail: String| ApiError::Rejected { status: 0, detail };
        let url = self.api.join(path).map_err(|error| rejected(error.to_string()))?;
        let body = serde_json::to_vec(body).map_err(|error| rejected(error.to_string()))?;
        let request = self.http.post(url).header(CONTENT_TYPE, "application/json").body(body);
        let exchange = async {
            let response = request.send().await.map_err(|error| unreachable(&error))?;
            let status = response.status();
            Ok((status, excerpt(response).await?))
        };
        let late = |_| ApiError::Unreachable { detail: format!("no answer within {} s", deadline.as_secs()) };
        let (status, body) = tokio::time::timeout(deadline, exchange).await.map_err(late)??;
        judge(status, &body).map(|()| (status, body))
    }
}

/// Headers of every call.
fn headers(token: &SecretString) -> anyhow::Result<HeaderMap> {
    let token = token.expose_secret().trim();
    if token.is_empty() {
        bail!("the worker token is empty: create one with longboard admin create-worker-token");
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .context("the worker token holds characters that cannot be sent; copy it again")?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

/// Names a status that is no success.
fn judge(status: StatusCode, body: &[u8]) -> Result<(), ApiError> {
    let detail = || {
        let head = body.get(..body.len().min(2000)).unwrap_or_default();
        cleaned(&String::from_utf8_lossy(head))
    };
    match status.as_u16() {
        200..=299 => Ok(()),
        401 | 403 => Err(ApiError::Refused { status: status.as_u16() }),
        409 => Err(ApiError::Lost),
        408 | 425 | 429 | 500.. => Err(ApiError::Unreachable { detail: format!("HTTP {status}: {}", detail()) }),
        300..=399 => Err(ApiError::Rejected { status: status.as_u16(), detail: "it redirects".to_owned() }),
        _ => Err(ApiError::Rejected { status: status.as_u16(), detail: detail() }),
    }
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::Rejected {
        status: status.as_u16(),
        detail: format!("the answer cannot be read: {error}"),
    })
}

/// The body, which the caller's deadline bounds in time.
async fn excerpt(mut response: Response) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > REPLY_LIMIT {
            return Err(ApiError::Rejected { status: response.status().as_u16(), detail: "too long".to_owned() });
        }
    }
    Ok(body)
}

/// The innermost words of an error, without the URL.
fn unreachable(error: &reqwest::Error) -> ApiError {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    ApiError::Unreachable { detail: cleaned(&innermost.to_string()) }
}
