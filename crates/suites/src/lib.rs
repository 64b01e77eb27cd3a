//! Task families, haystacks, prompts, official metrics and length accounting.
//!
//! Pure: no I/O, no async, no clock, no unseeded randomness. The same (task version, seed, index, length) gives the
//! same bytes on every machine.

pub mod aggregate;
pub mod bm25;
pub mod card;
pub mod chunk;
pub mod code_block;
pub mod collection;
mod counter;
pub mod dataset;
pub mod encoding;
pub mod families;
pub mod folder;
pub mod haystack;
pub mod item;
pub mod judging;
pub mod length;
pub mod metrics;
pub mod outcome;
pub mod paraformer;
pub mod picture;
pub mod predictions;
pub mod program;
mod prompt;
pub mod retrieval;
pub mod rng;
pub mod safe;
pub mod searching;
pub mod sql;
pub mod suite;
pub mod task;
mod template;
pub mod tokens;
pub mod truncation;
pub mod world;
