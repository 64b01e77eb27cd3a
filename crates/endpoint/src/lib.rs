//! Talking to language models over the OpenAI-compatible protocol.
//!
//! The only crate that opens connections to addresses that users gave. Everything that comes back is hostile until
//! parsed: bodies are capped, every wait has a deadline, details are cleaned before they are kept.

pub mod client;
mod embedding;
pub mod fake;
mod guard;
pub mod limit;
pub mod model;
pub mod picture;
pub mod policy;
pub mod probe;
mod rerank;
pub mod retry;
pub mod strategy;
mod stream;
pub mod true_false;
pub mod vector_probe;
