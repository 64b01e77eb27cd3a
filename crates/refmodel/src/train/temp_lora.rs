//! Temp-LoRA (Wang et al. 2024, arXiv 2401.11504; code TemporaryLoRA/Temp-LoRA): while a long text is read, a low-rank
//! adapter learns each chunk after it was scored; it is thrown away with the text.

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use longboard_suites::rng::Rng;

use super::asked::{Asked, Row, answered};
use super::forward::{Dense, Tables};
use super::start::{Weights, gaussian};
use super::trainer::clip;
use crate::decoder::Decoder;
use crate::error::ModelError;

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TempLora {
    /// Rank of the adapter of each linear layer. The paper has 64 for layers 4,096 wide; these are 128 wide.
    pub rank: usize,
    /// Learning rate; constant after two steps of warm-up.
    pub rate: f64,
    /// Times that each chunk is learnt.
    pub epochs: usize,
    /// Tokens of a chunk.
    pub chunk: usize,
    /// Tokens before a chunk that are read with it, in scoring and in training.
    pub prefix: usize,
    /// From which the adapter is drawn.
    pub seed: u64,
}

/// The paper's proportions (chunks of 1,024 in inputs of 3,072, two epochs) at an eighth of its lengths.
pub const PAPER: TempLora = TempLora { rank: 8, rate: 1e-3, epochs: 2, chunk: 128, prefix: 256, seed: 1 };

/// Steps over which the learning rate rises.
const WARM_UP: usize = 2;

/// Cross entropies of one chunk in nats per token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chunk {
    /// Scored tokens.
    pub tokens: usize,
    /// Of the model without adapter.
    pub base: f64,
    /// Of the adapter that knows the chunks before.
    pub adapted: f64,
    /// Of the adapter after it learnt this chunk; no score, a check.
    pub learnt: f64,
}

/// `exp` of the mean cross entropy of all tokens.
#[must_use]
pub fn perplexity(chunks: &[Chunk], loss: impl Fn(&Chunk) -> f64) -> f64 {
    weighted(chunks, loss).exp()
}

/// The mean over tokens of the chunks' perplexities, which the paper's code reports; never below [`perplexity`].
#[must_use]
pub fn ppl_temp_lora(chunks: &[Chunk], loss: impl Fn(&Chunk) -> f64) -> f64 {
    weighted(chunks, |chunk| loss(chunk).exp())
}

#[expect(clippy::cast_precision_loss, reason = "token counts")]
fn weighted(chunks: &[Chunk], value: impl Fn(&Chunk) -> f64) -> f64 {
    let tokens: usize = chunks.iter().map(|chunk| chunk.tokens).sum();
    chunks.iter().map(|chunk| value(chunk) * chunk.tokens as f64).sum::<f64>() / tokens.max(1) as f64
}

impl TempLora {
    /// Reads `ids` chunk by chunk: scores each, then learns it; the adapter ends with this call. `report` sees every
    /// chunk and stops the reading by returning `false`.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn read(
        &self,
        base: &Decoder,
        ids: &[u32],
        mut report: impl FnMut(&Chunk) -> bool,
    ) -> Result<Vec<Chunk>, ModelError> {
        let adapter = Adapter::new(base, self.rank, self.seed)?;
        let parameters = ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
        let mut optimizer = AdamW::new(adapter.weights.values().cloned().collect(), parameters)?;
        let mut adapted = adapter.on(base)?;
        let (mut chunks, mut steps) = (Vec::new(), 0);
        // The first token has nothing before it.
        for from in (1..ids.len()).step_by(self.chunk.max(1)) {
            let to = (from + self.chunk.max(1)).min(ids.len());
            let first = from.saturating_sub(self.prefix.max(1));
            let asked = from - first..to - first;
            let row = [Row { ids: ids.get(first..to).unwrap_or_default(), answers: std::slice::from_ref(&asked) }];
            let (before, scored) = (loss(base, &row)?, loss(&adapted, &row)?);
            for _ in 0..self.epochs {
                steps += 1;
                let warm = if steps < WARM_UP { 0.5 } else { 1.0 };
                optimizer.set_learning_rate(self.rate * warm);
                adapter.learn(&adapted, &row, &mut optimizer)?;
                adapted = adapter.on(base)?;
            }
            let chunk = Chunk { tokens: to - from, base: before, adapted: scored, learnt: loss(&adapted, &row)? };
            chunks.push(chunk);
            if !report(&chunk) {
                break;
            }
        }
        Ok(chunks)
    }
}

fn loss(decoder: &Decoder, row: &[Row<'_>; 1]) -> Result<f64, ModelError> {
    Ok(answered(decoder, row)?.first().map_or(0.0, super::asked::Answered::mean_loss))
}

/// Low-rank additions to all linear layers (Hu et al. 2021): `W + B A`, where the paper's alpha over rank is 1.
struct Adapter {
    /// `name.a` `[rank, in]` and `name.b` `[out, rank]`.
    weights: Weights,
}

impl Adapter {
    /// B is 0 at first, so that nothing changes.
    #[expect(clippy::cast_precision_loss, reason = "layer sizes")]
    fn new(base: &Decoder, rank: usize, seed: u64) -> Result<Self, ModelError> {
        let mut rng = Rng::from_path(&[Rng::name("temp-lora"), seed]);
        let mut weights = Weights::new();
        for (name, shape) in Decoder::shapes(&base.config) {
            let [out, input] = shape.as_slice() else { continue };
            if !is_linear(&name) {
                continue;
            }
            let scale = 1.0 / (*input as f32).sqrt();
            let a: Vec<f32> = (0..rank * input).map(|_| gaussian(&mut rng) * scale).collect();
            let a = Tensor::from_vec(a, (rank, *input), &Device::Cpu)?;
            let b = Tensor::zeros((*out, rank), candle_core::DType::F32, &Device::Cpu)?;
            weights.insert(format!("{name}.a"), Var::from_tensor(&a)?);
            weights.insert(format!("{name}.b"), Var::from_tensor(&b)?);
        }
        Ok(Self { weights })
    }

    /// A decoder whose weights are operations on the adapter's; those of `base` are read, never written.
    fn on(&self, base: &Decoder) -> Result<Decoder, ModelError> {
        let tensors: HashMap<String, Tensor> = base.tensors();
        Decoder::assemble(base.config.clone(), |name, _| {
            let weight = tensors.get(name).ok_or_else(|| ModelError::Invalid(format!("no weight {name}")))?;
            match (self.weights.get(&format!("{name}.a")), self.weights.get(&format!("{name}.b"))) {
                (Some(a), Some(b)) => Ok((weight + b.matmul(a)?)?),
                _ => Ok(weight.clone()),
            }
        })
    }

    fn learn(&self, adapted: &Decoder, row: &[Row<'_>; 1], optimizer: &mut AdamW) -> Result<(), ModelError> {
        let length = row.iter().map(|row| row.ids.len()).max().unwrap_or(1);
        let tables = Tables::fitting(&adapted.config, length, &Device::Cpu)?;
        let asked = Asked::of(row, tables.length());
        let logits = adapted.logits(&asked.hidden(adapted, row, &tables, &Dense)?)?;
        let mut gradients = asked.losses(&logits)?.mean_all()?.backward()?;
        clip(&self.weights, &mut gradients)?;
        Ok(optimizer.step(&gradients)?)
    }
}

/// Embeddings, norms and the head are no linear layers of the adapter.
fn is_linear(name: &str) -> bool {
    name.ends_with("_proj.weight")
}

/// Chunks of a text of `tokens`.
#[must_use]
pub fn chunks(tokens: usize, chunk: usize) -> usize {
    tokens.saturating_sub(1).div_ceil(chunk.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;

    const SHORT: TempLora = TempLora { chunk: 32, prefix: 32, ..PAPER };

    fn text(tokens: u32) -> Vec<u32> {
        (0..tokens).map(|place| 300 + place * 13 % 90).collect()
    }

    fn bits(decoder: &Decoder) -> Vec<(String, Vec<u32>)> {
        let mut found: Vec<_> = decoder
            .tensors()
            .into_iter()
            .map(|(name, tensor)| {
                let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                (name, values.into_iter().map(f32::to_bits).collect())
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_fresh_adapter_changes_no_bit() {
        let base = Checkpoint::builtin().unwrap().decoder;
        let adapted = Adapter::new(&base, 4, 1).unwrap().on(&base).unwrap();
        assert!(bits(&base) == bits(&adapted));
        let adapter = Adapter::new(&base, 4, 1).unwrap();
        assert_eq!(adapter.weights.len(), 2 * 7 * base.config.layers.len(), "all linear layers");
    }

    #[test]
    fn a_chunk_is_easier_once_learnt_and_the_base_is_untouched() {
        let base = Checkpoint::builtin().unwrap().decoder;
        let before = bits(&base);
        let chunks = SHORT.read(&base, &text(97), |_| true).unwrap();
        assert_eq!(chunks.iter().map(|chunk| chunk.tokens).collect::<Vec<_>>(), [32, 32, 32]);
        assert!(chunks.iter().all(|chunk| chunk.learnt < chunk.adapted), "{chunks:?}");
        assert!(before == bits(&base));
        // The next text starts from the base again.
        let again = SHORT.read(&base, &text(97), |_| true).unwrap();
        assert_eq!(again, chunks);
    }

    #[test]
    fn a_chunk_is_scored_by_an_adapter_that_knows_only_chunks_before_it() {
        let base = Checkpoint::builtin().unwrap().decoder;
        let whole = text(97);
        let chunks = SHORT.read(&base, &whole, |_| true).unwrap();
        assert_eq!(chunks[0].adapted.to_bits(), chunks[0].base.to_bits());
        let mut poisoned = whole;
        poisoned[65..].iter_mut().for_each(|id| *id = 7);
        let other = SHORT.read(&base, &poisoned, |_| true).unwrap();
        assert_eq!(chunks[..2], other[..2]);
        // A later chunk depends on what was learnt before it.
        let untrained = TempLora { epochs: 0, ..SHORT }.read(&base, &text(97), |_| true).unwrap();
        assert!(untrained.iter().all(|chunk| chunk.adapted.to_bits() == chunk.base.to_bits()));
        assert!(chunks[2].adapted.to_bits() != untrained[2].adapted.to_bits());
    }

    #[test]
    fn the_mean_of_perplexities_is_never_below_the_perplexity_of_the_mean() {
        let chunk = |tokens, base| Chunk { tokens, base, adapted: 0.0, learnt: 0.0 };
        let chunks = [chunk(3, 1.0), chunk(1, 3.0)];
        assert!((perplexity(&chunks, |chunk| chunk.base) - 1.5_f64.exp()).abs() < 1e-12);
        let theirs = ppl_temp_lora(&chunks, |chunk| chunk.base);
        assert!((theirs - (3.0 * 1_f64.exp() + 3_f64.exp()) / 4.0).abs() < 1e-12);
    }
}
