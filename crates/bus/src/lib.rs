//! Wake-ups, progress fan-out and rate windows, in process or over Redis.
//!
//! Nothing durable: losing every message only adds delay, because every listener also asks its store now and then.

mod bell;
mod local;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

pub use bell::Bell;
use local::Windows;

/// Bells that a slow listener may be behind before it misses some.
const BACKLOG: usize = 1024;

/// A bus that cannot be reached at start.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The URL does not name a Redis.
    #[error("`{0}` is no Redis address; write redis://host:6379")]
    BadUrl(String),
    /// Redis does not answer.
    #[error("Redis does not answer: {0}; start it, or leave out --redis-url")]
    Unreachable(String),
}

/// Wakes listeners in this process and, with Redis, in all others. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    bells: broadcast::Sender<Bell>,
    windows: Arc<Windows>,
    remote: Option<redis::Remote>,
}

/// Whether a call fits into its rate window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It fits.
    Admitted,
    /// Too many; how long until the window ends.
    Wait(Duration),
}

/// Hears bells from now on.
pub struct Listener(broadcast::Receiver<Bell>);

impl Bus {
    /// A bus within this process.
    #[must_use]
    pub fn local() -> Self {
        Self { bells: broadcast::channel(BACKLOG).0, windows: Arc::default(), remote: None }
    }

    /// A bus over Redis. Later interruptions are bridged in process and logged.
    ///
    /// # Errors
    /// [`BusError`] when Redis cannot be reached now.
    pub async fn over_redis(url: &str) -> Result<Self, BusError> {
        let bus = Self::local();
        let remote = redis::Remote::connect(url, bus.bells.clone()).await?;
        Ok(Self { remote: Some(remote), ..bus })
    }

    /// Wakes everyone who waits for this.
    pub fn ring(&self, bell: Bell) {
        // Without a listener nobody needs to hear it.
        let _ = self.bells.send(bell);
        if let Some(remote) = &self.remote {
            remote.publish(bell);
        }
    }

    /// Starts listening.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener(self.bells.subscribe())
    }

    /// Counts a call against a window of `limit` calls.
    pub async fn admit(&self, key: &str, limit: u32, window: Duration, now: DateTime<Utc>) -> Admission {
        if let Some(remote) = &self.remote
            && let Some(admission) = remote.admit(key, limit, window).await
        {
            return admission;
        }
        self.windows.admit(key, limit, window, now)
    }
}

impl Listener {
    /// Waits for a bell that `wanted` accepts; a listener that fell behind wakes as well, since it may have missed it.
    pub async fn hear(&mut self, wanted: impl Fn(Bell) -> bool) {
        loop {
            match self.0.recv().await {
                Ok(bell) if !wanted(bell) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_hears_only_what_it_wants() {
        let bus = Bus::local();
        let (mut queue, run) = (bus.listen(), uuid::Uuid::from_u128(1));
        bus.ring(Bell::Run(run));
        bus.ring(Bell::Queue);
        queue.hear(|bell| bell == Bell::Queue).await;
        let late = tokio::time::timeout(Duration::from_millis(10), queue.hear(|_| true)).await;
        assert!(late.is_err(), "nothing rang since");
    }

    #[tokio::test]
    async fn a_slow_listener_wakes_rather_than_misses() {
        let bus = Bus::local();
        let mut slow = bus.listen();
        for _ in 0..BACKLOG + 10 {
            bus.ring(Bell::Queue);
        }
        slow.hear(|bell| matches!(bell, Bell::Run(_))).await;
    }
}
