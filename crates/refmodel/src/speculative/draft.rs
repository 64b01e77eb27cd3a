//! A drafter at work: it proposes, the target judges, both caches are taken back to what is decided.

use longboard_suites::rng::Rng;

use super::{Decode, Rule, accepts, residual, sample};
use crate::error::ModelError;
use crate::model::{CHUNK, Feed, Model, greedy};
use crate::policy::Card;
use crate::retrieval::Retrieval;
use crate::sequence::Sequence;

/// Policies under which several tokens in one pass read what they would read one by one, and nothing is evicted, so that
/// tokens can be taken back.
pub(super) const TARGETS: [&str; 9] = [
    "dense",
    "log-n",
    "minference-a-shape",
    "minference-vertical-slash",
    "minference-block-sparse",
    "moba",
    "self-extend",
    "grouped-positions",
    "recurrent-positions",
];

/// Drafters go token by token, so nothing may be evicted but tokens may choose for themselves.
pub(super) fn drafters() -> Vec<&'static str> {
    TARGETS.into_iter().chain(["quest"]).collect()
}

/// What drafting did for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The way of decoding.
    pub decode: Decode,
    /// The answer's law is not the target's own.
    pub transfer: bool,
    /// Tokens proposed.
    pub proposed: usize,
    /// Proposals kept.
    pub accepted: usize,
    /// Passes of the target after the prompt.
    pub target_passes: usize,
    /// Tokens of the drafter's prompt.
    pub draft_prompt_tokens: usize,
}

impl Tally {
    /// Share of proposals kept; nothing without proposals.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "token counts")]
    pub fn acceptance(&self) -> Option<f64> {
        (self.proposed > 0).then(|| self.accepted as f64 / self.proposed as f64)
    }
}

/// A drafter and the rule.
pub struct Speculator {
    decode: Decode,
    rule: Rule,
    seed: u64,
    drafter: Model,
    retrieval: Retrieval,
}

/// The drafter's side of one text.
pub struct Draft {
    sequence: Sequence,
    prompt: Vec<u32>,
    read: usize,
    /// Tokens of the answer that the drafter has not read.
    unread: Vec<u32>,
    rng: Rng,
    tally: Tally,
}

impl Draft {
    /// What drafting did so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Tokens that the drafter has read.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.sequence.tokens()
    }

    /// Last tokens of the answer, which the drafter has not read.
    #[must_use]
    pub fn unread(&self) -> &[u32] {
        &self.unread
    }

    /// Bytes of the drafter's cache.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.sequence.bytes()
    }
}

/// A token of the answer and the target's logits for it.
pub type Judged = (u32, Vec<f32>);

impl Speculator {
    /// `drafter`, whose policy is `draft_policy`, drafts for `target`, whose policy is `policy`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when a policy cannot take tokens back; [`ModelError::Invalid`] for a parameter or when
    /// the two have different tokenizers.
    pub fn new(
        decode: Decode,
        given: &[(String, f64)],
        (target, policy): (&Model, &Card),
        (drafter, draft_policy): (Model, &Card),
    ) -> Result<Self, ModelError> {
        let (rule, seed) = decode.rule(given)?;
        for (card, known, role) in [(policy, TARGETS.to_vec(), "target"), (draft_policy, drafters(), "drafter")] {
            if !known.contains(&card.slug) {
                return Err(ModelError::Unsupported {
                    what: format!("the policy {} for the {role} of speculative decoding", card.slug),
                    supported: format!("it must be able to take tokens back: {}", known.join(", ")),
                });
            }
        }
        let sizes = [&target.decoder, &drafter.decoder].map(|decoder| decoder.config.vocab_size);
        if sizes[0] != sizes[1] || !target.tokenizer.same(&drafter.tokenizer)? {
            return Err(ModelError::Invalid(
                "target and drafter have different tokenizers; choose a drafter of the same family".to_owned(),
            ));
        }
        Ok(Self { decode, rule, seed, drafter, retrieval: Retrieval::default() })
    }

    /// Another way to shorten RAPID's prompts.
    #[must_use]
    pub fn with_retrieval(self, retrieval: Retrieval) -> Self {
        Self { retrieval, ..self }
    }

    /// Most bytes of the drafter's cache for a prompt and an answer of so many tokens.
    #[must_use]
    pub fn cache_bytes(&self, prompt: usize, answer: usize) -> u64 {
        let prompt = if self.decode == Decode::Rapid { self.retrieval.budget(prompt) } else { prompt };
        self.drafter.cache_bytes(prompt + answer)
    }

    /// The drafter's side of a text with this prompt.
    #[must_use]
    pub fn begin(&self, prompt: &[u32]) -> Draft {
        let prompt = if self.decode == Decode::Rapid { self.retrieval.short(prompt) } else { prompt.to_vec() };
        let tally = Tally {
            decode: self.decode,
            transfer: self.rule.eta > 0.0,
            proposed: 0,
            accepted: 0,
            target_passes: 0,
            draft_prompt_tokens: prompt.len(),
        };
        Draft {
            sequence: self.drafter.sequence_for(prompt.len()),
            prompt,
            read: 0,
            unread: Vec::new(),
            rng: Rng::from_path(&[self.seed]),
            tally,
        }
    }

    /// The drafter reads the next chunk of its prompt; `true` once it has read all.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn read(&self, draft: &mut Draft) -> Result<bool, ModelError> {
        let to = (draft.read + CHUNK).min(draft.prompt.len());
        let ids = draft.prompt.get(draft.read..to).unwrap_or_default();
        if !ids.is_empty() {
            let prompt_ends = to == draft.prompt.len();
            self.drafter.forward(&mut [Feed { sequence: &mut draft.sequence, ids, wanted: 1, prompt_ends }])?;
            draft.read = to;
        }
        Ok(to == draft.prompt.len())
    }

    /// The first token of the answer, from the target's logits after the prompt.
    pub fn first(&self, draft: &mut Draft, logits: &[f32]) -> u32 {
        let token = sample(&self.rule.law(logits), draft.rng.unit());
        draft.unread.push(token);
        token
    }

    /// The next tokens of the answer, at least 1 and at most `most`, when the target has read all but its `last` one.
    /// Both caches then hold what is decided but for the last token.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn block(
        &self,
        target: &Model,
        sequence: &mut Sequence,
        draft: &mut Draft,
        last: u32,
        most: usize,
    ) -> Result<Vec<Judged>, ModelError> {
        let (start, draft_start) = (sequence.tokens(), draft.sequence.tokens());
        let proposed = self.propose(draft, self.rule.gamma.min(most.saturating_sub(1)))?;
        let ids: Vec<u32> = std::iter::once(last).chain(proposed.iter().map(|(token, _)| *token)).collect();
        let feed = Feed { sequence: &mut *sequence, ids: &ids, wanted: ids.len(), prompt_ends: false };
        let rows = target.forward(&mut [feed])?.pop().unwrap_or_default();
        let decided = self.judge(draft, &proposed, rows);
        let accepted = decided.len().saturating_sub(1);
        sequence.truncate(start + 1 + accepted);
        if let Some(fed) = proposed.len().checked_sub(1) {
            draft.sequence.truncate(draft_start + draft.unread.len() + accepted.min(fed));
            draft.unread = decided.iter().skip(accepted.min(fed)).map(|(token, _)| *token).collect();
        } else {
            draft.unread.extend(decided.iter().map(|(token, _)| *token));
        }
        draft.tally.proposed += proposed.len();
        draft.tally.accepted += accepted;
        draft.tally.target_passes += 1;
        Ok(decided)
    }

    /// Up to `count` tokens with the drafter's logits for them. The last one is not read.
    fn propose(&self, draft: &mut Draft, count: usize) -> Result<Vec<Judged>, ModelError> {
        let mut proposed: Vec<Judged> = Vec::new();
        while proposed.len() < count && proposed.last().is_none_or(|(token, _)| !self.drafter.tokenizer.is_end(*token))
        {
            let next = proposed.last().map(|(token, _)| [*token]);
            let ids = next.as_ref().map_or(draft.unread.as_slice(), |next| next);
            let feed = Feed { sequence: &mut draft.sequence, ids, wanted: 1, prompt_ends: false };
            let logits = self.drafter.forward(&mut [feed])?.pop().and_then(|mut rows| rows.pop()).unwrap_or_default();
            let token = if self.rule.temperature > 0.0 {
                sample(&self.rule.law(&logits), draft.rng.unit())
            } else {
                greedy(&logits)
            };
            proposed.push((token, logits));
        }
        Ok(proposed)
    }

    /// The proposals up to the first that is not kept, and the token in its place or after all of them.
    fn judge(&self, draft: &mut Draft, proposed: &[Judged], rows: Vec<Vec<f32>>) -> Vec<Judged> {
        let mut decided = Vec::with_capacity(rows.len());
        let mut proposed = proposed.iter();
        for row in rows {
            let Some((token, logits)) = proposed.next() else {
                let bonus = sample(&self.rule.law(&row), draft.rng.unit());
                decided.push((bonus, row));
                break;
            };
            let (target_law, draft_law) = (self.rule.transferred(&row, logits), self.rule.law(logits));
            if !accepts(&target_law, &draft_law, *token, draft.rng.unit()) {
                let instead = sample(&residual(&target_law, &draft_law), draft.rng.unit());
                decided.push((instead, row));
                break;
            }
            decided.push((*token, row));
        }
        decided
    }

    /// Answers a prompt until the end token or `most` tokens; returns the answer's tokens and what drafting did.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn generate(&self, target: &Model, ids: &[u32], most: usize) -> Result<(Vec<u32>, Tally), ModelError> {
        let mut sequence = target.sequence_for(ids.len());
        let mut draft = self.begin(ids);
        let logits = target.prefill(&mut sequence, ids)?;
        while !self.read(&mut draft)? {}
        let mut answer = vec![self.first(&mut draft, &logits)];
        let over = |answer: &[u32]| answer.iter().position(|token| target.tokenizer.is_end(*token));
        while over(&answer).is_none() && answer.len() < most {
            let (last, left) = (answer.last().copied().unwrap_or(0), most - answer.len());
            let block = self.block(target, &mut sequence, &mut draft, last, left)?;
            answer.extend(block.into_iter().map(|(token, _)| token));
        }
        answer.truncate(over(&answer).unwrap_or(most));
        Ok((answer, draft.tally))
    }
}
