//! Weights before the first step.
//!
//! The first local and the first global layer start as a rough induction circuit (Olsson et al. 2022): the local heads
//! read the tokens one, two, three, … back, and the global heads look for the place whose predecessors are the last
//! tokens read and copy what stands there. Training from noise finds the same circuit after a long plateau.

use std::collections::BTreeMap;
use std::f32::consts::TAU;

use candle_core::{Device, Tensor, Var};
use longboard_suites::rng::Rng;

use crate::config::ModelConfig;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::rope::Rope;

/// How far the score of a local head's own offset stands above those of its neighbours at first.
const OFFSET_CONTRAST: f32 = 5.0;

/// Share of noise in the first layer's queries and keys, whose offsets are in the biases.
const QUIET: f32 = 0.1;

/// What the local heads write, next to an embedding of length 1.
const WRITTEN: f32 = 0.12;

/// Strength of the global heads' search,
const SEARCH: f32 = 1.2;

/// and of what they copy.
const COPIED: f32 = 0.3;

/// Trainable weights by name.
pub type Weights = BTreeMap<String, Var>;

/// Draws weights from a seed.
///
/// # Errors
/// [`ModelError::Compute`] on allocation.
pub fn weights(config: &ModelConfig, seed: u64) -> Result<Weights, ModelError> {
    let mut rng = Rng::from_path(&[Rng::name("weights"), seed]);
    let circuit = Circuit::of(config, &mut rng);
    let mut found = Weights::new();
    for (name, shape) in Decoder::shapes(config) {
        let drawn = noise(config, &name, &shape, &mut rng);
        let values = circuit.as_ref().and_then(|circuit| circuit.weight(&name, &drawn)).unwrap_or(drawn);
        found.insert(name, Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)?);
    }
    Ok(found)
}

#[expect(clippy::cast_precision_loss, reason = "layer sizes")]
fn noise(config: &ModelConfig, name: &str, shape: &[usize], rng: &mut Rng) -> Vec<f32> {
    let count = shape.iter().product();
    let input = shape.last().copied().unwrap_or(1) as f32;
    if name.contains("norm") {
        return vec![1.0; count];
    }
    if name.ends_with(".bias") {
        return vec![0.0; count];
    }
    let deviation = if name.contains("embed") {
        1.0 / (config.hidden_size as f32).sqrt()
    } else if name.contains("o_proj") || name.contains("down_proj") {
        QUIET / input.sqrt()
    } else {
        1.0 / input.sqrt()
    };
    (0..count).map(|_| gaussian(rng) * deviation).collect()
}

/// A standard normal draw (Box and Muller 1958).
#[expect(clippy::cast_possible_truncation, reason = "f32 is the model's precision")]
pub(crate) fn gaussian(rng: &mut Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.unit()).ln()).sqrt() as f32;
    radius * (TAU * rng.unit() as f32).cos()
}

/// Rows of a matrix.
type Rows = Vec<Vec<f32>>;

/// The induction circuit of layers 0 and 1.
struct Circuit {
    rope: Rope,
    heads: usize,
    dim: usize,
    /// What all local heads read of a token, `[dim][hidden]`.
    read: Rows,
    /// Where local head h writes it, `[dim][hidden]` each: orthonormal rows.
    written: Vec<Rows>,
    /// A turn per place back, so that several fit into one query, `[dim][dim]` each.
    turns: Vec<Rows>,
    /// What global head g copies, `[dim][hidden]` each.
    copied: Vec<Rows>,
}

impl Circuit {
    /// `None` for models that do not begin with a local and a global layer of as many key heads as query heads.
    fn of(config: &ModelConfig, rng: &mut Rng) -> Option<Self> {
        let [local, global, ..] = config.layers.as_slice() else { return None };
        let fits = local.window.is_some() && local.rope && global.window.is_none() && !global.rope;
        if !fits
            || !config.qkv_bias
            || config.heads != config.kv_heads
            || config.heads * config.head_dim > config.hidden_size
        {
            return None;
        }
        let (heads, dim, hidden) = (config.heads, config.head_dim, config.hidden_size);
        let split = |rows: Rows| rows.chunks(dim).map(<[Vec<f32>]>::to_vec).collect();
        Some(Self {
            rope: Rope::new(dim, config.rope_theta, config.rope_scaling, config.rope_interleaved, 1),
            heads,
            dim,
            read: orthonormal(dim, hidden, rng),
            written: split(orthonormal(heads * dim, hidden, rng)),
            turns: (0..heads).map(|_| orthonormal(dim, dim, rng)).collect(),
            copied: split(orthonormal(heads * dim, hidden, rng)),
        })
    }

    /// `[out][in]` of a projection that belongs to the circuit.
    fn weight(&self, name: &str, noise: &[f32]) -> Option<Vec<f32>> {
        let rest = name.strip_prefix("model.layers.")?;
        let all = |rows: &Rows| -> Vec<f32> { (0..self.heads).flat_map(|_| rows.concat()).collect() };
        Some(match rest {
            "0.self_attn.q_proj.weight" | "0.self_attn.k_proj.weight" => scaled(noise, QUIET),
            "0.self_attn.q_proj.bias" => (0..self.heads).flat_map(|_| self.offset(0)).collect(),
            "0.self_attn.k_proj.bias" => (0..self.heads).flat_map(|head| self.offset(head + 1)).collect(),
            "0.self_attn.v_proj.weight" => all(&self.read),
            "0.self_attn.o_proj.weight" => columns(&self.written, WRITTEN),
            "1.self_attn.q_proj.weight" => all(&self.search(0)),
            "1.self_attn.k_proj.weight" => all(&self.search(1)),
            "1.self_attn.v_proj.weight" => self.copied.concat().concat(),
            "1.self_attn.o_proj.weight" => columns(&self.copied, COPIED),
            _ => return None,
        })
    }

    /// A constant vector rotated by `offset` positions.
    #[expect(clippy::cast_precision_loss, reason = "head sizes")]
    fn offset(&self, offset: usize) -> Vec<f32> {
        let step: f32 = self.rope.frequencies.iter().map(|frequency| 1.0 - frequency.cos()).sum();
        let amplitude = (OFFSET_CONTRAST * (self.dim as f32).sqrt() / step).sqrt();
        let mut channels = vec![0.0; self.dim];
        channels.iter_mut().take(self.dim / 2).for_each(|channel| *channel = amplitude);
        self.rope.rotate(&mut channels, offset as f32);
        channels
    }

    /// The sum of what is known of the tokens `back`, `back + 1`, … places back, each under its turn.
    fn search(&self, back: usize) -> Rows {
        let sources = std::iter::once(&self.read).chain(&self.written).skip(back);
        let mut sum = vec![vec![0.0; self.read.first().map_or(0, Vec::len)]; self.dim];
        for (turn, source) in self.turns.iter().zip(sources) {
            for (sum, turn) in sum.iter_mut().zip(turn) {
                for (weight, source) in turn.iter().zip(source) {
                    sum.iter_mut().zip(source).for_each(|(sum, value)| *sum += SEARCH * weight * value);
                }
            }
        }
        sum
    }
}

fn scaled(values: &[f32], by: f32) -> Vec<f32> {
    values.iter().map(|value| value * by).collect()
}

/// `[hidden][heads * dim]` from rows per head.
fn columns(heads: &[Rows], by: f32) -> Vec<f32> {
    let rows: Vec<&Vec<f32>> = heads.iter().flatten().collect();
    let hidden = rows.first().map_or(0, |row| row.len());
    let entries = (0..hidden).flat_map(|channel| rows.iter().map(move |row| row.get(channel).copied().unwrap_or(0.0)));
    entries.map(|value| value * by).collect()
}

/// Random rows at right angles to each other (Gram and Schmidt), at most `width` of them.
fn orthonormal(count: usize, width: usize, rng: &mut Rng) -> Rows {
    let mut rows: Rows = Vec::with_capacity(count);
    while rows.len() < count {
        let mut row: Vec<f32> = (0..width).map(|_| gaussian(rng)).collect();
        for other in &rows {
            let along: f32 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
        }
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        rows.push(scaled(&row, 1.0 / norm));
    }
    rows
}
