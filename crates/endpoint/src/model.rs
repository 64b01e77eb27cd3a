//! What Longboard asks of a model, whoever serves it.

use std::future::Future;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One chat message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Text.
    pub content: String,
}

/// A picture within a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPicture {
    /// Place of its message in the conversation.
    pub message: usize,
    /// Bytes of the message's text before it.
    pub byte: usize,
    /// The PNG file.
    pub png: Bytes,
}

/// A request for one answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatRequest {
    /// The conversation.
    pub messages: Vec<ChatMessage>,
    /// Pictures in the order in which they stand; empty for a conversation in text alone.
    pub pictures: Vec<ShownPicture>,
    /// Most tokens to generate.
    pub max_tokens: u32,
    /// 0 is greedy.
    pub temperature: f32,
}

impl ChatRequest {
    /// A single user message.
    #[must_use]
    pub fn user(content: impl Into<String>, max_tokens: u32) -> Self {
        let messages = vec![ChatMessage { role: "user".to_owned(), content: content.into() }];
        Self { messages, max_tokens, ..Self::default() }
    }
}

/// A completed answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The text, unchanged.
    pub text: String,
    /// `stop`, `length`, … as reported.
    pub finish_reason: Option<String>,
    /// Prompt tokens as reported.
    pub prompt_tokens: Option<u32>,
    /// Completion tokens as reported.
    pub completion_tokens: Option<u32>,
    /// Time to the first token in milliseconds, when the answer was streamed.
    pub first_token_ms: Option<u32>,
    /// Time to the last byte in milliseconds, of the successful attempt.
    pub latency_ms: u32,
    /// Requests made.
    pub attempts: u32,
    /// Causes of the retries, in order.
    pub retry_causes: Vec<String>,
}

/// A model that answers.
pub trait ChatModel: Send + Sync {
    /// Answers one request. Every wait inside has a deadline.
    ///
    /// # Errors
    /// [`CallError`] once no further attempt may help.
    fn complete(&self, request: ChatRequest) -> impl Future<Output = Result<Reply, CallError>> + Send;
}

/// What an embedder reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Text.
    Text(String),
    /// A PNG or JPEG file, for endpoints that take pictures.
    Picture(Vec<u8>),
}

/// What a call that is no generation took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens of all inputs as reported.
    pub prompt_tokens: Option<u32>,
    /// Time from the first request to the last byte in milliseconds, retries included.
    pub latency_ms: u32,
    /// Requests made.
    pub attempts: u32,
    /// Causes of the retries, in order.
    pub retry_causes: Vec<String>,
}

/// Vectors of some inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embedded {
    /// One per input in order: finite, not zero, all of one dimension.
    pub vectors: Vec<Vec<f32>>,
    /// What it took.
    pub spent: Spent,
}

/// A model that turns texts, and some of them pictures, into vectors.
pub trait Embedder: Send + Sync {
    /// One vector per input, in order.
    ///
    /// # Errors
    /// [`CallError`] once no further attempt may help; vectors that are no vectors have causes of their own.
    fn embed(&self, inputs: &[Input]) -> impl Future<Output = Result<Embedded, CallError>> + Send;
}

/// How well documents fit a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reranked {
    /// One finite score per document in order; more is better.
    pub scores: Vec<f32>,
    /// What it took.
    pub spent: Spent,
}

/// A model that scores documents for a query.
pub trait Reranker: Send + Sync {
    /// A score per document, in order.
    ///
    /// # Errors
    /// [`CallError`] once no further attempt may help.
    fn rerank(&self, query: &str, documents: &[String]) -> impl Future<Output = Result<Reranked, CallError>> + Send;
}

/// A model that chooses one of some labels.
pub trait Judge: Send + Sync {
    /// The label that stands alone on the last line of the answer; `None` when there is none after one re-ask.
    ///
    /// # Errors
    /// [`CallError`] once no further attempt may help.
    fn verdict(
        &self,
        prompt: &str,
        labels: &[String],
    ) -> impl Future<Output = Result<Option<String>, CallError>> + Send;
}

impl<M: ChatModel> Judge for M {
    async fn verdict(&self, prompt: &str, labels: &[String]) -> Result<Option<String>, CallError> {
        let again =
            format!("{prompt}\n\nEnd with exactly one of these labels, alone on the last line: {}", labels.join(", "));
        for prompt in [prompt, again.as_str()] {
            let reply = self.complete(ChatRequest::user(prompt, 1024)).await?;
            let last = reply.text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            if let Some(label) = labels.iter().find(|label| label.as_str() == last) {
                return Ok(Some(label.clone()));
            }
        }
        Ok(None)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// A deadline passed.
    #[error("the endpoint did not answer in time ({stage}); raise the limit or check its load")]
    TimedOut {
        /// `first_byte`, `idle` or `total`.
        stage: &'static str,
        /// Requests made.
        attempts: u32,
    },
    /// Nothing listens, the name does not resolve, or the connection broke before an answer.
    #[error("the endpoint cannot be reached: {detail}")]
    Unreachable {
        /// What the network said.
        detail: String,
        /// Requests made.
        attempts: u32,
    },
    /// The address policy refuses the address.
    #[error("{detail}")]
    AddressRefused {
        /// The policy's words.
        detail: String,
    },
    /// The endpoint refuses the secret.
    #[error("the endpoint refuses the secret (HTTP {status}): {detail}; enter a valid one")]
    Unauthorised {
        /// HTTP status, 401 or 403.
        status: u16,
        /// What it said, cleaned.
        detail: String,
    },
    /// The endpoint answered with something that is no answer.
    #[error("{cause}: {detail}")]
    Failed {
        /// Named cause, e.g. `http_500`, `not_json`, `body_too_large`, `invalid_utf8`, `context_exceeded`.
        cause: String,
        /// What it said, cleaned, at most 500 characters.
        detail: String,
        /// Requests made.
        attempts: u32,
    },
}

impl CallError {
    /// Stable name of the cause, for counts and stored answers.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::TimedOut { stage, .. } => stage,
            Self::Unreachable { .. } => "unreachable",
            Self::AddressRefused { .. } => "address_refused",
            Self::Unauthorised { .. } => "unauthorised",
            Self::Failed { cause, .. } => cause,
        }
    }

    /// Requests made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::TimedOut { attempts, .. } | Self::Unreachable { attempts, .. } | Self::Failed { attempts, .. } => {
                *attempts
            }
            Self::AddressRefused { .. } => 0,
            Self::Unauthorised { .. } => 1,
        }
    }
}

/// Text from outside made fit for logs and pages: one line, no control characters, at most 500 characters.
#[must_use]
pub fn cleaned(text: &str) -> String {
    let visible = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut line = String::new();
    for letter in visible.take(2000) {
        if letter != ' ' || !line.ends_with(' ') {
            line.push(letter);
        }
    }
    line.trim().chars().take(500).collect()
}
