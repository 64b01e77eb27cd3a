//! The prompt as it is: what every strategy is compared with.

use super::card::{Card, Kind};
use super::{Asked, Meter};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "plain",
    title: "Plain",
    citation: "none",
    what: "Sends the prompt as it is.",
    differs: "",
    cost: "1 call of the whole prompt",
    parameters: &[],
    reports: &[],
    kind: Kind::Plain,
};

pub(super) async fn answer<M: ChatModel>(meter: &Meter<'_, M>, asked: &Asked<'_>) -> Result<Reply, CallError> {
    meter.ask(asked.whole(), asked.max_tokens).await
}
