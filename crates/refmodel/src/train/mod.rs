//! Training: lessons, a forward pass with true gradients, the loop, and published methods around it.

pub mod asked;
pub mod course;
pub mod encoder;
pub mod exam;
pub mod forward;
pub mod gateau;
pub mod gates;
pub mod knots;
pub mod lesson;
mod likeness;
pub mod recipe;
pub mod start;
pub mod supply;
pub mod temp_lora;
pub mod trainer;
mod walk;
