//! The reference model: one decoder, one paged cache of keys and values, one attention kernel, and a policy per
//! published long-context method.

pub mod attention;
pub mod bounds;
pub mod cache;
pub mod chat;
pub mod checkpoint;
pub mod config;
pub mod cuda;
pub mod decoder;
pub mod encoder;
pub mod engine;
mod error;
pub mod fused;
pub mod gguf;
pub mod kernel;
pub mod model;
pub mod page;
pub mod policy;
mod product;
pub mod retrieval;
pub mod rope;
mod score;
pub mod sequence;
pub mod speculative;
pub mod threads;
pub mod tokenizer;
pub mod train;

pub use error::ModelError;
