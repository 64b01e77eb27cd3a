//! The site: pages, the JSON interfaces of programs and workers, and the operator's commands.

#[cfg(feature = "all-in-one")]
mod all_in_one;
mod api;
mod asset;
mod caller;
mod charts;
pub mod cli;
mod data_dir;
mod form;
mod headers;
mod import;
mod operator;
pub mod pages;
mod refusal;
pub mod routes;
pub mod shelf;
mod signal;
mod site;
mod upload;
