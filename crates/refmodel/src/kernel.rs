//! The one attention kernel: a tile of queries over an explicit list of pages of keys and values, with online softmax
//! (Milakov and Gimelshein 2018; Dao et al. 2022, FlashAttention, algorithm 1), returning output and log-sum-exp.
//!
//! Rows are worked on in blocks that fit the vector registers; AVX-512 or AVX2 with FMA where the processor has them.

use crate::page::{LANES, PAGE, Page};

/// A page and which of its tokens may be read.
#[derive(Debug, Clone, Copy)]
pub struct PageView<'a> {
    /// Keys and values.
    pub page: &'a Page,
    /// Bit t set: token t of the page may be read.
    pub valid: u64,
    /// Index of the page's first token in the order in which rows count.
    pub first: usize,
}

/// Which keys a row of the tile sees: those with index in `from..to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRange {
    /// First index.
    pub from: usize,
    /// One past the last index.
    pub to: usize,
}

impl RowRange {
    /// Bits of the page that starts at `first`.
    fn bits(self, first: usize) -> u64 {
        let from = self.from.saturating_sub(first).min(PAGE);
        let to = self.to.saturating_sub(first).min(PAGE);
        below(to) & !below(from)
    }
}

/// The lowest `count` bits.
fn below(count: usize) -> u64 {
    if count >= PAGE { u64::MAX } else { (1 << count) - 1 }
}

/// Attention of `rows` queries.
///
/// `queries` is `[rows, dim]`, already scaled by log2(e) / sqrt(dim) (and log n); `output` is `[rows, dim]` and `lse`
/// `[rows]`, the natural logarithm of the sum of exponentials of the unscaled scores. A row that sees nothing gets zeros
/// and minus infinity. A token whose bit is not set is never read into a result.
pub fn attend(queries: &[f32], ranges: &[RowRange], pages: &[PageView<'_>], output: &mut [f32], lse: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && ranges.len() > 6 {
            // SAFETY: the processor has the features, which was just asked.
            #[expect(unsafe_code, reason = "a function compiled for the features that were just found")]
            return unsafe { attend_avx512(queries, ranges, pages, output, lse) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the features, which was just asked.
            #[expect(unsafe_code, reason = "a function compiled for the features that were just found")]
            return unsafe { attend_avx2(queries, ranges, pages, output, lse) };
        }
    }
    tiles::<false, 4>(queries, ranges, pages, output, lse);
}

/// The portable form, which every processor runs.
pub fn attend_portable(
    queries: &[f32],
    ranges: &[RowRange],
    pages: &[PageView<'_>],
    output: &mut [f32],
    lse: &mut [f32],
) {
    tiles::<false, 4>(queries, ranges, pages, output, lse);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn attend_avx512(queries: &[f32], ranges: &[RowRange], pages: &[PageView<'_>], output: &mut [f32], lse: &mut [f32]) {
    tiles::<true, 12>(queries, ranges, pages, output, lse);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn attend_avx2(queries: &[f32], ranges: &[RowRange], pages: &[PageView<'_>], output: &mut [f32], lse: &mut [f32]) {
    if ranges.len() == 1 {
        tiles::<true, 1>(queries, ranges, pages, output, lse);
    } else {
        tiles::<true, 6>(queries, ranges, pages, output, lse);
    }
}

#[inline(always)]
fn tiles<const FMA: bool, const R: usize>(
    queries: &[f32],
    ranges: &[RowRange],
    pages: &[PageView<'_>],
    output: &mut [f32],
    lse: &mut [f32],
) {
    let dim = queries.len() / ranges.len().max(1);
    let mut block = Block::<R>::new(dim);
    let parts = queries.chunks(R * dim).zip(ranges.chunks(R)).zip(output.chunks_mut(R * dim)).zip(lse.chunks_mut(R));
    for (((queries, ranges), output), lse) in parts {
        block.load(queries, dim);
        for view in pages {
            block.read::<FMA>(view, ranges);
        }
        block.store(output, lse, dim);
    }
}

/// State of up to R rows.
struct Block<const R: usize> {
    /// Queries, one entry per channel.
    queries: Vec<[f32; R]>,
    /// Scores and then weights, one entry per group of lanes.
    scores: Vec<[[f32; LANES]; R]>,
    /// Weights, one entry per token.
    weights: Vec<[f32; R]>,
    /// Unnormalised outputs, one entry per group of channels.
    outputs: Vec<[[f32; LANES]; R]>,
    most: [f32; R],
    total: [f32; R],
}

impl<const R: usize> Block<R> {
    fn new(dim: usize) -> Self {
        Self {
            queries: vec![[0.0; R]; dim],
            scores: vec![[[0.0; LANES]; R]; PAGE / LANES],
            weights: vec![[0.0; R]; PAGE],
            outputs: vec![[[0.0; LANES]; R]; dim.div_ceil(LANES)],
            most: [f32::NEG_INFINITY; R],
            total: [0.0; R],
        }
    }

    fn load(&mut self, queries: &[f32], dim: usize) {
        self.queries.iter_mut().for_each(|channel| *channel = [0.0; R]);
        for (row, query) in queries.chunks(dim).enumerate() {
            for (channel, value) in self.queries.iter_mut().zip(query) {
                if let Some(slot) = channel.get_mut(row) {
                    *slot = *value;
                }
            }
        }
        self.outputs.iter_mut().for_each(|group| *group = [[0.0; LANES]; R]);
        self.most = [f32::NEG_INFINITY; R];
        self.total = [0.0; R];
    }

    #[inline(always)]
    fn read<const FMA: bool>(&mut self, view: &PageView<'_>, ranges: &[RowRange]) {
        let mut bits = [0_u64; R];
        let (mut any, mut all) = (0, u64::MAX);
        for (bits, range) in bits.iter_mut().zip(ranges) {
            *bits = range.bits(view.first) & view.valid;
            any |= *bits;
            all &= *bits;
        }
        if any == 0 {
            return;
        }
        for (group, scores) in view.page.key_groups().zip(&mut self.scores) {
            *scores = product::<FMA, R>([[0.0; LANES]; R], &self.queries, group);
        }
        if all != u64::MAX {
            self.hide(&bits);
        }
        self.weigh::<FMA>();
        // A weight of nothing times a poisoned value is still poison: tokens that no row reads are left out.
        if any == u64::MAX {
            for (group, outputs) in view.page.value_groups().zip(&mut self.outputs) {
                *outputs = product::<FMA, R>(*outputs, &self.weights, group);
            }
        } else {
            for (group, outputs) in view.page.value_groups().zip(&mut self.outputs) {
                *outputs = partial_product::<FMA, R>(*outputs, &self.weights, group, any);
            }
        }
    }

    /// Scores of tokens that a row does not see become minus infinity.
    #[inline(always)]
    fn hide(&mut self, bits: &[u64; R]) {
        for (group, scores) in self.scores.iter_mut().enumerate() {
            for (scores, bits) in scores.iter_mut().zip(bits) {
                let bits = bits >> (group * LANES);
                for (lane, score) in scores.iter_mut().enumerate() {
                    *score = if bits >> lane & 1 == 1 { *score } else { f32::NEG_INFINITY };
                }
            }
        }
    }

    /// Scores become weights under the rows' new maxima; outputs and totals follow a maximum that grew.
    #[inline(always)]
    fn weigh<const FMA: bool>(&mut self) {
        let mut most = [[f32::NEG_INFINITY; LANES]; R];
        for scores in &self.scores {
            for (most, scores) in most.iter_mut().zip(scores) {
                for (most, score) in most.iter_mut().zip(scores) {
                    *most = if *score > *most { *score } else { *most };
                }
            }
        }
        let mut shrink = [1.0; R];
        let mut grew = false;
        for (((old, lanes), shrink), total) in self.most.iter_mut().zip(&most).zip(&mut shrink).zip(&mut self.total) {
            let new = lanes.iter().copied().fold(*old, f32::max);
            if new > *old {
                *shrink = (*old - new).exp2();
                *total *= *shrink;
                *old = new;
                grew = true;
            }
        }
        if grew {
            for group in &mut self.outputs {
                for (lanes, shrink) in group.iter_mut().zip(&shrink) {
                    lanes.iter_mut().for_each(|lane| *lane *= shrink);
                }
            }
        }
        let floor = self.most.map(|most| if most == f32::NEG_INFINITY { 0.0 } else { most });
        let mut sums = [[0.0; LANES]; R];
        for (scores, weights) in self.scores.iter_mut().zip(self.weights.chunks_mut(LANES)) {
            for ((scores, floor), sums) in scores.iter_mut().zip(&floor).zip(&mut sums) {
                for (score, sum) in scores.iter_mut().zip(sums) {
                    *score = exp2::<FMA>(*score - floor);
                    *sum += *score;
                }
            }
            for (lane, weights) in weights.iter_mut().enumerate() {
                for (weight, scores) in weights.iter_mut().zip(scores.iter()) {
                    *weight = scores.get(lane).copied().unwrap_or(0.0);
                }
            }
        }
        for (total, sums) in self.total.iter_mut().zip(&sums) {
            *total += sums.iter().sum::<f32>();
        }
    }

    fn store(&self, output: &mut [f32], lse: &mut [f32], dim: usize) {
        let rows = output.chunks_mut(dim).zip(lse).zip(self.most.iter().zip(&self.total)).enumerate();
        for (row, ((output, lse), (most, total))) in rows {
            let scale = if *total > 0.0 { 1.0 / total } else { 0.0 };
            *lse = if *total > 0.0 { most * std::f32::consts::LN_2 + total.ln() } else { f32::NEG_INFINITY };
            for (channels, group) in output.chunks_mut(LANES).zip(&self.outputs) {
                let lanes = group.get(row).into_iter().flatten();
                channels.iter_mut().zip(lanes).for_each(|(channel, lane)| *channel = lane * scale);
            }
        }
    }
}

/// `start + left^T right` for R rows and one group of lanes.
#[inline(always)]
fn product<const FMA: bool, const R: usize>(
    start: [[f32; LANES]; R],
    left: &[[f32; R]],
    right: &[[f32; LANES]],
) -> [[f32; LANES]; R] {
    let mut sums = start;
    for (left, right) in left.iter().zip(right) {
        step::<FMA, R>(&mut sums, left, right);
    }
    sums
}

/// As [`product`], but only of the entries whose bit is set.
#[inline(always)]
fn partial_product<const FMA: bool, const R: usize>(
    start: [[f32; LANES]; R],
    left: &[[f32; R]],
    right: &[[f32; LANES]],
    bits: u64,
) -> [[f32; LANES]; R] {
    let mut sums = start;
    for (place, (left, right)) in left.iter().zip(right).enumerate() {
        if bits >> place & 1 == 1 {
            step::<FMA, R>(&mut sums, left, right);
        }
    }
    sums
}

#[inline(always)]
fn step<const FMA: bool, const R: usize>(sums: &mut [[f32; LANES]; R], left: &[f32; R], right: &[f32; LANES]) {
    for (sums, left) in sums.iter_mut().zip(left) {
        for (sum, right) in sums.iter_mut().zip(right) {
            *sum = if FMA { left.mul_add(*right, *sum) } else { *sum + left * right };
        }
    }
}

/// 2^x for x <= 0, to 2 units in the last place: exponent by bits, fraction by the minimax polynomial of degree 5.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the whole part lies within -127..=0")]
fn exp2<const FMA: bool>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = if x > -126.0 { x } else { -127.0 };
    let whole = (x + ROUND) - ROUND;
    let fraction = x - whole;
    let step = |sum: f32, coefficient: f32| {
        if FMA { sum.mul_add(fraction, coefficient) } else { sum * fraction + coefficient }
    };
    let mut sum = 1.540_353e-4;
    for coefficient in [1.333_356e-3, 9.618_129e-3, 5.550_411e-2, 2.402_265_1e-1, 6.931_472e-1, 1.0] {
        sum = step(sum, coefficient);
    }
    let scale = f32::from_bits(((whole as i32 + 127) as u32) << 23);
    sum * scale
}
