//! Speculative decoding: a drafter proposes tokens, the target judges them in one pass.
//!
//! The rule is that of Leviathan et al. 2023 (arXiv 2211.17192, section 2.3), with the transfer of RAPID (Chen et al.
//! 2025, PMLR 267:8093-8107): the law of the target is moved towards the drafter, who read a retrieved short context.
//! Without transfer the law of the answer is the target's own; with it, it is the moved one.

mod draft;

pub use draft::{Draft, Judged, Speculator, Tally};

use crate::error::ModelError;
use crate::page::PAGE;
use crate::policy::Parameter;

/// A way of decoding with a drafter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decode {
    /// Lossless.
    Plain,
    /// The drafter reads a retrieved short context, and the target may learn from it.
    Rapid,
}

const GAMMA: Parameter = Parameter { name: "gamma", help: "tokens proposed at a time", default: 10.0, least: 1.0 };
const TEMPERATURE: Parameter =
    Parameter { name: "temperature", help: "of the answer; 0 is greedy", default: 0.0, least: 0.0 };
const SEED: Parameter = Parameter { name: "seed", help: "of the draws above temperature 0", default: 0.0, least: 0.0 };
const ETA: Parameter =
    Parameter { name: "eta", help: "strength of the transfer; 0 is lossless", default: 10.0, least: 0.0 };
const NO_ETA: Parameter = Parameter { default: 0.0, ..ETA };

impl Decode {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Rapid];

    /// Name.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Rapid => "rapid",
        }
    }

    /// One by name.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names both.
    pub fn find(slug: &str) -> Result<Self, ModelError> {
        Self::ALL.into_iter().find(|decode| decode.slug() == slug).ok_or_else(|| ModelError::Unsupported {
            what: format!("the decoding `{slug}`"),
            supported: "supported are plain and rapid".to_owned(),
        })
    }

    /// Numbers it can be given.
    #[must_use]
    pub fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::Plain => &[GAMMA, NO_ETA, TEMPERATURE, SEED],
            Self::Rapid => &[GAMMA, ETA, TEMPERATURE, SEED],
        }
    }

    /// The rule and the seed of its draws, from the defaults and what is `given`.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] names the parameter and what is allowed.
    pub fn rule(self, given: &[(String, f64)]) -> Result<(Rule, u64), ModelError> {
        let known = self.parameters();
        for (name, value) in given {
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
                let (slug, names) = (self.slug(), names.join(", "));
                return Err(ModelError::Invalid(format!("{slug} has no parameter `{name}`; it has {names}")));
            };
            let most = match (self, parameter.name) {
                (Self::Plain, "eta") => 0.0,
                // Local layers keep a page beyond their window, so that much can be taken back.
                (_, "gamma") => PAGE as f64 - 1.0,
                _ => 1e9,
            };
            if !(parameter.least..=most).contains(value) {
                let (least, slug) = (parameter.least, self.slug());
                return Err(ModelError::Invalid(format!("{name} of {slug} must be {least} to {most}, not {value}")));
            }
        }
        let number = |parameter: &Parameter| {
            let found = given.iter().rev().find(|(name, _)| name == parameter.name);
            found.map_or(parameter.default, |(_, value)| *value)
        };
        let eta = number(if self == Self::Plain { &NO_ETA } else { &ETA });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 0 to 10^9")]
        let (gamma, seed) = (number(&GAMMA) as usize, number(&SEED) as u64);
        Ok((Rule { gamma, eta, temperature: number(&TEMPERATURE) }, seed))
    }
}

/// How proposals are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Tokens proposed at a time.
    pub gamma: usize,
    /// Strength of the transfer; 0 leaves the target's law as it is.
    pub eta: f64,
    /// Temperature of the answer; 0 is greedy.
    pub temperature: f64,
}

impl Rule {
    /// The law of a next token from its logits: softmax at the temperature, or all on the largest.
    #[must_use]
    pub fn law(&self, logits: &[f32]) -> Vec<f64> {
        let logits: Vec<f64> = logits.iter().map(|logit| f64::from(*logit)).collect();
        self.sharpened(&logits)
    }

    /// The law by which a proposal is judged: softmax(z / T + eta (q - p)), with p and q the laws of target and drafter.
    /// Greedy answers take the largest of it at T = 1, since T = 0 would drown the transfer.
    #[must_use]
    pub fn transferred(&self, target: &[f32], draft: &[f32]) -> Vec<f64> {
        if self.eta == 0.0 {
            return self.law(target);
        }
        let temperature = if self.temperature > 0.0 { self.temperature } else { 1.0 };
        let scaled = |logits: &[f32]| logits.iter().map(|logit| f64::from(*logit) / temperature).collect::<Vec<f64>>();
        let mut moved = scaled(target);
        let (p, q) = (softmax(&moved), softmax(&scaled(draft)));
        moved.iter_mut().zip(p.iter().zip(&q)).for_each(|(logit, (p, q))| *logit += self.eta * (q - p));
        if self.temperature > 0.0 { softmax(&moved) } else { peak(&moved) }
    }

    fn sharpened(&self, logits: &[f64]) -> Vec<f64> {
        if self.temperature > 0.0 {
            softmax(&logits.iter().map(|logit| logit / self.temperature).collect::<Vec<f64>>())
        } else {
            peak(logits)
        }
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
    normalised(weights)
}

/// All on the largest; the first of equal ones.
fn peak(logits: &[f64]) -> Vec<f64> {
    let mut best = (0, f64::NEG_INFINITY);
    for (token, logit) in logits.iter().enumerate() {
        if *logit > best.1 {
            best = (token, *logit);
        }
    }
    (0..logits.len()).map(|token| f64::from(u8::from(token == best.0))).collect()
}

fn normalised(mut weights: Vec<f64>) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

/// Whether a token drawn from `draft` is kept, with probability min(1, target / draft); `draw` is uniform in [0, 1).
#[must_use]
pub fn accepts(target: &[f64], draft: &[f64], token: u32, draw: f64) -> bool {
    let of = |law: &[f64]| law.get(token as usize).copied().unwrap_or(0.0);
    draw * of(draft) < of(target)
}

/// The law of the token that takes a rejected one's place: max(0, target - draft), normalised.
#[must_use]
pub fn residual(target: &[f64], draft: &[f64]) -> Vec<f64> {
    let left: Vec<f64> = target.iter().zip(draft).map(|(target, draft)| (target - draft).max(0.0)).collect();
    // Equal laws reject nothing but by rounding; then the target's own law is right.
    if left.iter().sum::<f64>() > 0.0 { normalised(left) } else { target.to_vec() }
}

/// The token at `draw`, uniform in [0, 1), of the cumulated law.
#[must_use]
pub fn sample(law: &[f64], draw: f64) -> u32 {
    let mut sum = 0.0;
    let mut last = 0;
    for (token, share) in law.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        sum += share;
        last = token;
        if draw < sum {
            break;
        }
    }
    u32::try_from(last).unwrap_or(0)
}

#[cfg(test)]
mod tests;
