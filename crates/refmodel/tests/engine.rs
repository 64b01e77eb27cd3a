//! Requests through the engine: what is refused before it starts, and drafted answers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::sync::mpsc::{Receiver, channel};

use longboard_refmodel::ModelError;
use longboard_refmodel::checkpoint::Checkpoint;
use longboard_refmodel::engine::{Engine, Event, Limits, Request, Usage};
use longboard_refmodel::model::Model;
use longboard_refmodel::policy::Card;
use longboard_refmodel::speculative::{Decode, Speculator};
use longboard_suites::item::{Message, Role};
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};

fn model(checkpoint: &Checkpoint, slug: &str, given: &[(&str, f64)]) -> (Model, &'static Card) {
    let Checkpoint { decoder, tokenizer } = checkpoint.clone();
    let card = Card::find(slug).unwrap();
    let given: Vec<(String, f64)> = given.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    (Model::new(decoder, tokenizer, card.build(&card.settings(&given).unwrap())), card)
}

fn request(prompt: &str, max_tokens: usize) -> Request {
    let messages = vec![Message { role: Role::User, content: prompt.to_owned() }];
    Request { messages, max_tokens, stop: Vec::new(), logprobs: None }
}

fn needles(count: u32) -> Vec<String> {
    let task = Task::find("niah_single_2").unwrap();
    let request = |index| ItemRequest::new(41, index, Length::new(1024).unwrap());
    (0..count).map(|index| task.item(&request(index)).unwrap().joined()).collect()
}

fn submit(engine: &Engine, request: Request) -> Receiver<Event> {
    let (sender, events) = channel();
    engine.submit(request, Box::new(move |event| sender.send(event).is_ok())).unwrap();
    events
}

fn answer(events: &Receiver<Event>) -> (String, Usage) {
    let mut answer = String::new();
    for event in events {
        match event {
            Event::Reading => {}
            Event::Piece { text, .. } => answer.push_str(&text),
            Event::Done { usage, .. } => return (answer, usage),
            Event::Failed(error) => panic!("{error}"),
        }
    }
    panic!("the engine said nothing");
}

fn refusal(events: &Receiver<Event>) -> ModelError {
    match events.recv().unwrap() {
        Event::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_memory_does_not_hold_is_refused_with_the_numbers() {
    let checkpoint = Checkpoint::builtin().unwrap();
    let limits = Limits { cache_bytes: 64 << 20, ..Limits::default() };
    let engine = Engine::start(model(&checkpoint, "dense", &[]).0, limits);
    let error = refusal(&submit(&engine, request("hello", 1 << 20)));
    let ModelError::Memory { tokens, needed_mib, allowed_mib } = error else { panic!("{error}") };
    // Two global layers of 5 heads with 32 channels: 2.5 KiB of keys and values and 40 bytes of positions per token.
    assert!(tokens > 1 << 20 && allowed_mib == 64 && (2560..2750).contains(&needed_mib), "{needed_mib} MiB");
    let (_, usage) = answer(&submit(&engine, request("hello", 4)));
    assert!(usage.completion_tokens <= 4);

    let (target, card) = model(&checkpoint, "dense", &[]);
    let both = Speculator::new(Decode::Plain, &[], (&target, card), model(&checkpoint, "dense", &[])).unwrap();
    let estimate = target.cache_bytes(40_000);
    let engine = Engine::drafting(target, Some(both), Limits { cache_bytes: estimate * 3 / 2, ..limits });
    assert!(matches!(refusal(&submit(&engine, request("hello", 39_000))), ModelError::Memory { .. }));
}

#[test]
fn what_the_context_does_not_hold_is_refused_with_the_numbers() {
    let limits = Limits { context_tokens: 1000, ..Limits::default() };
    let engine = Engine::start(model(&Checkpoint::builtin().unwrap(), "dense", &[]).0, limits);
    let error = refusal(&submit(&engine, request(&"word ".repeat(2000), 10)));
    assert!(matches!(error, ModelError::TooLong { prompt, answer: 10, limit: 1000 } if prompt > 1000), "{error}");
    assert!(matches!(refusal(&submit(&engine, request("hello", usize::MAX))), ModelError::TooLong { .. }));
}

#[test]
fn the_estimate_holds_and_is_tight() {
    let checkpoint = Checkpoint::builtin().unwrap();
    for slug in ["dense", "quest", "moba"] {
        let (model, _) = model(&checkpoint, slug, &[]);
        let ids: Vec<u32> = (0..3000).map(|place| 300 + place % 500).collect();
        for tokens in [10, 700, 3000] {
            let mut sequence = model.sequence();
            model.prefill(&mut sequence, ids.get(..tokens).unwrap()).unwrap();
            let (estimate, taken) = (model.cache_bytes(tokens), sequence.bytes() as u64);
            assert!(estimate >= taken, "{slug} at {tokens}: {estimate} of {taken}");
            assert!(tokens < 3000 || estimate < taken * 3 / 2, "{slug} at {tokens}: {estimate} of {taken}");
        }
    }
}

#[test]
fn drafted_answers_are_the_undrafted_ones() {
    let checkpoint = Checkpoint::builtin().unwrap();
    let prompts = needles(2);
    let plain = Engine::start(model(&checkpoint, "dense", &[]).0, Limits::default());
    let expected: Vec<String> = prompts.iter().map(|prompt| answer(&submit(&plain, request(prompt, 48))).0).collect();
    for (decode, drafter, settings) in [
        (Decode::Plain, "dense", [("gamma", 4.0)]),
        (Decode::Plain, "quest", [("gamma", 6.0)]),
        (Decode::Rapid, "dense", [("eta", 0.0)]),
    ] {
        let (target, card) = model(&checkpoint, "dense", &[]);
        let settings: Vec<(String, f64)> = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let drafter = model(&checkpoint, drafter, &[]);
        let speculator = Speculator::new(decode, &settings, (&target, card), drafter).unwrap();
        let engine = Engine::drafting(target, Some(speculator), Limits::default());
        let together: Vec<Receiver<Event>> =
            prompts.iter().map(|prompt| submit(&engine, request(prompt, 48))).collect();
        for (events, expected) in together.iter().zip(&expected) {
            let (text, usage) = answer(events);
            assert_eq!(&text, expected, "{decode:?}");
            let tally = usage.drafting.unwrap();
            assert!(!tally.transfer && tally.acceptance().unwrap() > 0.5, "{tally:?}");
            assert!(tally.target_passes < usage.completion_tokens, "{tally:?}");
        }
    }
}
