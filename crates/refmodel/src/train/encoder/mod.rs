//! Training of the encoder: pairs, a contrastive loss, the loop, and held-out retrieval.

pub mod contrast;
pub mod pairs;
pub mod recipe;
pub mod trial;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use candle_core::backprop::GradStore;
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use longboard_suites::rng::Rng;

use self::pairs::{Kind, Writer};
use super::lesson::Teacher;
use super::start::Weights;
use super::trainer::{clip, sum};
use crate::encoder::{Encoder, EncoderConfig};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// Halves of a step. They run side by side and their gradients are summed in order, so the same seed gives the same weights on
/// any number of cores.
const HALVES: usize = 2;

/// Steps over which the learning rate rises.
const WARM_UP: f64 = 100.0;

/// Steps between two saves.
const SAVED_EVERY: usize = 100;

/// Steps of a line of the curve.
const CURVE_EVERY: usize = 25;

/// Canonical tokens of the documents of a batch, and how often: all of one batch have the same, so that length tells nothing.
const LENGTHS: [u32; 6] = [64, 96, 128, 192, 256, 440];

/// How often each kind comes, in the order of [`Kind::ALL`].
const MIXTURE: [f64; 3] = [2.0, 2.0, 1.0];

/// A training of the encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderCourse {
    /// Where the checkpoint and `curve.tsv` go.
    pub folder: PathBuf,
    /// An encoder of the recipe's shape to go on from, instead of fresh weights.
    pub from: Option<PathBuf>,
    /// From which everything is drawn.
    pub seed: u64,
    /// Steps.
    pub steps: usize,
    /// Pairs of a half of a step.
    pub batch: usize,
    /// Highest learning rate; it rises over 100 steps and falls to a fiftieth.
    pub rate: f64,
}

/// What a step showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    /// Contrastive loss in nats.
    pub loss: f64,
    /// Queries that found their document first, and queries asked, by kind.
    pub found: BTreeMap<Kind, (usize, usize)>,
}

/// Tokens of the pairs of a half of a step.
struct Batch {
    kind: Kind,
    queries: Vec<Vec<u32>>,
    documents: Vec<Vec<u32>>,
}

impl EncoderCourse {
    /// The recipe of the built-in encoder with `steps` steps.
    #[must_use]
    pub fn recipe(folder: PathBuf, steps: usize, seed: u64) -> Self {
        Self { folder, from: None, seed, steps, batch: recipe::BATCH, rate: recipe::RATE }
    }

    /// Trains; `report` sees every step and stops the training by returning `false`.
    ///
    /// # Errors
    /// [`ModelError`] when a file cannot be read or written, or from texts or arithmetic.
    pub fn run(&self, mut report: impl FnMut(&Progress) -> bool) -> Result<(), ModelError> {
        let (encoder, weights) = self.begin()?;
        encoder.save(&self.folder)?;
        let mut curve = Curve::new(&self.folder);
        let outcome = std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(4);
            let tokenizer = &encoder.tokenizer;
            scope.spawn(move || {
                let writer = Writer::new();
                for step in 0..self.steps as u64 {
                    let halves = (0..HALVES as u64).map(|half| self.batch(&writer, tokenizer, step, half)).collect();
                    if sender.send(halves).is_err() {
                        return;
                    }
                }
            });
            self.descend(&encoder, &weights, &receiver, &mut |progress| {
                curve.add(progress)?;
                if progress.step.is_multiple_of(SAVED_EVERY) {
                    encoder.save(&self.folder)?;
                }
                Ok(report(progress))
            })
        });
        outcome?;
        encoder.save(&self.folder)
    }

    fn begin(&self) -> Result<(Encoder, Weights), ModelError> {
        let config = recipe::config();
        let weights = recipe::weights(&config, self.seed)?;
        let tokenizer = match &self.from {
            None => {
                let texts = reading(recipe::READING, self.seed)?;
                let tokenizer = Tokenizer::learn(&texts, recipe::VOCABULARY)?;
                recipe::weigh(&weights, &tokenizer, &texts)?;
                tokenizer
            }
            Some(from) => {
                let encoder = Encoder::open(from)?;
                resume(&config, &weights, &encoder, from)?;
                encoder.tokenizer
            }
        };
        Ok((recipe::assemble(config, tokenizer, &weights)?, weights))
    }

    /// The pairs of one half of a step.
    fn batch(&self, writer: &Writer, tokenizer: &Tokenizer, step: u64, half: u64) -> Result<Batch, ModelError> {
        let mut rng = Rng::from_path(&[Rng::name("encoder"), self.seed, step, half]);
        let mut left = rng.unit() * MIXTURE.iter().sum::<f64>();
        let kind = Kind::ALL.into_iter().zip(MIXTURE).find(|(_, share)| {
            left -= share;
            left < 0.0
        });
        let kind = kind.map_or(Kind::Passkey, |(kind, _)| kind);
        let budget = rng.choose(&LENGTHS).copied().unwrap_or(128);
        let pairs = writer.pairs(kind, &mut rng, self.batch, budget, true)?;
        let tokens = |text: &str| {
            let mut ids = tokenizer.encode(text)?;
            ids.truncate(recipe::config().trained);
            Ok(ids)
        };
        let queries = pairs.iter().map(|pair| tokens(&pair.query)).collect::<Result<_, ModelError>>()?;
        let documents = pairs.iter().map(|pair| tokens(&pair.document)).collect::<Result<_, ModelError>>()?;
        Ok(Batch { kind, queries, documents })
    }

    #[expect(clippy::cast_precision_loss, reason = "steps far below 2^53")]
    fn descend(
        &self,
        encoder: &Encoder,
        weights: &Weights,
        steps: &Receiver<Result<Vec<Batch>, ModelError>>,
        report: &mut dyn FnMut(&Progress) -> Result<bool, ModelError>,
    ) -> Result<(), ModelError> {
        let parameters = ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.01 };
        let mut optimizer = AdamW::new(weights.values().cloned().collect(), parameters)?;
        for (number, halves) in steps.iter().enumerate() {
            let along = number as f64 / self.steps as f64;
            let warm = ((number + 1) as f64 / WARM_UP).min(1.0);
            optimizer.set_learning_rate(self.rate * (1.0 - 0.98 * along) * warm);
            let progress = step(encoder, weights, &mut optimizer, &halves?, number + 1)?;
            if !report(&progress)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// What the tokenizer learns from: `count` pairs of each kind, and some prompts of other tasks.
fn reading(count: usize, seed: u64) -> Result<Vec<String>, ModelError> {
    const TOKENS: u32 = 300;
    const PROMPTS: u32 = 6;
    let writer = Writer::new();
    let mut texts = Teacher::reading(PROMPTS, seed)?;
    for kind in Kind::ALL {
        let mut rng = Rng::from_path(&[Rng::name("encoder reading"), seed, Rng::name(kind.slug())]);
        for pair in writer.pairs(kind, &mut rng, count, TOKENS, false)? {
            texts.extend([pair.query, pair.document]);
        }
    }
    Ok(texts)
}

/// Sets `weights` to those of an encoder of the same shape.
fn resume(config: &EncoderConfig, weights: &Weights, encoder: &Encoder, from: &Path) -> Result<(), ModelError> {
    if encoder.config != *config {
        return Err(ModelError::Unsupported {
            what: format!("going on from {}", from.display()),
            supported: "only encoders of the recipe's own shape can be trained on".to_owned(),
        });
    }
    for (name, tensor) in encoder.tensors() {
        if let Some(var) = weights.get(&name) {
            var.set(&tensor)?;
        }
    }
    Ok(())
}

/// What one half contributes.
struct Half {
    loss: f64,
    right: usize,
    gradients: GradStore,
}

fn half(encoder: &Encoder, batch: &Batch) -> Result<Half, ModelError> {
    let slices = |texts: &[Vec<u32>]| contrast::vectors(encoder, &texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let (loss, right) = contrast::loss(&slices(&batch.queries)?, &slices(&batch.documents)?)?;
    let value = f64::from(loss.to_scalar::<f32>()?);
    let gradients = (loss / HALVES as f64)?.backward()?;
    Ok(Half { loss: value, right, gradients })
}

fn step(
    encoder: &Encoder,
    weights: &Weights,
    optimizer: &mut AdamW,
    halves: &[Batch],
    number: usize,
) -> Result<Progress, ModelError> {
    let done: Vec<Half> = std::thread::scope(|scope| {
        let running: Vec<_> = halves.iter().map(|batch| scope.spawn(move || half(encoder, batch))).collect();
        let ended = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(ModelError::Invalid("a thread of the step stopped".to_owned())))
        });
        ended.collect::<Result<_, _>>()
    })?;
    let mut progress = Progress { step: number, loss: 0.0, found: BTreeMap::new() };
    let mut total = None;
    for (half, batch) in done.into_iter().zip(halves) {
        progress.loss += half.loss / HALVES as f64;
        let (right, asked) = progress.found.entry(batch.kind).or_default();
        *right += half.right;
        *asked += batch.queries.len();
        total = Some(match total {
            Some(total) => sum(weights, total, &half.gradients)?,
            None => half.gradients,
        });
    }
    if let Some(mut gradients) = total {
        clip(weights, &mut gradients)?;
        optimizer.step(&gradients)?;
    }
    Ok(progress)
}

/// Means over some steps, one line each.
struct Curve {
    path: PathBuf,
    text: String,
    loss: f64,
    steps: usize,
    found: BTreeMap<Kind, (usize, usize)>,
}

impl Curve {
    fn new(folder: &Path) -> Self {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        let text = format!("step\tloss_nats\t{}\n", names.join("\t"));
        Self { path: folder.join("curve.tsv"), text, loss: 0.0, steps: 0, found: BTreeMap::new() }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a few steps")]
    fn add(&mut self, progress: &Progress) -> Result<(), ModelError> {
        self.loss += progress.loss;
        self.steps += 1;
        for (kind, (right, asked)) in &progress.found {
            let entry = self.found.entry(*kind).or_default();
            *entry = (entry.0 + right, entry.1 + asked);
        }
        if self.steps < CURVE_EVERY {
            return Ok(());
        }
        let _ = write!(self.text, "{}\t{:.4}", progress.step, self.loss / self.steps as f64);
        for kind in Kind::ALL {
            let (right, asked) = self.found.get(&kind).copied().unwrap_or_default();
            let _ = write!(self.text, "\t{:.3}", right as f64 / asked.max(1) as f64);
        }
        self.text.push('\n');
        (self.loss, self.steps) = (0.0, 0);
        self.found.clear();
        std::fs::write(&self.path, &self.text).map_err(|error| ModelError::unreadable(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::Positions;

    #[test]
    fn a_few_steps_lower_the_loss_leave_an_encoder_and_come_again() {
        let folder = tempfile::TempDir::new().unwrap();
        let train = |name: &str, steps: usize| {
            let folder = folder.path().join(name);
            let course = EncoderCourse { batch: 4, rate: 2e-2, ..EncoderCourse::recipe(folder.clone(), steps, 1) };
            let mut losses = Vec::new();
            course
                .run(|progress| {
                    losses.push(progress.loss);
                    true
                })
                .unwrap();
            (losses, folder)
        };
        let (losses, first) = train("first", 25);
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        assert!(mean(&losses[20..]) < mean(&losses[..5]) - 0.1, "{losses:?}");
        // The rate falls along the course: a shorter one is the same up to its second loss.
        assert_eq!(losses[..2], train("second", 2).0[..]);
        let encoder = Encoder::open(&first).unwrap();
        assert_eq!(encoder.embed(&["Who is it?"], Positions::Group).unwrap()[0].len(), 128);
        assert!(std::fs::read_to_string(first.join("curve.tsv")).unwrap().lines().count() == 2);
        let on = EncoderCourse { from: Some(first.clone()), ..EncoderCourse::recipe(first, 0, 9) };
        on.run(|_| true).unwrap();
    }
}
