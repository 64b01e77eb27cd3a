//! Drafted answers: the requests under way take turns, a chunk of a prompt or a block of an answer each.

use super::{Event, Job, Shift};
use crate::error::ModelError;
use crate::model::{CHUNK, Feed, Model};
use crate::speculative::{Judged, Speculator};

impl Shift {
    /// The turn of the request that waited longest.
    pub(super) fn draft(&mut self) {
        let Some(speculator) = &self.speculator else { return };
        if self.running.is_empty() {
            return;
        }
        let mut job = self.running.remove(0);
        let over = match job.turn(&self.model, speculator) {
            Ok(tokens) => tokens.into_iter().any(|(token, logits)| job.append(&self.model, token, &logits)),
            Err(error) => {
                (job.listener)(Event::Failed(error));
                true
            }
        };
        if !over {
            self.running.push(job);
        }
    }
}

impl Job {
    /// The next tokens of the answer; none while the prompts of target and drafter are read.
    fn turn(&mut self, model: &Model, speculator: &Speculator) -> Result<Vec<Judged>, ModelError> {
        let Some(draft) = &mut self.draft else { return Ok(Vec::new()) };
        if !speculator.read(draft)? {
            return Ok(Vec::new());
        }
        if let Some(last) = self.answer.last() {
            let left = self.request.max_tokens.saturating_sub(self.answer.len());
            return speculator.block(model, &mut self.sequence, draft, *last, left);
        }
        let to = (self.read + CHUNK).min(self.prompt.len());
        let ids = self.prompt.get(self.read..to).unwrap_or_default();
        let prompt_ends = to == self.prompt.len();
        let rows = model.forward(&mut [Feed { sequence: &mut self.sequence, ids, wanted: 1, prompt_ends }])?;
        self.read = to;
        let logits = rows.into_iter().next().and_then(|mut rows| rows.pop());
        let first = |logits: Vec<f32>| (speculator.first(draft, &logits), logits);
        Ok(if prompt_ends { logits.map(first).into_iter().collect() } else { Vec::new() })
    }
}
