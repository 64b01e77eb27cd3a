//! What holds of one head on keys and queries made up for it.

use std::sync::Arc;

use super::*;
use crate::rope::Rope;
use crate::sequence::{Projections, Sequence};

const DIM: usize = 16;
const PROMPT: usize = 640;
/// Planted tokens, on two pages.
const PLANTED: [usize; 8] = [148, 149, 150, 151, 300, 301, 302, 303];

/// One layer without positions with one head.
fn one_head() -> ModelConfig {
    let layers = vec![LayerKind { window: None, rope: false }];
    ModelConfig { heads: 1, kv_heads: 1, layers, ..config(1) }
}

/// A standard normal number (Box and Muller 1958).
fn normal(rng: &mut Rng) -> f32 {
    ((-2.0 * (1.0 - rng.unit()).ln()).sqrt() * (std::f64::consts::TAU * rng.unit()).cos()) as f32
}

fn normals(rng: &mut Rng, rows: usize) -> Vec<f32> {
    (0..rows * DIM).map(|_| normal(rng)).collect()
}

/// An empty text of one layer and head.
fn text(policy: &dyn Policy) -> Sequence {
    let config = one_head();
    Sequence::new(&config, policy, Arc::new(Rope::of(&config, config.max_positions)))
}

/// Reads rows of queries, keys and values; returns the outputs.
fn feed(sequence: &mut Sequence, rows: [&[f32]; 3], prompt_ends: bool) -> Vec<f32> {
    let config = one_head();
    let [queries, keys, values] = rows;
    let output = sequence.attend(0, &config, &Projections { queries, keys, values, prompt_ends, sentence_ends: &[] });
    sequence.advance(keys.len() / DIM, prompt_ends);
    output
}

/// Settings under which few of 640 tokens are read, but enough for two pages.
fn narrow(slug: &str) -> Vec<(&'static str, f64)> {
    match slug {
        "quest" => vec![("budget", 64.0), ("dense-layers", 0.0)],
        "minference-block-sparse" => vec![("blocks", 4.0)],
        "moba" => vec![("block", 64.0), ("top", 3.0)],
        "lserve" => vec![("budget", 192.0), ("streaming", 0.0)],
        "longheads" => vec![("chunk", 64.0), ("length", 320.0)],
        "retrolm" => vec![("page", 64.0), ("budget", 192.0)],
        "longmem" => vec![("window", 40.0), ("memory", 600.0), ("retrieved", 16.0)],
        _ => tight(slug),
    }
}

#[test]
fn planted_keys_are_read() {
    for card in Card::all().iter().filter(|card| card.properties.recalls) {
        let mut rng = Rng::from_path(&[21]);
        let (mut queries, mut keys) = (normals(&mut rng, PROMPT), normals(&mut rng, PROMPT));
        let mut values = vec![0.0; PROMPT * DIM];
        let query = normals(&mut rng, 1);
        let length = query.iter().map(|channel| channel * channel).sum::<f32>().sqrt();
        for (place, token) in PLANTED.into_iter().enumerate() {
            for (key, channel) in keys[token * DIM..(token + 1) * DIM].iter_mut().zip(&query) {
                *key = 4.0 * (DIM as f32).sqrt() * channel / length;
            }
            values[token * DIM + place] = 1.0;
        }
        // The question is what the prompt ends with.
        queries[(PROMPT - 128) * DIM..].chunks_mut(DIM).for_each(|row| row.copy_from_slice(&query));

        let mut sequence = text(policy(card, &narrow(card.slug)).as_ref());
        let rows = queries.chunks(128 * DIM).zip(keys.chunks(128 * DIM)).zip(values.chunks(128 * DIM));
        let mut last = Vec::new();
        for (chunk, ((queries, keys), values)) in rows.enumerate() {
            let output = feed(&mut sequence, [queries, keys, values], (chunk + 1) * 128 == PROMPT);
            last = output[output.len() - DIM..].to_vec();
        }
        let answer = feed(&mut sequence, [&query, &normals(&mut rng, 1), &[0.0; DIM]], false);
        for output in [last, answer] {
            let recalled = output.iter().take(PLANTED.len()).filter(|share| **share > 0.05).count();
            assert_eq!(recalled, PLANTED.len(), "{}: {output:?}", card.slug);
        }
    }
}

#[test]
fn cost_is_that_of_the_roofline() {
    const ROWS: usize = 200;
    let mut rng = Rng::from_path(&[22]);
    let [queries, keys, values] = [0; 3].map(|_| normals(&mut rng, ROWS));
    let [query, key, value] = [0; 3].map(|_| normals(&mut rng, 1));
    let run = |slug: &str, given: &[(&str, f64)]| {
        let mut sequence = text(policy(Card::find(slug).unwrap(), given).as_ref());
        feed(&mut sequence, [&queries, &keys, &values], true);
        let prompt = sequence.cost();
        feed(&mut sequence, [&query, &key, &value], false);
        let answer = sequence.cost();
        [(prompt.flops, prompt.bytes), (answer.flops - prompt.flops, answer.bytes - prompt.bytes)]
    };
    let count = |pairs: usize, tokens: usize| ((4 * DIM * pairs) as f64, (2 * DIM * 4 * tokens) as f64);
    // Tiles of 48 rows read what lies before their ends.
    let tiles = 48 + 96 + 144 + 192 + 200;
    let prompt = count(ROWS * (ROWS + 1) / 2, tiles);
    assert_eq!(run("dense", &[]), [prompt, count(ROWS + 1, ROWS + 1)]);
    // 201 tokens are 13 logical pages, the last with 9 tokens; 4 are read. Each has a smallest and a largest key.
    let [before, (flops, bytes)] = run("quest", &[("budget", 64.0), ("dense-layers", 0.0)]);
    assert_eq!(before, prompt);
    let read = count(3 * 16 + 9, 3 * 16 + 9);
    assert_eq!((flops, bytes), (read.0 + (4 * DIM * 13) as f64, read.1 + (2 * DIM * 4 * 13) as f64));
}

#[test]
fn the_first_page_is_always_retrieved() {
    let mut rng = Rng::from_path(&[23]);
    let mut values = vec![0.0; PROMPT * DIM];
    values[..64 * DIM].fill(1.0);
    let (queries, keys) = (normals(&mut rng, PROMPT), normals(&mut rng, PROMPT));
    let retrolm = Card::find("retrolm").unwrap();
    let mut sequence = text(policy(retrolm, &[("page", 64.0), ("budget", 64.0)]).as_ref());
    let output = feed(&mut sequence, [&queries, &keys, &values], true);
    // Only the first page has values: a row that did not read it would have an output of zeros.
    assert!(output.chunks(DIM).all(|row| row[0] > 0.0));
}

#[test]
fn a_memory_without_tokens_or_weight_is_the_window_alone() {
    let mut rng = Rng::from_path(&[24]);
    let [queries, keys, values] = [0; 3].map(|_| normals(&mut rng, 300));
    let run = |slug: &str, given: &[(&str, f64)]| {
        let mut sequence = text(policy(Card::find(slug).unwrap(), given).as_ref());
        vec![feed(&mut sequence, [&queries, &keys, &values], true)]
    };
    let window = run("streaming-llm", &[("sinks", 0.0), ("window", 40.0)]);
    for given in [("memory", 0.0), ("gate", 0.0)] {
        assert!(difference(&window, &run("longmem", &[("window", 40.0), given])) < 1e-5, "{given:?}");
    }
    assert!(difference(&window, &run("longmem", &[("window", 40.0)])) > 1e-2);
}
