//! Use cases of Longboard.

pub mod board;
