//! Training: lessons, a forward pass with true gradients, and the loop.

pub mod course;
pub mod forward;
pub mod lesson;
pub mod recipe;
pub mod start;
pub mod trainer;
