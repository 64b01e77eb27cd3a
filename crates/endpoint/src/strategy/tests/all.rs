//! What holds for every strategy.

use std::collections::BTreeSet;
use std::future::Future;

use super::*;
use crate::strategy::StrategyError;

/// A reply that each strategy can use for what it asks.
fn sensible(prompt: &str) -> String {
    if prompt.contains("INDICATOR") {
        "Oro has the seal.\nINDICATOR: seals".to_owned()
    } else {
        "Oro took it.".to_owned()
    }
}

#[tokio::test]
async fn every_call_and_token_is_counted() {
    let document = prose(0..400) + "The seal passed to Oro. " + &prose(400..800);
    for card in Card::all() {
        let (model, prompts) = model(sensible);
        let answered = run(card.slug, &[], &model, &document).await;
        let (metered, sent) = (&answered.metered, sent(&prompts));
        assert_eq!(metered.calls as usize, sent.len(), "{}", card.slug);
        let canonical: u64 = sent.iter().map(|prompt| u64::from(tokens::count(prompt))).sum();
        assert_eq!(metered.prompt_tokens, canonical, "{}", card.slug);
        assert_eq!(metered.reported_prompt_tokens, Some(7 * sent.len() as u64), "{}", card.slug);
        assert_eq!(metered.reported_completion_tokens, Some(metered.completion_tokens), "{}", card.slug);
        assert_eq!(metered.latency_ms, 3 * sent.len() as u64, "{}", card.slug);
        assert_eq!(answered.reply.text, "Oro took it.", "{}", card.slug);
        assert!(sent.last().unwrap().contains("Who took the seal?"), "{}", card.slug);
        let told: BTreeSet<&str> = metered.reports.keys().map(String::as_str).collect();
        let known: BTreeSet<&str> = card.reports.iter().map(|(name, _)| *name).collect();
        assert!(told.is_subset(&known), "{}: {told:?}", card.slug);
    }
}

#[tokio::test]
async fn tokens_that_are_not_reported_are_unknown() {
    let model = FakeModel::new(|_| Ok(Reply { text: "Oro".to_owned(), ..Reply::default() }));
    let metered = run("alr2", &[], &model, "The seal passed to Oro.").await.metered;
    assert_eq!((metered.reported_prompt_tokens, metered.reported_completion_tokens), (None, None));
    assert!(metered.prompt_tokens > 0);
}

#[tokio::test]
async fn a_call_that_fails_ends_the_sample() {
    let document = prose(0..400);
    for card in Card::all() {
        let (counted, prompts) = model(sensible);
        run(card.slug, &[], &counted, &document).await;
        let calls = sent(&prompts).len();
        for failing in [1, calls] {
            let mut call = 0;
            let model = FakeModel::new(move |request| {
                call += 1;
                assert!(call <= failing || failing == 1, "a call after the one that failed");
                if call == failing {
                    return Err(CallError::TimedOut { stage: "idle", attempts: 2 });
                }
                Ok(reply(sensible(prompt(request))))
            });
            let error = answer(&strategy(card.slug, &[]), &model, &asked(&document)).await.unwrap_err();
            assert_eq!(error, CallError::TimedOut { stage: "idle", attempts: 2 }, "{} at {failing}", card.slug);
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_writes_without_end_cannot_grow_prompts() {
    let document = prose(0..600);
    let flood = format!("{} ```a```b``` INDICATOR: {}", "The mill ground rye.\n".repeat(3000), "no ".repeat(3000));
    for card in Card::all() {
        let text = flood.clone();
        let (model, prompts) = model(move |_| text.clone());
        let answered = run(card.slug, &[], &model, &document).await;
        assert_eq!(answered.reply.text.len(), flood.len(), "{}: the reply is left as it is", card.slug);
        let longest = sent(&prompts).iter().map(|prompt| tokens::count(prompt)).max().unwrap();
        let whole = tokens::count(&document);
        assert!(longest < whole + 2500, "{}: a prompt of {longest} tokens for a text of {whole}", card.slug);
        assert!(sent(&prompts).len() < 100, "{}", card.slug);
    }
}

#[tokio::test]
async fn short_and_odd_texts_are_answered() {
    for document in ["", " \n", "x", "镇", "```", "</text>"] {
        for card in Card::all() {
            let (model, prompts) = model(sensible);
            let answered = run(card.slug, &[], &model, document).await;
            assert_eq!(answered.reply.text, "Oro took it.", "{} {document:?}", card.slug);
            assert!(answered.metered.reports.values().all(|value| value.is_finite()), "{} {document:?}", card.slug);
            assert!(!sent(&prompts).is_empty());
        }
    }
}

#[tokio::test]
async fn plain_sends_the_prompt_as_it_is() {
    let document = prose(0..20);
    let (model, prompts) = model(sensible);
    run("plain", &[], &model, &document).await;
    assert_eq!(sent(&prompts), [format!("{HEAD}{document}{TAIL}")]);
}

#[test]
fn a_prompt_is_parted_by_its_document() {
    let (text, document) = ("Head. Text. Tail?", 6..12);
    let asked = Asked::within(text, &document, 8, 1).unwrap();
    assert_eq!((asked.head, asked.document, asked.tail, asked.whole().as_str()), ("Head. ", "Text. ", "Tail?", text));
    assert_eq!(Asked::within(text, &(6..40), 8, 1), None);
    assert_eq!(Asked::within("镇", &(1..2), 8, 1), None);
}

#[test]
fn futures_can_go_to_any_thread() {
    fn sendable<T: Send>(_: &impl Future<Output = T>) {}
    let (model, _) = model(sensible);
    for card in Card::all() {
        let strategy = strategy(card.slug, &[]);
        sendable(&answer(&strategy, &model, &asked("")));
    }
}

#[test]
fn cards_are_complete_and_values_are_checked() {
    let slugs: BTreeSet<&str> = Card::all().iter().map(|card| card.slug).collect();
    assert_eq!(slugs.len(), 8);
    for card in Card::all() {
        assert!(!card.title.is_empty() && !card.citation.is_empty() && !card.what.is_empty() && !card.cost.is_empty());
        assert_eq!(Strategy::new(card.slug, &[]).unwrap().label(), card.slug);
        for known in card.parameters {
            assert!((known.least..=known.most).contains(&known.default), "{} {}", card.slug, known.name);
        }
    }
    let given = |name: &str, value: f64| [(name.to_owned(), value)];
    assert_eq!(Strategy::new("rag", &given("budget", 2048.0)).unwrap().label(), "rag budget=2048");
    assert_eq!(Strategy::new("rag", &given("budget", 4096.0)).unwrap().label(), "rag");
    assert!(matches!(Strategy::new("rags", &[]), Err(StrategyError::Unknown { .. })));
    assert!(matches!(Strategy::new("rag", &given("size", 1.0)), Err(StrategyError::NoParameter { .. })));
    for value in [0.0, -1.0, 512.5, 1e12, f64::NAN, f64::INFINITY] {
        assert!(matches!(Strategy::new("rag", &given("chunk", value)), Err(StrategyError::Value { .. })), "{value}");
    }
}
