//! What is known about the policies, and which there are.

use std::collections::BTreeMap;

use super::{
    Policy, block_mean, dense, duo_attention, h2o, infini_retri, long_heads, long_mem, lserve, minference, position,
    quest, retro_lm, sir_llm, snapkv, squeezed, streaming_llm, vertical_slash,
};
use crate::error::ModelError;

/// A number that a policy can be given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Name, as in `--set name=value`.
    pub name: &'static str,
    /// What it is, with its unit.
    pub help: &'static str,
    /// The paper's value.
    pub default: f64,
    /// Smallest allowed.
    pub least: f64,
}

/// What holds for a policy whatever the weights: the tests that it must pass and those that it is known to fail. That a
/// token which is not listed is never read (C2) holds for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Properties {
    /// With a budget of at least the context it equals dense attention (C1).
    pub full_is_dense: bool,
    /// A later token never changes what an earlier one of the prompt reads, nor which earlier ones are kept (C3s), so the
    /// prompt may come in chunks (C4).
    pub prefix_stable: bool,
    /// What queries attend to decides what is read: keys that fit a query are found among others (C5).
    pub recalls: bool,
    /// What is stored stays below a bound (C6).
    pub bounded: bool,
    /// A query and the keys that it sees are never further apart than a bound (C7).
    pub renumbers: bool,
    /// Query heads that share a key head choose together; otherwise shared key heads equal repeated ones (C9).
    pub shared_choice: bool,
}

impl Properties {
    /// What holds for dense attention.
    pub(super) const DENSE: Self = Self {
        full_is_dense: true,
        prefix_stable: true,
        recalls: false,
        bounded: false,
        renumbers: false,
        shared_choice: false,
    };
}

/// What is known about a policy.
pub struct Card {
    /// Name.
    pub slug: &'static str,
    /// Title.
    pub title: &'static str,
    /// Paper, and code where it was read.
    pub citation: &'static str,
    /// What it does, in a sentence.
    pub what: &'static str,
    /// Where this differs from the paper or its code.
    pub differs: &'static str,
    /// Numbers it can be given.
    pub parameters: &'static [Parameter],
    /// What holds for it.
    pub properties: Properties,
    pub(super) build: fn(&Settings) -> Box<dyn Policy>,
}

/// Values of a policy's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings(BTreeMap<&'static str, f64>);

impl Settings {
    pub(super) fn number(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a count")]
    pub(super) fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }
}

impl Card {
    /// All policies, in the order of lists.
    #[must_use]
    pub fn all() -> &'static [Card] {
        const CARDS: &[Card] = &[
            dense::CARD,
            dense::LOG_N,
            streaming_llm::CARD,
            snapkv::CARD,
            h2o::CARD,
            quest::CARD,
            minference::A_SHAPE,
            vertical_slash::CARD,
            minference::BLOCK_SPARSE,
            duo_attention::CARD,
            block_mean::MOBA,
            lserve::CARD,
            long_heads::CARD,
            sir_llm::CARD,
            squeezed::CARD,
            retro_lm::CARD,
            long_mem::CARD,
            infini_retri::CARD,
            position::SELF_EXTEND,
            position::GROUPED,
            position::RECURRENT,
        ];
        CARDS
    }

    /// A policy by name.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names all of them.
    pub fn find(slug: &str) -> Result<&'static Self, ModelError> {
        Self::all().iter().find(|card| card.slug == slug).ok_or_else(|| ModelError::Unsupported {
            what: format!("the policy `{slug}`"),
            supported: format!(
                "the policies are {}",
                Self::all().iter().map(|card| card.slug).collect::<Vec<_>>().join(", ")
            ),
        })
    }

    /// Checked values: the paper's, but for those in `given`.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] names the parameter and what is allowed.
    pub fn settings(&self, given: &[(String, f64)]) -> Result<Settings, ModelError> {
        let mut settings: BTreeMap<_, _> = self.parameters.iter().map(|known| (known.name, known.default)).collect();
        for (name, value) in given {
            let Some(known) = self.parameters.iter().find(|known| known.name == name) else {
                let names: Vec<&str> = self.parameters.iter().map(|known| known.name).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(ModelError::Invalid(format!("{} has no parameter `{name}`; it has {names}", self.slug)));
            };
            if !value.is_finite() || *value < known.least || *value > 1e9 {
                let least = known.least;
                return Err(ModelError::Invalid(format!(
                    "{name} of {} must be at least {least}, not {value}",
                    self.slug
                )));
            }
            settings.insert(known.name, *value);
        }
        Ok(Settings(settings))
    }

    /// The policy with these values.
    #[must_use]
    pub fn build(&self, settings: &Settings) -> Box<dyn Policy> {
        (self.build)(settings)
    }
}
