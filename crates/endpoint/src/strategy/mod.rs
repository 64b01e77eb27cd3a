//! Strategies around any chat endpoint: what is asked of it, and how often, to answer one question about one long text.
//!
//! A strategy never sees weights or logits; it only sends prompts. Each call is metered, so that a board can show a
//! strategy's score beside its cost and beside `plain`. Prompts are Longboard's own.

mod alr2;
mod asked;
mod bound;
mod card;
pub mod cook;
mod knowledge;
mod metered;
mod parallel_windows;
mod plain;
mod quote_and_carry;
mod quoted;
mod rag;
mod retriever;
pub mod stream_memory;
pub mod structure;
mod structurized;

pub use asked::Asked;
pub use card::{Card, Parameter, Settings, Strategy, StrategyError};
pub use metered::Metered;
pub use retriever::{Bm25, Embedded, Retriever, Scores};

use crate::model::{CallError, ChatModel, Reply};
use card::Kind;
use cook::KnowledgeCard;
use metered::Meter;

/// What became of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The reply to the last call, unchanged; its token counts and times are those of that call alone.
    pub reply: Reply,
    /// What all calls took.
    pub metered: Metered,
}

/// What a strategy may use beside the endpoint.
pub struct Means<'a, M, R> {
    /// Ranks chunks, notes and passages.
    pub retriever: &'a R,
    /// Other endpoints that `cook` draws knowledge from; without any it draws on the document.
    pub knowledge: &'a [KnowledgeCard<'a, M>],
}

/// Answers a question by a strategy with BM25 and no other endpoint. Dropping the future stops everything.
///
/// # Errors
/// [`CallError`] of the first call that fails.
pub async fn answer<M: ChatModel>(strategy: &Strategy, model: &M, asked: &Asked<'_>) -> Result<Answered, CallError> {
    answer_with(strategy, model, &Means { retriever: &Bm25, knowledge: &[] }, asked).await
}

/// Answers a question by a strategy with a retriever and knowledge cards of its own.
///
/// # Errors
/// [`CallError`] of the first call that fails.
pub async fn answer_with<M: ChatModel, R: Retriever>(
    strategy: &Strategy,
    model: &M,
    means: &Means<'_, M, R>,
    asked: &Asked<'_>,
) -> Result<Answered, CallError> {
    let (meter, settings) = (Meter::new(model), strategy.settings());
    let reply = match strategy.card().kind {
        Kind::Plain => plain::answer(&meter, asked).await,
        Kind::Rag => rag::answer(&meter, means.retriever, settings, asked).await,
        Kind::Alr2 => alr2::answer(&meter, settings, asked).await,
        Kind::Structurized => structurized::answer(&meter, settings, asked).await,
        Kind::Cook => cook::answer(&meter, means, settings, asked).await,
        Kind::StreamMemory => stream_memory::answer(&meter, means.retriever, settings, asked).await,
        Kind::ParallelWindows => parallel_windows::answer(&meter, settings, asked).await,
        Kind::QuoteAndCarry => quote_and_carry::answer(&meter, settings, asked).await,
    }?;
    Ok(Answered { reply, metered: meter.finish() })
}

#[cfg(test)]
mod tests;
