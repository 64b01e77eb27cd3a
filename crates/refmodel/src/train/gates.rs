//! Gates of heads (DuoAttention, Xiao et al. 2024, arXiv 2410.10819): each key and value head of a layer without window
//! mixes full and streaming attention; only the mixture is trained, to change the last hidden states little and to be 0
//! where that is possible. Heads whose gate stays open retrieve.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use longboard_suites::rng::Rng;

use super::asked::{Asked, Row};
use super::forward::{Dense, Gaze, Tables};
use super::lesson::{Lesson, Subject, Teacher};
use crate::checkpoint::Checkpoint;
use crate::config::ModelConfig;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::fused::{Seen, SeenSoftmax};

/// How gates are trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gating {
    /// Steps.
    pub steps: usize,
    /// Tokens of a lesson at most.
    pub length: usize,
    /// Lessons of a step.
    pub batch: usize,
    /// First tokens that a streaming head sees.
    pub sinks: usize,
    /// Last tokens that a streaming head sees.
    pub window: usize,
    /// Learning rate.
    pub rate: f64,
    /// Price of an open gate.
    pub price: f64,
    /// From which lessons are drawn.
    pub seed: u64,
}

impl Gating {
    /// The paper's rate and price; sinks and window are a quarter of its own, as lessons are short.
    #[must_use]
    pub const fn paper(steps: usize, seed: u64) -> Self {
        Self { steps, length: 512, batch: 4, sinks: 16, window: 64, rate: 0.02, price: 0.05, seed }
    }

    /// Trains the gates of `checkpoint` on its needle lessons and returns them by layer, none for layers with a window;
    /// its weights are read, never written. `report` sees the loss of every step and stops by returning `false`.
    ///
    /// # Errors
    /// [`ModelError`] from lessons or arithmetic.
    pub fn train(
        &self,
        checkpoint: &Checkpoint,
        mut report: impl FnMut(usize, f64) -> bool,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let (decoder, teacher) = (&checkpoint.decoder, Teacher::new(&checkpoint.tokenizer)?);
        let tables = Tables::fitting(&decoder.config, self.length, &Device::Cpu)?;
        let gates = Gates::open(&decoder.config, tables.length(), self.sinks, self.window)?;
        let parameters = ParamsAdamW { lr: self.rate, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
        let mut optimizer = AdamW::new(gates.alphas.values().cloned().collect(), parameters)?;
        for step in 0..self.steps {
            let mut rng = Rng::from_path(&[Rng::name("gates"), self.seed, step as u64]);
            let lessons: Vec<Lesson> = (0..self.batch)
                .map(|_| teacher.lesson(Subject::Needle, rng.next_u64(), self.length))
                .collect::<Result<_, _>>()?;
            let rows: Vec<Row<'_>> = lessons.iter().map(Lesson::row).collect();
            let loss = gates.loss(decoder, &rows, &tables, self.price)?;
            optimizer.step(&loss.backward()?)?;
            gates.clamp()?;
            if !report(step + 1, f64::from(loss.to_scalar::<f32>()?)) {
                break;
            }
        }
        gates.values(decoder.config.layers.len())
    }
}

/// Gates at work.
struct Gates {
    /// `[kv_heads]` by layer.
    alphas: BTreeMap<usize, Var>,
    /// `[length, length]`: 0 where a streaming head sees, else far below every score.
    hidden: Tensor,
    /// The key and value head of each query head.
    owners: Tensor,
}

impl Gates {
    fn open(config: &ModelConfig, length: usize, sinks: usize, window: usize) -> Result<Self, ModelError> {
        let global = config.layers.iter().enumerate().filter(|(_, layer)| layer.window.is_none());
        let alphas = global.map(|(index, _)| Ok((index, Var::from_tensor(&ones(config.kv_heads)?)?)));
        let seen = |query: usize, key: usize| key < sinks || key + window > query;
        let hidden: Vec<f32> = (0..length)
            .flat_map(|query| (0..length).map(move |key| if seen(query, key) { 0.0 } else { -1e9 }))
            .collect();
        let group = config.heads / config.kv_heads;
        let owners: Vec<u32> = (0..config.heads).filter_map(|head| u32::try_from(head / group).ok()).collect();
        Ok(Self {
            alphas: alphas.collect::<Result<_, ModelError>>()?,
            hidden: Tensor::from_vec(hidden, (length, length), &Device::Cpu)?,
            owners: Tensor::new(owners.as_slice(), &Device::Cpu)?,
        })
    }

    /// Mean square of what the gates change in the normalised last hidden states before answers, and the price of open
    /// gates.
    fn loss(&self, decoder: &Decoder, rows: &[Row<'_>], tables: &Tables, price: f64) -> Result<Tensor, ModelError> {
        let asked = Asked::of(rows, tables.length());
        let full = decoder.norm.apply(&asked.hidden(decoder, rows, tables, &Dense)?)?.detach();
        let gated = decoder.norm.apply(&asked.hidden(decoder, rows, tables, self)?)?;
        let mut loss = (gated - full)?.sqr()?.mean_all()?;
        for alpha in self.alphas.values() {
            loss = (loss + (alpha.abs()?.sum_all()? * price)?)?;
        }
        Ok(loss)
    }

    fn clamp(&self) -> Result<(), ModelError> {
        for alpha in self.alphas.values() {
            alpha.set(&alpha.clamp(0.0, 1.0)?)?;
        }
        Ok(())
    }

    fn values(&self, layers: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        let of = |layer| self.alphas.get(&layer).map_or(Ok(Vec::new()), |alpha| alpha.to_vec1::<f32>());
        Ok((0..layers).map(of).collect::<candle_core::Result<_>>()?)
    }
}

fn ones(count: usize) -> candle_core::Result<Tensor> {
    Tensor::ones(count, candle_core::DType::F32, &Device::Cpu)
}

impl Gaze for Gates {
    fn attend(&self, layer: usize, query: &Tensor, key: &Tensor, value: &Tensor) -> candle_core::Result<Tensor> {
        let Some(alpha) = self.alphas.get(&layer) else { return Dense.attend(layer, query, key, value) };
        let scores = query.matmul(&key.t()?)?;
        let attended = |scores: &Tensor| scores.apply_op1(SeenSoftmax(Seen::Causal))?.matmul(value);
        let (full, streaming) = (attended(&scores)?, attended(&scores.broadcast_add(&self.hidden)?)?);
        let alpha = alpha.index_select(&self.owners, 0)?.reshape((1, (), 1, 1))?;
        // alpha * full + (1 - alpha) * streaming
        streaming.broadcast_add(&(full - &streaming)?.broadcast_mul(&alpha)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Card;

    fn rows_of(lesson: &Lesson) -> [Row<'_>; 1] {
        [lesson.row()]
    }

    fn set(gates: &Gates, to: f64) {
        for alpha in gates.alphas.values() {
            alpha.set(&(ones(alpha.elem_count()).unwrap() * to).unwrap()).unwrap();
        }
    }

    #[test]
    fn open_gates_are_dense_and_closed_ones_stream() {
        let Checkpoint { decoder, tokenizer } = Checkpoint::builtin().unwrap();
        let lesson = Teacher::new(&tokenizer).unwrap().lesson(Subject::Needle, 1, 320).unwrap();
        let tables = Tables::fitting(&decoder.config, 320, &Device::Cpu).unwrap();
        let gates = Gates::open(&decoder.config, tables.length(), 16, 64).unwrap();
        let rows = rows_of(&lesson);
        let asked = Asked::of(&rows, tables.length());
        let logits = |gaze: &dyn Gaze| {
            let hidden = asked.hidden(&decoder, &rows, &tables, gaze).unwrap();
            decoder.logits(&hidden).unwrap().to_vec2::<f32>().unwrap()
        };
        let far = |a: &[Vec<f32>], b: &[Vec<f32>]| {
            let pairs = a.iter().flatten().zip(b.iter().flatten());
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        let dense = logits(&Dense);
        assert!(far(&logits(&gates), &dense) < 1e-3);
        set(&gates, 0.0);
        let closed = logits(&gates);
        assert!(far(&closed, &dense) > 0.1);
        // The policy of the served model sees the same.
        let card = Card::find("streaming-llm").unwrap();
        let given = [("sinks".to_owned(), 16.0), ("window".to_owned(), 64.0)];
        let policy = card.build(&card.settings(&given).unwrap());
        let model = crate::model::Model::new(decoder.clone(), tokenizer, policy);
        let mut sequence = model.sequence();
        let ids = &lesson.ids;
        let feed = crate::model::Feed { sequence: &mut sequence, ids, wanted: ids.len(), prompt_ends: false };
        let served = model.forward(&mut [feed]).unwrap().remove(0);
        let served: Vec<Vec<f32>> = asked.places.iter().map(|place| served[*place as usize].clone()).collect();
        assert!(far(&closed, &served) < 5e-3, "{}", far(&closed, &served));
    }

    #[test]
    fn training_closes_gates_within_bounds_and_leaves_the_weights() {
        let checkpoint = Checkpoint::builtin().unwrap();
        let sum = |checkpoint: &Checkpoint| -> Vec<(String, u32)> {
            let mut found: Vec<_> = checkpoint
                .decoder
                .tensors()
                .into_iter()
                .map(|(name, tensor)| (name, tensor.sum_all().unwrap().to_scalar::<f32>().unwrap().to_bits()))
                .collect();
            found.sort();
            found
        };
        let before = sum(&checkpoint);
        let gating = Gating { length: 256, batch: 1, rate: 0.6, ..Gating::paper(3, 1) };
        let mut losses = Vec::new();
        let gates = gating
            .train(&checkpoint, |_, loss| {
                losses.push(loss);
                true
            })
            .unwrap();
        let config = &checkpoint.decoder.config;
        let heads = |layer: &crate::config::LayerKind| if layer.window.is_none() { config.kv_heads } else { 0 };
        let wanted: Vec<usize> = config.layers.iter().map(heads).collect();
        assert_eq!(gates.iter().map(Vec::len).collect::<Vec<_>>(), wanted);
        assert!(gates.iter().flatten().all(|gate| (0.0..=1.0).contains(gate)), "{gates:?}");
        assert!(gates.iter().flatten().any(|gate| *gate < 1.0), "{gates:?}");
        // Open gates change nothing: the first loss is their price.
        let price: f64 = wanted.into_iter().flat_map(|heads| vec![0.05; heads]).sum();
        assert!((losses[0] - price).abs() < 1e-4, "{losses:?}");
        assert_eq!(before, sum(&checkpoint));
    }
}
