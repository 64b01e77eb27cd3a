//! An answer on its way: pieces and an end, as one document or as a stream of events.

use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

/// A token with its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Probable {
    /// Its text.
    pub text: String,
    /// Natural logarithm of its probability.
    pub logprob: f32,
}

impl Probable {
    fn document(&self) -> Value {
        json!({ "token": self.text, "logprob": self.logprob, "bytes": self.text.as_bytes() })
    }
}

/// A piece of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Piece {
    /// Text.
    pub text: String,
    /// The token and the most probable ones, when asked for.
    pub logprobs: Option<(Probable, Vec<Probable>)>,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// `stop` or `length`.
    pub finish_reason: &'static str,
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
    /// What the model reports about its work.
    pub report: Option<Value>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stable code, e.g. `context_length_exceeded`.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// The body of an error answer.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({ "error": { "message": self.message, "type": "invalid_request_error", "code": self.code } })
    }
}

/// What comes of a request, in order: pieces, then an ending or a refusal.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// More text.
    Piece(Piece),
    /// The end.
    End(Ending),
    /// No answer.
    Refused(Refusal),
}

/// The form in which a request wants its answer.
#[derive(Debug, Clone)]
pub struct Form {
    /// Name of the model.
    pub model: String,
    /// Chat, else plain completion.
    pub chat: bool,
    /// A last event with the usage.
    pub include_usage: bool,
}

impl Form {
    /// The whole answer.
    ///
    /// # Errors
    /// The refusal.
    pub async fn document(&self, parts: &mut Receiver<Part>) -> Result<Value, Refusal> {
        let (mut text, mut logprobs) = (String::new(), Vec::new());
        loop {
            match parts.recv().await {
                Some(Part::Piece(piece)) => {
                    text.push_str(&piece.text);
                    logprobs.extend(piece.logprobs.as_ref().map(logprob));
                }
                Some(Part::End(ending)) => return Ok(self.whole(&text, logprobs, &ending)),
                Some(Part::Refused(refusal)) => return Err(refusal),
                None => return Err(stopped()),
            }
        }
    }

    fn whole(&self, text: &str, logprobs: Vec<Value>, ending: &Ending) -> Value {
        let mut choice = json!({ "index": 0, "finish_reason": ending.finish_reason });
        if self.chat {
            set(&mut choice, "message", json!({ "role": "assistant", "content": text }));
        } else {
            set(&mut choice, "text", json!(text));
        }
        if !logprobs.is_empty() {
            set(&mut choice, "logprobs", json!({ "content": logprobs }));
        }
        let object = if self.chat { "chat.completion" } else { "text_completion" };
        let mut document = json!({ "id": "answer", "object": object, "model": self.model, "choices": [choice], "usage": usage(ending) });
        if let Some(report) = &ending.report {
            set(&mut document, "longboard", report.clone());
        }
        document
    }

    /// The server-sent events of a part; the last one ends the stream.
    #[must_use]
    pub fn events(&self, part: &Part) -> String {
        match part {
            Part::Piece(piece) => {
                let logprobs = piece.logprobs.as_ref().map(|found| json!({ "content": [logprob(found)] }));
                self.event(json!([self.choice(&piece.text, None, logprobs)]), None, None)
            }
            Part::End(ending) => {
                let mut events = self.event(json!([self.choice("", Some(ending.finish_reason), None)]), None, None);
                if self.include_usage {
                    events.push_str(&self.event(json!([]), Some(usage(ending)), ending.report.as_ref()));
                }
                events.push_str("data: [DONE]\n\n");
                events
            }
            Part::Refused(refusal) => format!("data: {}\n\ndata: [DONE]\n\n", refusal.document()),
        }
    }

    fn choice(&self, text: &str, finish: Option<&str>, logprobs: Option<Value>) -> Value {
        let mut choice = json!({ "index": 0, "finish_reason": finish });
        if self.chat {
            set(&mut choice, "delta", json!({ "content": text }));
        } else {
            set(&mut choice, "text", json!(text));
        }
        if let Some(logprobs) = logprobs {
            set(&mut choice, "logprobs", logprobs);
        }
        choice
    }

    fn event(&self, choices: Value, usage: Option<Value>, report: Option<&Value>) -> String {
        let object = if self.chat { "chat.completion.chunk" } else { "text_completion" };
        let mut chunk =
            json!({ "id": "answer", "object": object, "model": self.model, "choices": choices, "usage": usage });
        if let Some(report) = report {
            set(&mut chunk, "longboard", report.clone());
        }
        format!("data: {chunk}\n\n")
    }
}

/// The answer of a model that went away.
#[must_use]
pub fn stopped() -> Refusal {
    Refusal { status: 500, code: "stopped", message: "the model stopped; try again".to_owned() }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn logprob((chosen, best): &(Probable, Vec<Probable>)) -> Value {
    let mut document = chosen.document();
    set(&mut document, "top_logprobs", best.iter().map(Probable::document).collect());
    document
}

fn usage(ending: &Ending) -> Value {
    let (prompt, completion) = (ending.prompt_tokens, ending.completion_tokens);
    json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
}
