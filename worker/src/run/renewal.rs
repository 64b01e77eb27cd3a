//! Keeping a lease: a renewal at every quarter of its length, on a task of its own.

use std::sync::Arc;
use std::time::Duration;

use longboard_protocol::worker::RenewReply;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::backoff::Backoff;
use super::lease::Lease;
use super::server::ApiError;

/// Renews until the lease is lost, and then says so. Ends otherwise only by being dropped.
pub(super) async fn keep(lease: Arc<Lease>, mut term_ms: u64, mut since: Instant) {
    loop {
        let term = bounded(term_ms);
        let quarter = term / 4;
        let renewed = async {
            sleep_until(since + quarter).await;
            renew(&lease, quarter).await
        };
        match timeout_at(since + term, renewed).await {
            Ok(Ok((reply, sent))) => {
                (term_ms, since) = (reply.lease_ms, sent);
                if reply.cancelled {
                    lease.cancelled.cancel();
                }
            }
            Ok(Err(error)) => return lose(&lease, &error.to_string()),
            Err(_) => return lose(&lease, "no renewal went through in time"),
        }
    }
}

/// The reply, and when the call that brought it began: the server counts from later on.
async fn renew(lease: &Lease, quarter: Duration) -> Result<(RenewReply, Instant), ApiError> {
    let deadline = quarter.clamp(Duration::from_millis(500), Duration::from_secs(10));
    let mut backoff = Backoff::new(quarter / 8, quarter);
    loop {
        let sent = Instant::now();
        match lease.renew(deadline).await {
            Ok(reply) => return Ok((reply, sent)),
            Err(ApiError::Lost) => return Err(ApiError::Lost),
            Err(error) => {
                tracing::debug!(shard = %lease.shard, %error, "a renewal is repeated");
                backoff.pause().await;
            }
        }
    }
}

fn lose(lease: &Lease, why: &str) {
    tracing::warn!(shard = %lease.shard, why, "the shard is lost");
    lease.lost.cancel();
}

/// A length that neither spins nor overflows, whatever the server says.
fn bounded(term_ms: u64) -> Duration {
    Duration::from_millis(term_ms.clamp(400, 24 * 3600 * 1000))
}
