//! Routes: one line per step.

use super::super::python_text::strip;
use super::{ProcedureScore, share, tagged};

/// Compares the lines between `<Route>` and `</Route>` with the reference. The partial value is that of the official
/// scorer: lines up to and with the first that differs, so a wrong first line still earns one.
#[must_use]
pub fn path_traversal(answer: &str, reference: &str) -> ProcedureScore {
    let Some(given) = tagged(answer, "Route") else { return ProcedureScore::UNREADABLE };
    let wanted = strip(reference);
    if given == wanted {
        return ProcedureScore::RIGHT;
    }
    let (wanted, given): (Vec<&str>, Vec<&str>) = (wanted.split('\n').collect(), given.split('\n').collect());
    let common = wanted.len().min(given.len());
    let first = wanted.iter().zip(&given).position(|(one, other)| one != other);
    ProcedureScore {
        accuracy: 0.0,
        partial: share(first.map_or(common, |line| line + 1), wanted.len()),
        extracted: true,
    }
}
