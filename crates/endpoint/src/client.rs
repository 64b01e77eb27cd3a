//! The client: generation at OpenAI-compatible servers, and the sending that all calls share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use crate::guard::GuardedResolver;
use crate::limit::AdaptiveLimit;
use crate::model::{CallError, ChatModel, ChatRequest, Reply, cleaned};
use crate::picture;
use crate::policy::{AddressPolicy, PolicyError};
use crate::retry::{RetryPolicy, is_transient, retry_after};
use crate::stream::{Reading, Unreadable};

/// The calls that generate text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Api {
    /// `chat/completions`
    #[default]
    Chat,
    /// `completions`: the messages' contents joined
    Completions,
}

/// Where and how to call.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Base URL including the version prefix, e.g. `https://api.example.com/v1`.
    pub base_url: String,
    /// Model name.
    pub model: String,
    /// Which call.
    pub api: Api,
    /// Bearer secret.
    pub secret: Option<SecretString>,
    /// Most requests in flight.
    pub max_concurrency: u32,
    /// Deadlines.
    pub deadlines: Deadlines,
    /// Retries.
    pub retry: RetryPolicy,
}

impl EndpointConfig {
    /// A configuration with the defaults.
    #[must_use]
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            model: model.into(),
            api: Api::Chat,
            secret: None,
            max_concurrency: 16,
            deadlines: Deadlines::default(),
            retry: RetryPolicy::default(),
        }
    }
}

/// Longest waits of one attempt.
#[derive(Debug, Clone)]
pub struct Deadlines {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the first byte: prefill of a long prompt happens here.
    pub first_byte: Duration,
    /// Between two chunks.
    pub idle: Duration,
    /// For the whole answer, besides `first_byte`, per generated token.
    pub per_token: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            per_token: Duration::from_secs(1),
        }
    }
}

/// A client for one endpoint.
pub struct OpenAiClient {
    config: EndpointConfig,
    http: Client,
    url: Url,
    authorization: Option<HeaderValue>,
    limit: Arc<AdaptiveLimit>,
    jitter: AtomicU64,
}

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The policy refuses the URL.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The secret cannot stand in a header.
    #[error("the secret holds characters that cannot be sent; enter it again")]
    Secret,
    /// TLS or the HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
}

#[derive(Serialize)]
struct ChatBody<'a, M: Serialize> {
    model: &'a str,
    messages: &'a [M],
    max_tokens: u32,
    temperature: f32,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct CompletionBody<'a> {
    model: &'a str,
    prompt: String,
    max_tokens: u32,
    temperature: f32,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// What one attempt came to.
enum Attempt<T> {
    Answered(T),
    Missed(Miss),
}

/// An attempt without an answer.
enum Miss {
    Again { error: CallError, cause: String, after: Option<Duration>, overloaded: bool },
    Final(CallError),
}

/// An answer and what it took to get it.
pub(crate) struct Persisted<T> {
    pub(crate) answer: T,
    pub(crate) attempts: u32,
    pub(crate) retry_causes: Vec<String>,
}

impl OpenAiClient {
    /// A client that reaches only what `policy` allows. `seed` drives the jitter of retries.
    ///
    /// # Errors
    /// [`ClientError`] when the address is refused or the client cannot be set up.
    pub fn new(config: EndpointConfig, policy: &AddressPolicy, seed: u64) -> Result<Self, ClientError> {
        let mut url = policy.check_url(&config.base_url)?;
        let port = url.port_or_known_default().unwrap_or(443);
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .dns_resolver(Arc::new(GuardedResolver { policy: policy.clone(), port }))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(config.deadlines.connect)
            .pool_max_idle_per_host(512)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| ClientError::Setup(error.to_string()))?;
        let authorization = config.secret.as_ref().map(bearer).transpose()?;
        let limit = AdaptiveLimit::new(config.max_concurrency);
        Ok(Self { config, http, url, authorization, limit, jitter: AtomicU64::new(seed | 1) })
    }

    /// The adaptive bound on requests in flight.
    #[must_use]
    pub fn limit(&self) -> &Arc<AdaptiveLimit> {
        &self.limit
    }

    fn body(&self, request: ChatRequest) -> Result<Bytes, CallError> {
        match self.config.api {
            Api::Chat if request.pictures.is_empty() => self.chat_body(&request.messages, &request),
            Api::Chat => self.chat_body(&picture::parts(&request)?, &request),
            Api::Completions if request.pictures.is_empty() => self.completion_body(request),
            Api::Completions => Err(failed(picture::UNSENT, "the completions call has no place for pictures")),
        }
    }

    fn chat_body<M: Serialize>(&self, messages: &[M], request: &ChatRequest) -> Result<Bytes, CallError> {
        written(&ChatBody {
            model: &self.config.model,
            messages,
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        })
    }

    fn completion_body(&self, request: ChatRequest) -> Result<Bytes, CallError> {
        written(&CompletionBody {
            model: &self.config.model,
            prompt: request.messages.into_iter().map(|message| message.content).collect(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        })
    }

    /// An accepted response whose body is still to come.
    async fn response(&self, path: &str, body: Bytes) -> Result<Response, Miss> {
        let deadlines = &self.config.deadlines;
        let response = match tokio::time::timeout(deadlines.first_byte, self.post(path, body)).await {
            Err(_) => return Err(again(CallError::TimedOut { stage: "first_byte", attempts: 0 }, false)),
            Ok(Err(error)) => return Err(connection_failed(&error)),
            Ok(Ok(response)) => response,
        };
        let status = response.status().as_u16();
        if status != 200 {
            return Err(refused(response, status, deadlines.idle).await);
        }
        if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            let detail = "the answer is compressed, which was not asked for";
            return Err(Miss::Final(failed("content_encoding", detail)));
        }
        Ok(response)
    }

    async fn generated(&self, path: &str, body: Bytes, max_tokens: u32) -> Attempt<Reply> {
        let started = Instant::now();
        let response = match self.response(path, body).await {
            Ok(response) => response,
            Err(miss) => return Attempt::Missed(miss),
        };
        let deadlines = &self.config.deadlines;
        let total = deadlines.first_byte + deadlines.per_token.saturating_mul(max_tokens.max(16));
        Attempt::Missed(match tokio::time::timeout(total, read(response, started, deadlines.idle)).await {
            Err(_) => Miss::Final(CallError::TimedOut { stage: "total", attempts: 0 }),
            Ok(Err(ReadError::Idle)) => again(CallError::TimedOut { stage: "idle", attempts: 0 }, false),
            Ok(Err(ReadError::Broken(detail))) => again(failed("connection_broken", &detail), false),
            Ok(Err(ReadError::Unreadable((cause, detail)))) => Miss::Final(failed(cause, &detail)),
            Ok(Ok(reply)) => return Attempt::Answered(reply),
        })
    }

    /// The whole body of a call that is answered by one JSON document of at most `limit` bytes.
    async fn document(&self, path: &str, body: Bytes, limit: usize) -> Attempt<Vec<u8>> {
        let mut response = match self.response(path, body).await {
            Ok(response) => response,
            Err(miss) => return Attempt::Missed(miss),
        };
        let mut whole = Vec::new();
        loop {
            let idle = || again(CallError::TimedOut { stage: "idle", attempts: 0 }, false);
            match tokio::time::timeout(self.config.deadlines.idle, response.chunk()).await {
                Err(_) => return Attempt::Missed(idle()),
                Ok(Err(error)) => {
                    return Attempt::Missed(again(failed("connection_broken", &root_cause(&error)), false));
                }
                Ok(Ok(None)) => return Attempt::Answered(whole),
                Ok(Ok(Some(chunk))) if whole.len() + chunk.len() > limit => {
                    let detail = format!("the answer is longer than {limit} bytes");
                    return Attempt::Missed(Miss::Final(failed("body_too_large", &detail)));
                }
                Ok(Ok(Some(chunk))) => whole.extend_from_slice(&chunk),
            }
        }
    }

    /// What is answered to a call by one JSON document of at most `limit` bytes.
    pub(crate) async fn called(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: usize,
    ) -> Result<Persisted<Vec<u8>>, CallError> {
        let body = written(body)?;
        self.persist(|| self.document(path, body.clone(), limit)).await
    }

    /// Attempts under the adaptive limit until one is answered, or no further one may help.
    async fn persist<T, F>(&self, attempt: impl Fn() -> F) -> Result<Persisted<T>, CallError>
    where
        F: Future<Output = Attempt<T>>,
    {
        let mut retry_causes = Vec::new();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let permit = self.limit.acquire().await;
            match attempt().await {
                Attempt::Answered(answer) => {
                    permit.succeeded();
                    return Ok(Persisted { answer, attempts, retry_causes });
                }
                Attempt::Missed(Miss::Final(error)) => return Err(with_attempts(error, attempts)),
                Attempt::Missed(Miss::Again { error, cause, after, overloaded }) => {
                    if overloaded {
                        permit.overloaded();
                    }
                    if attempts >= self.config.retry.attempts {
                        return Err(with_attempts(error, attempts));
                    }
                    drop(permit);
                    retry_causes.push(cause);
                    tokio::time::sleep(self.config.retry.delay(attempts, after, self.jitter())).await;
                }
            }
        }
    }

    /// Model name sent in requests.
    pub(crate) fn model(&self) -> &str {
        &self.config.model
    }

    async fn post(&self, path: &str, body: Bytes) -> reqwest::Result<Response> {
        let url = self.url.join(path).unwrap_or_else(|_| self.url.clone());
        let mut request = self.http.post(url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().await
    }

    /// A share in [0, 1) for the next delay (xorshift64).
    fn jitter(&self) -> f64 {
        let step = |mut state: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^ (state << 17)
        };
        let before = self.jitter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| Some(step(state)));
        (step(before.unwrap_or(1)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl ChatModel for OpenAiClient {
    async fn complete(&self, request: ChatRequest) -> Result<Reply, CallError> {
        let path = if self.config.api == Api::Chat { "chat/completions" } else { "completions" };
        let (max_tokens, pictured) = (request.max_tokens, !request.pictures.is_empty());
        let body = self.body(request)?;
        let answered = self.persist(|| self.generated(path, body.clone(), max_tokens)).await;
        let Persisted { answer, attempts, retry_causes } =
            answered.map_err(|error| if pictured { picture::named(error) } else { error })?;
        Ok(Reply { attempts, retry_causes, ..answer })
    }
}

fn written(body: &impl Serialize) -> Result<Bytes, CallError> {
    serde_json::to_vec(body).map(Bytes::from).map_err(|error| failed("unsendable", &error.to_string()))
}

fn bearer(secret: &SecretString) -> Result<HeaderValue, ClientError> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret())).map_err(|_| ClientError::Secret)?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn failed(cause: &str, detail: &str) -> CallError {
    CallError::Failed { cause: cause.to_owned(), detail: cleaned(detail), attempts: 1 }
}

fn again(error: CallError, overloaded: bool) -> Miss {
    Miss::Again { cause: error.cause().to_owned(), error, after: None, overloaded }
}

fn with_attempts(error: CallError, made: u32) -> CallError {
    match error {
        CallError::TimedOut { stage, .. } => CallError::TimedOut { stage, attempts: made },
        CallError::Unreachable { detail, .. } => CallError::Unreachable { detail, attempts: made },
        CallError::Failed { cause, detail, .. } => CallError::Failed { cause, detail, attempts: made },
        other => other,
    }
}

/// The innermost words of an error, without the URL.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    cleaned(&innermost.to_string())
}

fn connection_failed(error: &reqwest::Error) -> Miss {
    let detail = root_cause(error);
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = source {
        if current.downcast_ref::<PolicyError>().is_some() {
            return Miss::Final(CallError::AddressRefused { detail });
        }
        source = current.source();
    }
    if error.is_timeout() && error.is_connect() {
        let detail = "no connection in time; check host and port".to_owned();
        return again(CallError::Unreachable { detail, attempts: 0 }, false);
    }
    again(CallError::Unreachable { detail, attempts: 0 }, false)
}

/// Names an HTTP status that is no answer. A redirect is not followed: it could lead anywhere.
async fn refused(response: Response, status: u16, idle: Duration) -> Miss {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = header.and_then(|value| retry_after(value, SystemTime::now()));
    let detail = cleaned(&excerpt(response, idle, 16 * 1024).await);
    let lower = detail.to_lowercase();
    let too_long =
        matches!(status, 400 | 413 | 422) && (lower.contains("context") || lower.contains("too long") || status == 413);
    match status {
        401 | 403 => Miss::Final(CallError::Unauthorised { status, detail }),
        300..=399 => Miss::Final(failed("redirected", "the endpoint redirects; enter the address it leads to")),
        404 => Miss::Final(failed("not_found", &format!("no such model or path: {detail}"))),
        _ if too_long => Miss::Final(failed("context_exceeded", &detail)),
        _ if is_transient(status) => {
            let error = failed(&format!("http_{status}"), &detail);
            Miss::Again { cause: format!("http_{status}"), error, after, overloaded: matches!(status, 429 | 503 | 529) }
        }
        _ => Miss::Final(failed(&format!("http_{status}"), &detail)),
    }
}

/// At most `limit` bytes of a body as text.
async fn excerpt(mut response: Response, idle: Duration, limit: usize) -> String {
    let mut body = Vec::new();
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout(idle, response.chunk()).await {
        body.extend_from_slice(&chunk);
        if body.len() >= limit {
            break;
        }
    }
    body.truncate(limit);
    String::from_utf8_lossy(&body).into_owned()
}

enum ReadError {
    Idle,
    Broken(String),
    Unreadable(Unreadable),
}

async fn read(mut response: Response, started: Instant, idle: Duration) -> Result<Reply, ReadError> {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let streamed = content_type.starts_with("text/event-stream");
    let mut reading = Reading::default();
    let mut first_token_ms = None;
    loop {
        let chunk = tokio::time::timeout(idle, response.chunk()).await.map_err(|_| ReadError::Idle)?;
        let Some(chunk) = chunk.map_err(|error| ReadError::Broken(root_cause(&error)))? else { break };
        let taken = if streamed { reading.events(&chunk) } else { reading.take(&chunk) };
        taken.map_err(ReadError::Unreadable)?;
        if reading.started && first_token_ms.is_none() {
            first_token_ms = Some(milliseconds(started));
        }
        if reading.done {
            break;
        }
    }
    let ended = if streamed { reading.end_of_events() } else { reading.end_of_document() };
    ended.map_err(ReadError::Unreadable)?;
    Ok(Reply {
        text: reading.text,
        finish_reason: reading.finish_reason,
        prompt_tokens: reading.prompt_tokens,
        completion_tokens: reading.completion_tokens,
        first_token_ms,
        latency_ms: milliseconds(started),
        attempts: 1,
        retry_causes: Vec::new(),
    })
}

pub(crate) fn milliseconds(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX)
}
