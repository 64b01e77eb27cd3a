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

#[cfg(test)]
mod tests;
