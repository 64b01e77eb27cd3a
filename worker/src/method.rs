//! The reference model's methods in the words of the protocol: cards and costs.

use longboard_protocol::method::{MethodCard, MethodCost, MethodParameter, MethodProperty};
use longboard_refmodel::engine::Usage;
use longboard_refmodel::policy::{Card, Properties};

/// Cards of all policies, in the order of lists.
#[must_use]
pub fn cards() -> Vec<MethodCard> {
    Card::all().iter().map(card).collect()
}

fn card(card: &Card) -> MethodCard {
    let parameters = card.parameters.iter().map(|known| MethodParameter {
        name: known.name.to_owned(),
        help: known.help.to_owned(),
        default: known.default,
    });
    MethodCard {
        slug: card.slug.to_owned(),
        title: card.title.to_owned(),
        citation: card.citation.to_owned(),
        what: card.what.to_owned(),
        differs: card.differs.to_owned(),
        parameters: parameters.collect(),
        properties: properties(&card.properties),
    }
}

fn properties(stated: &Properties) -> Vec<MethodProperty> {
    let row = |test: &str, what: &str, holds| MethodProperty { test: test.to_owned(), what: what.to_owned(), holds };
    vec![
        row("C1", "With a budget of at least the context it gives what dense attention gives.", stated.full_is_dense),
        row("C3s", "A later token never changes what an earlier one gave.", stated.prefix_stable),
        row("C4", "A prompt read in chunks gives what it gives when read whole.", stated.prefix_stable),
        row("C6", "What is stored stays below a bound, however long the text is.", stated.bounded),
        row("C7", "Keys take positions below a bound, however long the text is.", stated.renumbers),
    ]
}

/// What an answer cost.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of tokens")]
pub fn cost(usage: &Usage) -> MethodCost {
    MethodCost {
        kept_tokens: usage.kept_tokens,
        max_kept_tokens: usage.max_kept_tokens as f64,
        cache_bytes: usage.cache_bytes as u64,
        selection_ms: usage.selection_ms,
        attention_ms: usage.attention_ms,
        attention_flops: usage.attention_flops,
        attention_bytes: usage.attention_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_a_card_that_says_what_holds() {
        let cards = cards();
        assert_eq!(cards.len(), Card::all().len());
        for card in &cards {
            let tests: Vec<&str> = card.properties.iter().map(|property| property.test.as_str()).collect();
            assert_eq!(tests, ["C1", "C3s", "C4", "C6", "C7"], "{}", card.slug);
            assert!(!card.citation.is_empty() && !card.what.is_empty(), "{}", card.slug);
        }
        let streaming = cards.iter().find(|card| card.slug == "streaming-llm").unwrap();
        let held = |test: &str| streaming.properties.iter().any(|property| property.test == test && property.holds);
        assert!(held("C6") && held("C7"), "it keeps sinks and a window, and numbers them anew");
    }
}
