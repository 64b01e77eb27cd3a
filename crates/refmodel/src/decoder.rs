//! The decoder: weights of one model and what a layer computes around its attention.

use std::collections::HashMap;

use candle_core::{D, DType, Device, Tensor};

use crate::config::{LayerKind, ModelConfig, Norm};
use crate::error::ModelError;
use crate::fused::{Rms, SwiGlu};

/// `x W^T + b`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `[out, in]`
    pub weight: Tensor,
    /// `[out]`
    pub bias: Option<Tensor>,
}

impl Linear {
    /// `[.., in]` to `[.., out]`.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (rows, width) = (x.elem_count() / x.dim(D::Minus1)?, x.dim(D::Minus1)?);
        let mut shape = x.dims().to_vec();
        let y = x.reshape((rows, width))?.matmul(&self.weight.t()?)?;
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        if let Some(last) = shape.last_mut() {
            *last = y.dim(D::Minus1)?;
        }
        y.reshape(shape)
    }
}

/// Normalisation with gain.
#[derive(Debug, Clone)]
pub struct NormLayer {
    /// `[width]`
    pub gain: Tensor,
    kind: Norm,
    eps: f32,
}

impl NormLayer {
    /// Normalises the last dimension; differentiable.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let x = match self.kind {
            Norm::Rms => x.clone(),
            Norm::Layer => x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?,
        };
        x.contiguous()?.apply_op1(Rms { eps: self.eps })?.broadcast_mul(&self.gain)
    }
}

/// One layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What its attention sees.
    pub kind: LayerKind,
    /// Before the attention.
    pub input_norm: NormLayer,
    /// To queries `[heads * head_dim]`.
    pub query: Linear,
    /// To keys `[kv_heads * head_dim]`.
    pub key: Linear,
    /// To values `[kv_heads * head_dim]`.
    pub value: Linear,
    /// From heads back.
    pub output: Linear,
    /// Per head, before rotation.
    pub query_norm: Option<NormLayer>,
    /// Per head, before rotation.
    pub key_norm: Option<NormLayer>,
    /// Before the feed-forward part; absent in parallel layers.
    pub forward_norm: Option<NormLayer>,
    /// SwiGLU's gate.
    pub gate: Linear,
    /// SwiGLU's other half.
    pub up: Linear,
    /// Back to the residual.
    pub down: Linear,
}

impl Layer {
    /// The feed-forward part (SwiGLU, Shazeer 2020).
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn feed_forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.down.apply(&self.gate.apply(x)?.apply_op2(&self.up.apply(x)?, SwiGlu)?)
    }

    /// The layer's output from its input, the normalised input and the heads' outputs joined.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn close(&self, x: &Tensor, normed: &Tensor, heads: &Tensor) -> candle_core::Result<Tensor> {
        let attended = self.output.apply(heads)?;
        match &self.forward_norm {
            Some(norm) => {
                let x = (x + attended)?;
                let forward = self.feed_forward(&norm.apply(&x)?)?;
                x + forward
            }
            None => (x + attended)? + self.feed_forward(normed)?,
        }
    }
}

/// All weights of a model.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// Shape.
    pub config: ModelConfig,
    /// `[vocab, hidden]`
    pub embedding: Tensor,
    /// From input to output.
    pub layers: Vec<Layer>,
    /// Before the head.
    pub norm: NormLayer,
    /// To logits.
    pub head: Linear,
}

impl Decoder {
    /// Assembles a decoder from tensors by their Hugging Face names.
    ///
    /// # Errors
    /// What `tensor` returns for a name with the shape it must have.
    pub fn assemble(
        config: ModelConfig,
        mut tensor: impl FnMut(&str, &[usize]) -> Result<Tensor, ModelError>,
    ) -> Result<Self, ModelError> {
        let embedding = tensor("model.embed_tokens.weight", &[config.vocab_size, config.hidden_size])?;
        let layers =
            (0..config.layers.len()).map(|index| layer(&config, index, &mut tensor)).collect::<Result<_, _>>()?;
        let norm = norm(&config, "model.norm", config.hidden_size, &mut tensor)?;
        let head = if config.tied {
            embedding.clone()
        } else {
            tensor("lm_head.weight", &[config.vocab_size, config.hidden_size])?
        };
        Ok(Self { config, embedding, layers, norm, head: Linear { weight: head, bias: None } })
    }

    /// Embeds tokens `[n]` as `[n, hidden]`.
    ///
    /// # Errors
    /// Tokens outside the vocabulary.
    pub fn embed(&self, ids: &[u32]) -> candle_core::Result<Tensor> {
        let ids = Tensor::new(ids, self.embedding.device())?;
        self.embedding.index_select(&ids, 0)
    }

    /// Logits of hidden states `[n, hidden]` as `[n, vocab]`.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn logits(&self, hidden: &Tensor) -> candle_core::Result<Tensor> {
        let logits = self.head.apply(&self.norm.apply(hidden)?)?;
        if (self.config.logit_scale - 1.0).abs() < f64::EPSILON { Ok(logits) } else { logits * self.config.logit_scale }
    }

    /// All weights by their Hugging Face names.
    #[must_use]
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        let mut found = HashMap::from([
            ("model.embed_tokens.weight".to_owned(), self.embedding.clone()),
            ("model.norm.weight".to_owned(), self.norm.gain.clone()),
        ]);
        if !self.config.tied {
            found.insert("lm_head.weight".to_owned(), self.head.weight.clone());
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let name = |part: &str| format!("model.layers.{index}.{part}");
            let linears = [
                ("self_attn.q_proj", &layer.query),
                ("self_attn.k_proj", &layer.key),
                ("self_attn.v_proj", &layer.value),
                ("self_attn.o_proj", &layer.output),
                ("mlp.gate_proj", &layer.gate),
                ("mlp.up_proj", &layer.up),
                ("mlp.down_proj", &layer.down),
            ];
            for (part, linear) in linears {
                found.insert(name(&format!("{part}.weight")), linear.weight.clone());
                found.extend(linear.bias.iter().map(|bias| (name(&format!("{part}.bias")), bias.clone())));
            }
            let norms = [
                ("input_layernorm", Some(&layer.input_norm)),
                ("self_attn.q_norm", layer.query_norm.as_ref()),
                ("self_attn.k_norm", layer.key_norm.as_ref()),
                ("post_attention_layernorm", layer.forward_norm.as_ref()),
            ];
            for (part, norm) in norms {
                found.extend(norm.map(|norm| (name(&format!("{part}.weight")), norm.gain.clone())));
            }
        }
        found
    }

    /// Names and shapes of all tensors that a model of `config` has.
    #[must_use]
    pub fn shapes(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
        let mut found = Vec::new();
        let collected = Self::assemble(config.clone(), |name, shape| {
            found.push((name.to_owned(), shape.to_vec()));
            Ok(Tensor::zeros((), DType::F32, &Device::Cpu)?)
        });
        drop(collected);
        found
    }
}

type Source<'a> = dyn FnMut(&str, &[usize]) -> Result<Tensor, ModelError> + 'a;

fn norm(config: &ModelConfig, name: &str, width: usize, tensor: &mut Source<'_>) -> Result<NormLayer, ModelError> {
    Ok(NormLayer { gain: tensor(&format!("{name}.weight"), &[width])?, kind: config.norm, eps: config.norm_eps })
}

fn layer(config: &ModelConfig, index: usize, tensor: &mut Source<'_>) -> Result<Layer, ModelError> {
    let (hidden, width) = (config.hidden_size, config.head_dim);
    let (queries, keys, inner) = (config.heads * width, config.kv_heads * width, config.intermediate_size);
    let prefix = format!("model.layers.{index}");
    let mut linear = |name: &str, out: usize, input: usize, bias: bool| -> Result<Linear, ModelError> {
        let weight = tensor(&format!("{prefix}.{name}.weight"), &[out, input])?;
        let bias = if bias { Some(tensor(&format!("{prefix}.{name}.bias"), &[out])?) } else { None };
        Ok(Linear { weight, bias })
    };
    let query = linear("self_attn.q_proj", queries, hidden, config.qkv_bias)?;
    let key = linear("self_attn.k_proj", keys, hidden, config.qkv_bias)?;
    let value = linear("self_attn.v_proj", keys, hidden, config.qkv_bias)?;
    let output = linear("self_attn.o_proj", hidden, queries, config.output_bias)?;
    let gate = linear("mlp.gate_proj", inner, hidden, false)?;
    let up = linear("mlp.up_proj", inner, hidden, false)?;
    let down = linear("mlp.down_proj", hidden, inner, false)?;
    let mut norm = |name: &str, width: usize| norm(config, &format!("{prefix}.{name}"), width, tensor);
    Ok(Layer {
        kind: config.layers.get(index).copied().unwrap_or(LayerKind { window: None, rope: true }),
        input_norm: norm("input_layernorm", hidden)?,
        query_norm: if config.qk_norm { Some(norm("self_attn.q_norm", width)?) } else { None },
        key_norm: if config.qk_norm { Some(norm("self_attn.k_norm", width)?) } else { None },
        forward_norm: if config.parallel { None } else { Some(norm("post_attention_layernorm", hidden)?) },
        query,
        key,
        value,
        output,
        gate,
        up,
        down,
    })
}
