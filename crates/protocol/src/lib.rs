//! Types that cross a process boundary: the worker API and the public JSON API.
//!
//! Data only. Everything is versioned by the path prefix `/api/v1`; fields may be added, never renamed.

pub mod api;
pub mod board;
pub mod bucket;
pub mod judging;
pub mod method;
pub mod worker;
