//! A baseline or the reference model behind the OpenAI-compatible protocol.

pub mod answer;
mod ranking;
mod reference;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpServer, web};
use futures_util::stream;
use longboard_suites::tokens;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc::{Receiver, channel};

use answer::{Ending, Form, Part, Piece, Refusal, stopped};
pub(crate) use reference::finish_reason;
pub use reference::{Drafting, Reference};

use crate::baseline::{Baseline, Ranker};
use ranking::Ranking;

/// Largest request body in bytes: a prompt of several million tokens.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// Most alternatives per token that a request may ask for.
const MOST_LOGPROBS: usize = 20;

/// A running server.
pub struct ModelServer {
    /// The bound address.
    pub address: SocketAddr,
    /// Stops it.
    pub handle: ServerHandle,
}

/// What is served.
#[derive(Clone)]
pub enum Served {
    /// A baseline, whose every answer waits first, as a real model would take.
    Baseline(Baseline, Duration),
    /// The reference model.
    Reference(Arc<Reference>),
    /// What ranks, and waits first in the same way.
    Ranker(Ranker, Duration),
}

impl Served {
    /// Its name as a model.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Baseline(baseline, _) => baseline.slug(),
            Self::Reference(reference) => reference.slug(),
            Self::Ranker(ranker, _) => ranker.slug(),
        }
    }

    async fn answer(&self, call: Call) -> Receiver<Part> {
        match self {
            Self::Baseline(baseline, delay) => {
                tokio::time::sleep(*delay).await;
                baseline_answer(*baseline, call).await
            }
            Self::Reference(reference) => reference.answer(call),
            Self::Ranker(..) => silent(),
        }
    }

    fn routes(&self, config: &mut web::ServiceConfig) {
        match self {
            Self::Ranker(ranker, delay) => config
                .app_data(web::Data::new(Ranking { ranker: *ranker, delay: *delay }))
                .route("/v1/embeddings", web::post().to(ranking::embeddings))
                .route("/v1/rerank", web::post().to(ranking::rerank)),
            Self::Baseline(..) | Self::Reference(_) => config
                .route("/v1/chat/completions", web::post().to(chat))
                .route("/v1/completions", web::post().to(completion)),
        };
    }

    /// The paths that it takes.
    fn paths(&self) -> &'static str {
        match self {
            Self::Ranker(ranker, _) if ranker.reranks() => "/v1/rerank",
            Self::Ranker(..) => "/v1/embeddings",
            Self::Baseline(..) | Self::Reference(_) => "/v1/chat/completions",
        }
    }
}

/// Serves `served` on `bind` until the handle stops it; port 0 takes a free one.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(served: Served, bind: SocketAddr) -> std::io::Result<ModelServer> {
    let server = HttpServer::new(move || {
        let missing = refusal("not_found", &format!("no such path; use {}", served.paths())).document();
        App::new()
            .app_data(web::Data::new(served.clone()))
            .app_data(web::JsonConfig::default().limit(BODY_LIMIT).error_handler(|error, _| {
                let body = refusal("invalid_request", &error.to_string()).document();
                actix_web::error::InternalError::from_response(error, HttpResponse::BadRequest().json(body)).into()
            }))
            .route("/v1/models", web::get().to(models))
            .configure(|config| served.routes(config))
            .default_service(web::to(move || {
                let missing = missing.clone();
                async move { HttpResponse::NotFound().json(missing) }
            }))
    })
    .workers(2)
    .disable_signals()
    .bind(bind)?;
    let address = server.addrs().first().copied().unwrap_or(bind);
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);
    Ok(ModelServer { address, handle })
}

/// A request, whatever its form.
pub(crate) struct Call {
    /// Role and content of each message.
    pub messages: Vec<(String, String)>,
    /// Most tokens of the answer.
    pub max_tokens: Option<u32>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Alternatives per token.
    pub logprobs: Option<usize>,
}

#[derive(Deserialize)]
struct ChatCall {
    messages: Vec<CallMessage>,
    #[serde(default)]
    logprobs: bool,
    #[serde(default)]
    top_logprobs: usize,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
struct CallMessage {
    #[serde(default)]
    role: String,
    content: String,
}

#[derive(Deserialize)]
struct CompletionCall {
    prompt: String,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: StreamOptions,
    #[serde(default, alias = "max_completion_tokens")]
    max_tokens: Option<u32>,
    #[serde(default)]
    stop: Option<Stop>,
}

#[derive(Deserialize, Default)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Several(Vec<String>),
}

impl Stop {
    fn texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Several(texts) => texts,
        }
    }
}

fn refusal(code: &'static str, message: &str) -> Refusal {
    Refusal { status: 400, code, message: message.to_owned() }
}

async fn models(served: web::Data<Served>) -> HttpResponse {
    let models = [json!({ "id": served.slug(), "object": "model", "owned_by": "longboard" })];
    HttpResponse::Ok().json(json!({ "object": "list", "data": models }))
}

async fn chat(served: web::Data<Served>, call: web::Json<ChatCall>) -> HttpResponse {
    let ChatCall { messages, logprobs, top_logprobs, options } = call.into_inner();
    let call = Call {
        messages: messages.into_iter().map(|message| (message.role, message.content)).collect(),
        max_tokens: options.max_tokens,
        stop: options.stop.map(Stop::texts).unwrap_or_default(),
        logprobs: logprobs.then_some(top_logprobs.min(MOST_LOGPROBS)),
    };
    respond(&served, call, options.stream, options.stream_options.include_usage, true).await
}

async fn completion(served: web::Data<Served>, call: web::Json<CompletionCall>) -> HttpResponse {
    let CompletionCall { prompt, options } = call.into_inner();
    let call = Call {
        messages: vec![("user".to_owned(), prompt)],
        max_tokens: options.max_tokens,
        stop: options.stop.map(Stop::texts).unwrap_or_default(),
        logprobs: None,
    };
    respond(&served, call, options.stream, options.stream_options.include_usage, false).await
}

async fn respond(served: &Served, call: Call, streamed: bool, include_usage: bool, chat: bool) -> HttpResponse {
    let form = Form { model: served.slug().to_owned(), chat, include_usage };
    let mut parts = served.answer(call).await;
    if streamed {
        return stream_parts(form, parts).await;
    }
    match form.document(&mut parts).await {
        Ok(document) => HttpResponse::Ok().json(document),
        Err(refused) => refuse(&refused),
    }
}

fn refuse(refused: &Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).json(refused.document())
}

/// A refusal that comes first is an error answer; later it can only be an event.
async fn stream_parts(form: Form, mut parts: Receiver<Part>) -> HttpResponse {
    let first = parts.recv().await.unwrap_or_else(|| Part::Refused(stopped()));
    if let Part::Refused(refused) = &first {
        return refuse(refused);
    }
    let events = stream::unfold((Some(first), parts), move |(next, mut parts)| {
        let form = form.clone();
        async move {
            let part = next?;
            let last = !matches!(part, Part::Piece(_));
            let events = Bytes::from(form.events(&part));
            let next = if last { None } else { Some(parts.recv().await.unwrap_or_else(|| Part::Refused(stopped()))) };
            Some((Ok::<_, Infallible>(events), (next, parts)))
        }
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}

/// No answer at all: a ranker has no route that leads here.
fn silent() -> Receiver<Part> {
    channel(1).1
}

/// A baseline's answer, word by word.
async fn baseline_answer(baseline: Baseline, call: Call) -> Receiver<Part> {
    let limit = call.max_tokens.unwrap_or(u32::MAX);
    let prompt: String = call.messages.into_iter().map(|(_, content)| content).collect();
    let parts = web::block(move || {
        let answer = baseline.answer(&prompt);
        let (text, finish_reason) = within(answer.text, limit);
        let ending = Ending {
            finish_reason,
            prompt_tokens: answer.prompt_tokens.into(),
            completion_tokens: tokens::count(&text).into(),
            report: None,
        };
        let words = text.split_inclusive(' ').map(|word| Part::Piece(Piece { text: word.to_owned(), logprobs: None }));
        words.chain([Part::End(ending)]).collect::<Vec<_>>()
    })
    .await
    .unwrap_or_else(|_| vec![Part::Refused(stopped())]);
    let (sender, receiver) = channel(parts.len().max(1));
    for part in parts {
        // There is room for all of them.
        let _ = sender.try_send(part);
    }
    receiver
}

/// The start of a text of at most `limit` tokens, and why it ends there.
fn within(mut text: String, limit: u32) -> (String, &'static str) {
    let mut finish_reason = "stop";
    while tokens::count(&text) > limit {
        finish_reason = "length";
        let shorter = text.floor_char_boundary(text.len() * 9 / 10);
        text.truncate(shorter);
    }
    (text, finish_reason)
}
