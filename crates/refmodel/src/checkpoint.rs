//! Weights from files: Hugging Face folders, and the checkpoint that is built in.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::chat::Frame;
use crate::config::ModelConfig;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::gguf;
use crate::tokenizer::Tokenizer;

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

const BUILTIN_CONFIG: &str = include_str!("../checkpoint/config.json");
const BUILTIN_TOKENIZER: &[u8] = include_bytes!("../checkpoint/tokenizer.json");
const BUILTIN_WEIGHTS: &[u8] = include_bytes!("../checkpoint/model.safetensors");

/// A decoder and its tokenizer.
#[derive(Clone)]
pub struct Checkpoint {
    /// Weights.
    pub decoder: Decoder,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
}

impl Checkpoint {
    /// The checkpoint that is part of the program.
    ///
    /// # Errors
    /// [`ModelError::Corrupt`] when the program was built from damaged files.
    pub fn builtin() -> Result<Self, ModelError> {
        let place = Path::new("built-in checkpoint");
        let config = ModelConfig::parse(BUILTIN_CONFIG)?;
        let tokenizer = Tokenizer::parse(BUILTIN_TOKENIZER, Frame::default());
        let tokenizer = tokenizer.map_err(|detail| ModelError::corrupt(place, detail))?;
        let mut tensors = Tensors::default();
        tensors.read(place, BUILTIN_WEIGHTS)?;
        Self::assemble(place, config, tokenizer, &tensors)
    }

    /// Reads a folder with `config.json`, `tokenizer.json` and one or several safetensors files, or a GGUF file with
    /// `tokenizer.json` beside it.
    ///
    /// # Errors
    /// [`ModelError`] names the file and what to do about it.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        if folder.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf")) {
            return gguf::open(folder);
        }
        let config = ModelConfig::parse(&text(&folder.join(CONFIG))?)?;
        let tokenizer = Tokenizer::open(&folder.join(TOKENIZER), Frame::open(folder)?)?;
        let mut tensors = Tensors::default();
        for path in shards(folder)? {
            let bytes = std::fs::read(&path).map_err(|error| ModelError::unreadable(&path, error))?;
            tensors.read(&path, &bytes)?;
        }
        Self::assemble(folder, config, tokenizer, &tensors)
    }

    fn assemble(
        place: &Path,
        config: ModelConfig,
        tokenizer: Tokenizer,
        tensors: &Tensors,
    ) -> Result<Self, ModelError> {
        Self::fits(place, &config, &tokenizer)?;
        let decoder = Decoder::assemble(config, |name, shape| tensors.tensor(place, name, shape))?;
        Ok(Self { decoder, tokenizer })
    }

    /// Whether every token has a row of the embedding.
    pub(crate) fn fits(place: &Path, config: &ModelConfig, tokenizer: &Tokenizer) -> Result<(), ModelError> {
        let (entries, size) = (tokenizer.size(), config.vocab_size);
        if entries > size {
            return Err(ModelError::corrupt(
                place,
                format!("the tokenizer has {entries} entries, the weights are for {size}; they do not belong together"),
            ));
        }
        Ok(())
    }

    /// Writes a folder that [`Checkpoint::open`] reads, with weights in half precision.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`] when a file cannot be written.
    pub fn save(
        folder: &Path,
        config: &ModelConfig,
        tokenizer: &Tokenizer,
        weights: &HashMap<String, Tensor>,
    ) -> Result<(), ModelError> {
        save(folder, &config.to_json(), tokenizer, weights)
    }
}

/// Writes a folder of a configuration, a tokenizer and weights in half precision.
pub(crate) fn save(
    folder: &Path,
    config: &Value,
    tokenizer: &Tokenizer,
    weights: &HashMap<String, Tensor>,
) -> Result<(), ModelError> {
    std::fs::create_dir_all(folder).map_err(|error| ModelError::unreadable(folder, error))?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| ModelError::unreadable(&path, error))
    };
    write(CONFIG, format!("{config:#}\n"))?;
    write(TOKENIZER, tokenizer.to_json()?)?;
    // Adding 0 leaves zeros one sign, which rounding gives two of: an adapter that adds nothing then changes no bit.
    let halves = weights
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), (tensor.to_dtype(DType::F16)? + 0.0)?)))
        .collect::<candle_core::Result<HashMap<_, _>>>()?;
    Ok(candle_core::safetensors::save(&halves, folder.join(WEIGHTS))?)
}

pub(crate) fn text(path: &Path) -> Result<String, ModelError> {
    std::fs::read_to_string(path).map_err(|error| ModelError::unreadable(path, error))
}

/// The safetensors files of a folder: one, or those that the index names.
fn shards(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let index = folder.join(INDEX);
    if !index.exists() {
        return Ok(vec![folder.join(WEIGHTS)]);
    }
    let object: Value = serde_json::from_str(&text(&index)?).map_err(|error| ModelError::corrupt(&index, error))?;
    let map = object.get("weight_map").and_then(Value::as_object);
    let names: BTreeSet<&str> = map.into_iter().flat_map(|map| map.values()).filter_map(Value::as_str).collect();
    // A name of the index is a file of the folder, nothing above it.
    if names.is_empty() || names.iter().any(|name| Path::new(name).components().count() != 1 || name.contains("..")) {
        return Err(ModelError::corrupt(&index, "weight_map does not name files of this folder"));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Tensors by name.
#[derive(Default)]
pub(crate) struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    pub(crate) fn read(&mut self, path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| ModelError::corrupt(path, error))?;
        for (name, view) in file.tensors() {
            let dtype = match view.dtype() {
                Dtype::F32 => DType::F32,
                Dtype::F16 => DType::F16,
                Dtype::BF16 => DType::BF16,
                other => {
                    return Err(ModelError::Unsupported {
                        what: format!("{}: the type {other:?} of {name}", path.display()),
                        supported: "supported are F32, F16 and BF16".to_owned(),
                    });
                }
            };
            let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)?;
            self.0.insert(name, tensor.to_dtype(DType::F32)?);
        }
        Ok(())
    }

    pub(crate) fn tensor(&self, path: &Path, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let found =
            self.0.get(name).ok_or_else(|| ModelError::corrupt(path, format!("the tensor {name} is missing")))?;
        if found.dims() != shape {
            let is = found.dims();
            return Err(ModelError::corrupt(path, format!("{name} is {is:?}, config.json says {shape:?}")));
        }
        checked(path, name, found.clone())
    }
}

/// A tensor all of whose numbers are finite.
pub(crate) fn checked(path: &Path, name: &str, tensor: Tensor) -> Result<Tensor, ModelError> {
    if !tensor.abs()?.sum_all()?.to_scalar::<f32>()?.is_finite() {
        return Err(ModelError::corrupt(path, format!("{name} holds numbers that are not finite")));
    }
    Ok(tensor)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A folder with the built-in checkpoint, changed by `change`.
    fn folder(change: impl Fn(&mut ModelConfig, &mut HashMap<String, Tensor>)) -> TempDir {
        let folder = TempDir::new().unwrap();
        let Checkpoint { decoder, tokenizer } = Checkpoint::builtin().unwrap();
        let (mut config, mut tensors) = (decoder.config.clone(), decoder.tensors());
        change(&mut config, &mut tensors);
        Checkpoint::save(folder.path(), &config, &tokenizer, &tensors).unwrap();
        folder
    }

    fn refused(folder: &TempDir) -> String {
        Checkpoint::open(folder.path()).err().unwrap().to_string()
    }

    #[test]
    fn what_was_saved_is_read() {
        let (kept, read) = (Checkpoint::builtin().unwrap(), Checkpoint::open(folder(|_, _| {}).path()).unwrap());
        assert_eq!(kept.decoder.config, read.decoder.config);
        for (name, tensor) in kept.decoder.tensors() {
            let far = (tensor - read.decoder.tensors().get(&name).unwrap()).unwrap().abs().unwrap().max_all().unwrap();
            assert!(far.to_scalar::<f32>().unwrap() == 0.0, "{name}");
        }
    }

    #[test]
    fn a_zero_is_saved_with_one_sign() {
        let saved = folder(|_, tensors| {
            let gain = tensors.get_mut("model.norm.weight").unwrap();
            *gain = (gain.clone() * -0.0).unwrap();
        });
        let tensors = Checkpoint::open(saved.path()).unwrap().decoder.tensors();
        let gain = tensors["model.norm.weight"].to_vec1::<f32>().unwrap();
        assert!(gain.iter().all(|weight| weight.to_bits() == 0), "{gain:?}");
    }

    #[test]
    fn damaged_checkpoints_are_refused_by_file_and_cause() {
        let cut = folder(|_, _| {});
        let path = cut.path().join(WEIGHTS);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, bytes.get(..bytes.len() / 2).unwrap()).unwrap();
        let said = refused(&cut);
        assert!(said.contains(WEIGHTS) && said.contains("download"), "{said}");

        let poisoned = folder(|_, tensors| {
            let gain = tensors.get_mut("model.norm.weight").unwrap();
            *gain = (gain.clone() * f64::NAN).unwrap();
        });
        assert!(refused(&poisoned).contains("model.norm.weight holds numbers that are not finite"));

        let missing = folder(|_, tensors| {
            tensors.remove("model.norm.weight");
        });
        assert!(refused(&missing).contains("model.norm.weight is missing"));

        let narrow = folder(|config, _| config.intermediate_size = 128);
        assert!(refused(&narrow).contains("config.json says"), "{}", refused(&narrow));

        let small = folder(|config, _| config.vocab_size = 1000);
        assert!(refused(&small).contains("do not belong together"), "{}", refused(&small));

        assert!(Checkpoint::open(Path::new("/nonexistent")).err().unwrap().to_string().contains(CONFIG));
    }

    #[test]
    fn an_index_names_files_of_its_folder_only() {
        let outside = folder(|_, _| {});
        let index = r#"{"weight_map": {"model.norm.weight": "../secret"}}"#;
        std::fs::write(outside.path().join(INDEX), index).unwrap();
        assert!(refused(&outside).contains("does not name files of this folder"));
    }
}
