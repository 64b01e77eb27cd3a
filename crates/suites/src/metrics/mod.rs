//! Official metrics, one file per benchmark.
