//! Operations of a layer as one pass each, with their gradients. candle's own fused ones have none.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Elements a thread takes at least.
const GRAIN: usize = 4096;

fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let data = storage.as_slice::<f32>()?;
    let Some((from, to)) = layout.contiguous_offsets() else {
        candle_core::bail!("a fused operation needs contiguous input")
    };
    data.get(from..to).ok_or_else(|| candle_core::Error::Msg("layout beyond its storage".to_owned()))
}

fn rows<F>(out: &mut [f32], width: usize, each: F)
where
    F: Fn(usize, &mut [f32]) + Sync,
{
    let least = (GRAIN / width.max(1)).max(1);
    out.par_chunks_mut(width).with_min_len(least).enumerate().for_each(|(row, out)| each(row, out));
}

fn row(data: &[f32], index: usize, width: usize) -> &[f32] {
    data.get(index * width..(index + 1) * width).unwrap_or_default()
}

/// Which keys a row of scores sees: of `[.., queries, keys]` the keys `from..to` of each query.
#[derive(Debug, Clone)]
pub enum Seen {
    /// As many keys as queries; each sees those up to itself.
    Causal,
    /// Blocks of `window` queries, `blocks` of them, over the keys of the block before and their own; each sees the last
    /// `window` up to itself.
    Window {
        /// Keys seen.
        window: usize,
        /// Blocks of a sequence.
        blocks: usize,
    },
    /// `[sequences, heads, length, length]`: each query sees keys on both sides, none of the padding.
    Around {
        /// Keys less than so many places away are seen; `None` sees all.
        window: Option<usize>,
        /// Heads of a sequence.
        heads: usize,
        /// Tokens of each sequence, without padding.
        lengths: Arc<[usize]>,
    },
}

impl Seen {
    fn range(&self, row: usize, keys: usize) -> std::ops::Range<usize> {
        match self {
            Self::Causal => 0..row % keys + 1,
            Self::Around { window, heads, lengths } => {
                let (sequence, query) = (row / (heads * keys), row % keys);
                let length = lengths.get(sequence).copied().unwrap_or(0);
                match window {
                    _ if query >= length => 0..0,
                    Some(window) => (query + 1).saturating_sub(*window)..(query + window).min(length),
                    None => 0..length,
                }
            }
            Self::Window { window, blocks } => {
                let (window, blocks) = (*window, *blocks);
                let (query, first) = (row % window, (row / window).is_multiple_of(blocks));
                if first { window..query + window + 1 } else { query + 1..query + window + 1 }
            }
        }
    }
}

/// Softmax of the seen part of each row; the rest is 0.
pub struct SeenSoftmax(pub Seen);

impl CustomOp1 for SeenSoftmax {
    fn name(&self) -> &'static str {
        "seen-softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let scores = slice(storage, layout)?;
        let keys = layout.dims().last().copied().unwrap_or(1);
        let mut out = vec![0.0; scores.len()];
        rows(&mut out, keys, |index, out| {
            let seen = self.0.range(index, keys);
            let (Some(scores), Some(out)) = (row(scores, index, keys).get(seen.clone()), out.get_mut(seen)) else {
                return;
            };
            let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut total = 0.0;
            for (weight, score) in out.iter_mut().zip(scores) {
                *weight = (score - most).exp();
                total += *weight;
            }
            let scale = 1.0 / total;
            out.iter_mut().for_each(|weight| *weight *= scale);
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, weights: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(weights.apply_op2_no_bwd(&gradient.contiguous()?, &SeenSoftmaxGradient(self.0.clone()))?))
    }
}

struct SeenSoftmaxGradient(Seen);

impl CustomOp2 for SeenSoftmaxGradient {
    fn name(&self) -> &'static str {
        "seen-softmax-gradient"
    }

    fn cpu_fwd(&self, a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        let (weights, gradient) = (slice(a, la)?, slice(b, lb)?);
        let keys = la.dims().last().copied().unwrap_or(1);
        let mut out = vec![0.0; weights.len()];
        rows(&mut out, keys, |index, out| {
            let seen = self.0.range(index, keys);
            let parts = (row(weights, index, keys).get(seen.clone()), row(gradient, index, keys).get(seen.clone()));
            let ((Some(weights), Some(gradient)), Some(out)) = (parts, out.get_mut(seen)) else { return };
            let mean: f32 = weights.iter().zip(gradient).map(|(weight, gradient)| weight * gradient).sum();
            for ((out, weight), gradient) in out.iter_mut().zip(weights).zip(gradient) {
                *out = weight * (gradient - mean);
            }
        });
        Ok((CpuStorage::F32(out), la.shape().clone()))
    }
}

/// Rotates halves of `[batch, heads, length, dim]` by position; `backwards` undoes it.
pub struct Rotate {
    /// Cosines `[length, dim / 2]`.
    pub cos: Arc<[f32]>,
    /// Sines `[length, dim / 2]`.
    pub sin: Arc<[f32]>,
    /// Direction.
    pub backwards: bool,
}

impl CustomOp1 for Rotate {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(storage, layout)?;
        let (_, _, length, dim) = layout.shape().dims4()?;
        let half = dim / 2;
        let mut out = vec![0.0; x.len()];
        rows(&mut out, dim, |index, out| {
            let position = index % length;
            let (cos, sin) = (row(&self.cos, position, half), row(&self.sin, position, half));
            let (a, b) = row(x, index, dim).split_at(half);
            let (first, second) = out.split_at_mut(half);
            let sign = if self.backwards { -1.0 } else { 1.0 };
            for ((((out, a), b), cos), sin) in first.iter_mut().zip(a).zip(b).zip(cos).zip(sin) {
                *out = a * cos - sign * b * sin;
            }
            for ((((out, a), b), cos), sin) in second.iter_mut().zip(a).zip(b).zip(cos).zip(sin) {
                *out = b * cos + sign * a * sin;
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let back = Self { cos: self.cos.clone(), sin: self.sin.clone(), backwards: !self.backwards };
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&back)?))
    }
}

/// `silu(gate) * up`.
pub struct SwiGlu;

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (slice(a, la)?, slice(b, lb)?);
        let mut out = vec![0.0; gate.len()];
        rows(&mut out, GRAIN, |index, out| {
            let from = index * GRAIN;
            let parts = (gate.get(from..from + out.len()), up.get(from..from + out.len()));
            let (Some(gate), Some(up)) = parts else { return };
            for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                *out = gate / (1.0 + (-gate).exp()) * up;
            }
        });
        Ok((CpuStorage::F32(out), la.shape().clone()))
    }

    fn bwd(
        &self,
        gate: &Tensor,
        up: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let both = Tensor::stack(&[gate, up], 0)?.apply_op2_no_bwd(&gradient.contiguous()?, &SwiGluGradient)?;
        Ok((Some(both.get(0)?), Some(both.get(1)?)))
    }
}

struct SwiGluGradient;

impl CustomOp2 for SwiGluGradient {
    fn name(&self) -> &'static str {
        "swiglu-gradient"
    }

    fn cpu_fwd(&self, a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        let (both, gradient) = (slice(a, la)?, slice(b, lb)?);
        let (gate, up) = both.split_at(gradient.len());
        let mut out = vec![0.0; both.len()];
        let (to_gate, to_up) = out.split_at_mut(gradient.len());
        let parts = to_gate.par_chunks_mut(GRAIN).zip(to_up.par_chunks_mut(GRAIN)).enumerate();
        parts.for_each(|(index, (to_gate, to_up))| {
            let range = index * GRAIN..index * GRAIN + to_gate.len();
            let inputs = (gate.get(range.clone()), up.get(range.clone()), gradient.get(range));
            let (Some(gate), Some(up), Some(gradient)) = inputs else { return };
            let inputs = gate.iter().zip(up).zip(gradient);
            for ((to_gate, to_up), ((gate, up), gradient)) in to_gate.iter_mut().zip(to_up).zip(inputs) {
                let sigmoid = 1.0 / (1.0 + (-gate).exp());
                *to_up = gradient * gate * sigmoid;
                *to_gate = gradient * up * sigmoid * (1.0 + gate * (1.0 - sigmoid));
            }
        });
        Ok((CpuStorage::F32(out), la.shape().clone()))
    }
}

/// `x / rms(x)` over the last dimension; the gain is a product after it.
pub struct Rms {
    /// Added to the mean square.
    pub eps: f32,
}

impl CustomOp1 for Rms {
    fn name(&self) -> &'static str {
        "rms"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(storage, layout)?;
        let width = layout.dims().last().copied().unwrap_or(1);
        let mut out = vec![0.0; x.len()];
        rows(&mut out, width, |index, out| {
            let x = row(x, index, width);
            let scale = inverse_rms(x, self.eps);
            for (out, x) in out.iter_mut().zip(x) {
                *out = x * scale;
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(x.apply_op2_no_bwd(&gradient.contiguous()?, &RmsGradient { eps: self.eps })?))
    }
}

#[expect(clippy::cast_precision_loss, reason = "row widths")]
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    let squares: f32 = x.iter().map(|x| x * x).sum();
    1.0 / (squares / x.len() as f32 + eps).sqrt()
}

struct RmsGradient {
    eps: f32,
}

impl CustomOp2 for RmsGradient {
    fn name(&self) -> &'static str {
        "rms-gradient"
    }

    #[expect(clippy::cast_precision_loss, reason = "row widths")]
    fn cpu_fwd(&self, a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, gradient) = (slice(a, la)?, slice(b, lb)?);
        let width = la.dims().last().copied().unwrap_or(1);
        let mut out = vec![0.0; x.len()];
        rows(&mut out, width, |index, out| {
            let (x, gradient) = (row(x, index, width), row(gradient, index, width));
            let scale = inverse_rms(x, self.eps);
            let along: f32 = x.iter().zip(gradient).map(|(x, gradient)| x * gradient).sum();
            let pull = along * scale * scale / width as f32;
            for ((out, x), gradient) in out.iter_mut().zip(x).zip(gradient) {
                *out = scale * (gradient - x * pull);
            }
        });
        Ok((CpuStorage::F32(out), la.shape().clone()))
    }
}
