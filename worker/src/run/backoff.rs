//! Growing pauses between attempts at one call.

use std::time::Duration;

use longboard_endpoint::retry::RetryPolicy;
use uuid::Uuid;

/// Pauses that double from `base` to `cap`, each shortened by up to half so that a fleet does not return at once.
pub(super) struct Backoff {
    policy: RetryPolicy,
    failures: u32,
}

impl Backoff {
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { policy: RetryPolicy { attempts: u32::MAX, base, cap }, failures: 0 }
    }

    /// Waits before the next attempt.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.next()).await;
    }

    /// The next attempt is a first one again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    fn next(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.policy.delay(self.failures, None, 0.5 + share() / 2.0)
    }
}

/// A random share in [0, 1].
fn share() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_start_again() {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(30));
        let mut backoff = Backoff::new(base, cap);
        for bound in [1, 2, 4, 8, 16, 30, 30, 30] {
            let bound = Duration::from_secs(bound);
            let pause = backoff.next();
            assert!(pause >= bound / 2 && pause <= bound, "{pause:?} of {bound:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= base);
    }
}
