//! One vector from the vectors of a text's pieces: what strategies around any embedder do too.

pub use longboard_suites::aggregate::*;
