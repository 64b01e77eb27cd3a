//! What a checkpoint finds under dense attention, on the platform's own prompts: the table of docs/reference-model.md.
//!
//! `cargo run --release -p longboard-refmodel --example cells -- [CHECKPOINT] [LENGTHS] [SAMPLES] [TASKS]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a command of developers")]

use std::path::Path;
use std::sync::mpsc::channel;

use longboard_refmodel::checkpoint::Checkpoint;
use longboard_refmodel::engine::{Engine, Event, Limits, Request};
use longboard_refmodel::model::Model;
use longboard_refmodel::policy::Card;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};

const TASKS: [&str; 6] = [
    "niah_single_1",
    "niah_single_2",
    "niah_multikey_1",
    "niah_multiquery",
    "needle_threading_single",
    "needle_threading_three",
];

/// From no season that is published.
const SEED: u64 = 77;

/// The family is asked directly, so that threads can be shorter than a suite has them; a length that the asked pairs
/// alone exceed is left out.
fn item(task: &Task, length: Length, index: u32) -> Option<Item> {
    task.family().generate(task, &ItemRequest::new(SEED, index, length)).ok()
}

fn answer(engine: &Engine, item: &Item) -> String {
    let (sender, events) = channel();
    let request = Request {
        messages: item.messages.clone(),
        max_tokens: item.output_tokens.max(160) as usize,
        stop: Vec::new(),
        logprobs: None,
    };
    engine.submit(request, Box::new(move |event| sender.send(event).is_ok())).unwrap();
    let mut text = String::new();
    for event in events {
        match event {
            Event::Piece { text: piece, .. } => text.push_str(&piece),
            Event::Done { .. } => break,
            Event::Reading => {}
            Event::Failed(error) => return error.to_string(),
        }
    }
    text
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let checkpoint = match arguments.first() {
        Some(folder) => Checkpoint::open(Path::new(folder)),
        None => Checkpoint::builtin(),
    };
    let Checkpoint { mut decoder, tokenizer } = checkpoint.unwrap();
    decoder.config.max_positions = decoder.config.max_positions.max(1 << 20);
    let lengths = arguments.get(1).map_or("512,1k,16k", String::as_str);
    let samples: u32 = arguments.get(2).map_or(20, |samples| samples.parse().unwrap());
    let card = Card::find("dense").unwrap();
    let model = Model::new(decoder, tokenizer, card.build(&card.settings(&[]).unwrap()));
    let engine = Engine::start(model, Limits::default());
    println!("task\tlength\tpercent\tsamples");
    let tasks = arguments.get(3).map_or_else(|| TASKS.to_vec(), |tasks| tasks.split(',').collect());
    for slug in tasks {
        let task = Task::find(slug).unwrap();
        for length in lengths.split(',').map(|text| text.parse::<Length>().unwrap()) {
            let items: Vec<Item> = (0..samples).filter_map(|index| item(task, length, index)).collect();
            let scores = items.iter().map(|item| task.score(item, &answer(&engine, item)).score);
            println!(
                "{slug}\t{length}\t{:.1}\t{}",
                100.0 * scores.sum::<f64>() / items.len().max(1) as f64,
                items.len()
            );
        }
    }
}
