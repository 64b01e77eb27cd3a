//! The training loop.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};

use candle_core::backprop::GradStore;
use candle_core::{DType, Device};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use super::asked::{Asked, Row};
use super::forward::{Dense, Tables};
use super::lesson::{Lesson, Subject};
use super::start::Weights;
use super::supply::Supply;
use crate::decoder::Decoder;
use crate::error::ModelError;

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
    /// Share of lessons that are several shorter ones in a knot.
    pub knots: f64,
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

/// Trains `weights` in place through `phases`; `report` sees every step and stops the training by returning `false`.
///
/// # Errors
/// [`ModelError`] from lessons or arithmetic.
pub fn train(
    decoder: &Decoder,
    weights: &Weights,
    supply: &Supply<'_>,
    phases: &[Phase],
    mut report: impl FnMut(&Progress) -> Result<bool, ModelError>,
) -> Result<(), ModelError> {
    let parameters = ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.01 };
    let mut optimizer = AdamW::new(weights.values().cloned().collect(), parameters)?;
    let mut step = 0;
    for (index, phase) in phases.iter().enumerate() {
        let tables = Tables::new(&decoder.config, phase.length, &Device::Cpu)?;
        let outcome = std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(4);
            scope.spawn(move || {
                for number in 0..phase.steps as u64 {
                    if sender.send(supply.batch(phase, index as u64, number)).is_err() {
                        return;
                    }
                }
            });
            run(decoder, weights, &mut optimizer, phase, &tables, &receiver, &mut step, &mut report)
        });
        if !outcome? {
            return Ok(());
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the state of one loop")]
#[expect(clippy::cast_precision_loss, reason = "steps far below 2^53")]
fn run(
    decoder: &Decoder,
    weights: &Weights,
    optimizer: &mut AdamW,
    phase: &Phase,
    tables: &Tables,
    batches: &Receiver<Result<Vec<Lesson>, ModelError>>,
    step: &mut usize,
    report: &mut impl FnMut(&Progress) -> Result<bool, ModelError>,
) -> Result<bool, ModelError> {
    for (number, batch) in batches.iter().enumerate() {
        let batch = batch?;
        let along = number as f64 / phase.steps as f64;
        let warm = ((*step + 1) as f64 / WARM_UP as f64).min(1.0);
        let rate = (phase.rate.0 + (phase.rate.1 - phase.rate.0) * along) * warm;
        let (loss, answers) = descend(decoder, weights, optimizer, &batch, tables, rate)?;
        *step += 1;
        if !report(&Progress { step: *step, loss, answers })? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Parts of a batch. Their gradients are summed in order, so the same seed gives the same weights on any number of cores.
const PARTS: usize = 2;

type Answers = BTreeMap<Subject, (usize, usize)>;

/// One step. Parts of the batch run side by side, each on one thread: products of this size gain little from more.
fn descend(
    decoder: &Decoder,
    weights: &Weights,
    optimizer: &mut AdamW,
    batch: &[Lesson],
    tables: &Tables,
    rate: f64,
) -> Result<(f64, Answers), ModelError> {
    let asked: usize = batch.iter().flat_map(|lesson| &lesson.answers).map(ExactSizeIterator::len).sum();
    let parts = batch.chunks(batch.len().div_ceil(PARTS).max(1));
    let done: Vec<Part> = std::thread::scope(|scope| {
        let running: Vec<_> = parts.map(|lessons| scope.spawn(move || part(decoder, lessons, tables, asked))).collect();
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
fn part(decoder: &Decoder, lessons: &[Lesson], tables: &Tables, asked_in_all: usize) -> Result<Part, ModelError> {
    let rows: Vec<Row<'_>> = lessons.iter().map(Lesson::row).collect();
    let asked = Asked::of(&rows, tables.length());
    if asked.targets.is_empty() {
        return Ok(Part { loss: 0.0, answers: Answers::new(), gradients: None });
    }
    let logits = decoder.logits(&asked.hidden(decoder, &rows, tables, &Dense)?)?;
    let share = asked.targets.len() as f64 / asked_in_all.max(1) as f64;
    let loss = (asked.losses(&logits)?.mean_all()? * share)?;
    let gradients = loss.backward()?;
    let mut answers = Answers::new();
    for (row, right) in asked.graded(&logits)? {
        let Some(lesson) = lessons.get(row) else { continue };
        let entry = answers.entry(lesson.subject).or_default();
        *entry = (entry.0 + usize::from(right), entry.1 + 1);
    }
    Ok(Part { loss: f64::from(loss.to_scalar::<f32>()?), answers, gradients: Some(gradients) })
}

pub(super) fn sum(weights: &Weights, mut total: GradStore, part: &GradStore) -> candle_core::Result<GradStore> {
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

/// Scales gradients so that their norm is at most [`CLIP`] (Pascanu et al. 2013).
pub(super) fn clip(weights: &Weights, gradients: &mut GradStore) -> candle_core::Result<()> {
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
