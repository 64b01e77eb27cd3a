//! The bus between processes.

use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::ConnectionManager;
use redis::{AsyncTypedCommands, Client, Script};
use tokio::sync::{broadcast, mpsc};
use tokio::task::AbortHandle;

use crate::{Admission, Bell, BusError};

const CHANNEL: &str = "longboard:bells";

/// A call that takes longer is answered in process.
const DEADLINE: Duration = Duration::from_millis(300);

/// Pause before the channel is opened again.
const REOPEN: Duration = Duration::from_secs(2);

/// Bells that may wait for Redis; more are dropped.
const WAITING: usize = 1024;

/// Counts a call and returns the count with the milliseconds left.
const COUNT: &str = "local n = redis.call('INCR', KEYS[1]) \
    if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end \
    return {n, redis.call('PTTL', KEYS[1])}";

#[derive(Clone)]
pub(crate) struct Remote {
    connection: ConnectionManager,
    outgoing: mpsc::Sender<Bell>,
    count: std::sync::Arc<Script>,
    _tasks: std::sync::Arc<Tasks>,
}

/// Ends with the last clone of the bus.
struct Tasks([AbortHandle; 2]);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Remote {
    pub async fn connect(url: &str, bells: broadcast::Sender<Bell>) -> Result<Self, BusError> {
        let client = Client::open(url).map_err(|_| BusError::BadUrl(without_password(url)))?;
        let unreachable = |error: redis::RedisError| BusError::Unreachable(error.to_string());
        let first = tokio::time::timeout(Duration::from_secs(5), ConnectionManager::new(client.clone())).await;
        let connection =
            first.map_err(|_| BusError::Unreachable("no answer in 5 s".to_owned()))?.map_err(unreachable)?;
        let (outgoing, waiting) = mpsc::channel(WAITING);
        let publisher = tokio::spawn(publish(connection.clone(), waiting)).abort_handle();
        let subscriber = tokio::spawn(subscribe(client, bells)).abort_handle();
        let tasks = std::sync::Arc::new(Tasks([publisher, subscriber]));
        Ok(Self { connection, outgoing, count: std::sync::Arc::new(Script::new(COUNT)), _tasks: tasks })
    }

    pub fn publish(&self, bell: Bell) {
        if self.outgoing.try_send(bell).is_err() {
            tracing::debug!(%bell, "Redis is behind; a bell is dropped");
        }
    }

    /// `None` when Redis does not answer in time.
    pub async fn admit(&self, key: &str, limit: u32, window: Duration) -> Option<Admission> {
        let mut connection = self.connection.clone();
        let mut call = self.count.prepare_invoke();
        call.key(format!("longboard:rate:{key}")).arg(u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
        let counted = tokio::time::timeout(DEADLINE, call.invoke_async::<(u32, i64)>(&mut connection)).await;
        let (calls, left_ms) = counted.ok()?.ok()?;
        if calls <= limit {
            return Some(Admission::Admitted);
        }
        Some(Admission::Wait(Duration::from_millis(u64::try_from(left_ms).unwrap_or(1000))))
    }
}

async fn publish(mut connection: ConnectionManager, mut waiting: mpsc::Receiver<Bell>) {
    while let Some(bell) = waiting.recv().await {
        let sent = tokio::time::timeout(DEADLINE, connection.publish(CHANNEL, bell.to_string())).await;
        if !matches!(sent, Ok(Ok(_))) {
            tracing::warn!(%bell, "Redis does not take bells; other processes learn later");
        }
    }
}

async fn subscribe(client: Client, bells: broadcast::Sender<Bell>) {
    loop {
        if let Err(error) = forward(&client, &bells).await {
            tracing::warn!(%error, "Redis does not ring; other processes are heard later");
        }
        tokio::time::sleep(REOPEN).await;
    }
}

async fn forward(client: &Client, bells: &broadcast::Sender<Bell>) -> redis::RedisResult<()> {
    let mut channel = client.get_async_pubsub().await?;
    channel.subscribe(CHANNEL).await?;
    let mut messages = channel.on_message();
    while let Some(message) = messages.next().await {
        if let Ok(bell) = message.get_payload::<String>()?.parse() {
            let _ = bells.send(bell);
        }
    }
    Ok(())
}

fn without_password(url: &str) -> String {
    url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("redis://…@{host}"))
}
