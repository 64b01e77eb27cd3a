//! What can go wrong, by what the caller can do about it.

use std::path::{Path, PathBuf};

/// Error of the reference model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file of a checkpoint cannot be read.
    #[error("{}: {detail}; check the path and its permissions", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A file of a checkpoint is not what it should be.
    #[error("{}: {detail}; download or export it again", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A checkpoint of a kind that this decoder cannot run.
    #[error("{what} is not supported; {supported}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What is possible.
        supported: String,
    },
    /// Prompt and answer do not fit the context.
    #[error("the prompt has {prompt} tokens and the answer may have {answer}; the context is {limit} tokens")]
    TooLong {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens asked for.
        answer: usize,
        /// Context.
        limit: usize,
    },
    /// The request needs more memory than there is.
    #[error(
        "a context of {tokens} tokens needs {needed_mib} MiB, {allowed_mib} MiB are allowed; shorten it, choose a policy with a budget, or allow more"
    )]
    Memory {
        /// Tokens asked for.
        tokens: usize,
        /// Estimate.
        needed_mib: u64,
        /// Limit.
        allowed_mib: u64,
    },
    /// A device cannot be used.
    #[error("{0}")]
    Device(String),
    /// The request cannot be met as it stands.
    #[error("{0}")]
    Invalid(String),
    /// A numeric library failed: a defect, not the caller's fault.
    #[error("computation failed: {0}")]
    Compute(#[from] candle_core::Error),
}

impl ModelError {
    /// A file that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: impl ToString) -> Self {
        Self::Unreadable { path: path.to_owned(), detail: error.to_string() }
    }

    /// A file with wrong contents.
    pub(crate) fn corrupt(path: &Path, detail: impl ToString) -> Self {
        Self::Corrupt { path: path.to_owned(), detail: detail.to_string() }
    }
}
