//! What `longboard-worker` does: carry out shards of a server, generate and score samples, evaluate an endpoint without
//! a server, serve baselines and the reference model.

pub mod baseline;
pub mod canary;
pub mod cli;
pub mod device;
pub mod eval;
mod generate;
mod lists;
pub mod method;
mod predictions;
mod rate;
mod request;
pub mod run;
pub mod sandbox;
mod score;
pub mod serve;
mod serve_model;
mod signal;
mod train;

pub use longboard_refmodel::threads;
