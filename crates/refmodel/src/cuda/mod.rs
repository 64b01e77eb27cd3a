//! The attention kernel on graphics processors: what [`crate::kernel`] computes, for many tiles in one launch.
//!
//! `attention.cu` is compiled when a device is opened, so that building needs nothing of CUDA. Tests run its source on the
//! processor; with the feature `cuda` and a device they run there too.

mod accelerator;
mod batch;
#[cfg(feature = "cuda")]
mod gpu;

pub use accelerator::Accelerator;
pub use batch::{Batch, Listed, Merge, Part, Plan};
#[cfg(feature = "cuda")]
pub use gpu::{Gpu, Launch, Pool};

/// What the kernel counts in 32 bits: places, rows, pages and tokens of a launch are far fewer.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
