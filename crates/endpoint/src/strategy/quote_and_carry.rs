//! Quote and carry: the text is read window by window, and the quotes that matter are carried along.

use longboard_suites::chunk;

use super::card::{Card, Kind, Parameter, Settings};
use super::quoted::{Words, quotes};
use super::{Asked, Meter};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "quote-and-carry",
    title: "Quote and carry",
    citation: "after Ye et al. 2025, Infinite retrieval: attention enhanced LLMs in long-context processing, arXiv \
               2502.12962; code package infini-retri 0.0.3 (MIT)",
    what: "Reads the document window by window together with the quotes so far, has the endpoint quote the sentences that \
           matter out of both, and answers from the last quotes.",
    differs: "Infinite retrieval chooses sentences by attention weights; an endpoint has none to show, so it is asked to \
              quote. Quotes that stand in neither the window nor the quotes so far are dropped.",
    cost: "ceil(N/window) calls one after another, of a window and the quotes, and 1 call of the quotes",
    parameters: &[
        Parameter {
            name: "window",
            help: "canonical tokens of a window",
            default: 1024.0,
            least: 64.0,
            most: 1_048_576.0,
        },
        Parameter {
            name: "carry",
            help: "canonical tokens of the quotes that are carried",
            default: 512.0,
            least: 64.0,
            most: 65_536.0,
        },
    ],
    reports: &[
        ("windows", "windows"),
        ("quotes", "quotes that the answer is made from"),
        ("hallucinated_quote_rate", "share of all quotes given that stood in neither window nor quotes so far"),
    ],
    kind: Kind::QuoteAndCarry,
};

const QUOTE: &str = "Do not do the task yet. Copy from the text every sentence that may be needed for it, word for word, in the \
                     order of the text, each on a line of its own. Write nothing else. If no sentence is needed, write NONE.";

pub(super) async fn answer<M: ChatModel>(
    meter: &Meter<'_, M>,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let carry = settings.count("carry");
    let windows = chunk::texts(asked.document, settings.count("window"));
    let (mut carried, mut given, mut invented) = (Vec::new(), 0_usize, 0_usize);
    for window in &windows {
        let text = format!("{}\n\n{window}", carried.join("\n"));
        let reply = meter.note(asked.about(&text, QUOTE), carry).await?;
        let found = quotes(&reply, carry, carry);
        let words = Words::of(&text);
        let (grounded, other): (Vec<String>, Vec<String>) = found.into_iter().partition(|quote| words.hold(quote));
        given += grounded.len() + other.len();
        invented += other.len();
        // A window without a quote takes nothing away.
        if !grounded.is_empty() {
            carried = grounded;
        }
    }
    meter.report("windows", windows.len() as f64);
    meter.report("quotes", carried.len() as f64);
    if given > 0 {
        meter.report("hallucinated_quote_rate", invented as f64 / given as f64);
    }
    let context =
        if carried.is_empty() { "(nothing in the text was found to matter)".to_owned() } else { carried.join("\n") };
    meter.ask(asked.with(&context), asked.max_tokens).await
}
