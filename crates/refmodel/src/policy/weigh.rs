//! Attention that a policy computes for itself, to choose by it.

/// Softmax of the products of `query` with `keys`, scaled as in attention.
#[expect(clippy::cast_precision_loss, reason = "head sizes")]
pub fn weights<'a>(query: &[f32], keys: impl Iterator<Item = &'a Vec<f32>>) -> Vec<f32> {
    let scale = 1.0 / (query.len() as f32).sqrt();
    let product = |key: &'a Vec<f32>| query.iter().zip(key).map(|(query, key)| query * key).sum::<f32>() * scale;
    let mut weights: Vec<f32> = keys.map(product).collect();
    let most = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    weights.iter_mut().for_each(|weight| *weight = (*weight - most).exp());
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

#[cfg(test)]
mod tests {
    use super::weights;

    #[test]
    fn weights_add_up_and_follow_the_products() {
        let keys = [vec![1.0, 0.0, 0.0, 0.0], vec![0.0; 4], vec![3.0, 0.0, 0.0, 0.0]];
        let found = weights(&[2.0, 0.0, 0.0, 0.0], keys.iter());
        assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((found[0] / found[1] - 1_f32.exp()).abs() < 1e-5 && (found[2] / found[1] - 3_f32.exp()).abs() < 1e-4);
    }
}
