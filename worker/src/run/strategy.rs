//! One sample under a strategy: its document and its question apart.

use longboard_endpoint::model::ChatModel;
use longboard_endpoint::strategy::{Asked, Strategy, answer};
use longboard_protocol::worker::{Completion, Exchange, Metered};
use longboard_suites::item::Item;
use longboard_suites::rng::Rng;

use super::sample::{SampleEnd, completion, failed};

/// Has an item answered. The reported tokens are those of the last call, which say nothing about the whole prompt.
pub(super) async fn exchange(strategy: &Strategy, model: &impl ChatModel, item: &Item) -> Result<Exchange, SampleEnd> {
    let prompt = item.joined();
    let seed = Rng::from_path(&[item.seed, Rng::name(&item.id)]).next_u64();
    let asked = item.document.as_ref().and_then(|bytes| Asked::within(&prompt, bytes, item.output_tokens, seed));
    let Some(asked) = asked else {
        let detail = "the item has no document apart from its question, which strategies need".to_owned();
        return Ok(Exchange::Failed { cause: "no_document".to_owned(), detail, attempts: 0 });
    };
    match answer(strategy, model, &asked).await {
        Ok(answered) => Ok(Exchange::Completed(Completion {
            reported_prompt_tokens: None,
            latency_ms: u32::try_from(answered.metered.latency_ms).unwrap_or(u32::MAX),
            metered: Some(Box::new(Metered {
                calls: answered.metered.calls,
                prompt_tokens: answered.metered.prompt_tokens,
                completion_tokens: answered.metered.completion_tokens,
                reports: answered.metered.reports,
            })),
            ..completion(answered.reply)
        })),
        Err(error) => failed(error),
    }
}
