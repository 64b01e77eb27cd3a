//! The stage for scenarios: Longboard's own processes on free ports, with folders and databases of their own.

pub mod stage;

use std::path::{Path, PathBuf};

/// The repository root.
///
/// # Panics
/// Never: the manifest folder has a parent.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository root")
}

/// A program built beside this test, e.g. `longboard`.
///
/// # Panics
/// When it was not built: `tests/run` builds all programs first.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let mut folder = std::env::current_exe().expect("this test's path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(name);
    assert!(path.is_file(), "{name} is not built. Run: cargo build --workspace --bins");
    path
}
