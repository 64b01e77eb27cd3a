//! Logits of tiny models of every architecture beside those of the originals' own code (`golden/make_logits.py`).
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use longboard_refmodel::checkpoint::Checkpoint;
use longboard_refmodel::config::ModelConfig;
use longboard_refmodel::decoder::Decoder;
use longboard_refmodel::model::{Feed, Model};
use longboard_refmodel::policy::Card;
use serde_json::{Value, json};
use tempfile::TempDir;

const GOLDEN: &str = include_str!("golden/logits.json");

/// The formula of `make_logits.py`.
fn weight(name: &str, shape: &[usize]) -> Tensor {
    let phase = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (1..=count)
        .map(|index| {
            let wave = (index as f64 * 12.9898 + f64::from(phase % 9973) * 78.233).sin() * 43758.5453;
            let value = wave - wave.floor() - 0.5;
            (if name.contains("norm") {
                1.0 + value
            } else if name.contains("embed_tokens") {
                2.0 * value
            } else {
                value
            }) as f32
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A tokenizer of one entry.
fn tokenizer() -> Value {
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "pre_tokenizer": null,
        "post_processor": null, "decoder": null, "added_tokens": [],
        "model": { "type": "WordLevel", "vocab": { "</s>": 1 }, "unk_token": "</s>" }
    })
}

/// A folder as it would be downloaded.
fn download(folder: &Path, row: &Value) {
    let config = row["config"].to_string();
    let shapes = Decoder::shapes(&ModelConfig::parse(&config).unwrap());
    assert_eq!(shapes.len() as u64, row["tensors"].as_u64().unwrap(), "{}", row["name"]);
    let tensors: HashMap<String, Tensor> =
        shapes.into_iter().map(|(name, shape)| (name.clone(), weight(&name, &shape))).collect();
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
    std::fs::write(folder.join("config.json"), config).unwrap();
    std::fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).unwrap();
}

fn numbers(values: &Value) -> Vec<f32> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

fn far(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn logits_equal_those_of_the_originals() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let mut wrong = Vec::new();
    for row in golden["rows"].as_array().unwrap() {
        let folder = TempDir::new().unwrap();
        download(folder.path(), row);
        let Checkpoint { decoder, tokenizer } = Checkpoint::open(folder.path()).unwrap();
        let dense = Card::find("dense").unwrap();
        let model = Model::new(decoder, tokenizer, dense.build(&dense.settings(&[]).unwrap()));
        let ids: Vec<u32> = row["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
        let mut sequence = model.sequence_for(ids.len());
        let mut logits = Vec::new();
        for chunk in [&ids[..23], &ids[23..39], &ids[39..]] {
            let feed = Feed { sequence: &mut sequence, ids: chunk, wanted: chunk.len(), prompt_ends: false };
            logits.extend(model.forward(&mut [feed]).unwrap().remove(0));
        }
        let middle = row["middle"].as_u64().unwrap() as usize;
        let middle = far(&logits[middle], &numbers(&row["middle_logits"]));
        let last = far(logits.last().unwrap(), &numbers(&row["last_logits"]));
        if middle.max(last) > 1e-4 {
            wrong.push(format!("{}: {middle} in the middle, {last} at the end", row["name"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
