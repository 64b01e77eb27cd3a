//! The JSON interfaces: of programs and of workers.

pub(crate) mod document;
pub(crate) mod program;
pub(crate) mod worker;
