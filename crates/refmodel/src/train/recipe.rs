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
        hidden_size: 160,
        intermediate_size: 320,
        heads: 5,
        kv_heads: 5,
        head_dim: 32,
        layers: vec![local, global, local, global],
        norm_eps: 1e-5,
        norm: Norm::Rms,
        rope_theta: 100.0,
        rope_scaling: RopeScaling::Plain,
        rope_interleaved: false,
        max_positions: LENGTH,
        tied: true,
        qkv_bias: true,
        output_bias: false,
        qk_norm: false,
        parallel: false,
        logit_scale: 1.0,
        log_n_from: Some(256),
        head_gates: None,
    }
}

/// Every phase has sequences of this many tokens at most; a multiple of the window.
pub const LENGTH: usize = 512;

/// Steps of its first course; docs/reference-model.md has the others.
pub const STEPS: u32 = 2200;

/// First everything at a high rate; then the rate falls far, while which values of several keys are right is learnt.
#[must_use]
pub fn phases(steps: usize) -> [Phase; 2] {
    let last = steps * 2 / 5;
    let phase = |steps, rate, mixture| Phase { steps, length: LENGTH, batch: 12, rate, mixture, knots: 0.0 };
    [
        phase(steps - last, (3e-3, 1.5e-3), [1.5, 4.0, 1.0, 2.0, 0.3]),
        phase(last, (1.5e-3, 5e-5), [1.5, 4.0, 1.0, 2.5, 0.2]),
    ]
}
