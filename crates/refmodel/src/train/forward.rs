//! The forward pass of training: matrix products and our own fused operations, all of which have gradients. candle's
//! fused softmax, norms and rotations stop gradients without an error, so none is used here.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};

use crate::config::{LayerKind, ModelConfig};
use crate::decoder::{Decoder, Layer};
use crate::fused::{Rotate, Seen, SeenSoftmax};
use crate::rope::{Rope, log_n_factor};

/// Tables for sequences of one length.
pub struct Tables {
    cos: Arc<[f32]>,
    sin: Arc<[f32]>,
    log_n: Option<Tensor>,
    length: usize,
}

impl Tables {
    /// Tables for `length` tokens, which is a multiple of the window.
    ///
    /// # Errors
    /// [`candle_core::Error`] on allocation.
    #[expect(clippy::cast_precision_loss, reason = "positions far below 2^24")]
    pub fn new(config: &ModelConfig, length: usize, device: &Device) -> Result<Self> {
        let rope = Rope::new(config.head_dim, config.rope_theta, config.rope_scaling, config.rope_interleaved, length);
        let angles: Vec<f32> = (0..length)
            .flat_map(|position| rope.frequencies.iter().map(move |frequency| frequency * position as f32))
            .collect();
        let log_n = config.log_n_from.map(|from| {
            let factors = (0..length).map(|position| log_n_factor(position + 1, from)).collect::<Vec<f32>>();
            Tensor::from_vec(factors, (length, 1), device)
        });
        Ok(Self {
            cos: angles.iter().map(|angle| angle.cos()).collect(),
            sin: angles.iter().map(|angle| angle.sin()).collect(),
            log_n: log_n.transpose()?,
            length,
        })
    }

    /// Tables for sequences of at least `length` tokens.
    ///
    /// # Errors
    /// [`candle_core::Error`] on allocation.
    pub fn fitting(config: &ModelConfig, length: usize, device: &Device) -> Result<Self> {
        let window = config.layers.iter().filter_map(|layer| layer.window).max().unwrap_or(1);
        Self::new(config, length.max(1).next_multiple_of(window.max(1)), device)
    }

    /// Tokens of a sequence.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}

/// How layers without window attend.
pub trait Gaze: Sync {
    /// Outputs of the heads of `layer`, `[batch, heads, length, dim]` like the scaled queries, the keys and the values.
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn attend(&self, layer: usize, query: &Tensor, key: &Tensor, value: &Tensor) -> Result<Tensor>;
}

/// To everything up to itself.
pub struct Dense;

impl Gaze for Dense {
    fn attend(&self, _: usize, query: &Tensor, key: &Tensor, value: &Tensor) -> Result<Tensor> {
        query.matmul(&key.t()?)?.apply_op1(SeenSoftmax(Seen::Causal))?.matmul(value)
    }
}

/// Hidden states `[batch, length, hidden]` of tokens `[batch, length]`, before the last norm.
///
/// # Errors
/// Shapes that do not fit.
pub fn hidden(decoder: &Decoder, ids: &Tensor, tables: &Tables) -> Result<Tensor> {
    hidden_through(decoder, ids, tables, &Dense)
}

/// [`hidden`] with another attention in the layers without window.
///
/// # Errors
/// Shapes that do not fit.
pub fn hidden_through(decoder: &Decoder, ids: &Tensor, tables: &Tables, gaze: &dyn Gaze) -> Result<Tensor> {
    let (batch, length) = ids.dims2()?;
    let flat = decoder.embedding.index_select(&ids.flatten_all()?, 0)?;
    let mut x = flat.reshape((batch, length, decoder.config.hidden_size))?;
    for (index, layer) in decoder.layers.iter().enumerate() {
        let normed = layer.input_norm.apply(&x)?;
        let (query, key, value) = projected(&decoder.config, layer, &normed, tables)?;
        let heads = match layer.kind.window {
            Some(window) => windowed(&query, &key, &value, window)?,
            None => gaze.attend(index, &query, &key, &value)?,
        };
        let heads = heads.transpose(1, 2)?.reshape((batch, length, ()))?;
        x = layer.close(&x, &normed, &heads)?;
    }
    Ok(x)
}

/// Scaled queries, keys and values `[batch, heads, length, dim]`.
pub(super) fn projected(
    config: &ModelConfig,
    layer: &Layer,
    normed: &Tensor,
    tables: &Tables,
) -> Result<(Tensor, Tensor, Tensor)> {
    let (batch, length, _) = normed.dims3()?;
    let heads = |x: Tensor, count: usize| x.reshape((batch, length, count, config.head_dim));
    let mut query = heads(layer.query.apply(normed)?, config.heads)?;
    let mut key = heads(layer.key.apply(normed)?, config.kv_heads)?;
    if let (Some(query_norm), Some(key_norm)) = (&layer.query_norm, &layer.key_norm) {
        query = query_norm.apply(&query)?;
        key = key_norm.apply(&key)?;
    }
    let value = heads(layer.value.apply(normed)?, config.kv_heads)?.transpose(1, 2)?.contiguous()?;
    let mut query = query.transpose(1, 2)?.contiguous()?;
    let mut key = key.transpose(1, 2)?.contiguous()?;
    if layer.kind.rope {
        query = rotated(&query, tables)?;
        key = rotated(&key, tables)?;
    }
    if let (LayerKind { window: None, .. }, Some(factors)) = (layer.kind, &tables.log_n) {
        query = query.broadcast_mul(factors)?;
    }
    let scale = 1.0 / (lossy(config.head_dim)).sqrt();
    let query = (query * scale)?;
    Ok((query, repeated(&key, config)?, repeated(&value, config)?))
}

#[expect(clippy::cast_precision_loss, reason = "head sizes")]
fn lossy(value: usize) -> f64 {
    value as f64
}

/// Keys or values `[batch, kv_heads, length, dim]` for every query head.
fn repeated(x: &Tensor, config: &ModelConfig) -> Result<Tensor> {
    let group = config.heads / config.kv_heads;
    if group == 1 {
        return Ok(x.clone());
    }
    let (batch, kv_heads, length, dim) = x.dims4()?;
    let x = x.unsqueeze(2)?.expand((batch, kv_heads, group, length, dim))?;
    x.reshape((batch, kv_heads * group, length, dim))
}

fn rotated(x: &Tensor, tables: &Tables) -> Result<Tensor> {
    x.apply_op1(Rotate { cos: Arc::clone(&tables.cos), sin: Arc::clone(&tables.sin), backwards: false })
}

/// Attention of blocks of queries to their own and the block before: cost grows with the window, not the length.
fn windowed(query: &Tensor, key: &Tensor, value: &Tensor, window: usize) -> Result<Tensor> {
    let (batch, heads, length, dim) = query.dims4()?;
    let blocks = length / window;
    let split = |x: &Tensor| x.reshape((batch * heads, blocks, window, dim));
    let with_previous = |x: &Tensor| -> Result<Tensor> {
        let own = split(x)?;
        let none = Tensor::zeros((batch * heads, 1, window, dim), DType::F32, x.device())?;
        let previous = Tensor::cat(&[&none, &own.narrow(1, 0, blocks - 1)?], 1)?;
        Tensor::cat(&[&previous, &own], 2)
    };
    let (key, value) = (with_previous(key)?, with_previous(value)?);
    let scores = split(query)?.matmul(&key.t()?)?;
    let weights = scores.apply_op1(SeenSoftmax(Seen::Window { window, blocks }))?;
    weights.matmul(&value)?.reshape((batch, heads, length, dim))
}
