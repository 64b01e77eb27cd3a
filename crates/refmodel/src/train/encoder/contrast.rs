//! The contrastive loss: each query is to find its own document among those of its batch (van den Oord et al. 2018, InfoNCE;
//! Karpukhin et al. 2020, in-batch negatives), through a forward pass all of whose operations have gradients.

use std::sync::Arc;

use candle_core::{D, Device, Result, Tensor};

use crate::encoder::Encoder;
use crate::fused::{Seen, SeenSoftmax};
use crate::train::forward::{Tables, projected};

/// Divides cosines before the softmax.
pub const TEMPERATURE: f64 = 0.05;

/// Vectors `[texts, hidden]` of length 1 of texts as tokens, each at least one and at most the trained length.
///
/// # Errors
/// Tokens outside the vocabulary.
pub fn vectors(encoder: &Encoder, texts: &[&[u32]]) -> Result<Tensor> {
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(1);
    let (count, width) = (texts.len(), encoder.config.hidden_size);
    let mut ids = vec![0; count * longest];
    for (padded, text) in ids.chunks_mut(longest).zip(texts) {
        padded.iter_mut().zip(*text).for_each(|(padded, id)| *padded = *id);
    }
    let ids = Tensor::from_vec(ids, count * longest, &Device::Cpu)?;
    let lengths: Arc<[usize]> = texts.iter().map(|text| text.len()).collect();
    let (stack, heads) = (&encoder.stack, encoder.config.heads);
    let tables = Tables::new(&stack.config, longest, &Device::Cpu)?;
    let mut x = stack.embedding.index_select(&ids, 0)?.reshape((count, longest, width))?;
    for layer in &stack.layers {
        let normed = layer.input_norm.apply(&x)?;
        let (query, key, value) = projected(&stack.config, layer, &normed, &tables)?;
        let seen = Seen::Around { window: layer.kind.window, heads, lengths: Arc::clone(&lengths) };
        let attended = query.matmul(&key.t()?)?.apply_op1(SeenSoftmax(seen))?.matmul(&value)?;
        x = layer.close(&x, &normed, &attended.transpose(1, 2)?.reshape((count, longest, ()))?)?;
    }
    let shares = shares(&lengths, longest)?;
    let pooled = x.broadcast_mul(&shares)?.sum(1)?;
    let vectors = encoder.projection.apply(&pooled)?;
    let norms = (vectors.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
    vectors.broadcast_div(&norms)
}

/// What each token counts in the mean of its text, `[texts, longest, 1]`; padding counts nothing.
#[expect(clippy::cast_precision_loss, reason = "tokens of a text")]
fn shares(lengths: &[usize], longest: usize) -> Result<Tensor> {
    let share = |length: usize| (0..longest).map(move |place| if place < length { 1.0 / length as f32 } else { 0.0 });
    let shares: Vec<f32> = lengths.iter().flat_map(|length| share(*length)).collect();
    Tensor::from_vec(shares, (lengths.len(), longest, 1), &Device::Cpu)
}

/// Mean loss in nats of queries `[n, hidden]` that are to find the document of their own row in `[n, hidden]`, and how many do.
///
/// # Errors
/// Shapes that do not fit.
pub fn loss(queries: &Tensor, documents: &Tensor) -> Result<(Tensor, usize)> {
    let scores = (queries.matmul(&documents.t()?)? / TEMPERATURE)?;
    let own = Tensor::arange(0, u32::try_from(queries.dim(0)?).unwrap_or(0), &Device::Cpu)?;
    // The maximum is a constant: it cancels in the gradient.
    let scores = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?;
    let total = scores.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let right = scores.argmax(D::Minus1)?.to_vec1::<u32>()?;
    let right = right.into_iter().zip(0..).filter(|(found, own)| found == own).count();
    Ok(((total - scores.gather(&own.unsqueeze(1)?, 1)?)?.mean_all()?, right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::encoder::{EncoderConfig, Positions};
    use crate::train::encoder::recipe;

    fn small() -> EncoderConfig {
        EncoderConfig {
            hidden_size: 24,
            intermediate_size: 20,
            heads: 2,
            head_dim: 8,
            windows: vec![Some(4), None],
            ..recipe::config()
        }
    }

    fn texts() -> Vec<Vec<u32>> {
        [5_u32, 16, 9, 3, 12, 7]
            .iter()
            .map(|length| (0..*length).map(|place| 300 + place * length * 7 % 60).collect())
            .collect()
    }

    fn of(encoder: &Encoder) -> Tensor {
        let texts = texts();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let (queries, documents) = texts.split_at(3);
        loss(&vectors(encoder, queries).unwrap(), &vectors(encoder, documents).unwrap()).unwrap().0
    }

    #[test]
    fn every_weight_gets_the_gradient_that_differences_show() {
        let tokenizer = Checkpoint::builtin().unwrap().tokenizer;
        let weights = recipe::weights(&small(), 3).unwrap();
        let encoder = recipe::assemble(small(), tokenizer, &weights).unwrap();
        let gradients = of(&encoder).backward().unwrap();
        for (name, var) in &weights {
            let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
            let norm = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
            assert!(norm > 0.0 && norm.is_finite(), "{name}: {norm}");
            // Along its own gradient the loss rises by the gradient's norm.
            let before = var.as_tensor().copy().unwrap();
            let step = 5e-3 / f64::from(norm);
            let at = |by: f64| {
                var.set(&(&before + (gradient * by).unwrap()).unwrap()).unwrap();
                f64::from(of(&encoder).to_scalar::<f32>().unwrap())
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            var.set(&before).unwrap();
            let wanted = f64::from(norm) * f64::from(norm);
            assert!((slope - wanted).abs() < 0.03 * wanted + 1e-4, "{name}: {slope} for {wanted}");
        }
    }

    #[test]
    fn training_and_reading_compute_the_same_and_padding_changes_nothing() {
        let tokenizer = Checkpoint::builtin().unwrap().tokenizer;
        let encoder = recipe::untrained(recipe::config(), tokenizer, 2).unwrap();
        let words =
            ["The road is dry. ", "Here stands a mill by the river. ", "On 3 May 912 frost took the orchards. "];
        let long: Vec<String> = words.iter().zip([3, 9, 1]).map(|(words, times)| words.repeat(times)).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let ids: Vec<Vec<u32>> = long.iter().map(|text| encoder.tokens(text).unwrap()).collect();
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let trained = vectors(&encoder, &ids).unwrap().to_vec2::<f32>().unwrap();
        let read = encoder.embed(&long, Positions::Plain).unwrap();
        for (trained, read) in trained.iter().zip(&read) {
            assert!(
                trained.iter().zip(read).all(|(a, b)| (a - b).abs() < 1e-4),
                "{:?} {:?}",
                &trained[..4],
                &read[..4]
            );
        }
    }

    #[test]
    fn the_loss_is_that_of_a_softmax_over_cosines() {
        let queries = Tensor::new(&[[1.0_f32, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        let documents = Tensor::new(&[[1.0_f32, 0.0], [0.8, 0.6]], &Device::Cpu).unwrap();
        let (found, right) = loss(&queries, &documents).unwrap();
        let row = |own: f32, other: f32| (1.0 + ((other - own) / 0.05).exp()).ln();
        let wanted = (row(1.0, 0.8) + row(0.6, 0.0)) / 2.0;
        assert!((found.to_scalar::<f32>().unwrap() - wanted).abs() < 1e-5 && right == 2);
        let (_, right) = loss(&queries, &documents.flip(&[0]).unwrap()).unwrap();
        assert_eq!(right, 0);
    }
}
