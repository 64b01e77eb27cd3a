//! The model at work: decoder, tokenizer and policy together, many texts at a time.

use std::collections::HashSet;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use longboard_suites::item::Message;

use crate::bounds::Bounds;
use crate::cache::{PARTS, Summaries};
use crate::config::LayerKind;
use crate::cuda::Accelerator;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::page::{PAGE, Page};
use crate::policy::{Policy, bytes_of};
use crate::rope::{Rope, RopeScaling};
use crate::sequence::{Projections, Sequence};
use crate::tokenizer::Tokenizer;

/// Tokens of a prompt that are read at once.
pub const CHUNK: usize = 512;

/// Decoder, tokenizer and policy.
pub struct Model {
    /// Weights.
    pub decoder: Decoder,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
    policy: Box<dyn Policy>,
    rope: Arc<Rope>,
    accelerator: Option<Arc<Accelerator>>,
    /// Tokens that end a sentence, where the policy asks for them.
    sentence_ends: HashSet<u32>,
}

/// Tokens for one text.
pub struct Feed<'a> {
    /// The text so far.
    pub sequence: &'a mut Sequence,
    /// What comes next.
    pub ids: &'a [u32],
    /// Last rows whose logits are wanted, at least 1.
    pub wanted: usize,
    /// These are the last tokens of the prompt.
    pub prompt_ends: bool,
}

impl Feed<'_> {
    /// Rows whose logits are returned.
    fn rows(&self) -> usize {
        self.wanted.max(1).min(self.ids.len())
    }
}

impl Model {
    /// A model under `policy`.
    #[must_use]
    pub fn new(decoder: Decoder, tokenizer: Tokenizer, policy: Box<dyn Policy>) -> Self {
        let rope = Arc::new(Rope::of(&decoder.config, decoder.config.max_positions));
        let sentence_ends = if policy.watch().sentence_ends { tokenizer.sentence_ends() } else { HashSet::default() };
        Self { decoder, tokenizer, policy, rope, accelerator: None, sentence_ends }
    }

    /// The same model, whose attention is read by a device where the policy decides.
    #[must_use]
    pub fn on(self, accelerator: Option<Arc<Accelerator>>) -> Self {
        Self { accelerator, ..self }
    }

    /// An empty text no longer than the model was trained for.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.sequence_for(0)
    }

    /// An empty text whose prompt will have so many tokens: rotary scalings that follow the length take it from here,
    /// and keep it for the answer, so that keys and queries agree.
    #[must_use]
    pub fn sequence_for(&self, tokens: usize) -> Sequence {
        let config = &self.decoder.config;
        let grows = matches!(config.rope_scaling, RopeScaling::DynamicNtk { trained, .. } if tokens > trained);
        let rope = if grows { Arc::new(Rope::of(config, tokens)) } else { Arc::clone(&self.rope) };
        Sequence::new(config, self.policy.as_ref(), rope).on(self.accelerator.clone())
    }

    /// Tokens of a conversation, up to where the model speaks.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when a text cannot be encoded.
    pub fn encode(&self, messages: &[Message]) -> Result<Vec<u32>, ModelError> {
        self.tokenizer.encode_chat(messages)
    }

    /// Bytes that the cache of a text of `tokens`, and what selectors keep beside it, take at most, when nothing is
    /// evicted.
    #[must_use]
    pub fn cache_bytes(&self, tokens: usize) -> u64 {
        let config = &self.decoder.config;
        let pages = |window: Option<usize>| match window {
            // Pages at both ends of a window are kept whole while a chunk is read.
            Some(window) => tokens.min(window + CHUNK + 2 * PAGE).div_ceil(PAGE),
            None => tokens.div_ceil(PAGE),
        };
        let page = Page::new(config.head_dim).bytes() + PAGE * size_of::<u32>();
        let Summaries { bounds, mean } = self.policy.summaries();
        let mean = usize::from(mean) * config.head_dim * size_of::<f32>() * PARTS;
        let summaries = |pages| pages * mean + usize::from(bounds) * Bounds::bytes_of(config.head_dim, pages * PARTS);
        let group = config.heads / config.kv_heads;
        let watched = self.policy.watch().last_queries.min(tokens);
        let queries = group * bytes_of::<f32>(watched * config.head_dim);
        let own = queries + self.policy.own_bytes(tokens, config.head_dim, group);
        let layer = |layer: &LayerKind| {
            let pages = pages(layer.window);
            (pages * page + if layer.window.is_none() { summaries(pages) + own } else { 0 }) as u64
        };
        config.layers.iter().map(layer).sum::<u64>() * config.kv_heads as u64
    }

    /// Reads a whole prompt and returns the logits after its last token.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn prefill(&self, sequence: &mut Sequence, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let mut logits = Vec::new();
        let count = ids.len().div_ceil(CHUNK);
        for (index, chunk) in ids.chunks(CHUNK).enumerate() {
            let feed = Feed { sequence: &mut *sequence, ids: chunk, wanted: 1, prompt_ends: index + 1 == count };
            logits = self.forward(&mut [feed])?.pop().and_then(|mut rows| rows.pop()).unwrap_or_default();
        }
        Ok(logits)
    }

    /// Reads the next tokens of several texts and returns, for each, the logits of its last rows.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn forward(&self, feeds: &mut [Feed<'_>]) -> Result<Vec<Vec<Vec<f32>>>, ModelError> {
        let config = &self.decoder.config;
        let ids: Vec<u32> = feeds.iter().flat_map(|feed| feed.ids.iter().copied()).collect();
        let mut x = self.decoder.embed(&ids)?;
        for (index, layer) in self.decoder.layers.iter().enumerate() {
            let normed = layer.input_norm.apply(&x)?;
            let mut projected = [layer.query.apply(&normed)?, layer.key.apply(&normed)?, layer.value.apply(&normed)?];
            if let (Some(query_norm), Some(key_norm)) = (&layer.query_norm, &layer.key_norm) {
                for (rows, norm) in projected.iter_mut().zip([query_norm, key_norm]) {
                    let (count, width) = rows.dims2()?;
                    let heads = rows.reshape((count, width / config.head_dim, config.head_dim))?;
                    *rows = norm.apply(&heads)?.reshape((count, width))?;
                }
            }
            let [queries, keys, values] = projected;
            let (queries, keys, values) = (flat(&queries)?, flat(&keys)?, flat(&values)?);
            let (width, kv_width) = (config.heads * config.head_dim, config.kv_heads * config.head_dim);
            let mut heads = Vec::with_capacity(ids.len() * width);
            let mut row = 0;
            for feed in &mut *feeds {
                let to = row + feed.ids.len();
                let asked = if feed.sequence.asks_sentence_ends() { feed.ids } else { &[] };
                let sentence_ends: Vec<bool> = asked.iter().map(|id| self.sentence_ends.contains(id)).collect();
                let rows = Projections {
                    queries: queries.get(row * width..to * width).unwrap_or_default(),
                    keys: keys.get(row * kv_width..to * kv_width).unwrap_or_default(),
                    values: values.get(row * kv_width..to * kv_width).unwrap_or_default(),
                    prompt_ends: feed.prompt_ends,
                    sentence_ends: &sentence_ends,
                };
                heads.extend(feed.sequence.attend(index, config, &rows));
                row = to;
            }
            let heads = Tensor::from_vec(heads, (ids.len(), width), &Device::Cpu)?;
            x = layer.close(&x, &normed, &heads)?;
        }
        self.last_logits(&x, feeds)
    }

    fn last_logits(&self, x: &Tensor, feeds: &mut [Feed<'_>]) -> Result<Vec<Vec<Vec<f32>>>, ModelError> {
        let mut places = Vec::new();
        let mut row = 0;
        for feed in &mut *feeds {
            let to = row + feed.ids.len();
            if feed.sequence.asks_surprisal() {
                let rows = self.decoder.logits(&x.narrow(0, row, feed.ids.len())?)?.to_vec2::<f32>()?;
                feed.sequence.surprise(feed.ids, &rows, feed.prompt_ends);
            }
            places.extend((to - feed.rows()..to).filter_map(|place| u32::try_from(place).ok()));
            feed.sequence.advance(feed.ids.len(), feed.prompt_ends);
            row = to;
        }
        let places = Tensor::new(places.as_slice(), &Device::Cpu)?;
        let logits = self.decoder.logits(&x.index_select(&places, 0)?)?.to_vec2::<f32>()?;
        let mut rows = logits.into_iter();
        Ok(feeds.iter().map(|feed| rows.by_ref().take(feed.rows()).collect()).collect())
    }

    /// Generates greedily until the end token or `most` tokens; returns the answer's tokens.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn generate(&self, ids: &[u32], most: usize) -> Result<Vec<u32>, ModelError> {
        let mut sequence = self.sequence_for(ids.len());
        let mut logits = self.prefill(&mut sequence, ids)?;
        let mut answer = Vec::new();
        while answer.len() < most {
            let next = greedy(&logits);
            if self.tokenizer.is_end(next) {
                break;
            }
            answer.push(next);
            let feed = Feed { sequence: &mut sequence, ids: &[next], wanted: 1, prompt_ends: false };
            logits = self.forward(&mut [feed])?.pop().and_then(|mut rows| rows.pop()).unwrap_or_default();
        }
        Ok(answer)
    }
}

/// The token of the largest logit; the first of equal ones.
#[must_use]
pub fn greedy(logits: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (token, logit) in logits.iter().enumerate() {
        if *logit > best.1 {
            best = (token, *logit);
        }
    }
    u32::try_from(best.0).unwrap_or(0)
}

/// Natural logarithm of the sum of exponentials: minus what turns logits into log-probabilities.
#[must_use]
pub fn log_sum_exp(logits: &[f32]) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    most + logits.iter().map(|logit| (logit - most).exp()).sum::<f32>().ln()
}

fn flat(x: &Tensor) -> candle_core::Result<Vec<f32>> {
    x.flatten_all()?.to_vec1::<f32>()
}
