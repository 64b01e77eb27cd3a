//! The reference model as something that is served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use longboard_protocol::method::MethodCost;
use longboard_refmodel::ModelError;
use longboard_refmodel::checkpoint::Checkpoint;
use longboard_refmodel::cuda::Accelerator;
use longboard_refmodel::engine::{Engine, Event, Finish, Limits, Listener, Request, TokenLogprob, Usage};
use longboard_refmodel::model::Model;
use longboard_refmodel::policy::{Card, Settings};
use longboard_refmodel::speculative::{Decode, Speculator, Tally};
use longboard_suites::item::{Message, Role};
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, channel};

use super::Call;
use super::answer::{Ending, Part, Piece, Probable, Refusal};
use crate::device::Device;
use crate::method::cost;

/// Pieces that may wait for a slow reader before the answer is given up.
const WAITING: usize = 4096;

/// Tokens of an answer whose request names no limit.
const DEFAULT_TOKENS: usize = 512;

/// How answers are drafted.
#[derive(Debug, Clone)]
pub struct Drafting {
    /// Plain or RAPID.
    pub decode: Decode,
    /// Numbers of the decoding.
    pub settings: Vec<(String, f64)>,
    /// The drafter's policy.
    pub policy: String,
    /// Numbers of that policy.
    pub policy_settings: Vec<(String, f64)>,
    /// The drafter's checkpoint, if it is not the target's.
    pub checkpoint: Option<PathBuf>,
}

/// The reference model under one policy.
pub struct Reference {
    engine: Engine,
    slug: &'static str,
    accelerator: Option<Arc<Accelerator>>,
}

impl Reference {
    /// Loads the built-in checkpoint and starts it under `policy`, with attention on `accelerator` where there is one.
    ///
    /// # Errors
    /// [`ModelError`] for an unknown policy or parameter.
    pub fn start(
        policy: &str,
        given: &[(String, f64)],
        accelerator: Option<Arc<Accelerator>>,
    ) -> Result<Self, ModelError> {
        let card = Card::find(policy)?;
        let settings = card.settings(given)?;
        Self::begin((card, &settings), Checkpoint::builtin()?, None, accelerator)
    }

    /// The same of the checkpoint in `folder`, where one is named, with attention on `device` and answers that are drafted
    /// first.
    ///
    /// # Errors
    /// Those of [`Reference::start`], for the drafter too; [`ModelError`] for a checkpoint or a device that cannot be used,
    /// and when drafter and target do not go together.
    pub fn drafted(
        policy: &str,
        given: &[(String, f64)],
        folder: Option<&Path>,
        drafting: Option<&Drafting>,
        device: Device,
    ) -> Result<Self, ModelError> {
        let card = Card::find(policy)?;
        let settings = card.settings(given)?;
        let checkpoint = folder.map_or_else(Checkpoint::builtin, Checkpoint::open)?;
        let accelerator = device.open(checkpoint.decoder.config.head_dim)?;
        Self::begin((card, &settings), checkpoint, drafting, accelerator)
    }

    fn begin(
        (card, settings): (&'static Card, &Settings),
        checkpoint: Checkpoint,
        drafting: Option<&Drafting>,
        accelerator: Option<Arc<Accelerator>>,
    ) -> Result<Self, ModelError> {
        let Checkpoint { decoder, tokenizer } = checkpoint.clone();
        let model = Model::new(decoder, tokenizer, card.build(settings)).on(accelerator.clone());
        let speculator = drafting.map(|drafting| drafting.speculator((&model, card), checkpoint)).transpose()?;
        let engine = Engine::drafting(model, speculator, Limits::default());
        Ok(Self { engine, slug: card.slug, accelerator })
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
        let (policy, accelerator) = (self.slug, self.accelerator.clone());
        let listener = Box::new(move |event| match part(event, policy, accelerator.as_deref()) {
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

impl Drafting {
    fn speculator(&self, target: (&Model, &Card), own: Checkpoint) -> Result<Speculator, ModelError> {
        let card = Card::find(&self.policy)?;
        let settings = card.settings(&self.policy_settings)?;
        let Checkpoint { decoder, tokenizer } = self.checkpoint.as_deref().map_or(Ok(own), Checkpoint::open)?;
        let drafter = Model::new(decoder, tokenizer, card.build(&settings));
        Speculator::new(self.decode, &self.settings, target, (drafter, card))
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
fn part(event: Event, policy: &str, accelerator: Option<&Accelerator>) -> Option<Part> {
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
            report: report(&usage, policy, accelerator),
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
    /// The device that read, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    /// Why the processor read instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_failure: Option<&'a str>,
    #[serde(flatten)]
    cost: MethodCost,
    #[serde(flatten)]
    drafting: Option<Drafted>,
}

/// What drafting did.
#[derive(Serialize)]
struct Drafted {
    decode: &'static str,
    transfer: bool,
    acceptance: Option<f64>,
    proposed_tokens: usize,
    accepted_tokens: usize,
    target_passes: usize,
    draft_prompt_tokens: usize,
}

fn report(usage: &Usage, policy: &str, accelerator: Option<&Accelerator>) -> Option<serde_json::Value> {
    let drafting = usage.drafting.as_ref().map(drafted);
    let (device, device_failure) = (accelerator.map(Accelerator::name), accelerator.and_then(Accelerator::failure));
    serde_json::to_value(Report { policy, device, device_failure, cost: cost(usage), drafting }).ok()
}

fn drafted(tally: &Tally) -> Drafted {
    Drafted {
        decode: tally.decode.slug(),
        transfer: tally.transfer,
        acceptance: tally.acceptance(),
        proposed_tokens: tally.proposed,
        accepted_tokens: tally.accepted,
        target_passes: tally.target_passes,
        draft_prompt_tokens: tally.draft_prompt_tokens,
    }
}
