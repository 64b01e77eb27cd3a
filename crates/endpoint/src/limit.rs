//! How many requests an endpoint carries at once: additive increase, multiplicative decrease.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// An adaptive bound on requests in flight. Starts small, doubles until the first overload, then grows by one per
/// round and halves on every overload.
#[derive(Debug)]
pub struct AdaptiveLimit {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    max: f64,
    in_flight: u32,
    overloads: u32,
}

/// A right to one request in flight; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    limit: Arc<AdaptiveLimit>,
}

impl AdaptiveLimit {
    /// A limit that never exceeds `max`.
    #[must_use]
    pub fn new(max: u32) -> Arc<Self> {
        let max = f64::from(max.max(1));
        let state = State { limit: max.min(8.0), max, in_flight: 0, overloads: 0 };
        Arc::new(Self { state: Mutex::new(state), freed: Notify::new() })
    }

    /// Waits for a right to send.
    pub async fn acquire(self: &Arc<Self>) -> Permit {
        loop {
            let freed = self.freed.notified();
            if self.try_take() {
                return Permit { limit: Arc::clone(self) };
            }
            freed.await;
        }
    }

    /// The current bound.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.with(|state| state.limit as u32)
    }

    /// Overloads seen so far.
    #[must_use]
    pub fn overloads(&self) -> u32 {
        self.with(|state| state.overloads)
    }

    fn try_take(&self) -> bool {
        self.with(|state| {
            let free = f64::from(state.in_flight) < state.limit.floor();
            state.in_flight += u32::from(free);
            free
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Permit {
    /// The request went well.
    pub fn succeeded(&self) {
        self.limit.with(|state| {
            let step = if state.overloads == 0 { 1.0 } else { 1.0 / state.limit };
            state.limit = (state.limit + step).min(state.max);
        });
        self.limit.freed.notify_one();
    }

    /// The endpoint said that it has too much to do.
    pub fn overloaded(&self) {
        self.limit.with(|state| {
            state.overloads += 1;
            state.limit = (state.limit / 2.0).max(1.0);
        });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limit.with(|state| state.in_flight = state.in_flight.saturating_sub(1));
        self.limit.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_grows_and_halves() {
        let limit = AdaptiveLimit::new(100);
        for _ in 0..50 {
            limit.acquire().await.succeeded();
        }
        assert_eq!(limit.current(), 58);
        limit.acquire().await.overloaded();
        assert_eq!(limit.current(), 29);
        for _ in 0..31 {
            limit.acquire().await.succeeded();
        }
        assert_eq!(limit.current(), 30);
        for _ in 0..20 {
            limit.acquire().await.overloaded();
        }
        assert_eq!(limit.current(), 1);
        assert_eq!(limit.overloads(), 21);
    }

    #[tokio::test]
    async fn no_more_than_the_limit_are_in_flight() {
        let limit = AdaptiveLimit::new(2);
        let (first, _second) = (limit.acquire().await, limit.acquire().await);
        let third = tokio::spawn({
            let limit = Arc::clone(&limit);
            async move { drop(limit.acquire().await) }
        });
        tokio::task::yield_now().await;
        assert!(!third.is_finished());
        drop(first);
        third.await.unwrap();
    }
}
