//! What `longboard-worker` does: carry out shards of a server, generate and score samples, evaluate an endpoint without
//! a server, serve baselines.

pub mod baseline;
pub mod canary;
pub mod cli;
pub mod eval;
mod generate;
mod lists;
mod predictions;
pub mod run;
mod score;
mod serve_model;
mod signal;
