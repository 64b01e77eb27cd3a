//! Methods: the reference model inside the worker, with no protocol between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use longboard_protocol::method::MethodSpec;
use longboard_protocol::worker::{Completion, Exchange};
use longboard_refmodel::ModelError;
use longboard_refmodel::cuda::Accelerator;
use longboard_refmodel::engine::{Event, Request};
use longboard_refmodel::train::recipe;
use longboard_suites::item::Item;
use tokio::sync::oneshot;

use super::lease::Failure;
use super::sample::SampleEnd;
use crate::device::Device;
use crate::method::cost;
use crate::serve::{Reference, finish_reason};

/// Models kept at the same time. Those of shards under way live on until these end.
const KEPT: usize = 32;

/// The models that were built, one per policy and settings.
#[derive(Default)]
pub(super) struct Methods {
    built: Mutex<Vec<(MethodSpec, Arc<Reference>)>>,
    /// Where their attention is read.
    accelerator: Option<Arc<Accelerator>>,
}

impl Methods {
    /// None yet; their attention will be read on `device`.
    pub fn on(device: Device) -> Result<Self, ModelError> {
        Ok(Self { accelerator: device.open(recipe::config().head_dim)?, ..Self::default() })
    }

    /// The model under a method, built on first use. CPU-bound.
    pub fn model(&self, spec: &MethodSpec) -> Result<Arc<Reference>, Failure> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.retain(|(_, model)| !model.has_stopped());
        if let Some((_, model)) = built.iter().find(|(known, _)| known == spec) {
            return Ok(Arc::clone(model));
        }
        let settings: Vec<(String, f64)> = spec.settings.iter().map(|(name, value)| (name.clone(), *value)).collect();
        let model = Reference::start(&spec.policy, &settings, self.accelerator.clone())
            .map_err(|error| Failure::lasting("method_unusable", error))?;
        let model = Arc::new(model);
        if built.len() >= KEPT {
            built.remove(0);
        }
        built.push((spec.clone(), Arc::clone(&model)));
        Ok(model)
    }
}

/// Answers an item. Dropping this ends the model's work on it.
pub(super) async fn exchange(model: &Reference, item: Item) -> Result<Exchange, SampleEnd> {
    let (told, ended) = oneshot::channel();
    let request =
        Request { messages: item.messages, max_tokens: item.output_tokens as usize, stop: Vec::new(), logprobs: None };
    let mut hearing = Hearing { begun: Instant::now(), completion: Completion::default(), told: Some(told) };
    let listener = Box::new(move |event| hearing.hear(event));
    model.submit(request, listener).map_err(|error| SampleEnd::Fatal(Failure::retryable("model_busy", error)))?;
    match ended.await {
        Ok(Ok(completion)) => Ok(Exchange::Completed(completion)),
        Ok(Err(error)) => Ok(failed(&error)),
        Err(_) => Err(SampleEnd::Fatal(Failure::retryable("model_stopped", "the model stopped before its answer"))),
    }
}

/// An answer while it comes.
struct Hearing {
    begun: Instant,
    completion: Completion,
    told: Option<oneshot::Sender<Result<Completion, ModelError>>>,
}

impl Hearing {
    /// `false` once nobody waits for the answer.
    fn hear(&mut self, event: Event) -> bool {
        match event {
            Event::Reading => {}
            Event::Piece { text, .. } => {
                let elapsed_ms = self.elapsed_ms();
                self.completion.first_token_ms.get_or_insert(elapsed_ms);
                self.completion.text.push_str(&text);
            }
            Event::Done { finish, usage } => {
                let completion = Completion {
                    finish_reason: Some(finish_reason(finish).to_owned()),
                    reported_prompt_tokens: u32::try_from(usage.prompt_tokens).ok(),
                    reported_completion_tokens: u32::try_from(usage.completion_tokens).ok(),
                    latency_ms: self.elapsed_ms(),
                    attempts: 1,
                    cost: Some(cost(&usage)),
                    ..std::mem::take(&mut self.completion)
                };
                self.end(Ok(completion));
            }
            Event::Failed(error) => self.end(Err(error)),
        }
        self.told.as_ref().is_some_and(|told| !told.is_closed())
    }

    fn end(&mut self, ended: Result<Completion, ModelError>) {
        if let Some(told) = self.told.take() {
            // Refused only when nobody waits any more.
            let _ = told.send(ended);
        }
    }

    fn elapsed_ms(&self) -> u32 {
        u32::try_from(self.begun.elapsed().as_millis()).unwrap_or(u32::MAX)
    }
}

/// A refusal of this sample, with the numbers; others may fit.
fn failed(error: &ModelError) -> Exchange {
    let cause = match error {
        ModelError::TooLong { .. } | ModelError::Memory { .. } => "context_exceeded",
        ModelError::Invalid(_) => "invalid_request",
        _ => "failed",
    };
    Exchange::Failed { cause: cause.to_owned(), detail: error.to_string(), attempts: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(policy: &str, budget: f64) -> MethodSpec {
        MethodSpec { policy: policy.to_owned(), settings: [("budget".to_owned(), budget)].into() }
    }

    #[test]
    fn a_method_is_built_once() {
        let methods = Methods::default();
        let quest = methods.model(&spec("quest", 512.0)).unwrap();
        assert!(Arc::ptr_eq(&quest, &methods.model(&spec("quest", 512.0)).unwrap()));
        assert!(!Arc::ptr_eq(&quest, &methods.model(&spec("quest", 256.0)).unwrap()));
        for (policy, budget, word) in [("nothing", 1.0, "policies are"), ("quest", f64::NAN, "budget")] {
            let failure = methods.model(&spec(policy, budget)).err().unwrap();
            assert_eq!((failure.cause, failure.retryable), ("method_unusable", false));
            assert!(failure.detail.contains(word), "{}", failure.detail);
        }
    }

    #[test]
    fn a_refusal_for_length_is_over_length_with_its_numbers() {
        let error = ModelError::TooLong { prompt: 900, answer: 200, limit: 1000 };
        let Exchange::Failed { cause, detail, attempts: 1 } = failed(&error) else { panic!() };
        assert!(cause == "context_exceeded" && detail.contains("900") && detail.contains("1000"), "{detail}");
    }
}
