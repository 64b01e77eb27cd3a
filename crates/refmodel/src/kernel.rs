//! The one attention kernel: a tile of queries over an explicit list of pages of keys and values, with online softmax
//! (Milakov and Gimelshein 2018; Dao et al. 2022, FlashAttention, algorithm 1), returning output and log-sum-exp.
//!
//! Rows are worked on in blocks that fit the vector registers; AVX-512 or AVX2 with FMA where the processor has them.

use crate::page::{LANES, PAGE, Page, first_bits};
#[cfg(target_arch = "x86_64")]
use crate::product::{Avx2, Avx512};
use crate::product::{Portable, Products};

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
    pub(crate) fn bits(self, first: usize) -> u64 {
        first_bits(self.to.saturating_sub(first)) & !first_bits(self.from.saturating_sub(first))
    }
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
    tiles::<Portable, 4>(queries, ranges, pages, output, lse);
}

/// The portable form, which every processor runs.
pub fn attend_portable(
    queries: &[f32],
    ranges: &[RowRange],
    pages: &[PageView<'_>],
    output: &mut [f32],
    lse: &mut [f32],
) {
    tiles::<Portable, 4>(queries, ranges, pages, output, lse);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn attend_avx512(queries: &[f32], ranges: &[RowRange], pages: &[PageView<'_>], output: &mut [f32], lse: &mut [f32]) {
    tiles::<Avx512, 12>(queries, ranges, pages, output, lse);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn attend_avx2(queries: &[f32], ranges: &[RowRange], pages: &[PageView<'_>], output: &mut [f32], lse: &mut [f32]) {
    if ranges.len() == 1 {
        tiles::<Avx2, 1>(queries, ranges, pages, output, lse);
    } else {
        tiles::<Avx2, 6>(queries, ranges, pages, output, lse);
    }
}

#[inline(always)]
fn tiles<S: Products, const R: usize>(
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
            block.read::<S>(view, ranges);
        }
        block.store(output, lse, dim);
    }
}

/// Bits of each group of lanes of a page.
#[inline(always)]
fn lanes(bits: u64) -> impl Iterator<Item = u64> {
    (0..PAGE / LANES).map(move |group| bits >> (group * LANES) & ((1 << LANES) - 1))
}

/// State of up to R rows.
struct Block<const R: usize> {
    /// Queries, one entry per channel.
    queries: Vec<[f32; R]>,
    /// Scores and then weights, one entry per group of lanes.
    scores: Vec<[[f32; LANES]; R]>,
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
    fn read<S: Products>(&mut self, view: &PageView<'_>, ranges: &[RowRange]) {
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
        for ((group, scores), bits) in view.page.key_groups().zip(&mut self.scores).zip(lanes(any)) {
            *scores = [[0.0; LANES]; R];
            if bits != 0 {
                S::add(scores, &self.queries, group);
            }
        }
        if all != u64::MAX {
            self.hide(&bits);
        }
        self.weigh::<S>(any);
        // A weight of nothing times a poisoned value is still poison: tokens that no row reads are left out.
        for (group, outputs) in view.page.value_groups().zip(&mut self.outputs) {
            S::add_rows(outputs, &self.scores, group, any);
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

    /// Scores of the groups with bits in `any` become weights under the rows' new maxima; outputs and totals follow a
    /// maximum that grew.
    #[inline(always)]
    fn weigh<S: Products>(&mut self, any: u64) {
        let mut most = [[f32::NEG_INFINITY; LANES]; R];
        for (scores, _) in self.scores.iter().zip(lanes(any)).filter(|(_, bits)| *bits != 0) {
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
        let mut floor = self.most;
        floor.iter_mut().filter(|most| **most == f32::NEG_INFINITY).for_each(|most| *most = 0.0);
        let mut sums = [[0.0; LANES]; R];
        let groups = self.scores.iter_mut().zip(lanes(any));
        for (scores, _) in groups.filter(|(_, bits)| *bits != 0) {
            for ((scores, floor), sums) in scores.iter_mut().zip(&floor).zip(&mut sums) {
                for (score, sum) in scores.iter_mut().zip(sums) {
                    *score = exp2::<S>(*score - floor);
                    *sum += *score;
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

/// 2^x for x <= 0, to 2 units in the last place: exponent by bits, fraction by Taylor's polynomial of degree 6.
#[inline(always)]
pub(crate) fn exp2<S: Products>(x: f32) -> f32 {
    // A float of this size has steps of 1, so that adding it rounds, and its last bits are the whole part plus 127.
    const ROUND: f32 = 12_582_912.0 + 127.0;
    let x = if x > -126.0 { x } else { -127.0 };
    let rounded = x + ROUND;
    let fraction = x - (rounded - ROUND);
    let step = |sum: f32, coefficient: f32| {
        if S::FMA { sum.mul_add(fraction, coefficient) } else { sum * fraction + coefficient }
    };
    let mut sum = 1.540_353e-4;
    for coefficient in [1.333_356e-3, 9.618_129e-3, 5.550_411e-2, 2.402_265e-1, 6.931_472e-1, 1.0] {
        sum = step(sum, coefficient);
    }
    sum * f32::from_bits(rounded.to_bits() << 23)
}

#[cfg(test)]
mod tests {
    use longboard_suites::rng::Rng;

    use super::*;

    const DIM: usize = 20;

    fn draw(rng: &mut Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| (rng.unit() * 4.0 - 2.0) as f32).collect()
    }

    struct Case {
        queries: Vec<f32>,
        keys: Vec<Vec<f32>>,
        values: Vec<Vec<f32>>,
        pages: Vec<Page>,
    }

    impl Case {
        fn new(rows: usize, tokens: usize) -> Self {
            let mut rng = Rng::from_path(&[rows as u64, tokens as u64]);
            let keys: Vec<Vec<f32>> = (0..tokens).map(|_| draw(&mut rng, DIM)).collect();
            let values: Vec<Vec<f32>> = (0..tokens).map(|_| draw(&mut rng, DIM)).collect();
            let mut pages = Vec::new();
            for (key, value) in keys.iter().zip(&values) {
                if pages.last().is_none_or(|page: &Page| page.len() == PAGE) {
                    pages.push(Page::new(DIM));
                }
                pages.last_mut().unwrap().push(key, value);
            }
            Self { queries: draw(&mut rng, rows * DIM), keys, values, pages }
        }

        fn views(&self, valid: impl Fn(usize) -> u64) -> Vec<PageView<'_>> {
            let pages = self.pages.iter().enumerate();
            pages
                .map(|(index, page)| PageView {
                    page,
                    valid: first_bits(page.len()) & valid(index),
                    first: index * PAGE,
                })
                .collect()
        }

        /// The textbook's formula, in double precision.
        fn naive(&self, row: usize, seen: impl Fn(usize) -> bool) -> (Vec<f64>, f64) {
            let query = &self.queries[row * DIM..(row + 1) * DIM];
            let ln2 = std::f64::consts::LN_2;
            let scores: Vec<(usize, f64)> = (0..self.keys.len())
                .filter(|token| seen(*token))
                .map(|token| {
                    let product: f64 =
                        query.iter().zip(&self.keys[token]).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
                    (token, product * ln2)
                })
                .collect();
            let total: f64 = scores.iter().map(|(_, score)| score.exp()).sum();
            let mut out = vec![0.0; DIM];
            for (token, score) in &scores {
                for (out, value) in out.iter_mut().zip(&self.values[*token]) {
                    *out += score.exp() / total * f64::from(*value);
                }
            }
            (out, total.ln())
        }
    }

    type Kernel = fn(&[f32], &[RowRange], &[PageView<'_>], &mut [f32], &mut [f32]);

    #[test]
    fn equals_the_textbook_for_every_shape() {
        for kernel in [attend as Kernel, attend_portable] {
            for (rows, tokens) in [(1, 1), (1, 200), (5, 64), (7, 65), (13, 130), (48, 300)] {
                let case = Case::new(rows, tokens);
                let ranges: Vec<RowRange> = (0..rows)
                    .map(|row| RowRange {
                        from: row * 2,
                        to: (tokens - rows.min(tokens) + row + 1).max(row * 2 + 1).min(tokens),
                    })
                    .collect();
                let (mut output, mut lse) = (vec![9.0; rows * DIM], vec![9.0; rows]);
                kernel(&case.queries, &ranges, &case.views(|_| u64::MAX), &mut output, &mut lse);
                for (row, range) in ranges.iter().enumerate() {
                    let (wanted, wanted_lse) = case.naive(row, |token| token >= range.from && token < range.to);
                    if range.from >= range.to.min(tokens) {
                        assert!(
                            lse[row] == f32::NEG_INFINITY
                                && output[row * DIM..(row + 1) * DIM].iter().all(|x| *x == 0.0)
                        );
                        continue;
                    }
                    assert!((f64::from(lse[row]) - wanted_lse).abs() < 1e-4, "{rows}x{tokens} row {row}");
                    for (got, wanted) in output[row * DIM..].iter().zip(&wanted) {
                        assert!((f64::from(*got) - wanted).abs() < 1e-5, "{rows}x{tokens} row {row}: {got} {wanted}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_listed_is_never_read() {
        let case = Case::new(9, 256);
        let valid = |page: usize| if page == 1 { 0 } else { 0x0f0f_0f0f_0f0f_0f0f };
        let mut poisoned = Case::new(9, 256);
        for (index, page) in poisoned.pages.iter_mut().enumerate() {
            for token in (0..PAGE).filter(|token| valid(index) >> token & 1 == 0) {
                page.set(token, &[f32::NAN; DIM], &[f32::NAN; DIM]);
            }
        }
        let ranges = [RowRange { from: 0, to: 256 }; 9];
        let run = |case: &Case| {
            let (mut output, mut lse) = (vec![0.0; 9 * DIM], vec![0.0; 9]);
            attend(&case.queries, &ranges, &case.views(valid), &mut output, &mut lse);
            (output, lse)
        };
        let (clean, dirty) = (run(&case), run(&poisoned));
        assert!(clean.0.iter().all(|value| value.is_finite()));
        assert_eq!(clean, dirty);
    }

    #[test]
    fn powers_of_two_are_exact_enough() {
        for step in 0..2000 {
            let x = -(step as f32) * 0.0713;
            let wanted = f64::from(x).exp2();
            let got = f64::from(exp2::<Portable>(x));
            let below = if x > -126.0 { 4e-7 * wanted } else { 2e-38 };
            assert!((got - wanted).abs() <= below, "{x}: {got} {wanted}");
        }
        assert_eq!(exp2::<Portable>(0.0), 1.0);
        assert!(exp2::<Portable>(f32::NEG_INFINITY) < 1e-37);
    }
}
