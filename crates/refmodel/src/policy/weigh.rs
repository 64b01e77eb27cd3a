//! Attention that a policy computes for itself, to choose by it.

use super::Meter;
use crate::cache::HeadCache;
use crate::page::{PAGE, Page};
use crate::score;

/// Rows weighed together.
const ROWS: usize = 12;

/// Products of each of `[rows, dim]` of `queries` with the keys of all `pages`: tells `each` the row and its products.
pub fn products<'a>(
    pages: impl Iterator<Item = &'a Page> + Clone,
    queries: &[f32],
    dim: usize,
    mut each: impl FnMut(usize, Vec<f32>),
) {
    let mut found = vec![0.0; ROWS * PAGE];
    for (block, queries) in queries.chunks(ROWS * dim).enumerate() {
        let mut rows = vec![Vec::new(); queries.len() / dim];
        for page in pages.clone() {
            score::products(queries, dim, page, &mut found);
            for (row, found) in rows.iter_mut().zip(found.chunks(PAGE)) {
                row.extend(found.iter().take(page.len()));
            }
        }
        (block * ROWS..).zip(rows).for_each(|(row, products)| each(row, products));
    }
}

/// Attention of `[rows, dim]` of `queries`, the last rows of the cache, to the stored tokens that they see: tells `each`
/// the row and its weights in the order of the tokens.
pub fn observe(cache: &HeadCache, queries: &[f32], meter: &Meter, mut each: impl FnMut(usize, &[f32])) {
    let (stored, dim) = (cache.len(), cache.dim().max(1));
    let given = queries.len() / dim;
    meter.products(given, stored, dim);
    products(cache.slots().iter().map(|slot| &slot.page), queries, dim, |row, mut products| {
        products.truncate((stored + row + 1).saturating_sub(given));
        softmax(&mut products, dim);
        each(row, &products);
    });
}

/// Softmax of products of queries and keys of `dim` channels, scaled as in attention.
#[expect(clippy::cast_precision_loss, reason = "head sizes")]
pub fn softmax(products: &mut [f32], dim: usize) {
    let scale = 1.0 / (dim as f32).sqrt();
    let most = products.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    products.iter_mut().for_each(|product| *product = ((*product - most) * scale).exp());
    let total: f32 = products.iter().sum();
    products.iter_mut().for_each(|weight| *weight /= total);
}

/// Softmax of the products of `query` with `keys`, scaled as in attention.
#[cfg(test)]
pub fn weights<'a>(query: &[f32], keys: impl Iterator<Item = &'a Vec<f32>>) -> Vec<f32> {
    let product = |key: &'a Vec<f32>| query.iter().zip(key).map(|(query, key)| query * key).sum::<f32>();
    let mut weights: Vec<f32> = keys.map(product).collect();
    softmax(&mut weights, query.len());
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
