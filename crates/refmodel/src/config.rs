//! Shape of a decoder, as Hugging Face's `config.json` states it.

use serde_json::{Map, Value};

use crate::error::ModelError;
use crate::rope::RopeScaling;

/// What a layer's attention sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerKind {
    /// Keys a query sees, itself included; `None` sees all before it.
    pub window: Option<usize>,
    /// Whether queries and keys are rotated by their positions.
    pub rope: bool,
}

/// How activations are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Root mean square (Zhang and Sennrich 2019).
    Rms,
    /// Mean and variance without bias, as in Cohere's models.
    Layer,
}

/// Shape of a decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Entries of the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Layers from input to output.
    pub layers: Vec<LayerKind>,
    /// Added to the variance before its root.
    pub norm_eps: f32,
    /// Kind of normalisation.
    pub norm: Norm,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Published change of the rotary frequencies.
    pub rope_scaling: RopeScaling,
    /// Pairs of neighbours are rotated instead of halves (Cohere).
    pub rope_interleaved: bool,
    /// Context the model was trained for, in its own tokens.
    pub max_positions: usize,
    /// The output head is the embedding.
    pub tied: bool,
    /// Queries, keys and values have biases.
    pub qkv_bias: bool,
    /// The attention's output has a bias.
    pub output_bias: bool,
    /// Queries and keys are normalised per head (Qwen3).
    pub qk_norm: bool,
    /// Attention and feed-forward read the same input (Cohere).
    pub parallel: bool,
    /// Factor on the logits (Cohere).
    pub logit_scale: f64,
    /// Queries of layers without window are scaled by log n over log of this many tokens, from there on (log-n scaling, Su 2021;
    /// Chiang and Cholak 2022).
    pub log_n_from: Option<usize>,
    /// Trained gates of key and value heads by layer, 0 (streams) to 1 (retrieves); none for layers with a window
    /// (DuoAttention).
    pub head_gates: Option<Vec<Vec<f32>>>,
}

const ARCHITECTURES: &str = "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, Cohere2ForCausalLM and LongboardForCausalLM";

impl ModelConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names the architecture or setting; [`ModelError::Invalid`] the field that is missing
    /// or out of range.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| ModelError::Invalid(format!("not a config.json: {error}")))?;
        let fields = Fields(&object);
        let architecture = fields.architecture()?;
        let config = fields.config(architecture)?;
        config.check()?;
        Ok(config)
    }

    /// The `config.json` of a model of our own.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let kinds: Vec<&str> =
            self.layers.iter().map(|layer| if layer.window.is_some() { SLIDING } else { FULL }).collect();
        let window = self.layers.iter().find_map(|layer| layer.window);
        let mut object = serde_json::json!({
            "architectures": [Architecture::Longboard.name()],
            "model_type": "longboard",
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.layers.len(),
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "rms_norm_eps": self.norm_eps,
            "rope_theta": self.rope_theta,
            "max_position_embeddings": self.max_positions,
            "tie_word_embeddings": self.tied,
            "attention_bias": self.qkv_bias,
            "layer_types": kinds,
            "sliding_window": window,
            "log_n_from": self.log_n_from,
        });
        if let (Some(gates), Some(object)) = (&self.head_gates, object.as_object_mut()) {
            object.insert("head_gates".to_owned(), serde_json::json!(gates));
        }
        object
    }

    /// Share of all gated heads that would stream before this one, if it has a gate: those with a lower gate, or with an
    /// equal one further back.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "head counts")]
    pub fn gate_share(&self, layer: usize, kv_head: usize) -> Option<f64> {
        let gates = self.head_gates.as_ref()?;
        let own = *gates.get(layer)?.get(kv_head)?;
        let all = gates
            .iter()
            .enumerate()
            .flat_map(|(layer, gates)| gates.iter().enumerate().map(move |(kv_head, gate)| (*gate, (layer, kv_head))));
        let lower = all.clone().filter(|(gate, at)| *gate < own || (*gate <= own && *at > (layer, kv_head)));
        Some(lower.count() as f64 / all.count() as f64)
    }

    fn check(&self) -> Result<(), ModelError> {
        self.check_gates()?;
        let counts = [
            ("vocab_size", self.vocab_size, 1 << 22),
            ("hidden_size", self.hidden_size, 1 << 16),
            ("intermediate_size", self.intermediate_size, 1 << 18),
            ("num_attention_heads", self.heads, 1 << 10),
            ("num_key_value_heads", self.kv_heads, 1 << 10),
            ("head_dim", self.head_dim, 1 << 10),
            ("num_hidden_layers", self.layers.len(), 1 << 10),
        ];
        for (name, value, most) in counts {
            if value == 0 || value > most {
                return Err(ModelError::Invalid(format!("config.json: {name} is {value}, allowed are 1 to {most}")));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            let (heads, kv_heads) = (self.heads, self.kv_heads);
            return Err(ModelError::Invalid(format!(
                "config.json: num_attention_heads {heads} is no multiple of num_key_value_heads {kv_heads}"
            )));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(ModelError::Invalid(format!("config.json: head_dim {} is odd", self.head_dim)));
        }
        Ok(())
    }
}

impl ModelConfig {
    fn check_gates(&self) -> Result<(), ModelError> {
        let Some(gates) = &self.head_gates else { return Ok(()) };
        let fits = |gates: &Vec<f32>| {
            (gates.is_empty() || gates.len() == self.kv_heads) && gates.iter().all(|gate| (0.0..=1.0).contains(gate))
        };
        if gates.len() != self.layers.len() || !gates.iter().all(fits) {
            return Err(ModelError::Invalid(
                "config.json: head_gates must be a list per layer, empty or with a number from 0 to 1 per key and value \
                 head"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

const SLIDING: &str = "sliding_attention";
const FULL: &str = "full_attention";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Architecture {
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    Cohere2,
    Longboard,
}

impl Architecture {
    const ALL: [Self; 6] = [Self::Llama, Self::Mistral, Self::Qwen2, Self::Qwen3, Self::Cohere2, Self::Longboard];

    fn name(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Mistral => "MistralForCausalLM",
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
            Self::Cohere2 => "Cohere2ForCausalLM",
            Self::Longboard => "LongboardForCausalLM",
        }
    }
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let named =
            self.0.get("architectures").and_then(|list| list.get(0)).and_then(Value::as_str).unwrap_or_default();
        Architecture::ALL.into_iter().find(|known| known.name() == named).ok_or_else(|| ModelError::Unsupported {
            what: format!("the architecture `{named}` of config.json"),
            supported: format!("supported are {ARCHITECTURES}"),
        })
    }

    fn count(&self, name: &str) -> Result<usize, ModelError> {
        let found = self.0.get(name).and_then(Value::as_u64).and_then(|value| usize::try_from(value).ok());
        found.ok_or_else(|| ModelError::Invalid(format!("config.json: {name} must be a whole number")))
    }

    fn count_or(&self, name: &str, default: usize) -> Result<usize, ModelError> {
        if self.0.get(name).is_none_or(Value::is_null) { Ok(default) } else { self.count(name) }
    }

    fn number_or(&self, name: &str, default: f64) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(default)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    #[expect(clippy::cast_possible_truncation, reason = "f32 is the model's precision")]
    fn config(&self, architecture: Architecture) -> Result<ModelConfig, ModelError> {
        let (hidden_size, heads) = (self.count("hidden_size")?, self.count("num_attention_heads")?);
        let activation = self.0.get("hidden_act").and_then(Value::as_str).unwrap_or("silu");
        if activation != "silu" {
            return Err(unsupported(format!("hidden_act `{activation}`"), "supported is silu"));
        }
        for name in ["mlp_bias", "use_qk_norm"] {
            if self.flag(name, false) {
                return Err(unsupported(format!("config.json: {name}"), "supported are models without it"));
            }
        }
        let cohere = architecture == Architecture::Cohere2;
        let bias = self.flag("attention_bias", architecture == Architecture::Qwen2);
        let output_bias = matches!(architecture, Architecture::Llama | Architecture::Qwen3 | Architecture::Cohere2);
        Ok(ModelConfig {
            vocab_size: self.count("vocab_size")?,
            hidden_size,
            intermediate_size: self.count("intermediate_size")?,
            heads,
            kv_heads: self.count_or("num_key_value_heads", heads)?,
            head_dim: self.count_or("head_dim", hidden_size.checked_div(heads).unwrap_or(0))?,
            layers: self.layers(architecture)?,
            norm_eps: if cohere { self.number_or("layer_norm_eps", 1e-5) } else { self.number_or("rms_norm_eps", 1e-6) }
                as f32,
            norm: if cohere { Norm::Layer } else { Norm::Rms },
            rope_theta: self.rope_theta(),
            rope_scaling: RopeScaling::parse(self.rope_object(), self.max_positions()?)?,
            rope_interleaved: cohere,
            max_positions: self.max_positions()?,
            tied: self.flag("tie_word_embeddings", cohere),
            qkv_bias: bias,
            output_bias: bias && output_bias,
            qk_norm: architecture == Architecture::Qwen3,
            parallel: cohere,
            logit_scale: if cohere { self.number_or("logit_scale", 0.0625) } else { 1.0 },
            log_n_from: match self.count_or("log_n_from", 0)? {
                0 => None,
                from => Some(from.max(2)),
            },
            head_gates: self.head_gates()?,
        })
    }

    fn head_gates(&self) -> Result<Option<Vec<Vec<f32>>>, ModelError> {
        let Some(gates) = self.0.get("head_gates").filter(|value| !value.is_null()) else { return Ok(None) };
        let parsed = serde_json::from_value(gates.clone());
        parsed.map(Some).map_err(|error| ModelError::Invalid(format!("config.json: head_gates: {error}")))
    }

    /// `rope_scaling`, or `rope_parameters` as newer files call it.
    fn rope_object(&self) -> Option<&Value> {
        let named = ["rope_scaling", "rope_parameters"].into_iter().filter_map(|name| self.0.get(name));
        named.into_iter().find(|value| !value.is_null())
    }

    fn max_positions(&self) -> Result<usize, ModelError> {
        self.count_or("max_position_embeddings", 2048)
    }

    fn rope_theta(&self) -> f64 {
        let inner = self.rope_object().and_then(|object| object.get("rope_theta")).and_then(Value::as_f64);
        inner.unwrap_or_else(|| self.number_or("rope_theta", 10_000.0))
    }

    fn layers(&self, architecture: Architecture) -> Result<Vec<LayerKind>, ModelError> {
        let count = self.count("num_hidden_layers")?;
        if count > 1 << 10 {
            return Err(ModelError::Invalid(format!("config.json: num_hidden_layers is {count}")));
        }
        let window = self.window(architecture)?;
        // Cohere2 and our own models have no positions where they see everything.
        let no_rope_when_full = matches!(architecture, Architecture::Cohere2 | Architecture::Longboard);
        let kind = |sliding: bool| LayerKind {
            window: window.filter(|_| sliding),
            rope: sliding && window.is_some() || !no_rope_when_full,
        };
        if let Some(types) = self.0.get("layer_types").and_then(Value::as_array) {
            if types.len() != count {
                return Err(ModelError::Invalid(format!(
                    "config.json: layer_types names {} layers, num_hidden_layers says {count}",
                    types.len()
                )));
            }
            return types.iter().map(|name| self.layer_type(name).map(kind)).collect();
        }
        let pattern = self.count_or("sliding_window_pattern", 4)?.max(1);
        let from = self.count_or("max_window_layers", 28)?;
        Ok((0..count)
            .map(|layer| match architecture {
                Architecture::Cohere2 => kind((layer + 1) % pattern != 0),
                Architecture::Qwen2 | Architecture::Qwen3 => kind(layer >= from),
                _ => kind(true),
            })
            .collect())
    }

    fn layer_type(&self, name: &Value) -> Result<bool, ModelError> {
        match name.as_str() {
            Some(SLIDING) => Ok(true),
            Some(FULL) => Ok(false),
            _ => {
                Err(unsupported(format!("the layer type {name}"), "supported are sliding_attention and full_attention"))
            }
        }
    }

    fn window(&self, architecture: Architecture) -> Result<Option<usize>, ModelError> {
        let used = match architecture {
            Architecture::Llama => false,
            Architecture::Qwen2 | Architecture::Qwen3 => self.flag("use_sliding_window", false),
            _ => true,
        };
        // A missing field means the originals' default, `null` means none.
        let absent =
            if self.0.contains_key("sliding_window") || architecture == Architecture::Longboard { 0 } else { 4096 };
        let window = if used { self.count_or("sliding_window", absent)? } else { 0 };
        Ok((window > 0).then_some(window))
    }
}

fn unsupported(what: String, supported: &str) -> ModelError {
    ModelError::Unsupported { what, supported: supported.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(architecture: &str, more: &Value) -> Result<ModelConfig, ModelError> {
        let mut object = json!({
            "architectures": [architecture], "vocab_size": 100, "hidden_size": 64, "intermediate_size": 96,
            "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2
        });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ModelConfig::parse(&object.to_string())
    }

    #[test]
    fn families_differ_as_published() {
        let llama = parsed("LlamaForCausalLM", &json!({"sliding_window": 8})).unwrap();
        assert_eq!((llama.head_dim, llama.qkv_bias, llama.tied), (16, false, false));
        assert!(llama.layers.iter().all(|layer| layer.window.is_none() && layer.rope));
        let mistral = parsed("MistralForCausalLM", &json!({"sliding_window": 8})).unwrap();
        assert!(mistral.layers.iter().all(|layer| layer.window == Some(8) && layer.rope));
        let qwen2 = parsed("Qwen2ForCausalLM", &json!({"sliding_window": 8, "use_sliding_window": false})).unwrap();
        assert!(qwen2.qkv_bias && !qwen2.output_bias && qwen2.layers.iter().all(|layer| layer.window.is_none()));
        let qwen3 = parsed("Qwen3ForCausalLM", &json!({"head_dim": 32, "tie_word_embeddings": true})).unwrap();
        assert!(qwen3.qk_norm && !qwen3.qkv_bias && qwen3.tied && qwen3.head_dim == 32);
        let cohere = parsed("Cohere2ForCausalLM", &json!({"sliding_window": 8})).unwrap();
        assert_eq!(
            (cohere.norm, cohere.parallel, cohere.rope_interleaved, cohere.tied),
            (Norm::Layer, true, true, true)
        );
        let kinds: Vec<_> = cohere.layers.iter().map(|layer| (layer.window, layer.rope)).collect();
        assert_eq!(kinds, [(Some(8), true), (Some(8), true), (Some(8), true), (None, false)]);
    }

    #[test]
    fn our_own_file_comes_back() {
        let config = crate::train::recipe::config();
        assert_eq!(ModelConfig::parse(&config.to_json().to_string()).unwrap(), config);
        let layer: Vec<f32> = (0..config.kv_heads).map(|head| head as f32 / 8.0).collect();
        let gates = vec![vec![], layer.clone(), vec![], layer];
        let gated = ModelConfig { head_gates: Some(gates), ..config };
        assert_eq!(ModelConfig::parse(&gated.to_json().to_string()).unwrap(), gated);
    }

    #[test]
    fn heads_stream_from_the_lowest_gate_up() {
        let gates = vec![vec![], vec![0.25, 1.0, 0.0, 0.25], vec![], vec![1.0, 0.5, 0.75, 0.0]];
        let config = ModelConfig { head_gates: Some(gates), ..crate::train::recipe::config() };
        let of = |layer| [0, 1, 2, 3].map(|head| config.gate_share(layer, head).map(|share| share * 8.0));
        assert_eq!(of(0), [None; 4]);
        assert_eq!(of(1), [3.0, 7.0, 1.0, 2.0].map(Some));
        assert_eq!(of(3), [6.0, 4.0, 5.0, 0.0].map(Some));
        assert_eq!(crate::train::recipe::config().gate_share(1, 0), None);
    }

    #[test]
    fn what_cannot_be_run_is_named() {
        for (architecture, more, expected) in [
            ("MambaForCausalLM", json!({}), "MambaForCausalLM"),
            ("LlamaForCausalLM", json!({"rope_scaling": {"rope_type": "longrope"}}), "longrope"),
            ("LlamaForCausalLM", json!({"hidden_act": "gelu"}), "gelu"),
            ("LlamaForCausalLM", json!({"mlp_bias": true}), "mlp_bias"),
            ("LlamaForCausalLM", json!({"rope_parameters": {"partial_rotary_factor": 0.5}}), "partial_rotary_factor"),
            ("LlamaForCausalLM", json!({"num_key_value_heads": 3}), "no multiple"),
            ("LlamaForCausalLM", json!({"hidden_size": -1}), "hidden_size"),
            ("LlamaForCausalLM", json!({"layer_types": ["full_attention"]}), "names 1 layers"),
            ("LlamaForCausalLM", json!({"num_hidden_layers": 1_000_000_000}), "num_hidden_layers"),
            ("LongboardForCausalLM", json!({"head_gates": [[1.0]]}), "head_gates"),
            ("LongboardForCausalLM", json!({"head_gates": [[], [0.5, 2.0], [], []]}), "head_gates"),
        ] {
            let error = parsed(architecture, &more).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(ModelConfig::parse("{").is_err());
    }
}
