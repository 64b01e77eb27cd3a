//! Page structs beside what fills them.

pub mod board;
pub mod boards;
pub mod error;
