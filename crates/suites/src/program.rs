//! Programs that a model wrote: run elsewhere, in confinement, and scored here by what they did.

use serde::{Deserialize, Serialize};

pub use crate::metrics::longproc::Test;

/// The label of workers that run programs.
pub const SANDBOX_LABEL: &str = "sandbox";

/// A program in an answer, and the tests that decide about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its text, without the headers that its benchmark puts before it.
    pub code: String,
    /// Lines of input and of expected output.
    pub tests: Vec<Test>,
}

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ran {
    /// It does not compile.
    NotCompiled,
    /// What it printed, test by test: `None` after a crash, too much of anything, or output that is no text. Tests after
    /// one that failed so may be missing.
    Printed(Vec<Option<String>>),
}

impl Ran {
    /// What it printed; `None` where it does not compile.
    #[must_use]
    pub fn outputs(&self) -> Option<&[Option<String>]> {
        match self {
            Self::NotCompiled => None,
            Self::Printed(outputs) => Some(outputs),
        }
    }
}
