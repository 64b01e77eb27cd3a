//! Weights from GGUF files, the format of llama.cpp. Quantised ones are widened to f32 when they are read.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Device, Tensor};
use serde_json::json;

use crate::chat::{Frame, Template};
use crate::checkpoint::{Checkpoint, TOKENIZER, checked};
use crate::config::ModelConfig;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::rope::{Rope, RopeScaling};
use crate::tokenizer::Tokenizer;

/// The tensor of divisors of the rotary frequencies.
const DIVISORS: &str = "rope_freqs.weight";

/// Reads a GGUF file; the tokenizer is `tokenizer.json` beside it.
///
/// # Errors
/// [`ModelError`] names the file and what to do about it.
pub fn open(path: &Path) -> Result<Checkpoint, ModelError> {
    let unreadable = |error| ModelError::unreadable(path, error);
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    // The reader divides by the file's own alignment, so a hostile one must not end the process.
    let content = catch_unwind(AssertUnwindSafe(|| Content::read(&mut reader)))
        .map_err(|_| ModelError::corrupt(path, "its header is not a GGUF header"))?
        .map_err(|error| refused(path, &error))?;
    let header = Header { path, content: &content };
    let mut config = header.config()?;
    config.rope_scaling = header.divided(&config, &mut reader)?;
    let tokenizer = header.tokenizer()?;
    Checkpoint::fits(path, &config, &tokenizer)?;
    let decoder = Decoder::assemble(config, |name, shape| header.tensor(&mut reader, name, shape))?;
    Ok(Checkpoint { decoder, tokenizer })
}

/// A type of weights that cannot be widened, or a damaged file.
fn refused(path: &Path, error: &candle_core::Error) -> ModelError {
    let detail = error.to_string();
    if detail.contains("unknown dtype") || detail.contains("not supported") {
        return ModelError::Unsupported {
            what: format!("{}: {}", path.display(), detail.lines().next().unwrap_or_default()),
            supported: "supported are F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K".to_owned(),
        };
    }
    ModelError::corrupt(path, detail.lines().next().unwrap_or_default())
}

struct Header<'a> {
    path: &'a Path,
    content: &'a Content,
}

impl Header<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.content.metadata.get(name)?.to_string().ok().map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<f64> {
        number(self.content.metadata.get(name)?)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a count")]
    fn count(&self, name: &str) -> Option<u64> {
        self.number(name)
            .filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number))
            .map(|number| number as u64)
    }

    fn has(&self, tensor: &str) -> bool {
        self.content.tensor_infos.contains_key(tensor)
    }

    fn unsupported(&self, what: &str, supported: &str) -> ModelError {
        ModelError::Unsupported { what: format!("{}: {what}", self.path.display()), supported: supported.to_owned() }
    }

    /// The `config.json` that the header amounts to.
    fn config(&self) -> Result<ModelConfig, ModelError> {
        let family = self.text("general.architecture").unwrap_or_default();
        let windowed = self.count(&format!("{family}.attention.sliding_window")).filter(|window| *window > 0);
        let architecture = match family {
            // Mistral's files call themselves llama.
            "llama" if windowed.is_some() => "MistralForCausalLM",
            "llama" => "LlamaForCausalLM",
            "qwen2" => "Qwen2ForCausalLM",
            "qwen3" => "Qwen3ForCausalLM",
            other => {
                let what = format!("the architecture `{other}`");
                return Err(self.unsupported(&what, "supported in GGUF files are llama, qwen2 and qwen3"));
            }
        };
        let key = |name: &str| format!("{family}.{name}");
        let needed = |name: &str| {
            let name = key(name);
            self.count(&name).ok_or_else(|| ModelError::corrupt(self.path, format!("{name} is missing or no count")))
        };
        let (hidden, heads) = (needed("embedding_length")?, needed("attention.head_count")?);
        let head_dim = self.count(&key("attention.key_length")).or(hidden.checked_div(heads)).unwrap_or(0);
        for (name, meaning) in [("attention.value_length", "values"), ("rope.dimension_count", "rotation")] {
            if self.count(&key(name)).is_some_and(|width| width != head_dim) {
                return Err(self.unsupported(&format!("{meaning} narrower than a head"), "they must be as wide"));
            }
        }
        if self.count(&key("expert_count")).is_some_and(|experts| experts > 0) {
            return Err(self.unsupported("a mixture of experts", "supported are dense models"));
        }
        let vocabulary = self.content.tensor_infos.get("token_embd.weight").and_then(|info| info.shape.dims().first());
        let object = json!({
            "architectures": [architecture],
            "vocab_size": vocabulary,
            "hidden_size": hidden,
            "intermediate_size": needed("feed_forward_length")?,
            "num_hidden_layers": needed("block_count")?,
            "num_attention_heads": heads,
            "num_key_value_heads": self.count(&key("attention.head_count_kv")).unwrap_or(heads),
            "head_dim": head_dim,
            "rms_norm_eps": self.number(&key("attention.layer_norm_rms_epsilon")),
            "rope_theta": self.number(&key("rope.freq_base")).unwrap_or(10_000.0),
            "rope_scaling": self.scaling(family)?,
            "max_position_embeddings": needed("context_length")?,
            "tie_word_embeddings": !self.has("output.weight"),
            "sliding_window": windowed,
            "use_sliding_window": windowed.is_some(),
            "max_window_layers": 0,
        });
        let mut config = ModelConfig::parse(&object.to_string())?;
        config.qkv_bias = self.has("blk.0.attn_q.bias");
        config.output_bias = self.has("blk.0.attn_output.bias");
        // The converter moves the rows of llama's queries and keys so that neighbours are rotated instead of halves.
        config.rope_interleaved = family == "llama";
        Ok(config)
    }

    /// Llama 3's scaling, which the file holds as a divisor for each frequency, with the constants of all its releases.
    fn divided(&self, config: &ModelConfig, reader: &mut BufReader<File>) -> Result<RopeScaling, ModelError> {
        let Some(info) = self.content.tensor_infos.get(DIVISORS) else { return Ok(config.rope_scaling) };
        if info.shape.dims() != [config.head_dim / 2] {
            return Err(ModelError::corrupt(self.path, format!("{DIVISORS} is not half as wide as a head")));
        }
        let read = info.read(reader, self.content.tensor_data_offset, &Device::Cpu);
        let divisors = read.and_then(|tensor| tensor.dequantize(&Device::Cpu)?.to_vec1::<f32>());
        let divisors = divisors.map_err(|error| refused(self.path, &error))?;
        let factor = f64::from(divisors.iter().copied().fold(1.0, f32::max));
        let scaling = RopeScaling::Llama3 { factor, low: 1.0, high: 4.0, trained: 8192 };
        let of = |scaling| Rope::new(config.head_dim, config.rope_theta, scaling, true, 1).frequencies;
        let expected = of(RopeScaling::Plain).into_iter().zip(of(scaling)).map(|(plain, scaled)| plain / scaled);
        let close = divisors.iter().zip(expected).all(|(is, expected)| (is / expected - 1.0).abs() < 1e-3);
        if close && config.rope_scaling == RopeScaling::Plain {
            Ok(scaling)
        } else {
            Err(self.unsupported(DIVISORS, "supported are those of Llama 3.1 to 3.3"))
        }
    }

    fn scaling(&self, family: &str) -> Result<serde_json::Value, ModelError> {
        let key = |name: &str| format!("{family}.rope.scaling.{name}");
        match self.text(&key("type")) {
            None | Some("none") => Ok(serde_json::Value::Null),
            Some(kind @ ("linear" | "yarn")) if self.number(&key("yarn_log_multiplier")).is_none() => Ok(json!({
                "rope_type": kind,
                "factor": self.number(&key("factor")),
                "original_max_position_embeddings": self.count(&key("original_context_length")),
            })),
            Some(other) => {
                let what = format!("rope scaling `{other}`");
                Err(self.unsupported(&what, "supported in GGUF files are none, linear and yarn"))
            }
        }
    }

    fn tokenizer(&self) -> Result<Tokenizer, ModelError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let file = folder.join(TOKENIZER);
        if !file.exists() {
            let supported = "put the tokenizer.json of the model it was made from into its folder";
            return Err(self.unsupported("a GGUF file without tokenizer.json beside it", supported));
        }
        let mut frame = Frame::open(folder)?;
        for name in ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"] {
            frame.ends.extend(self.count(name).and_then(|token| u32::try_from(token).ok()));
        }
        if frame.template.is_none()
            && let Some(source) = self.text("tokenizer.chat_template")
        {
            let special = |name: &str| {
                let token = usize::try_from(self.count(name)?).ok()?;
                let texts = self.content.metadata.get("tokenizer.ggml.tokens")?.to_vec().ok()?;
                texts.get(token)?.to_string().ok().cloned()
            };
            let (start, end) = (special("tokenizer.ggml.bos_token_id"), special("tokenizer.ggml.eos_token_id"));
            frame.template = Some(Template::new(self.path, source.to_owned(), start, end)?);
        }
        Tokenizer::open(&file, frame)
    }

    /// A tensor by its Hugging Face name.
    fn tensor(&self, reader: &mut BufReader<File>, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let stored = stored(name);
        let info = self.content.tensor_infos.get(&stored);
        let info = info.ok_or_else(|| ModelError::corrupt(self.path, format!("the tensor {stored} is missing")))?;
        if info.shape.dims() != shape {
            let is = info.shape.dims();
            return Err(ModelError::corrupt(self.path, format!("{stored} is {is:?}, its header says {shape:?}")));
        }
        let read = info.read(reader, self.content.tensor_data_offset, &Device::Cpu);
        let tensor = read.and_then(|tensor| tensor.dequantize(&Device::Cpu));
        checked(self.path, name, tensor.map_err(|error| refused(self.path, &error))?)
    }
}

fn number(value: &Value) -> Option<f64> {
    let whole = value.to_u64().ok().map(|number| number as f64);
    whole
        .or_else(|| value.to_f32().ok().map(f64::from))
        .or_else(|| value.to_f64().ok())
        .or_else(|| value.to_i32().ok().map(f64::from))
}

/// The name of a tensor in a GGUF file.
fn stored(name: &str) -> String {
    let parts = [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers.", "blk."),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ];
    parts.into_iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs::File;

    use candle_core::quantized::gguf_file;
    use candle_core::quantized::{GgmlDType, QTensor};
    use longboard_suites::item::{Message, Role};
    use serde_json::Value as Json;
    use tempfile::TempDir;

    use super::*;
    use crate::model::Model;
    use crate::policy::Card;

    const TOKENIZER_JSON: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null, "added_tokens": [],
        "model": {"type": "WordLevel", "vocab": {"<unk>": 0, "go": 1, "to": 2, "stop": 3}, "unk_token": "<unk>"}}"#;

    /// A model of a family with width 256, so that blocks of 256 numbers fit.
    fn config(architecture: &str, more: &Json) -> ModelConfig {
        let mut object = json!({
            "architectures": [architecture], "vocab_size": 40, "hidden_size": 256, "intermediate_size": 256,
            "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 4, "rms_norm_eps": 1e-5,
            "rope_theta": 500_000.0, "max_position_embeddings": 64, "head_dim": 32,
        });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ModelConfig::parse(&object.to_string()).unwrap()
    }

    fn weights(config: &ModelConfig) -> HashMap<String, Tensor> {
        let tensor = |(name, shape): (String, Vec<usize>)| {
            let middle = f64::from(u8::from(name.contains("norm")));
            let phase = name.len() as f64;
            let count: usize = shape.iter().product();
            let wave = (0..count).map(|place| (middle + 0.1 * ((place * place) as f64 * 0.37 + phase).sin()) as f32);
            (name, Tensor::from_vec(wave.collect::<Vec<f32>>(), shape, &Device::Cpu).unwrap())
        };
        Decoder::shapes(config).into_iter().map(tensor).collect()
    }

    /// What llama.cpp's converter does to the rows of llama's queries and keys.
    fn moved(tensor: &Tensor, heads: usize) -> Tensor {
        let mut shape = tensor.dims().to_vec();
        let whole = shape.clone();
        let half = shape.remove(0) / heads / 2;
        let split: Vec<usize> = [heads, 2, half].into_iter().chain(shape).collect();
        let turned = tensor.reshape(split).unwrap().transpose(1, 2).unwrap().contiguous().unwrap();
        turned.reshape(whole).unwrap()
    }

    fn values(family: &str, config: &ModelConfig) -> Vec<(String, gguf_file::Value)> {
        use gguf_file::Value::{F32, String as Text, U32};
        let counts = [
            ("block_count", config.layers.len()),
            ("embedding_length", config.hidden_size),
            ("feed_forward_length", config.intermediate_size),
            ("attention.head_count", config.heads),
            ("attention.head_count_kv", config.kv_heads),
            ("attention.key_length", config.head_dim),
            ("context_length", config.max_positions),
            ("attention.sliding_window", config.layers.last().unwrap().window.unwrap_or(0)),
        ];
        let counts = counts.into_iter().map(|(name, count)| (format!("{family}.{name}"), U32(count as u32)));
        let others = [
            ("general.architecture".to_owned(), Text(family.to_owned())),
            (format!("{family}.attention.layer_norm_rms_epsilon"), F32(config.norm_eps)),
            (format!("{family}.rope.freq_base"), F32(config.rope_theta as f32)),
            ("tokenizer.ggml.eos_token_id".to_owned(), U32(3)),
        ];
        counts.chain(others).collect()
    }

    struct Written {
        folder: TempDir,
        values: Vec<(String, gguf_file::Value)>,
        tensors: HashMap<String, QTensor>,
    }

    impl Written {
        fn new(family: &str, config: &ModelConfig, tensors: &HashMap<String, Tensor>, kind: GgmlDType) -> Self {
            let stored = |(name, tensor): (&String, &Tensor)| {
                let heads = if name.contains("q_proj") { config.heads } else { config.kv_heads };
                let rotated = family == "llama" && (name.contains("q_proj") || name.contains("k_proj"));
                let tensor = if rotated { moved(tensor, heads) } else { tensor.clone() };
                let kind = if tensor.dims().len() == 1 { GgmlDType::F32 } else { kind };
                (super::stored(name), QTensor::quantize(&tensor, kind).unwrap())
            };
            let tensors = tensors.iter().map(stored).collect();
            Self { folder: TempDir::new().unwrap(), values: values(family, config), tensors }
        }

        fn set(&mut self, name: &str, value: gguf_file::Value) {
            self.values.retain(|(known, _)| known != name);
            self.values.push((name.to_owned(), value));
        }

        fn open(&self) -> Result<Checkpoint, ModelError> {
            let path = self.folder.path().join("model.gguf");
            let values: Vec<(&str, &gguf_file::Value)> =
                self.values.iter().map(|(name, value)| (name.as_str(), value)).collect();
            let tensors: Vec<(&str, &QTensor)> =
                self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
            gguf_file::write(&mut File::create(&path).unwrap(), &values, &tensors).unwrap();
            std::fs::write(self.folder.path().join(TOKENIZER), TOKENIZER_JSON).unwrap();
            Checkpoint::open(&path)
        }

        fn refused(&self) -> String {
            self.open().err().unwrap().to_string()
        }
    }

    fn logits(decoder: Decoder, tokenizer: &Tokenizer) -> Vec<f32> {
        let dense = Card::find("dense").unwrap();
        let model = Model::new(decoder, tokenizer.clone(), dense.build(&dense.settings(&[]).unwrap()));
        let ids: Vec<u32> = (0..50).map(|place| place * 7 % 40).collect();
        model.prefill(&mut model.sequence(), &ids).unwrap()
    }

    fn assembled(config: ModelConfig, tensors: &HashMap<String, Tensor>) -> Decoder {
        Decoder::assemble(config, |name, _| Ok(tensors.get(name).unwrap().clone())).unwrap()
    }

    fn far(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn the_same_weights_give_the_same_logits() {
        let cases = [
            ("llama", "LlamaForCausalLM", json!({})),
            ("llama", "LlamaForCausalLM", json!({"attention_bias": true})),
            ("llama", "MistralForCausalLM", json!({"sliding_window": 8})),
            ("qwen2", "Qwen2ForCausalLM", json!({"tie_word_embeddings": true})),
            ("qwen3", "Qwen3ForCausalLM", json!({})),
        ];
        for (family, architecture, more) in cases {
            let config = config(architecture, &more);
            let tensors = weights(&config);
            let read = Written::new(family, &config, &tensors, GgmlDType::F32).open().unwrap();
            let expected = logits(assembled(config, &tensors), &read.tokenizer);
            let far = far(&expected, &logits(read.decoder, &read.tokenizer));
            assert!(far < 1e-4, "{architecture} {more}: {far}");
        }
    }

    #[test]
    fn narrower_weights_are_widened() {
        let config = config("LlamaForCausalLM", &json!({}));
        let tensors = weights(&config);
        for kind in [
            GgmlDType::F16,
            GgmlDType::BF16,
            GgmlDType::Q4_0,
            GgmlDType::Q5_1,
            GgmlDType::Q8_0,
            GgmlDType::Q4K,
            GgmlDType::Q6K,
        ] {
            let written = Written::new("llama", &config, &tensors, kind);
            let read = written.open().unwrap();
            let widened: HashMap<String, Tensor> = tensors
                .keys()
                .map(|name| (name.clone(), written.tensors[&stored(name)].dequantize(&Device::Cpu).unwrap()))
                .collect();
            let mut interleaved = config.clone();
            interleaved.rope_interleaved = true;
            let expected = logits(assembled(interleaved, &widened), &read.tokenizer);
            let far = far(&expected, &logits(read.decoder, &read.tokenizer));
            assert!(far < 1e-5, "{kind:?}: {far}");
        }
    }

    #[test]
    fn llama3_scaling_is_recognised_from_its_divisors() {
        let scaling = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192});
        let config = config("LlamaForCausalLM", &json!({"rope_scaling": scaling}));
        let mut written = Written::new("llama", &config, &weights(&config), GgmlDType::F32);
        let of = |scaling| Rope::new(32, 500_000.0, scaling, false, 1).frequencies;
        let plain = of(RopeScaling::Plain).into_iter();
        let mut divisors: Vec<f32> = plain.zip(of(config.rope_scaling)).map(|(plain, scaled)| plain / scaled).collect();
        let tensor = |divisors: &[f32]| {
            QTensor::quantize(&Tensor::new(divisors, &Device::Cpu).unwrap(), GgmlDType::F32).unwrap()
        };
        written.tensors.insert(DIVISORS.to_owned(), tensor(&divisors));
        assert_eq!(written.open().unwrap().decoder.config.rope_scaling, config.rope_scaling);
        divisors[3] = 5.0;
        written.tensors.insert(DIVISORS.to_owned(), tensor(&divisors));
        assert!(written.refused().contains(DIVISORS));
    }

    #[test]
    fn template_and_ends_come_from_the_header_too() {
        use gguf_file::Value::{Array, String as Text, U32};
        let config = config("Qwen2ForCausalLM", &json!({}));
        let mut written = Written::new("qwen2", &config, &weights(&config), GgmlDType::F32);
        let texts = ["<unk>", "go", "to", "stop"].map(|text| Text(text.to_owned()));
        written.set("tokenizer.ggml.tokens", Array(texts.to_vec()));
        written.set("tokenizer.ggml.bos_token_id", U32(1));
        let template = "{{ bos_token }} {% for message in messages %}{{ message.content }}{% endfor %} {{ eos_token }}";
        written.set("tokenizer.chat_template", Text(template.to_owned()));
        let tokenizer = written.open().unwrap().tokenizer;
        let messages = [Message { role: Role::User, content: "to".to_owned() }];
        assert_eq!(tokenizer.encode_chat(&messages).unwrap(), [1, 2, 3]);
        assert!(tokenizer.is_end(3) && !tokenizer.is_end(2));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_cause() {
        use gguf_file::Value::{String as Text, U32};
        let config = config("LlamaForCausalLM", &json!({}));
        let tensors = weights(&config);
        let changed = |change: &dyn Fn(&mut Written)| {
            let mut written = Written::new("llama", &config, &tensors, GgmlDType::F32);
            change(&mut written);
            written.refused()
        };
        for (expected, change) in [
            (
                "`gemma`",
                &(|written: &mut Written| written.set("general.architecture", Text("gemma".to_owned())))
                    as &dyn Fn(&mut Written),
            ),
            ("llama.block_count", &|written| written.set("llama.block_count", Text("2".to_owned()))),
            ("num_hidden_layers", &|written| written.set("llama.block_count", U32(4_000_000_000))),
            ("blk.2.attn_q.weight is missing", &|written| written.set("llama.block_count", U32(3))),
            ("header says", &|written| written.set("llama.feed_forward_length", U32(512))),
            ("mixture of experts", &|written| written.set("llama.expert_count", U32(8))),
            ("rope scaling `longrope`", &|written| written.set("llama.rope.scaling.type", Text("longrope".to_owned()))),
            ("not a GGUF header", &|written| written.set("general.alignment", U32(0))),
            ("rotation narrower", &|written| written.set("llama.rope.dimension_count", U32(16))),
        ] {
            let said = changed(change);
            assert!(
                said.contains(expected) && said.contains("model.gguf") || said.contains("config.json"),
                "{expected}: {said}"
            );
        }
        let written = Written::new("llama", &config, &tensors, GgmlDType::F32);
        written.open().unwrap();
        let path = written.folder.path().join("model.gguf");
        let bytes = std::fs::read(&path).unwrap();
        let said = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Checkpoint::open(&path).err().unwrap().to_string()
        };
        assert!(said(&bytes[..bytes.len() / 2]).contains("download"));
        assert!(said(b"GGUF").contains("download"));
        assert!(said(b"not one").contains("download"));
        std::fs::write(&path, &bytes).unwrap();
        std::fs::remove_file(written.folder.path().join(TOKENIZER)).unwrap();
        assert!(Checkpoint::open(&path).err().unwrap().to_string().contains("put the tokenizer.json"));
    }
}
