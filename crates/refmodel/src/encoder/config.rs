//! Shape of an encoder, as its `config.json` states it.

use serde_json::{Map, Value, json};

use crate::config::{LayerKind, ModelConfig, Norm};
use crate::error::ModelError;
use crate::rope::RopeScaling;

/// Name in `config.json`.
const ARCHITECTURE: &str = "LongboardEncoder";

/// Shape of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderConfig {
    /// Entries of the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream and of a vector.
    pub hidden_size: usize,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// Heads of a layer.
    pub heads: usize,
    /// Channels of a head.
    pub head_dim: usize,
    /// Layers from input to output. A token sees tokens less than so many places away on either side; `None` sees all.
    pub windows: Vec<Option<usize>>,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Added to the mean square before its root.
    pub norm_eps: f32,
    /// Trained length L0 in the encoder's own tokens.
    pub trained: usize,
}

impl EncoderConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for another architecture, [`ModelError::Invalid`] names the field that is missing or
    /// out of range.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| ModelError::Invalid(format!("not a config.json: {error}")))?;
        let architecture = object.get("architectures").and_then(|names| names.get(0)).and_then(Value::as_str);
        if architecture != Some(ARCHITECTURE) {
            return Err(ModelError::Unsupported {
                what: format!("an encoder of architecture `{}`", architecture.unwrap_or("none")),
                supported: format!("supported is {ARCHITECTURE}"),
            });
        }
        let config = Self {
            vocab_size: count(&object, "vocab_size", 1 << 22)?,
            hidden_size: count(&object, "hidden_size", 1 << 14)?,
            intermediate_size: count(&object, "intermediate_size", 1 << 16)?,
            heads: count(&object, "num_attention_heads", 1 << 8)?,
            head_dim: count(&object, "head_dim", 1 << 10)?,
            windows: windows(&object)?,
            rope_theta: number(&object, "rope_theta")?,
            norm_eps: narrow(number(&object, "rms_norm_eps")?),
            trained: count(&object, "max_position_embeddings", 1 << 20)?,
        };
        if !config.head_dim.is_multiple_of(4) {
            return Err(ModelError::Invalid(format!("config.json: head_dim {} is no multiple of 4", config.head_dim)));
        }
        Ok(config)
    }

    /// The `config.json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "architectures": [ARCHITECTURE],
            "model_type": "longboard_encoder",
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_attention_heads": self.heads,
            "head_dim": self.head_dim,
            "layer_windows": self.windows,
            "hidden_act": "silu",
            "rms_norm_eps": self.norm_eps,
            "rope_theta": self.rope_theta,
            "max_position_embeddings": self.trained,
        })
    }

    /// The layers as those of a decoder, whose parts an encoder is made of.
    #[must_use]
    pub fn stack(&self) -> ModelConfig {
        ModelConfig {
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            heads: self.heads,
            kv_heads: self.heads,
            head_dim: self.head_dim,
            layers: self.windows.iter().map(|window| LayerKind { window: *window, rope: true }).collect(),
            norm_eps: self.norm_eps,
            norm: Norm::Rms,
            rope_theta: self.rope_theta,
            rope_scaling: RopeScaling::Plain,
            rope_interleaved: false,
            max_positions: self.trained,
            tied: true,
            qkv_bias: false,
            output_bias: false,
            qk_norm: false,
            parallel: false,
            logit_scale: 1.0,
            log_n_from: None,
            head_gates: None,
        }
    }
}

fn count(object: &Map<String, Value>, name: &str, most: usize) -> Result<usize, ModelError> {
    let value = object.get(name).and_then(Value::as_u64).and_then(|value| usize::try_from(value).ok());
    value
        .filter(|value| (1..=most).contains(value))
        .ok_or_else(|| ModelError::Invalid(format!("config.json: {name} must be a whole number from 1 to {most}")))
}

fn number(object: &Map<String, Value>, name: &str) -> Result<f64, ModelError> {
    let value = object.get(name).and_then(Value::as_f64).filter(|value| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| ModelError::Invalid(format!("config.json: {name} must be a positive number")))
}

#[expect(clippy::cast_possible_truncation, reason = "f32 is the model's precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn windows(object: &Map<String, Value>) -> Result<Vec<Option<usize>>, ModelError> {
    let invalid = || {
        ModelError::Invalid("config.json: layer_windows must list 1 to 64 windows of tokens, null for all".to_owned())
    };
    let listed = object.get("layer_windows").and_then(Value::as_array).filter(|list| (1..=64).contains(&list.len()));
    let window = |value: &Value| match value {
        Value::Null => Some(None),
        _ => value
            .as_u64()
            .filter(|value| (1..=1 << 20).contains(value))
            .and_then(|value| usize::try_from(value).ok())
            .map(Some),
    };
    listed.ok_or_else(invalid)?.iter().map(|value| window(value).ok_or_else(invalid)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_read_as_it_was_written_and_damage_is_named() {
        let config = crate::train::encoder::recipe::config();
        let text = config.to_json().to_string();
        assert_eq!(EncoderConfig::parse(&text).unwrap(), config);
        for (field, value, said) in [
            ("architectures", json!(["BertModel"]), "BertModel"),
            ("hidden_size", json!(0), "hidden_size"),
            ("layer_windows", json!([]), "layer_windows"),
            ("layer_windows", json!([-1]), "layer_windows"),
            ("head_dim", json!(6), "head_dim"),
            ("rope_theta", json!(-1.0), "rope_theta"),
        ] {
            let mut damaged = config.to_json();
            damaged[field] = value;
            let refused = EncoderConfig::parse(&damaged.to_string()).unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }
}
