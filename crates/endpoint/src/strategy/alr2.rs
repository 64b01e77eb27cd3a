//! ALR2: first retrieve facts, then reason on them alone.

use super::card::{Card, Kind, Parameter, Settings};
use super::quoted::{Words, quotes};
use super::{Asked, Meter, plain};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "alr2",
    title: "ALR2",
    citation: "Li et al. 2024, ALR2: a retrieve-then-reason framework for long-context question answering, arXiv 2410.03227",
    what: "Asks for the sentences that the answer needs, word for word, and then for the answer from these alone.",
    differs: "Only the abstract was read; prompts are Longboard's own and nothing is fine-tuned. Without any fact the whole \
              prompt is sent.",
    cost: "1 call of the whole document and 1 call of the facts; 2 calls of the whole document where none is found",
    parameters: &[
        Parameter {
            name: "grounded",
            help: "1: facts that are not in the document are dropped",
            default: 0.0,
            least: 0.0,
            most: 1.0,
        },
        Parameter { name: "facts", help: "facts at most", default: 64.0, least: 1.0, most: 1024.0 },
        Parameter {
            name: "fact-tokens",
            help: "canonical tokens of all facts at most",
            default: 2048.0,
            least: 64.0,
            most: 65_536.0,
        },
    ],
    reports: &[
        ("facts", "facts that were retrieved"),
        ("hallucinated_fact_rate", "share of them that are not in the document word for word"),
        ("fell_back", "1 where there was no fact and the whole prompt was sent"),
    ],
    kind: Kind::Alr2,
};

const RETRIEVE: &str = "Do not do the task yet. Copy from the text every sentence that is needed for it, word for word, in \
                        the order of the text, each on a line of its own. Write nothing else. If no sentence is needed, write NONE.";

pub(super) async fn answer<M: ChatModel>(
    meter: &Meter<'_, M>,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let budget = settings.count("fact-tokens");
    let reply = meter.note(asked.about(asked.document, RETRIEVE), budget).await?;
    let facts = quotes(&reply, settings.count("facts"), budget);
    let words = Words::of(asked.document);
    let (grounded, invented): (Vec<String>, Vec<String>) = facts.iter().cloned().partition(|fact| words.hold(fact));
    meter.report("facts", facts.len() as f64);
    if !facts.is_empty() {
        meter.report("hallucinated_fact_rate", invented.len() as f64 / facts.len() as f64);
    }
    let used = if settings.on("grounded") { grounded } else { facts };
    meter.report("fell_back", f64::from(u8::from(used.is_empty())));
    if used.is_empty() {
        return plain::answer(meter, asked).await;
    }
    meter.ask(asked.with(&used.join("\n")), asked.max_tokens).await
}
