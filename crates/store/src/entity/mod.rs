//! Rows. Each `Model` is what queries return; columns have the types of the domain.

#![allow(missing_docs, reason = "derived columns and relations; the fields of every row are documented")]

pub(crate) mod answer;
pub(crate) mod api_token;
pub(crate) mod audit;
pub(crate) mod ballot;
pub(crate) mod corpus;
pub(crate) mod dataset;
pub(crate) mod dataset_document;
pub(crate) mod dataset_record;
pub(crate) mod document;
pub(crate) mod endpoint;
pub(crate) mod judge;
pub(crate) mod judging;
pub(crate) mod kind;
pub(crate) mod membership;
pub(crate) mod rating_board;
pub(crate) mod run;
pub(crate) mod run_event;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod shard;
pub(crate) mod snapshot;
pub(crate) mod suite;
pub(crate) mod task;
pub(crate) mod team;
pub(crate) mod user;
pub(crate) mod verdict;
pub(crate) mod worker;
