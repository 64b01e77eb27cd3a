//! The site: published boards over HTTP, and the operator's commands.

pub mod cli;
mod data_dir;
mod headers;
mod import;
pub mod pages;
pub mod routes;
pub mod shelf;
