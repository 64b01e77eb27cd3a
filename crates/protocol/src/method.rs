//! Methods: the reference model under a policy, what is known about the policy, and what an answer cost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A policy of the reference model with its settings: all a worker needs to build it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodSpec {
    /// Slug of the policy, e.g. `lserve`.
    pub policy: String,
    /// Parameters that differ from the policy's defaults.
    #[serde(default)]
    pub settings: BTreeMap<String, f64>,
}

/// A method as an endpoint carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// What is run.
    pub spec: MethodSpec,
    /// What is known about it.
    pub card: MethodCard,
}

/// What is known about a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MethodCard {
    /// Slug of the policy.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Paper, and code where it was read.
    pub citation: String,
    /// What it does, in one or two sentences.
    pub what: String,
    /// Where this build differs from the paper or its code; empty where it does not.
    pub differs: String,
    /// Numbers it can be given.
    pub parameters: Vec<MethodParameter>,
    /// Which tested properties hold for it.
    pub properties: Vec<MethodProperty>,
}

/// A number that a policy can be given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MethodParameter {
    /// Name.
    pub name: String,
    /// What it means.
    pub help: String,
    /// The paper's value.
    pub default: f64,
}

/// A property that tests check on random weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MethodProperty {
    /// Name of the test, e.g. `C1`.
    pub test: String,
    /// What holds, in plain words.
    pub what: String,
    /// Whether it is stated to hold for this policy.
    pub holds: bool,
}

/// What one answer of the reference model cost, prompt and answer together, in the layers where the policy decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MethodCost {
    /// Tokens stored per head at the end, mean over heads.
    pub kept_tokens: f64,
    /// Tokens stored by the head that stores most at the end.
    pub max_kept_tokens: f64,
    /// Bytes of the whole cache at the end.
    pub cache_bytes: u64,
    /// Milliseconds spent choosing what is read, summed over threads.
    pub selection_ms: f64,
    /// Milliseconds spent reading it, summed over threads.
    pub attention_ms: f64,
    /// Floating-point operations of attention over what was listed.
    pub attention_flops: f64,
    /// Bytes of keys and values that attention read.
    pub attention_bytes: f64,
}

impl MethodCost {
    /// Whether every figure is finite and not negative.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let figures = [
            self.kept_tokens,
            self.max_kept_tokens,
            self.selection_ms,
            self.attention_ms,
            self.attention_flops,
            self.attention_bytes,
        ];
        i64::try_from(self.cache_bytes).is_ok() && figures.iter().all(|figure| figure.is_finite() && *figure >= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_finite_and_not_negative() {
        let cost = MethodCost { kept_tokens: 12.5, cache_bytes: 4096, ..MethodCost::default() };
        assert!(cost.is_plausible());
        for bad in [
            MethodCost { selection_ms: f64::NAN, ..cost },
            MethodCost { attention_flops: f64::INFINITY, ..cost },
            MethodCost { attention_bytes: -1.0, ..cost },
            MethodCost { cache_bytes: u64::MAX, ..cost },
        ] {
            assert!(!bad.is_plausible(), "{bad:?}");
        }
    }
}
