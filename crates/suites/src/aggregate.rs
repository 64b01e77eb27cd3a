//! One vector from the vectors of a text's pieces, and weights of sentences.
//!
//! Mean, max and attention over pieces: SEA (Hu et al. 2022, arXiv 2208.11271, section 3.3). Sparse weights of sentences:
//! Paraformer (Nguyen et al. 2022, arXiv 2212.13899) with sparsemax (Martins and Astudillo 2016, arXiv 1602.02068).

/// The mean of vectors of one width; empty when there are none.
#[must_use]
pub fn mean(pieces: &[Vec<f32>]) -> Vec<f32> {
    weighted(pieces, &vec![1.0 / pieces.len().max(1) as f32; pieces.len()])
}

/// The largest value of each channel; empty when there are no pieces.
#[must_use]
pub fn max(pieces: &[Vec<f32>]) -> Vec<f32> {
    let mut most = pieces.first().cloned().unwrap_or_default();
    for piece in pieces {
        most.iter_mut().zip(piece).for_each(|(most, value)| *most = most.max(*value));
    }
    most
}

/// The sum of vectors under weights; empty when there are none.
#[must_use]
pub fn weighted(pieces: &[Vec<f32>], weights: &[f32]) -> Vec<f32> {
    let mut sum = vec![0.0; pieces.first().map_or(0, Vec::len)];
    for (piece, weight) in pieces.iter().zip(weights) {
        sum.iter_mut().zip(piece).for_each(|(sum, value)| *sum += weight * value);
    }
    sum
}

/// The vector at length 1; a vector of zeros stays one.
#[must_use]
pub fn normalised(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|value| *value /= norm);
    }
    vector
}

/// SEA's two-layer attention over pieces, `softmax(v^T tanh(U x))`.
#[derive(Debug, Clone, PartialEq)]
pub struct PieceAttention {
    /// `[inner][width]`
    u: Vec<Vec<f32>>,
    /// `[inner]`
    v: Vec<f32>,
}

impl PieceAttention {
    /// From U `[inner][width]` (the paper's inner width is 128) and v `[inner]`; `None` when the two do not fit each other.
    #[must_use]
    pub fn new(u: Vec<Vec<f32>>, v: Vec<f32>) -> Option<Self> {
        let width = u.first().map_or(0, Vec::len);
        let fits = u.len() == v.len() && width > 0 && u.iter().all(|row| row.len() == width);
        fits.then_some(Self { u, v })
    }

    /// Weights of the pieces, which sum to 1.
    #[must_use]
    pub fn weights(&self, pieces: &[Vec<f32>]) -> Vec<f32> {
        let score = |piece: &Vec<f32>| self.u.iter().zip(&self.v).map(|(row, v)| v * dot(row, piece).tanh()).sum();
        softmax(&pieces.iter().map(score).collect::<Vec<f32>>())
    }

    /// The pieces under their weights.
    #[must_use]
    pub fn attention(&self, pieces: &[Vec<f32>]) -> Vec<f32> {
        weighted(pieces, &self.weights(pieces))
    }
}

/// `attn/2 + mean/2`. SEA's code adds the mean once per piece, so that it outweighs the attention in long texts; here both
/// count half, as the paper says.
#[must_use]
pub fn attention_and_mean(pieces: &[Vec<f32>], weights: &[f32]) -> Vec<f32> {
    mean(&[weighted(pieces, weights), mean(pieces)])
}

/// How sharply [`attention_to_mean`] prefers a piece: cosines are multiplied by it, as by the inverse of a temperature of
/// 0.1.
pub const ATTENTION_SCALE: f32 = 10.0;

/// Attention without trained parameters: softmax of [`ATTENTION_SCALE`] times the cosine of each piece with the mean of all.
/// SEA trains U and v instead, which no endpoint gives; pieces that say what the whole is about weigh more here too, but
/// nothing has learnt which those are.
#[must_use]
pub fn attention_to_mean(pieces: &[Vec<f32>]) -> Vec<f32> {
    let middle = normalised(mean(pieces));
    let cosine = |piece: &Vec<f32>| ATTENTION_SCALE * dot(&normalised(piece.clone()), &middle);
    softmax(&pieces.iter().map(cosine).collect::<Vec<f32>>())
}

/// Exponentials that sum to 1.
#[must_use]
pub fn softmax(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = scores.iter().map(|score| (score - most).exp()).collect();
    let total: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / total).collect()
}

/// The point of the probability simplex that is nearest to `scores` (Martins and Astudillo 2016, algorithm 1): weights that
/// sum to 1, low scores at exactly 0.
#[must_use]
pub fn sparsemax(scores: &[f32]) -> Vec<f32> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut threshold) = (0.0, 0.0);
    for (index, score) in sorted.iter().enumerate() {
        let rank = (index + 1) as f32;
        sum += score;
        if 1.0 + rank * score > sum {
            threshold = (sum - 1.0) / rank;
        }
    }
    scores.iter().map(|score| (score - threshold).max(0.0)).collect()
}

/// Paraformer's weights of an article's sentences: sparsemax of `h_j . (W q)`, with W `[width][width]`; `None` is the
/// identity.
#[must_use]
pub fn sentence_weights(query: &[f32], sentences: &[Vec<f32>], matrix: Option<&[Vec<f32>]>) -> Vec<f32> {
    let asked = match matrix {
        Some(rows) => rows.iter().map(|row| dot(row, query)).collect(),
        None => query.to_vec(),
    };
    sparsemax(&sentences.iter().map(|sentence| dot(sentence, &asked)).collect::<Vec<f32>>())
}

/// Paraformer's vector of an article for a query: its sentences under [`sentence_weights`].
#[must_use]
pub fn sparse_attention(query: &[f32], sentences: &[Vec<f32>], matrix: Option<&[Vec<f32>]>) -> Vec<f32> {
    weighted(sentences, &sentence_weights(query, sentences, matrix))
}

/// The inner product.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::Rng;

    const WIDTH: usize = 6;

    fn draw(rng: &mut Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| (rng.unit() * 4.0 - 2.0) as f32).collect()
    }

    fn pieces(rng: &mut Rng, count: usize) -> Vec<Vec<f32>> {
        (0..count).map(|_| draw(rng, WIDTH)).collect()
    }

    fn attention(rng: &mut Rng) -> PieceAttention {
        PieceAttention::new(pieces(rng, 5), draw(rng, 5)).unwrap()
    }

    fn far(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    type Aggregate = fn(&PieceAttention, &[Vec<f32>]) -> Vec<f32>;

    const AGGREGATES: [Aggregate; 5] = [
        |_, pieces| mean(pieces),
        |_, pieces| max(pieces),
        PieceAttention::attention,
        |attention, pieces| attention_and_mean(pieces, &attention.weights(pieces)),
        |_, pieces| attention_and_mean(pieces, &attention_to_mean(pieces)),
    ];

    #[test]
    fn one_piece_is_itself_and_order_does_not_matter() {
        let mut rng = Rng::from_path(&[1]);
        let attention = attention(&mut rng);
        let all = pieces(&mut rng, 7);
        let mut shuffled = all.clone();
        shuffled.reverse();
        let results = AGGREGATES.map(|aggregate| aggregate(&attention, &all));
        for (aggregate, result) in AGGREGATES.into_iter().zip(&results) {
            assert!(far(&aggregate(&attention, &all[..1]), &all[0]) < 1e-6);
            assert!(far(&aggregate(&attention, &shuffled), result) < 1e-5);
            assert!(results.iter().filter(|other| far(other, result) < 1e-3).count() == 1, "all five differ");
        }
    }

    #[test]
    fn weights_sum_to_one_and_favour_the_piece_that_v_asks_for() {
        let mut rng = Rng::from_path(&[2]);
        let all = pieces(&mut rng, 9);
        let weights = attention(&mut rng).weights(&all);
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6 && weights.iter().all(|weight| *weight > 0.0));
        let one = PieceAttention::new(vec![vec![1.0, 0.0]], vec![4.0]).unwrap();
        let weights = one.weights(&[vec![-1.0, 5.0], vec![1.0, -5.0]]);
        // 4 tanh(1) against 4 tanh(-1).
        assert!((weights[1] / weights[0] - (8.0 * 1.0_f32.tanh()).exp()).abs() < 0.1, "{weights:?}");
        assert!(PieceAttention::new(vec![vec![1.0]], vec![1.0, 2.0]).is_none());
        let pieces = [vec![1.0, 0.0], vec![1.0, 2.0]];
        let half = attention_and_mean(&pieces, &one.weights(&pieces));
        assert!(far(&half, &[1.0, 1.0]) < 1e-6, "equal scores: attention is the mean");
    }

    /// The nearest point by trying every support: on a support the projection is the scores minus one threshold.
    fn projected(scores: &[f32]) -> Vec<f32> {
        let mut best: Option<(f32, Vec<f32>)> = None;
        for support in 1_u32..1 << scores.len() {
            let inside = |index: usize| support >> index & 1 == 1;
            let sum: f32 = scores.iter().enumerate().filter(|(index, _)| inside(*index)).map(|(_, score)| score).sum();
            let threshold = (sum - 1.0) / support.count_ones() as f32;
            let point: Vec<f32> = scores
                .iter()
                .enumerate()
                .map(|(index, score)| if inside(index) { score - threshold } else { 0.0 })
                .collect();
            if point.iter().any(|value| *value < 0.0) {
                continue;
            }
            let distance = point.iter().zip(scores).map(|(point, score)| (point - score).powi(2)).sum();
            if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, point));
            }
        }
        best.unwrap().1
    }

    #[test]
    fn sparsemax_is_the_euclidean_projection() {
        let mut rng = Rng::from_path(&[3]);
        let mut zeros = 0;
        for count in 1..9 {
            for _ in 0..20 {
                let scores = draw(&mut rng, count);
                let weights = sparsemax(&scores);
                assert!(far(&weights, &projected(&scores)) < 1e-5, "{scores:?}");
                assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                zeros += weights.iter().filter(|weight| **weight == 0.0).count();
                let mut reversed = scores;
                reversed.reverse();
                let mut back = sparsemax(&reversed);
                back.reverse();
                assert!(far(&weights, &back) < 1e-6, "order does not matter");
            }
        }
        assert!(zeros > 100, "{zeros}");
        assert!(sparsemax(&[]).is_empty());
    }

    #[test]
    fn sentences_are_weighed_by_the_query_through_the_matrix() {
        let sentences = [vec![3.0, 0.0], vec![0.0, 3.0]];
        assert_eq!(sentence_weights(&[1.0, 0.0], &sentences, None), [1.0, 0.0]);
        let swapped = [vec![0.0, 1.0], vec![1.0, 0.0]];
        assert_eq!(sentence_weights(&[1.0, 0.0], &sentences, Some(&swapped)), [0.0, 1.0]);
        assert_eq!(sparse_attention(&[1.0, 0.0], &sentences, Some(&swapped)), [0.0, 3.0]);
    }

    proptest! {
        #[test]
        fn untrained_attention_is_a_distribution_that_no_scale_changes(
            pieces in proptest::collection::vec(proptest::collection::vec(-1.0_f32..1.0, 4), 1..9),
            scale in 0.1_f32..10.0,
        ) {
            prop_assume!(pieces.iter().all(|piece| dot(piece, piece) > 1e-3) && dot(&mean(&pieces), &mean(&pieces)) > 1e-3);
            let weights = attention_to_mean(&pieces);
            prop_assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5 && weights.iter().all(|weight| *weight > 0.0));
            let scaled: Vec<Vec<f32>> = pieces.iter().map(|piece| piece.iter().map(|value| value * scale).collect()).collect();
            prop_assert!(far(&weights, &attention_to_mean(&scaled)) < 1e-3);
            let middle = normalised(mean(&pieces));
            let cosine = |piece: &Vec<f32>| dot(&normalised(piece.clone()), &middle);
            let nearest = (0..pieces.len()).max_by(|a, b| cosine(&pieces[*a]).total_cmp(&cosine(&pieces[*b]))).unwrap();
            prop_assert!(weights.iter().all(|weight| *weight <= weights[nearest] + 1e-6));
        }
    }
}
