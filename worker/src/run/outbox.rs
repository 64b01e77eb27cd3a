//! Answers on their way to the server, in batches.

use std::time::Duration;

use longboard_protocol::worker::{Answer, AnswersReply, Exchange};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use super::lease::{Failure, Lease};
use super::shard::{End, rejected};

/// A batch goes once it holds so many answers,
const FULL: usize = 16;

/// or once its first answer has waited so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most answers of one call; more than [`FULL`] wait only when a call took long.
const MOST: usize = 256;

/// Bytes of text after which a batch takes no further answer.
const MOST_BYTES: usize = 1024 * 1024;

/// Posts what comes until the sender is gone and everything is stored.
///
/// # Errors
/// The end of the shard, when the server stores no more answers of it.
pub(super) async fn deliver(lease: &Lease, mut answers: Receiver<Answer>) -> Result<(), End> {
    while let Some(first) = answers.recv().await {
        let batch = gather(first, &mut answers).await;
        let count = batch.len();
        let reply = lease.answers(batch).await.map_err(rejected)?;
        tracing::debug!(shard = %lease.shard, count, stored = reply.stored, duplicates = reply.duplicates, "posted");
        check(lease, &reply)?;
    }
    Ok(())
}

async fn gather(first: Answer, answers: &mut Receiver<Answer>) -> Vec<Answer> {
    let due = Instant::now() + PATIENCE;
    let mut bytes = weight(&first);
    let mut batch = vec![first];
    while batch.len() < FULL && bytes < MOST_BYTES {
        let Ok(Some(answer)) = timeout_at(due, answers.recv()).await else { break };
        bytes += weight(&answer);
        batch.push(answer);
    }
    while batch.len() < MOST
        && bytes < MOST_BYTES
        && let Ok(answer) = answers.try_recv()
    {
        bytes += weight(&answer);
        batch.push(answer);
    }
    batch
}

/// Bytes of an answer that can be large.
fn weight(answer: &Answer) -> usize {
    match &answer.result {
        Exchange::Completed(completion) => completion.text.len(),
        _ => 0,
    }
}

/// A refused answer is lost for good; one with another digest means that all others would be refused as well.
fn check(lease: &Lease, reply: &AnswersReply) -> Result<(), End> {
    for refused in &reply.refused {
        let (index, repetition, reason) = (refused.index, refused.repetition, refused.reason.as_str());
        tracing::warn!(shard = %lease.shard, index, repetition, reason, "an answer was refused");
    }
    match reply.refused.iter().find(|refused| refused.reason.contains("digest")) {
        None => Ok(()),
        Some(refused) => Err(End::Failed(Failure::lasting(
            "version_mismatch",
            format!(
                "item {}: {}; this worker ({}) builds other prompts than the server: run the same version of both",
                refused.index,
                refused.reason,
                env!("CARGO_PKG_VERSION")
            ),
        ))),
    }
}
