//! The recipe of the encoder that is built in.

use std::collections::BTreeSet;

use candle_core::{Device, Tensor, Var};
use longboard_suites::rng::Rng;

use crate::encoder::{Encoder, EncoderConfig, LAST_NORM, PROJECTION};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;
use crate::train::start::{self, Weights, gaussian};

/// The embedding's name in a checkpoint.
const EMBEDDING: &str = "model.embed_tokens.weight";

/// Entries of the vocabulary.
pub const VOCABULARY: usize = 2048;

/// Texts of each kind from which the tokenizer learns.
pub const READING: usize = 200;

/// Steps of the built-in encoder.
pub const STEPS: u32 = 1800;

/// Pairs of a half of a step. Each half has negatives of its own.
pub const BATCH: usize = 16;

/// Highest learning rate.
pub const RATE: f64 = 4e-3;

/// Layers with a window of 31 tokens on either side around one that sees everything.
#[must_use]
pub fn config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: VOCABULARY,
        hidden_size: 128,
        intermediate_size: 256,
        heads: 4,
        head_dim: 16,
        windows: vec![Some(32), None, Some(32)],
        rope_theta: 10_000.0,
        norm_eps: 1e-5,
        trained: 512,
    }
}

/// Weights before the first step. The projection starts near the identity, so that a vector starts as the mean of what its
/// tokens are.
///
/// # Errors
/// [`ModelError::Compute`] on allocation.
pub fn weights(config: &EncoderConfig, seed: u64) -> Result<Weights, ModelError> {
    const NOISE: f32 = 0.01;
    let mut weights = start::weights(&config.stack(), seed)?;
    weights.remove(LAST_NORM);
    let mut rng = Rng::from_path(&[Rng::name("projection"), seed]);
    let width = config.hidden_size;
    let entry = |place: usize| if place / width == place % width { 1.0 } else { 0.0 };
    let values: Vec<f32> = (0..width * width).map(|place| entry(place) + NOISE * gaussian(&mut rng)).collect();
    let projection = Tensor::from_vec(values, (width, width), &Device::Cpu)?;
    weights.insert(PROJECTION.to_owned(), Var::from_tensor(&projection)?);
    Ok(weights)
}

/// Makes rare tokens long: each row of the embedding is scaled by how rare its token is among `texts`,
/// `ln((N + 1) / (df + 1/2))` over that of a token which never occurs. With a projection near the identity an untrained encoder
/// is a random projection of TF-IDF (Salton and Buckley 1988), from which training goes on.
///
/// # Errors
/// [`ModelError`] when a text cannot be encoded.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub fn weigh(weights: &Weights, tokenizer: &Tokenizer, texts: &[String]) -> Result<(), ModelError> {
    let embedding = weights.get(EMBEDDING).ok_or_else(|| ModelError::Invalid(format!("no weight {EMBEDDING}")))?;
    let (entries, width) = embedding.dims2()?;
    let mut frequencies = vec![0_usize; entries];
    for text in texts {
        for id in tokenizer.encode(text)?.into_iter().collect::<BTreeSet<u32>>() {
            if let Some(frequency) = usize::try_from(id).ok().and_then(|id| frequencies.get_mut(id)) {
                *frequency += 1;
            }
        }
    }
    let rarity = |frequency: usize| ((texts.len() + 1) as f32 / (frequency as f32 + 0.5)).ln();
    // Noise comes with rows of length 1; states are to stand above what layers add at first.
    let scale = |frequency: usize| (width as f32).sqrt() * rarity(frequency) / rarity(0);
    let scales: Vec<f32> = frequencies.into_iter().map(scale).collect();
    let scales = Tensor::from_vec(scales, (entries, 1), &Device::Cpu)?;
    Ok(embedding.set(&embedding.as_tensor().broadcast_mul(&scales)?)?)
}

/// An encoder that reads `weights` while they are trained.
///
/// # Errors
/// [`ModelError::Invalid`] when a weight is missing.
pub fn assemble(config: EncoderConfig, tokenizer: Tokenizer, weights: &Weights) -> Result<Encoder, ModelError> {
    Encoder::assemble(config, tokenizer, |name, _| {
        let var = weights.get(name).ok_or_else(|| ModelError::Invalid(format!("no weight {name}")))?;
        Ok(var.as_tensor().clone())
    })
}

/// An encoder with drawn weights.
///
/// # Errors
/// [`ModelError::Compute`] on allocation.
pub fn untrained(config: EncoderConfig, tokenizer: Tokenizer, seed: u64) -> Result<Encoder, ModelError> {
    let weights = weights(&config, seed)?;
    assemble(config, tokenizer, &weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;

    #[test]
    fn rows_are_as_long_as_their_tokens_are_rare() {
        let tokenizer = Checkpoint::builtin().unwrap().tokenizer;
        let weights = weights(&config(), 1).unwrap();
        let lengths = || {
            let rows = weights[EMBEDDING].as_tensor().to_vec2::<f32>().unwrap();
            rows.iter().map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt()).collect::<Vec<f32>>()
        };
        let before = lengths();
        let texts = ["The road is dry.", "The lamp is lit.", "We set out."].map(str::to_owned);
        weigh(&weights, &tokenizer, &texts).unwrap();
        let after = lengths();
        let grown = |word: &str| {
            let id = tokenizer.encode(word).unwrap()[0] as usize;
            after[id] / before[id]
        };
        let wanted = |frequency: f32| 128_f32.sqrt() * (4.0 / (frequency + 0.5)).ln() / 8_f32.ln();
        for (word, frequency) in [("7", 0.0), (" out", 1.0), ("The", 2.0), (".", 3.0)] {
            assert!((grown(word) - wanted(frequency)).abs() < 1e-3, "{word}: {} {}", grown(word), wanted(frequency));
        }
        assert!(!weights.contains_key(LAST_NORM));
    }
}
