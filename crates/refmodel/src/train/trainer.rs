//! The training loop.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};

use candle_core::backprop::GradStore;
use candle_core::{D, DType, Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use longboard_suites::rng::Rng;

use super::forward::{self, Tables};
use super::lesson::{Lesson, Subject, Teacher};
use super::start::Weights;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// A stretch of training with one batch shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Steps.
    pub steps: usize,
    /// Tokens of a sequence; a multiple of the window.
    pub length: usize,
    /// Sequences of a step.
    pub batch: usize,
    /// Learning rate at its start and end.
    pub rate: (f64, f64),
    /// How often each subject comes, in the order of [`Subject::ALL`].
    pub mixture: [f64; 5],
}

/// What a step showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Steps done, over all phases.
    pub step: usize,
    /// Cross entropy in nats per answer token.
    pub loss: f64,
    /// Answers by subject: (all tokens right, asked).
    pub answers: BTreeMap<Subject, (usize, usize)>,
}

/// Largest norm of all gradients together.
const CLIP: f64 = 1.0;

/// Steps over which the learning rate rises.
const WARM_UP: usize = 100;

struct Batch {
    lessons: Vec<Lesson>,
}

/// Trains `weights` in place through `phases`; `report` sees every step and stops the training by returning `false`.
///
/// # Errors
/// [`ModelError`] from lessons or arithmetic.
pub fn train(
    decoder: &Decoder,
    weights: &Weights,
    tokenizer: &Tokenizer,
    phases: &[Phase],
    seed: u64,
    mut report: impl FnMut(&Progress) -> Result<bool, ModelError>,
) -> Result<(), ModelError> {
    let parameters = ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.01 };
    let mut optimizer = AdamW::new(weights.values().cloned().collect(), parameters)?;
    let mut step = 0;
    for (index, phase) in phases.iter().enumerate() {
        let tables = Tables::new(&decoder.config, phase.length, &Device::Cpu)?;
        let outcome = std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(4);
            let course = Rng::name("course").wrapping_add(index as u64).wrapping_add(seed.wrapping_mul(1_000_003));
            scope.spawn(move || {
                let Ok(teacher) = Teacher::new(tokenizer) else { return };
                for number in 0..phase.steps as u64 {
                    if sender.send(batch(&teacher, phase, course, number)).is_err() {
                        return;
                    }
                }
            });
            run(decoder, weights, &mut optimizer, phase, &tables, &receiver, &mut step, tokenizer.end(), &mut report)
        });
        if !outcome? {
            return Ok(());
        }
    }
    Ok(())
}

fn batch(teacher: &Teacher<'_>, phase: &Phase, course: u64, number: u64) -> Result<Batch, ModelError> {
    let total: f64 = phase.mixture.iter().sum();
    let lessons = (0..phase.batch as u64)
        .map(|place| {
            let mut rng = Rng::from_path(&[course, number, place]);
            let mut left = rng.unit() * total;
            let subject = Subject::ALL.into_iter().zip(phase.mixture).find(|(_, share)| {
                left -= share;
                left < 0.0
            });
            let subject = subject.map_or(Subject::Needle, |(subject, _)| subject);
            let limit = phase.length - rng.index(phase.length / 3);
            teacher.lesson(subject, rng.next_u64(), limit)
        })
        .collect::<Result<_, _>>()?;
    Ok(Batch { lessons })
}

#[expect(clippy::too_many_arguments, reason = "the state of one loop")]
#[expect(clippy::cast_precision_loss, reason = "steps far below 2^53")]
fn run(
    decoder: &Decoder,
    weights: &Weights,
    optimizer: &mut AdamW,
    phase: &Phase,
    tables: &Tables,
    batches: &Receiver<Result<Batch, ModelError>>,
    step: &mut usize,
    pad: u32,
    report: &mut impl FnMut(&Progress) -> Result<bool, ModelError>,
) -> Result<bool, ModelError> {
    for (number, batch) in batches.iter().enumerate() {
        let batch = batch?;
        let along = number as f64 / phase.steps as f64;
        let warm = ((*step + 1) as f64 / WARM_UP as f64).min(1.0);
        let rate = (phase.rate.0 + (phase.rate.1 - phase.rate.0) * along) * warm;
        let (loss, answers) = descend(decoder, weights, optimizer, &batch, tables, pad, rate)?;
        *step += 1;
        if !report(&Progress { step: *step, loss, answers })? {
            return Ok(false);
        }
    }
    Ok(true)
}

type Answers = BTreeMap<Subject, (usize, usize)>;

/// One step. Parts of the batch run side by side, each on one thread: products of this size gain little from more.
fn descend(
    decoder: &Decoder,
    weights: &Weights,
    optimizer: &mut AdamW,
    batch: &Batch,
    tables: &Tables,
    pad: u32,
    rate: f64,
) -> Result<(f64, Answers), ModelError> {
    let parts = std::thread::available_parallelism().map_or(1, usize::from).min(batch.lessons.len()).max(1);
    let asked: usize = batch.lessons.iter().flat_map(|lesson| &lesson.answers).map(ExactSizeIterator::len).sum();
    let parts = batch.lessons.chunks(batch.lessons.len().div_ceil(parts));
    let done: Vec<Part> = std::thread::scope(|scope| {
        let running: Vec<_> =
            parts.map(|lessons| scope.spawn(move || part(decoder, lessons, tables, pad, asked))).collect();
        let ended = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(ModelError::Invalid("a thread of the step stopped".to_owned())))
        });
        ended.collect::<Result<_, _>>()
    })?;
    let (mut loss, mut answers, mut total) = (0.0, Answers::new(), None);
    for part in done {
        loss += part.loss;
        for (subject, (right, asked)) in part.answers {
            let entry = answers.entry(subject).or_default();
            *entry = (entry.0 + right, entry.1 + asked);
        }
        total = match (total, part.gradients) {
            (Some(total), Some(gradients)) => Some(sum(weights, total, &gradients)?),
            (total, gradients) => total.or(gradients),
        };
    }
    if let Some(mut gradients) = total {
        clip(weights, &mut gradients)?;
        optimizer.set_learning_rate(rate);
        optimizer.step(&gradients)?;
    }
    Ok((loss, answers))
}

/// What a part of a batch contributes.
struct Part {
    loss: f64,
    answers: Answers,
    gradients: Option<GradStore>,
}

/// The share of `lessons` in a mean over `asked_in_all` tokens.
#[expect(clippy::cast_precision_loss, reason = "tokens of a batch")]
fn part(
    decoder: &Decoder,
    lessons: &[Lesson],
    tables: &Tables,
    pad: u32,
    asked_in_all: usize,
) -> Result<Part, ModelError> {
    let length = tables.length();
    let asked = Asked::of(lessons, length);
    if asked.targets.is_empty() {
        return Ok(Part { loss: 0.0, answers: Answers::new(), gradients: None });
    }
    let mut ids = Vec::with_capacity(lessons.len() * length);
    for lesson in lessons {
        ids.extend_from_slice(&lesson.ids);
        ids.extend(std::iter::repeat_n(pad, length - lesson.ids.len()));
    }
    let ids = Tensor::from_vec(ids, (lessons.len(), length), &Device::Cpu)?;
    let hidden = forward::hidden(decoder, &ids, tables)?.flatten_to(1)?;
    let places = Tensor::new(asked.places.as_slice(), &Device::Cpu)?;
    let logits = decoder.logits(&hidden.index_select(&places, 0)?)?;
    let targets = Tensor::new(asked.targets.as_slice(), &Device::Cpu)?;
    let share = asked.targets.len() as f64 / asked_in_all.max(1) as f64;
    let loss = (cross_entropy(&logits, &targets)? * share)?;
    let gradients = loss.backward()?;
    let best = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
    Ok(Part { loss: f64::from(loss.to_scalar::<f32>()?), answers: asked.graded(&best), gradients: Some(gradients) })
}

fn sum(weights: &Weights, mut total: GradStore, part: &GradStore) -> candle_core::Result<GradStore> {
    for var in weights.values() {
        if let Some(gradient) = part.get(var) {
            let gradient = match total.remove(var) {
                Some(before) => (before + gradient)?,
                None => gradient.clone(),
            };
            total.insert(var, gradient);
        }
    }
    Ok(total)
}

/// Mean cross entropy in nats. The maximum is a constant: it cancels in the gradient.
pub(super) fn cross_entropy(logits: &Tensor, targets: &Tensor) -> candle_core::Result<Tensor> {
    let most = logits.max_keepdim(D::Minus1)?.detach();
    let logits = logits.broadcast_sub(&most)?;
    let total = logits.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let picked = logits.gather(&targets.unsqueeze(1)?, 1)?;
    (total - picked)?.mean_all()
}

/// Scales gradients so that their norm is at most [`CLIP`] (Pascanu et al. 2013).
fn clip(weights: &Weights, gradients: &mut GradStore) -> candle_core::Result<()> {
    let mut squares = 0.0;
    for var in weights.values() {
        if let Some(gradient) = gradients.get(var) {
            squares += f64::from(gradient.sqr()?.sum_all()?.to_dtype(DType::F32)?.to_scalar::<f32>()?);
        }
    }
    let norm = squares.sqrt();
    if norm <= CLIP {
        return Ok(());
    }
    for var in weights.values() {
        if let Some(gradient) = gradients.remove(var) {
            gradients.insert(var, (gradient * (CLIP / norm))?);
        }
    }
    Ok(())
}

/// Which places of a batch are to predict which tokens.
struct Asked {
    places: Vec<u32>,
    targets: Vec<u32>,
    answers: Vec<(Subject, std::ops::Range<usize>)>,
}

impl Asked {
    fn of(lessons: &[Lesson], length: usize) -> Self {
        let mut asked = Self { places: Vec::new(), targets: Vec::new(), answers: Vec::new() };
        for (row, lesson) in lessons.iter().enumerate() {
            for answer in &lesson.answers {
                let from = asked.places.len();
                for place in answer.clone() {
                    asked.places.push(u32::try_from(row * length + place - 1).unwrap_or(0));
                    asked.targets.push(lesson.ids.get(place).copied().unwrap_or(0));
                }
                asked.answers.push((lesson.subject, from..asked.places.len()));
            }
        }
        asked
    }

    fn graded(&self, best: &[u32]) -> Answers {
        let mut answers = Answers::new();
        for (subject, range) in &self.answers {
            let right = best.get(range.clone()) == self.targets.get(range.clone());
            let entry = answers.entry(*subject).or_default();
            entry.0 += usize::from(right);
            entry.1 += 1;
        }
        answers
    }
}
