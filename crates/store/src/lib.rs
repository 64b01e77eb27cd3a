//! Entities, queries, transactions and the lease queue, on SQLite and PostgreSQL alike.
//!
//! The only crate that names sea-orm or SQL. Time comes in as an argument and is stored in whole microseconds.
//! Every change of state is one statement whose `WHERE` repeats what the caller believes; zero rows is an answer.

mod entity;

pub mod account;
pub mod answer;
pub mod audit;
pub mod board;
pub mod collection;
mod connection;
pub mod dataset;
mod dialect;
pub mod endpoint;
mod error;
pub mod judge;
pub mod judging;
pub mod method;
pub mod queue;
pub mod rating_board;
pub mod run;
pub mod seed;
pub mod setting;
pub mod strategy;
pub mod task;
pub mod token;
pub mod vault;

pub use connection::{Database, Store};
pub use entity::kind::{
    Causes, EndpointCall, EndpointKind, JudgeKind, JudgingState, LengthList, MethodColumn, Names, ProbeState,
    RatingSource, Reports, Role, RunState, ShardKind, ShardState, TaskSlugs, TaskVersion, TaskVersions,
};
pub use error::StoreError;
