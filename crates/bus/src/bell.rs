//! What can ring.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bell {
    /// A shard may be claimed.
    Queue,
    /// A run made progress or changed its state.
    Run(Uuid),
}

impl fmt::Display for Bell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue => out.write_str("queue"),
            Self::Run(id) => write!(out, "run:{id}"),
        }
    }
}

impl FromStr for Bell {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            None if text == "queue" => Ok(Self::Queue),
            Some(("run", id)) => id.parse().map(Self::Run).map_err(drop),
            _ => Err(()),
        }
    }
}
