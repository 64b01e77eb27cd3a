//! Longboard's own files: `task`, `length`, `index`, `prediction`, for generated tasks.

use std::collections::HashSet;

use serde_json::Value;

use super::{RefusedLine, numbered, object};
use crate::length::Length;

/// One answer to a generated item, Longboard's own format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// Task slug.
    pub task: String,
    /// Length bucket.
    pub length: Length,
    /// Item index.
    pub index: u32,
    /// The answer.
    pub prediction: String,
}

/// Reads Longboard's own format. A bad or repeated line is refused and named, the rest goes on.
#[must_use]
pub fn parse(text: &str) -> (Vec<Prediction>, Vec<RefusedLine>) {
    let (mut rows, mut refused, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (line, content) in numbered(text) {
        match prediction_line(content) {
            Ok(row) if seen.insert((row.task.clone(), row.length, row.index)) => rows.push(row),
            Ok(row) => {
                let reason = format!("{} {} {} occurs before: keep one line per item", row.task, row.length, row.index);
                refused.push(RefusedLine { line, reason });
            }
            Err(reason) => refused.push(RefusedLine { line, reason }),
        }
    }
    (rows, refused)
}

fn prediction_line(content: &str) -> Result<Prediction, String> {
    let fields = object(content)?;
    let known = ["task", "length", "index", "prediction"];
    if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("unknown field `{name}`: use task, length, index and prediction"));
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).ok_or(format!("no text under `{name}`: add it"));
    let index = fields.get("index").and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
    Ok(Prediction {
        task: text("task")?.to_owned(),
        length: text("length")?.parse().map_err(|error: crate::length::LengthError| error.to_string())?,
        index: index.ok_or("no whole number under `index`: give the item's index, from 0")?,
        prediction: text("prediction")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_format_is_strict() {
        let good = "{\"task\":\"vt\",\"length\":\"4k\",\"index\":3,\"prediction\":\"x\"}";
        let (rows, refused) = parse(&format!("{good}\n{good}\n{{\"task\":\"vt\",\"more\":1}}\n"));
        assert_eq!(rows.len(), 1);
        assert_eq!(refused.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 3]);
        assert!(refused.iter().any(|line| line.reason.contains("unknown field `more`")));
    }
}
