//! The recipe of the encoder that is built in.

use candle_core::{Device, Tensor, Var};
use longboard_suites::rng::Rng;

use crate::encoder::{Encoder, EncoderConfig, PROJECTION};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;
use crate::train::start::{self, Weights, gaussian};

/// Entries of the vocabulary.
pub const VOCABULARY: usize = 2048;

/// Texts of each kind from which the tokenizer learns.
pub const READING: usize = 200;

/// Steps of the built-in encoder.
pub const STEPS: u32 = 1500;

/// Pairs of a half of a step. Each half has negatives of its own.
pub const BATCH: usize = 24;

/// Highest learning rate.
pub const RATE: f64 = 2e-3;

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
    let mut rng = Rng::from_path(&[Rng::name("projection"), seed]);
    let width = config.hidden_size;
    let entry = |place: usize| if place / width == place % width { 1.0 } else { 0.0 };
    let values: Vec<f32> = (0..width * width).map(|place| entry(place) + NOISE * gaussian(&mut rng)).collect();
    let projection = Tensor::from_vec(values, (width, width), &Device::Cpu)?;
    weights.insert(PROJECTION.to_owned(), Var::from_tensor(&projection)?);
    Ok(weights)
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
