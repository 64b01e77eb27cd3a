//! The reference model as something that is served.

use std::path::Path;

use longboard_protocol::method::MethodCost;
use longboard_refmodel::ModelError;
use longboard_refmodel::checkpoint::Checkpoint;
use longboard_refmodel::engine::{Engine, Event, Finish, Limits, Listener, Request, TokenLogprob, Usage};
use longboard_refmodel::model::Model;
use longboard_refmodel::policy::Card;
use longboard_suites::item::{Message, Role};
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, channel};

use super::Call;
use super::answer::{Ending, Part, Piece, Probable, Refusal};
use crate::method::cost;

/// Pieces that may wait for a slow reader before the answer is given up.
const WAITING: usize = 4096;

/// Tokens of an answer whose request names no limit.
const DEFAULT_TOKENS: usize = 512;

/// The reference model under one policy.
pub struct Reference {
    engine: Engine,
    slug: &'static str,
}

impl Reference {
    /// Loads the built-in checkpoint, or the one in `folder`, and starts it under `policy`.
    ///
    /// # Errors
    /// [`ModelError`] for an unknown policy or parameter, or a checkpoint that cannot be read.
    pub fn start(policy: &str, given: &[(String, f64)], folder: Option<&Path>) -> Result<Self, ModelError> {
        let card = Card::find(policy)?;
        let settings = card.settings(given)?;
        let Checkpoint { decoder, tokenizer } = folder.map_or_else(Checkpoint::builtin, Checkpoint::open)?;
        let model = Model::new(decoder, tokenizer, card.build(&settings));
        Ok(Self { engine: Engine::start(model, Limits::default()), slug: card.slug })
    }

    /// Name of the policy.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.slug
    }

    /// Whether it answers no more.
    #[must_use]
    pub(crate) fn has_stopped(&self) -> bool {
        self.engine.has_stopped()
    }

    /// Hands in a request; the listener hears of everything else.
    pub(crate) fn submit(&self, request: Request, listener: Listener) -> Result<(), ModelError> {
        self.engine.submit(request, listener)
    }

    /// Begins an answer.
    pub(super) fn answer(&self, call: Call) -> Receiver<Part> {
        let (sender, parts) = channel(WAITING);
        let request = Request {
            messages: call
                .messages
                .into_iter()
                .map(|(role, content)| Message { role: named(&role), content })
                .collect(),
            max_tokens: call.max_tokens.map_or(DEFAULT_TOKENS, |tokens| tokens as usize),
            stop: call.stop,
            logprobs: call.logprobs,
        };
        let told = sender.clone();
        let policy = self.slug;
        let listener = Box::new(move |event| match part(event, policy) {
            Some(part) => told.try_send(part).is_ok(),
            None => !told.is_closed(),
        });
        if let Err(error) = self.submit(request, listener) {
            // The channel is empty, so there is room for one.
            let _ = sender.try_send(Part::Refused(Refusal { status: 503, code: "busy", message: error.to_string() }));
        }
        parts
    }
}

fn named(role: &str) -> Role {
    match role {
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        _ => Role::User,
    }
}

/// Name of an end in the protocol.
pub(crate) const fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

/// What a reader gets of an event.
fn part(event: Event, policy: &str) -> Option<Part> {
    Some(match event {
        Event::Reading => return None,
        Event::Piece { text, logprobs } => {
            let logprobs = logprobs.map(|(chosen, best)| (probable(chosen), best.into_iter().map(probable).collect()));
            Part::Piece(Piece { text, logprobs })
        }
        Event::Done { finish, usage } => Part::End(Ending {
            finish_reason: finish_reason(finish),
            prompt_tokens: usage.prompt_tokens as u64,
            completion_tokens: usage.completion_tokens as u64,
            report: report(&usage, policy),
        }),
        Event::Failed(error) => {
            let (status, code) = match &error {
                ModelError::TooLong { .. } | ModelError::Memory { .. } => (400, "context_length_exceeded"),
                ModelError::Invalid(_) => (400, "invalid_request"),
                _ => (500, "failed"),
            };
            Part::Refused(Refusal { status, code, message: error.to_string() })
        }
    })
}

fn probable(token: TokenLogprob) -> Probable {
    Probable { text: token.text, logprob: token.logprob }
}

/// What the model says about an answer, beside the protocol's own fields.
#[derive(Serialize)]
struct Report<'a> {
    policy: &'a str,
    #[serde(flatten)]
    cost: MethodCost,
}

fn report(usage: &Usage, policy: &str) -> Option<serde_json::Value> {
    serde_json::to_value(Report { policy, cost: cost(usage) }).ok()
}
