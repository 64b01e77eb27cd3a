//! Rate windows in this process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::Admission;

/// Windows kept before those that ended are forgotten.
const MOST: usize = 10_000;

struct Window {
    ends: DateTime<Utc>,
    calls: u32,
}

/// Fixed windows by key.
#[derive(Default)]
pub(crate) struct Windows(Mutex<HashMap<String, Window>>);

impl Windows {
    pub fn admit(&self, key: &str, limit: u32, length: Duration, now: DateTime<Utc>) -> Admission {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST {
            windows.retain(|_, window| window.ends > now);
        }
        if windows.len() >= MOST && !windows.contains_key(key) {
            return Admission::Wait(length);
        }
        let window = windows.entry(key.to_owned()).or_insert(Window { ends: now + length, calls: 0 });
        if window.ends <= now {
            *window = Window { ends: now + length, calls: 0 };
        }
        window.calls = window.calls.saturating_add(1);
        if window.calls <= limit {
            return Admission::Admitted;
        }
        Admission::Wait((window.ends - now).to_std().unwrap_or(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_and_ends() {
        let (windows, minute) = (Windows::default(), Duration::from_secs(60));
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let admit = |key, seconds| windows.admit(key, 2, minute, at(seconds));
        assert_eq!([admit("a", 0), admit("a", 1)], [Admission::Admitted; 2]);
        assert_eq!(admit("a", 20), Admission::Wait(Duration::from_secs(40)));
        assert_eq!(admit("b", 20), Admission::Admitted);
        assert_eq!(admit("a", 60), Admission::Admitted);
    }
}
