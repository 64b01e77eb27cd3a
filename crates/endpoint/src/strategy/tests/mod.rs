//! The strategies against a model in memory.

mod all;
mod alr2;
mod cook;
mod rag;
mod stream_memory;
mod structure;
mod windows;

use std::sync::{Arc, Mutex};

use longboard_suites::tokens;

use super::{Answered, Asked, Card, Strategy, answer};
use crate::fake::FakeModel;
use crate::model::{CallError, ChatRequest, Reply};

const HEAD: &str = "Below is a chronicle.\n\n";
const TAIL: &str = "\n\nQuestion: Who took the seal?\nAnswer:";

/// The prompts that a model was sent, in order.
type Prompts = Arc<Mutex<Vec<String>>>;

/// A model that answers prompts by `script` and keeps them.
fn model(script: impl Fn(&str) -> String + Send + 'static) -> (FakeModel, Prompts) {
    let prompts = Prompts::default();
    let kept = Arc::clone(&prompts);
    let model = FakeModel::new(move |request| {
        kept.lock().unwrap().push(prompt(request).to_owned());
        Ok(reply(script(prompt(request))))
    });
    (model, prompts)
}

fn prompt(request: &ChatRequest) -> &str {
    assert_eq!(request.messages.len(), 1);
    &request.messages[0].content
}

fn reply(text: String) -> Reply {
    let completion_tokens = Some(tokens::count(&text));
    Reply { text, prompt_tokens: Some(7), completion_tokens, latency_ms: 3, attempts: 1, ..Reply::default() }
}

fn sent(prompts: &Prompts) -> Vec<String> {
    prompts.lock().unwrap().clone()
}

fn asked(document: &str) -> Asked<'_> {
    Asked { head: HEAD, document, tail: TAIL, max_tokens: 64, seed: 5 }
}

fn strategy(slug: &str, given: &[(&str, f64)]) -> Strategy {
    let given: Vec<(String, f64)> = given.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Strategy::new(slug, &given).unwrap()
}

async fn run(slug: &str, given: &[(&str, f64)], model: &FakeModel, document: &str) -> Answered {
    answer(&strategy(slug, given), model, &asked(document)).await.unwrap()
}

/// Sentences that all differ and have nothing of the question.
fn prose(sentences: std::ops::Range<usize>) -> String {
    sentences
        .map(|number| format!("In year {number} the mill by the river ground {} sacks of rye. ", number * 3))
        .collect()
}

/// The text between two marks of a prompt.
fn between<'a>(prompt: &'a str, open: &str, close: &str) -> &'a str {
    prompt.split_once(open).and_then(|(_, rest)| rest.split_once(close)).map_or("", |(inside, _)| inside).trim()
}
