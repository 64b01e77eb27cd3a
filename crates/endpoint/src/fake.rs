//! An in-memory model for tests of what stands above the client.

use std::sync::Mutex;

use crate::model::{CallError, ChatModel, ChatRequest, Reply};

/// What a fake model does with one request.
type Script = dyn FnMut(&ChatRequest) -> Result<Reply, CallError> + Send;

/// A model whose answers a closure gives.
pub struct FakeModel {
    script: Mutex<Box<Script>>,
}

impl FakeModel {
    /// A model that answers by `script`.
    pub fn new(script: impl FnMut(&ChatRequest) -> Result<Reply, CallError> + Send + 'static) -> Self {
        Self { script: Mutex::new(Box::new(script)) }
    }
}

impl ChatModel for FakeModel {
    async fn complete(&self, request: ChatRequest) -> Result<Reply, CallError> {
        let mut script = self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        script(&request)
    }
}
