//! A baseline behind the OpenAI-compatible protocol.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use longboard_suites::tokens;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::baseline::{Baseline, BaselineAnswer};

/// Largest request body in bytes: a prompt of several million tokens.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A running server.
pub struct BaselineServer {
    /// The bound address.
    pub address: SocketAddr,
    /// Stops it.
    pub handle: ServerHandle,
}

/// What is served.
#[derive(Clone, Copy)]
struct Served {
    baseline: Baseline,
    delay: Duration,
}

/// Serves `baseline` on `bind` until the handle stops it; port 0 takes a free one. Every answer waits for `delay` first,
/// as a real model would.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(baseline: Baseline, delay: Duration, bind: SocketAddr) -> std::io::Result<BaselineServer> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(Served { baseline, delay }))
            .app_data(web::JsonConfig::default().limit(BODY_LIMIT).error_handler(|error, _| {
                let body = refusal(&error.to_string());
                actix_web::error::InternalError::from_response(error, HttpResponse::BadRequest().json(body)).into()
            }))
            .route("/v1/models", web::get().to(models))
            .route("/v1/chat/completions", web::post().to(chat))
            .route("/v1/completions", web::post().to(completion))
            .default_service(web::to(|| async {
                HttpResponse::NotFound().json(refusal("no such path; use /v1/chat/completions"))
            }))
    })
    .workers(2)
    .disable_signals()
    .bind(bind)?;
    let address = server.addrs().first().copied().unwrap_or(bind);
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);
    Ok(BaselineServer { address, handle })
}

#[derive(Deserialize)]
struct ChatCall {
    messages: Vec<CallMessage>,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
struct CallMessage {
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
    #[serde(default)]
    max_tokens: Option<u32>,
}

#[derive(Deserialize, Default)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

fn refusal(message: &str) -> Value {
    json!({ "error": { "message": message, "type": "invalid_request_error" } })
}

async fn models(served: web::Data<Served>) -> HttpResponse {
    let models = [json!({ "id": served.baseline.slug(), "object": "model", "owned_by": "longboard" })];
    HttpResponse::Ok().json(json!({ "object": "list", "data": models }))
}

async fn chat(served: web::Data<Served>, call: web::Json<ChatCall>) -> HttpResponse {
    let ChatCall { messages, options } = call.into_inner();
    let prompt = messages.into_iter().map(|message| message.content).collect();
    answer(*served.get_ref(), prompt, options, true).await
}

async fn completion(served: web::Data<Served>, call: web::Json<CompletionCall>) -> HttpResponse {
    let CompletionCall { prompt, options } = call.into_inner();
    answer(*served.get_ref(), prompt, options, false).await
}

async fn answer(served: Served, prompt: String, options: Options, chat: bool) -> HttpResponse {
    let baseline = served.baseline;
    tokio::time::sleep(served.delay).await;
    let limit = options.max_tokens.unwrap_or(u32::MAX);
    match web::block(move || Generated::new(&baseline.answer(&prompt), limit)).await {
        Err(_) => HttpResponse::InternalServerError().json(refusal("the baseline stopped; try again")),
        Ok(generated) if options.stream => {
            let events = generated.events(baseline, chat, options.stream_options.include_usage);
            HttpResponse::Ok().content_type("text/event-stream").body(events)
        }
        Ok(generated) => HttpResponse::Ok().json(generated.document(baseline, chat)),
    }
}

/// An answer within its token limit.
struct Generated {
    text: String,
    finish_reason: &'static str,
    prompt_tokens: u32,
    completion_tokens: u32,
}

impl Generated {
    fn new(answer: &BaselineAnswer, limit: u32) -> Self {
        let mut text = answer.text.clone();
        let mut finish_reason = "stop";
        while tokens::count(&text) > limit {
            finish_reason = "length";
            let shorter = text.floor_char_boundary(text.len() * 9 / 10);
            text.truncate(shorter);
        }
        let completion_tokens = tokens::count(&text);
        Self { text, finish_reason, prompt_tokens: answer.prompt_tokens, completion_tokens }
    }

    fn usage(&self) -> Value {
        let (prompt, completion) = (self.prompt_tokens, self.completion_tokens);
        json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
    }

    fn document(&self, baseline: Baseline, chat: bool) -> Value {
        let (object, choice) = if chat {
            let message = json!({ "role": "assistant", "content": self.text });
            ("chat.completion", json!({ "index": 0, "message": message, "finish_reason": self.finish_reason }))
        } else {
            ("text_completion", json!({ "index": 0, "text": self.text, "finish_reason": self.finish_reason }))
        };
        json!({ "id": "answer", "object": object, "model": baseline.slug(), "choices": [choice], "usage": self.usage() })
    }

    fn events(&self, baseline: Baseline, chat: bool, include_usage: bool) -> String {
        let event = |choices: Value, usage: Value| {
            let object = if chat { "chat.completion.chunk" } else { "text_completion" };
            let chunk = json!({ "id": "answer", "object": object, "model": baseline.slug(), "choices": choices, "usage": usage });
            format!("data: {chunk}\n\n")
        };
        let choice = |text: &str, finish: Value| {
            if chat {
                json!([{ "index": 0, "delta": { "content": text }, "finish_reason": finish }])
            } else {
                json!([{ "index": 0, "text": text, "finish_reason": finish }])
            }
        };
        let mut stream: String =
            self.text.split_inclusive(' ').map(|word| event(choice(word, Value::Null), Value::Null)).collect();
        stream.push_str(&event(choice("", self.finish_reason.into()), Value::Null));
        if include_usage {
            stream.push_str(&event(json!([]), self.usage()));
        }
        stream.push_str("data: [DONE]\n\n");
        stream
    }
}
