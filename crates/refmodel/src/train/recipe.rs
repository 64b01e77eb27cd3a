//! The recipe of the checkpoint that is built in.

use super::trainer::Phase;
use crate::config::{LayerKind, ModelConfig, Norm};
use crate::rope::RopeScaling;

/// Entries of the vocabulary.
pub const VOCABULARY: usize = 2048;

/// Prompts of each task from which the tokenizer learns.
pub const READING: u32 = 150;

/// Local layers with rotary positions alternate with global ones without positions, whose queries are scaled by log n: a
/// shape that works far beyond the trained length.
#[must_use]
pub fn config() -> ModelConfig {
    let local = LayerKind { window: Some(32), rope: true };
    let global = LayerKind { window: None, rope: false };
    ModelConfig {
        vocab_size: VOCABULARY,
        hidden_size: 128,
        intermediate_size: 256,
        heads: 4,
        kv_heads: 4,
        head_dim: 32,
        layers: vec![local, global, local, global],
        norm_eps: 1e-5,
        norm: Norm::Rms,
        rope_theta: 100.0,
        rope_scaling: RopeScaling::Plain,
        rope_interleaved: false,
        max_positions: 1024,
        tied: true,
        qkv_bias: true,
        output_bias: false,
        qk_norm: false,
        parallel: false,
        logit_scale: 1.0,
        log_n_from: Some(256),
    }
}

/// Short sequences first, then the trained length.
#[must_use]
pub fn phases(steps: usize) -> [Phase; 2] {
    let long = steps / 10;
    [
        Phase { steps: steps - long, length: 384, batch: 16, rate: (3e-3, 6e-4), mixture: [2.5, 1.5, 1.5, 2.0, 0.7] },
        Phase { steps: long, length: 1024, batch: 6, rate: (6e-4, 1e-4), mixture: [2.5, 2.0, 1.5, 2.0, 0.5] },
    ]
}
