//! The encoder: a small bidirectional transformer that makes a vector of a text, and the training-free position strategies of
//! LongEmbed by which it reads more than it was trained for.
//!
//! RMSNorm, SwiGLU, rotary positions, the mean of the last states, a projection, length 1. There is no norm after the last
//! layer: how long a token's state is says how much the token counts. Layers have local windows, all but one, so that
//! time grows with the square of the tokens in one layer only.

mod config;
mod pass;
mod positions;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use longboard_suites::aggregate;
use rayon::prelude::*;

pub use config::EncoderConfig;
pub use positions::{Extension, Positions, Reading};

use crate::chat::Frame;
use crate::checkpoint::{self, CONFIG, TOKENIZER, Tensors, WEIGHTS, text};
use crate::decoder::{Decoder, Linear};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

const BUILTIN_CONFIG: &str = include_str!("../../checkpoint-encoder/config.json");
const BUILTIN_TOKENIZER: &[u8] = include_bytes!("../../checkpoint-encoder/tokenizer.json");
const BUILTIN_WEIGHTS: &[u8] = include_bytes!("../../checkpoint-encoder/model.safetensors");

/// The projection's name in a checkpoint; the rest has the names of a decoder.
pub(crate) const PROJECTION: &str = "projection.weight";

/// What a decoder has and an encoder has not.
pub(crate) const LAST_NORM: &str = "model.norm.weight";

/// Text to vector.
#[derive(Clone)]
pub struct Encoder {
    /// Shape.
    pub config: EncoderConfig,
    /// Embedding and layers; the last norm is not used.
    pub stack: Decoder,
    /// From the mean of the last states to the vector, `[hidden, hidden]`.
    pub projection: Linear,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
}

impl Encoder {
    /// The encoder that is part of the program.
    ///
    /// # Errors
    /// [`ModelError::Corrupt`] when the program was built from damaged files.
    pub fn builtin() -> Result<Self, ModelError> {
        let place = Path::new("built-in encoder");
        let tokenizer = Tokenizer::parse(BUILTIN_TOKENIZER, Frame::default());
        let tokenizer = tokenizer.map_err(|detail| ModelError::corrupt(place, detail))?;
        Self::read(place, EncoderConfig::parse(BUILTIN_CONFIG)?, tokenizer, BUILTIN_WEIGHTS)
    }

    /// Reads a folder with `config.json`, `tokenizer.json` and `model.safetensors`.
    ///
    /// # Errors
    /// [`ModelError`] names the file and what to do about it.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let config = EncoderConfig::parse(&text(&folder.join(CONFIG))?)?;
        let tokenizer = Tokenizer::open(&folder.join(TOKENIZER), Frame::default())?;
        let path = folder.join(WEIGHTS);
        let bytes = std::fs::read(&path).map_err(|error| ModelError::unreadable(&path, error))?;
        Self::read(&path, config, tokenizer, &bytes)
    }

    fn read(path: &Path, config: EncoderConfig, tokenizer: Tokenizer, bytes: &[u8]) -> Result<Self, ModelError> {
        let mut tensors = Tensors::default();
        tensors.read(path, bytes)?;
        if tokenizer.size() > config.vocab_size {
            let (entries, size) = (tokenizer.size(), config.vocab_size);
            return Err(ModelError::corrupt(path, format!("the tokenizer has {entries} entries, the weights {size}")));
        }
        Self::assemble(config, tokenizer, |name, shape| tensors.tensor(path, name, shape))
    }

    /// Assembles an encoder from tensors by their names.
    ///
    /// # Errors
    /// What `tensor` returns for a name with the shape it must have.
    pub fn assemble(
        config: EncoderConfig,
        tokenizer: Tokenizer,
        mut tensor: impl FnMut(&str, &[usize]) -> Result<Tensor, ModelError>,
    ) -> Result<Self, ModelError> {
        let stack = Decoder::assemble(config.stack(), |name, shape| match name {
            LAST_NORM => Ok(Tensor::ones(shape, DType::F32, &Device::Cpu)?),
            _ => tensor(name, shape),
        })?;
        let weight = tensor(PROJECTION, &[config.hidden_size, config.hidden_size])?;
        Ok(Self { config, stack, projection: Linear { weight, bias: None }, tokenizer })
    }

    /// Writes a folder that [`Encoder::open`] reads, with weights in half precision.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`] when a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), ModelError> {
        checkpoint::save(folder, &self.config.to_json(), &self.tokenizer, &self.tensors())
    }

    /// All weights by name.
    #[must_use]
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        let mut tensors = self.stack.tensors();
        tensors.remove(LAST_NORM);
        tensors.insert(PROJECTION.to_owned(), self.projection.weight.clone());
        tensors
    }

    /// Tokens of a text.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when it cannot be encoded.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.tokenizer.encode(text)
    }

    /// A vector of length 1 and [`EncoderConfig::hidden_size`] numbers per text, in their order. Blocking and CPU-bound; a text
    /// gives the same vector whatever stands beside it.
    ///
    /// Costs of a text of n tokens: memory of a few kB per token; time of the windowed layers in proportion to n, of the layer
    /// without window to n squared, unless `positions` is plain or pcw.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when a text cannot be encoded, [`ModelError::Compute`] from arithmetic.
    pub fn embed(&self, texts: &[&str], positions: Positions) -> Result<Vec<Vec<f32>>, ModelError> {
        texts.par_iter().map(|text| self.vector(&self.tokens(text)?, positions)).collect()
    }

    /// The vector of tokens; a text without tokens is its end.
    fn vector(&self, ids: &[u32], positions: Positions) -> Result<Vec<f32>, ModelError> {
        let end = [self.tokenizer.end()];
        let ids = if ids.is_empty() { end.as_slice() } else { ids };
        let EncoderConfig { trained, rope_theta, head_dim, .. } = self.config;
        let pieces: Vec<Vec<f32>> = positions
            .pieces(ids.len(), trained)
            .into_iter()
            .map(|piece| {
                let ids = ids.get(piece).unwrap_or_default();
                self.piece(ids, &positions.reading(ids.len(), trained, rope_theta, head_dim))
            })
            .collect::<Result<_, _>>()?;
        Ok(aggregate::normalised(aggregate::mean(&pieces)))
    }

    /// The vector of one piece, `[hidden]`, not normalised.
    fn piece(&self, ids: &[u32], reading: &Reading) -> Result<Vec<f32>, ModelError> {
        let pooled = pass::pooled(&self.stack, ids, reading)?;
        let pooled = Tensor::from_vec(pooled, (1, self.config.hidden_size), &Device::Cpu)?;
        Ok(self.projection.apply(&pooled)?.flatten_all()?.to_vec1()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::encoder::recipe;

    fn encoder() -> Encoder {
        let tokenizer = crate::checkpoint::Checkpoint::builtin().unwrap().tokenizer;
        let config = EncoderConfig { trained: 96, ..recipe::config() };
        recipe::untrained(config, tokenizer, 4).unwrap()
    }

    fn ids(count: u32) -> Vec<u32> {
        (0..count).map(|place| 300 + place * 37 % 900).collect()
    }

    fn far(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn what_fits_has_one_vector_under_every_strategy() {
        let encoder = encoder();
        let plain = encoder.vector(&ids(96), Positions::Plain).unwrap();
        assert!((plain.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
        for positions in Positions::ALL {
            assert_eq!(encoder.vector(&ids(96), positions).unwrap(), plain, "{positions:?}");
        }
    }

    #[test]
    fn what_does_not_fit_has_another_under_each() {
        let encoder = encoder();
        let long = ids(250);
        let vectors = Positions::ALL.map(|positions| encoder.vector(&long, positions).unwrap());
        for (one, positions) in vectors.iter().zip(Positions::ALL) {
            let same = vectors.iter().filter(|other| far(other, one) < 1e-5).count();
            assert_eq!(same, 1, "{positions:?}");
        }
        assert_eq!(vectors[0], encoder.vector(&long[..96], Positions::Plain).unwrap(), "plain drops the rest");
    }

    #[test]
    fn windows_are_joined_by_the_mean_of_vectors_that_are_not_normalised() {
        let encoder = encoder();
        let long = ids(200);
        let read = |ids: &[u32]| {
            let reading = Positions::Plain.reading(ids.len(), 96, encoder.config.rope_theta, encoder.config.head_dim);
            encoder.piece(ids, &reading).unwrap()
        };
        let pieces = [read(&long[..96]), read(&long[96..192]), read(&long[192..])];
        let wanted = aggregate::normalised(aggregate::mean(&pieces));
        assert_eq!(encoder.vector(&long, Positions::Pcw).unwrap(), wanted);
        let norms = pieces.map(aggregate::normalised);
        assert!(far(&aggregate::normalised(aggregate::mean(&norms)), &wanted) > 1e-4);
    }

    #[test]
    fn self_extend_with_groups_of_one_is_plain() {
        let encoder = encoder();
        let long = ids(90);
        let EncoderConfig { rope_theta, head_dim, .. } = encoder.config;
        let plain = encoder.piece(&long, &Positions::Plain.reading(90, 96, rope_theta, head_dim)).unwrap();
        let extended = |group| Reading::Extended(Extension { group, neighbours: 32 });
        assert!(far(&encoder.piece(&long, &extended(1)).unwrap(), &plain) < 1e-5);
        assert!(far(&encoder.piece(&long, &extended(5)).unwrap(), &plain) > 1e-4);
    }

    #[test]
    fn a_text_has_one_vector_in_any_company_and_an_empty_one_has_one_too() {
        let encoder = encoder();
        let together = encoder.embed(&["The road is dry.", "", "Here stands a mill."], Positions::Plain).unwrap();
        assert_eq!(together[2], encoder.embed(&["Here stands a mill."], Positions::Plain).unwrap()[0]);
        assert!(together[1].iter().all(|value| value.is_finite()) && together[0] != together[2]);
    }

    #[test]
    fn the_built_in_encoder_finds_a_passkey_by_its_owner() {
        let encoder = Encoder::builtin().unwrap();
        assert_eq!(encoder.config, recipe::config());
        let names = ["Arian Ashdown", "Belwyn Calder", "Corus Farrow", "Dana Barrow"];
        let filler = "The road is dry. The lamp is lit. The bread is warm. ".repeat(8);
        let documents = names.map(|name| format!("{filler}{name}'s passkey is 48151. {filler}"));
        let queries = names.map(|name| format!("What is the passkey for {name}?"));
        let read = |texts: &[String]| {
            encoder.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>(), Positions::Plain).unwrap()
        };
        let (queries, documents) = (read(&queries), read(&documents));
        let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        for (own, query) in queries.iter().enumerate() {
            let scores: Vec<f32> = documents.iter().map(|document| cosine(query, document)).collect();
            assert!(scores.iter().all(|score| *score <= scores[own]), "{}: {scores:?}", names[own]);
        }
    }

    #[test]
    fn what_was_saved_is_read_and_a_decoder_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        encoder().save(folder.path()).unwrap();
        let read = Encoder::open(folder.path()).unwrap();
        let (kept, read) =
            (encoder().vector(&ids(40), Positions::Plain).unwrap(), read.vector(&ids(40), Positions::Plain));
        assert!(far(&kept, &read.unwrap()) < 5e-3);
        let checkpoint = crate::checkpoint::Checkpoint::builtin().unwrap();
        let text = checkpoint.decoder.config.to_json().to_string();
        std::fs::write(folder.path().join(CONFIG), text).unwrap();
        assert!(Encoder::open(folder.path()).err().unwrap().to_string().contains("LongboardEncoder"));
    }
}
