//! What an answer takes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use longboard_suites::tokens;
use serde::{Deserialize, Serialize};

use super::bound::bounded;
use super::retriever::Retriever;
use crate::model::{CallError, ChatModel, ChatRequest, Reply};

/// Sums over all calls of one answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metered {
    /// Calls of chat and embedding endpoints, retries not counted.
    pub calls: u32,
    /// Canonical tokens of the prompts and of the texts sent to be embedded.
    pub prompt_tokens: u64,
    /// Canonical tokens of the replies.
    pub completion_tokens: u64,
    /// Prompt tokens as the chat endpoint reports them; `None` once a call reports none.
    pub reported_prompt_tokens: Option<u64>,
    /// Completion tokens as the chat endpoint reports them; `None` once a call reports none.
    pub reported_completion_tokens: Option<u64>,
    /// Milliseconds to the last byte, of all replies together: calls side by side count one by one.
    pub latency_ms: u64,
    /// What the strategy says about itself; [`super::Card::reports`] explains the names.
    pub reports: BTreeMap<String, f64>,
}

/// A model whose calls are counted.
pub(super) struct Meter<'a, M> {
    model: &'a M,
    metered: Mutex<Metered>,
}

impl<'a, M: ChatModel> Meter<'a, M> {
    pub fn new(model: &'a M) -> Self {
        let none_yet =
            Metered { reported_prompt_tokens: Some(0), reported_completion_tokens: Some(0), ..Metered::default() };
        Self { model, metered: Mutex::new(none_yet) }
    }

    /// The reply of the endpoint to one user message, as it is.
    pub async fn ask(&self, prompt: String, max_tokens: u32) -> Result<Reply, CallError> {
        self.ask_of(self.model, prompt, max_tokens).await
    }

    /// The text of a reply on the way to the answer, cut to `max_tokens` canonical tokens whatever comes back.
    pub async fn note(&self, prompt: String, max_tokens: u32) -> Result<String, CallError> {
        self.note_of(self.model, prompt, max_tokens).await
    }

    /// As [`Meter::note`], of another model.
    pub async fn note_of(&self, model: &M, prompt: String, max_tokens: u32) -> Result<String, CallError> {
        let reply = self.ask_of(model, prompt, max_tokens).await?;
        Ok(bounded(&reply.text, max_tokens).to_owned())
    }

    async fn ask_of(&self, model: &M, prompt: String, max_tokens: u32) -> Result<Reply, CallError> {
        let prompt_tokens = tokens::count(&prompt);
        let reply = model.complete(ChatRequest::user(prompt, max_tokens)).await?;
        let completion_tokens = tokens::count(&reply.text);
        self.with(|metered| {
            metered.calls += 1;
            metered.prompt_tokens += u64::from(prompt_tokens);
            metered.completion_tokens += u64::from(completion_tokens);
            let sum = |total: Option<u64>, one: Option<u32>| Some(total?.saturating_add(one?.into()));
            metered.reported_prompt_tokens = sum(metered.reported_prompt_tokens, reply.prompt_tokens);
            metered.reported_completion_tokens = sum(metered.reported_completion_tokens, reply.completion_tokens);
            metered.latency_ms += u64::from(reply.latency_ms);
        });
        Ok(reply)
    }

    /// The score of each text for a question.
    pub async fn scores<R: Retriever>(
        &self,
        retriever: &R,
        question: &str,
        texts: &[&str],
    ) -> Result<Vec<f64>, CallError> {
        let scores = retriever.scores(question, texts).await?;
        self.with(|metered| {
            metered.calls += scores.calls;
            metered.prompt_tokens += scores.prompt_tokens;
        });
        Ok(scores.values)
    }

    /// Sets what the strategy says about itself.
    pub fn report(&self, name: &str, value: f64) {
        self.with(|metered| {
            metered.reports.insert(name.to_owned(), value);
        });
    }

    pub fn finish(self) -> Metered {
        self.metered.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Metered) -> T) -> T {
        change(&mut self.metered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
