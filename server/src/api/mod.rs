//! The JSON interfaces: of workers and of programs.

pub(crate) mod worker;
