//! What holds for every policy whatever the weights, as its card says.

mod choices;
mod operator;

use std::sync::LazyLock;

use candle_core::{Device, Tensor};
use longboard_suites::rng::Rng;

use super::*;
use crate::chat::Frame;
use crate::config::{LayerKind, ModelConfig, Norm};
use crate::decoder::Decoder;
use crate::model::{Feed, Model};
use crate::rope::RopeScaling;
use crate::tokenizer::Tokenizer;
use crate::train::lesson::Teacher;

/// A small model whose layers are rotary and see everything, so that all of a policy shows.
pub fn config(kv_heads: usize) -> ModelConfig {
    ModelConfig {
        vocab_size: 400,
        hidden_size: 32,
        intermediate_size: 48,
        heads: 4,
        kv_heads,
        head_dim: 16,
        layers: vec![LayerKind { window: None, rope: true }; 3],
        norm_eps: 1e-5,
        norm: Norm::Rms,
        rope_theta: 10_000.0,
        rope_scaling: RopeScaling::Plain,
        rope_interleaved: false,
        max_positions: 256,
        tied: true,
        qkv_bias: true,
        output_bias: false,
        qk_norm: false,
        parallel: false,
        logit_scale: 1.0,
        log_n_from: None,
        head_gates: None,
    }
}

/// Random weights. The rows of a projection to keys or values are drawn for 2 heads and repeated for more, so that models
/// that differ in their number of key heads alone are the same function.
fn decoder(config: ModelConfig) -> Decoder {
    let mut rng = Rng::from_path(&[5]);
    let heads = config.kv_heads;
    Decoder::assemble(config, |name, shape| {
        let count: usize = shape.iter().product();
        let width = if name.contains("norm") { 0.0 } else { 0.6 };
        let repeats = if name.contains("k_proj") || name.contains("v_proj") { heads / 2 } else { 1 };
        let drawn: Vec<f32> = (0..count / repeats)
            .map(|_| (f64::from(u8::from(width == 0.0)) + width * (rng.unit() - 0.5)) as f32)
            .collect();
        let heads = drawn.chunks(count / repeats / if repeats == 1 { 1 } else { 2 });
        let values: Vec<f32> = heads.flat_map(|head| head.repeat(repeats)).collect();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    })
    .unwrap()
}

fn tokenizer() -> Tokenizer {
    static LEARNT: LazyLock<String> =
        LazyLock::new(|| Tokenizer::learn(&Teacher::reading(1, 1).unwrap(), 400).unwrap().to_json().unwrap());
    Tokenizer::parse(LEARNT.as_bytes(), Frame::default()).unwrap()
}

fn policy(card: &Card, given: &[(&str, f64)]) -> Box<dyn Policy> {
    let given: Vec<(String, f64)> = given.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    card.build(&card.settings(&given).unwrap())
}

fn model(card: &Card, given: &[(&str, f64)], config: ModelConfig) -> Model {
    Model::new(decoder(config), tokenizer(), policy(card, given))
}

fn text(count: usize) -> Vec<u32> {
    let mut rng = Rng::from_path(&[9]);
    (0..count).map(|_| rng.below(400) as u32).collect()
}

/// Logits of the last rows of `ids`, read in chunks of `chunk`, and then token by token from `answer` on.
fn logits(model: &Model, ids: &[u32], chunk: usize, answer: usize) -> (Vec<Vec<f32>>, crate::sequence::Sequence) {
    let mut sequence = model.sequence();
    let mut rows = Vec::new();
    let (prompt, rest) = ids.split_at(answer);
    let count = prompt.len().div_ceil(chunk);
    for (index, ids) in prompt.chunks(chunk).enumerate() {
        let feed = Feed { sequence: &mut sequence, ids, wanted: ids.len(), prompt_ends: index + 1 == count };
        rows.extend(model.forward(&mut [feed]).unwrap().remove(0));
    }
    for id in rest {
        let feed = Feed { sequence: &mut sequence, ids: &[*id], wanted: 1, prompt_ends: false };
        rows.extend(model.forward(&mut [feed]).unwrap().remove(0));
    }
    (rows, sequence)
}

fn difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Settings under which the policy has to choose among 300 tokens.
fn tight(slug: &str) -> Vec<(&'static str, f64)> {
    match slug {
        "streaming-llm" => vec![("sinks", 4.0), ("window", 60.0)],
        "snapkv" => vec![("capacity", 80.0), ("window", 16.0)],
        "h2o" => vec![("heavy", 40.0), ("recent", 40.0)],
        "quest" => vec![("budget", 64.0), ("dense-layers", 0.0)],
        "minference-a-shape" => vec![("sinks", 8.0), ("window", 70.0)],
        "minference-vertical-slash" => vec![("vertical", 64.0), ("slash", 100.0)],
        "minference-block-sparse" => vec![("blocks", 2.0)],
        "duo-attention" => vec![("sinks", 4.0), ("window", 40.0)],
        "moba" => vec![("block", 64.0), ("top", 2.0)],
        "lserve" => vec![("budget", 192.0), ("sinks", 4.0), ("local", 32.0), ("prefill-local", 64.0)],
        "longheads" => vec![("chunk", 64.0), ("length", 192.0)],
        "sirllm" => vec![("sinks", 4.0), ("entropy", 40.0), ("recent", 20.0)],
        "squeezed" => vec![("clusters", 0.2), ("coarse", 0.05), ("window", 40.0)],
        "retrolm" => vec![("page", 64.0), ("budget", 128.0)],
        "longmem" => vec![("window", 40.0), ("memory", 100.0), ("retrieved", 16.0)],
        "infiniretri" => vec![("window", 100.0), ("tokens", 10.0), ("question", 32.0)],
        "self-extend" => vec![("group", 4.0), ("near", 40.0)],
        "grouped-positions" => vec![("group", 4.0)],
        "recurrent-positions" => vec![("modulo", 64.0)],
        _ => Vec::new(),
    }
}

/// Settings under which nothing of 300 tokens is left out.
fn ample(slug: &str) -> Vec<(&'static str, f64)> {
    match slug {
        "quest" => vec![("budget", 1000.0)],
        "minference-vertical-slash" => vec![("vertical", 1000.0), ("slash", 1000.0)],
        "duo-attention" => vec![("window", 1000.0)],
        "lserve" => vec![("local", 1000.0)],
        "moba" => vec![("top", 100.0)],
        "self-extend" => vec![("near", 1000.0)],
        "grouped-positions" => vec![("group", 1.0)],
        "snapkv" => vec![("capacity", 1000.0)],
        "squeezed" => vec![("quantile", 0.0)],
        _ => Vec::new(),
    }
}

#[test]
fn full_budget_equals_dense() {
    let ids = text(300);
    let (dense, _) = logits(&model(Card::find("dense").unwrap(), &[], config(2)), &ids, 128, 280);
    for card in Card::all().iter().filter(|card| card.properties.full_is_dense && card.slug != "log-n") {
        let (rows, _) = logits(&model(card, &ample(card.slug), config(2)), &ids, 128, 280);
        let far = difference(&dense, &rows);
        assert!(far < 1e-4, "{}: {far}", card.slug);
    }
}

#[test]
fn a_tight_budget_changes_something() {
    let ids = text(300);
    let (dense, _) = logits(&model(Card::find("dense").unwrap(), &[], config(2)), &ids, 128, 280);
    for card in Card::all().iter().filter(|card| card.slug != "dense") {
        let (rows, _) = logits(&model(card, &tight(card.slug), config(2)), &ids, 128, 280);
        assert!(difference(&dense, &rows) > 1e-3, "{} does nothing", card.slug);
        assert!(rows.iter().flatten().all(|logit| logit.is_finite()), "{}", card.slug);
    }
}

#[test]
fn prefix_stability_is_as_stated() {
    const EARLIER: usize = 200;
    let ids = text(300);
    let mut changed = ids.clone();
    changed[EARLIER..].iter_mut().for_each(|id| *id = (*id + 7) % 400);
    for card in Card::all() {
        let model = model(card, &tight(card.slug), config(2));
        let read = |ids: &[u32]| {
            let (rows, sequence) = logits(&model, ids, 300, 300);
            let mut kept = sequence.kept();
            kept.iter_mut().for_each(|head| head.retain(|position| (*position as usize) < EARLIER));
            (rows[..EARLIER].to_vec(), kept)
        };
        let ((rows, kept), (other_rows, other_kept)) = (read(&ids), read(&changed));
        let stable = difference(&rows, &other_rows) < 1e-6 && kept == other_kept;
        assert_eq!(stable, card.properties.prefix_stable, "{}", card.slug);
    }
}

#[test]
fn shared_key_heads_equal_repeated_ones_as_stated() {
    let ids = text(300);
    for card in Card::all() {
        let rows =
            |kv_heads, given: &[(&'static str, f64)]| logits(&model(card, given, config(kv_heads)), &ids, 128, 280).0;
        let far = difference(&rows(2, &tight(card.slug)), &rows(4, &tight(card.slug)));
        assert_eq!(far > 1e-4, card.properties.shared_choice, "{}: {far}", card.slug);
        if card.properties.shared_choice {
            let far = difference(&rows(2, &ample(card.slug)), &rows(4, &ample(card.slug)));
            assert!(far < 1e-4, "{}: {far}", card.slug);
        }
    }
}

#[test]
fn a_prompt_may_come_in_chunks() {
    let ids = text(300);
    for card in Card::all().iter().filter(|card| card.properties.prefix_stable) {
        let model = model(card, &tight(card.slug), config(2));
        let far = difference(&logits(&model, &ids, 300, 300).0, &logits(&model, &ids, 96, 300).0);
        assert!(far < 1e-4, "{}: {far}", card.slug);
    }
}

#[test]
fn what_is_kept_of_a_prompt_does_not_depend_on_its_chunks() {
    let ids = text(300);
    for slug in ["snapkv", "h2o"] {
        let model = model(Card::find(slug).unwrap(), &tight(slug), config(2));
        // A last chunk of 5 tokens is shorter than the window whose queries vote.
        let far = difference(&logits(&model, &ids, 280, 280).0, &logits(&model, &ids, 275, 280).0);
        assert!(far < 1e-4, "{slug}: {far}");
    }
}

#[test]
fn bounded_policies_stay_bounded() {
    let ids = text(420);
    for card in Card::all().iter().filter(|card| card.properties.bounded) {
        let tight = tight(card.slug);
        let budget: f64 = tight.iter().filter(|(name, _)| *name != "decay").map(|(_, value)| value).sum();
        let (_, sequence) = logits(&model(card, &tight, config(2)), &ids, 64, 400);
        // Whole pages are dropped at either end of a window.
        let most = budget as usize + 2 * crate::page::PAGE;
        assert!(sequence.stored().1 <= most, "{}: {:?} of {most}", card.slug, sequence.stored());
    }
}

#[test]
fn what_selectors_keep_is_counted_and_estimated() {
    let ids = text(300);
    for card in Card::all() {
        let model = model(card, &tight(card.slug), config(2));
        let (_, sequence) = logits(&model, &ids, 128, 280);
        let (taken, stored) = (sequence.bytes(), sequence.cached_bytes());
        let keeps = !["dense", "log-n", "streaming-llm", "quest", "minference-a-shape", "minference-block-sparse"]
            .contains(&card.slug)
            && !["duo-attention", "self-extend", "grouped-positions", "recurrent-positions"].contains(&card.slug);
        assert_eq!(taken > stored, keeps, "{}: {taken} with {stored} in the cache", card.slug);
        let estimate = model.cache_bytes(300);
        assert!(estimate >= taken as u64, "{}: {estimate} of {taken}", card.slug);
    }
    // Means of chunks of 4 are stored as keys are: a quarter of the tokens take as much as pages of them.
    let longmem = Card::find("longmem").unwrap();
    let model = model(longmem, &[("window", 40.0)], config(2));
    let (_, sequence) = logits(&model, &ids, 128, 280);
    let pages = (300_usize / 4).div_ceil(crate::page::PAGE) * crate::page::Page::new(16).bytes();
    assert_eq!(sequence.bytes() - sequence.cached_bytes(), 3 * 2 * pages);
}

#[test]
fn answers_with_and_without_cache_agree() {
    let model = model(Card::find("dense").unwrap(), &[], config(2));
    let mut ids = text(40);
    let cached = model.generate(&ids, 64).unwrap();
    for token in &cached {
        let (rows, _) = logits(&model, &ids, 1000, ids.len());
        assert_eq!(crate::model::greedy(rows.last().unwrap()), *token);
        ids.push(*token);
    }
}

#[test]
fn one_thread_and_many_agree() {
    let ids = text(200);
    for card in Card::all() {
        let run = || logits(&model(card, &tight(card.slug), config(2)), &ids, 64, 190).0;
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(run);
        assert_eq!(difference(&one, &run()), 0.0, "{}", card.slug);
    }
}

#[test]
fn taking_back_leaves_no_trace() {
    let model = model(Card::find("dense").unwrap(), &[], config(2));
    let ids = text(150);
    let mut sequence = model.sequence();
    let read = |sequence: &mut crate::sequence::Sequence, ids: &[u32]| {
        let feed = Feed { sequence, ids, wanted: 1, prompt_ends: false };
        model.forward(&mut [feed]).unwrap().remove(0).remove(0)
    };
    let _ = read(&mut sequence, &ids[..100]);
    let _ = read(&mut sequence, &ids[120..150]);
    sequence.truncate(100);
    assert_eq!(sequence.tokens(), 100);
    let again = read(&mut sequence, &ids[100..120]);
    let straight = read(&mut model.sequence(), &ids[..120]);
    assert!(difference(&[again], &[straight]) < 1e-5);
}

#[test]
fn unknown_names_are_told_the_known_ones() {
    let error = Card::find("magic").err().unwrap().to_string();
    assert!(error.contains("magic") && error.contains("lserve"), "{error}");
    let quest = Card::find("quest").unwrap();
    let error = quest.settings(&[("size".to_owned(), 1.0)]).unwrap_err().to_string();
    assert!(error.contains("budget"), "{error}");
    assert!(quest.settings(&[("budget".to_owned(), f64::NAN)]).is_err());
}
