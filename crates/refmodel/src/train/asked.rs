//! What the rows of a batch are to predict, and how well a decoder does.

use std::ops::Range;

use candle_core::{D, Device, Tensor};

use super::forward::{self, Gaze, Tables};
use crate::decoder::Decoder;
use crate::error::ModelError;

/// Tokens of one sequence and the stretches of them that are to be predicted.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Tokens.
    pub ids: &'a [u32],
    /// Stretches of `ids`; none starts at 0, which has nothing before it.
    pub answers: &'a [Range<usize>],
}

/// Which places of a batch are to predict which tokens.
pub(super) struct Asked {
    /// `row * length + place` of the token before each target.
    pub places: Vec<u32>,
    /// Tokens to predict.
    pub targets: Vec<u32>,
    /// Row of each answer and its stretch of `targets`.
    pub answers: Vec<(usize, Range<usize>)>,
}

impl Asked {
    pub fn of(rows: &[Row<'_>], length: usize) -> Self {
        let mut asked = Self { places: Vec::new(), targets: Vec::new(), answers: Vec::new() };
        for (index, row) in rows.iter().enumerate() {
            for answer in row.answers {
                let from = asked.places.len();
                for place in answer.clone() {
                    asked.places.push(u32::try_from(index * length + place - 1).unwrap_or(0));
                    asked.targets.push(row.ids.get(place).copied().unwrap_or(0));
                }
                asked.answers.push((index, from..asked.places.len()));
            }
        }
        asked
    }

    /// Row of each answer, and whether all its tokens are the likeliest ones.
    pub fn graded(&self, logits: &Tensor) -> candle_core::Result<Vec<(usize, bool)>> {
        let best = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
        let right = |range: &Range<usize>| best.get(range.clone()) == self.targets.get(range.clone());
        Ok(self.answers.iter().map(|(row, range)| (*row, right(range))).collect())
    }

    /// Hidden states `[targets, hidden]` before each target.
    pub fn hidden(
        &self,
        decoder: &Decoder,
        rows: &[Row<'_>],
        tables: &Tables,
        gaze: &dyn Gaze,
    ) -> Result<Tensor, ModelError> {
        let length = tables.length();
        let mut ids = vec![0; rows.len() * length];
        for (padded, row) in ids.chunks_mut(length).zip(rows) {
            padded.iter_mut().zip(row.ids).for_each(|(padded, id)| *padded = *id);
        }
        let ids = Tensor::from_vec(ids, (rows.len(), length), &Device::Cpu)?;
        let hidden = forward::hidden_through(decoder, &ids, tables, gaze)?.flatten_to(1)?;
        let places = Tensor::new(self.places.as_slice(), &Device::Cpu)?;
        Ok(hidden.index_select(&places, 0)?)
    }

    /// Cross entropy in nats of each target, `[targets]`, under logits `[targets, vocab]`. The maximum is a constant: it
    /// cancels in the gradient.
    pub fn losses(&self, logits: &Tensor) -> candle_core::Result<Tensor> {
        let targets = Tensor::new(self.targets.as_slice(), &Device::Cpu)?;
        let most = logits.max_keepdim(D::Minus1)?.detach();
        let logits = logits.broadcast_sub(&most)?;
        let total = logits.exp()?.sum_keepdim(D::Minus1)?.log()?;
        let picked = logits.gather(&targets.unsqueeze(1)?, 1)?;
        (total - picked)?.flatten_all()
    }
}

/// Sequences that pass through the decoder together when nothing is trained.
const TOGETHER: usize = 6;

/// What a decoder makes of some rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answered {
    /// Cross entropy in nats, summed over the asked tokens.
    pub loss: f64,
    /// Asked tokens.
    pub tokens: usize,
    /// Answers of which every token was the likeliest.
    pub right: usize,
    /// Answers.
    pub answers: usize,
}

impl Answered {
    /// Cross entropy in nats per asked token; 0 when none was asked.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "token counts")]
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.tokens.max(1) as f64
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            loss: self.loss + other.loss,
            tokens: self.tokens + other.tokens,
            right: self.right + other.right,
            answers: self.answers + other.answers,
        }
    }

    /// Exponential of the mean loss.
    #[must_use]
    pub fn perplexity(&self) -> f64 {
        self.mean_loss().exp()
    }
}

/// What `decoder` makes of each row.
///
/// # Errors
/// [`ModelError::Compute`].
pub fn answered(decoder: &Decoder, rows: &[Row<'_>]) -> Result<Vec<Answered>, ModelError> {
    let mut all = Vec::with_capacity(rows.len());
    for rows in rows.chunks(TOGETHER) {
        let longest = rows.iter().map(|row| row.ids.len()).max().unwrap_or(1);
        let tables = Tables::fitting(&decoder.config, longest, &Device::Cpu)?;
        let asked = Asked::of(rows, tables.length());
        let mut found = vec![Answered::default(); rows.len()];
        if !asked.targets.is_empty() {
            let logits = decoder.logits(&asked.hidden(decoder, rows, &tables, &forward::Dense)?)?;
            let losses = asked.losses(&logits)?.to_vec1::<f32>()?;
            for ((row, range), (_, right)) in asked.answers.iter().zip(asked.graded(&logits)?) {
                let Some(found) = found.get_mut(*row) else { continue };
                found.loss += losses.get(range.clone()).unwrap_or_default().iter().copied().map(f64::from).sum::<f64>();
                found.tokens += range.len();
                found.right += usize::from(right);
                found.answers += 1;
            }
        }
        all.extend(found);
    }
    Ok(all)
}
