//! The task families, one file per family.

use std::sync::LazyLock;

use crate::task::{Family, Task};

/// All families, in the order of lists and forms.
#[must_use]
pub fn all() -> &'static [&'static dyn Family] {
    &[]
}

/// The family called `slug`.
#[must_use]
pub fn find(slug: &str) -> Option<&'static dyn Family> {
    all().iter().copied().find(|family| family.slug() == slug)
}

/// The built-in tasks.
pub(crate) fn builtin_tasks() -> &'static [Task] {
    static TASKS: LazyLock<Vec<Task>> = LazyLock::new(Vec::new);
    &TASKS
}
