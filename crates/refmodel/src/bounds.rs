//! Smallest and largest keys of logical pages, side by side, so that one pass of lanes scores many of them.

#[cfg(target_arch = "x86_64")]
use crate::product::{Avx2, Avx512};
use crate::product::{Portable, Products};

/// Logical pages whose bounds stand side by side.
const BLOCK: usize = 64;

/// Numbers that the processor fetches together.
const LINE: usize = 16;

/// Channel-wise smallest and largest keys of logical pages, by place.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// `[2 * dim][BLOCK]` each: for every channel the smallest, then the largest of each page.
    blocks: Vec<Vec<[f32; BLOCK]>>,
    dim: usize,
}

impl Bounds {
    /// Bounds of no page, for keys of `dim` channels.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { blocks: Vec::new(), dim }
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.len() * size_of::<[f32; BLOCK]>()).sum()
    }

    /// Bytes that the bounds of so many pages take.
    #[must_use]
    pub fn bytes_of(dim: usize, pages: usize) -> usize {
        pages.div_ceil(BLOCK) * 2 * dim * size_of::<[f32; BLOCK]>()
    }

    /// Takes `key`, `[dim]`, into the page at `place`.
    pub fn add(&mut self, place: usize, key: &[f32]) {
        while self.blocks.len() <= place / BLOCK {
            // What no key is outside of: such a page fits no query.
            let nothing = [[f32::MAX; BLOCK], [f32::MIN; BLOCK]];
            self.blocks.push(nothing.repeat(self.dim));
        }
        let Some(block) = self.blocks.get_mut(place / BLOCK) else { return };
        for (channel, key) in block.chunks_mut(2).zip(key) {
            if let [least, most] = channel
                && let (Some(least), Some(most)) = (least.get_mut(place % BLOCK), most.get_mut(place % BLOCK))
            {
                *least = least.min(*key);
                *most = most.max(*key);
            }
        }
    }

    /// Forgets the pages from place `count` on.
    pub fn truncate(&mut self, count: usize) {
        self.blocks.truncate(count.div_ceil(BLOCK));
        if !count.is_multiple_of(BLOCK)
            && let Some(block) = self.blocks.get_mut(count / BLOCK)
        {
            for channel in block.chunks_mut(2) {
                for (bounds, nothing) in channel.iter_mut().zip([f32::MAX, f32::MIN]) {
                    bounds.iter_mut().skip(count % BLOCK).for_each(|bound| *bound = nothing);
                }
            }
        }
    }

    /// The bounds of the pages at `places`, moved together.
    #[must_use]
    pub fn at(&self, places: impl Iterator<Item = usize>) -> Self {
        let mut moved = Self::new(self.dim);
        for (to, from) in places.enumerate() {
            let Some(block) = self.blocks.get(from / BLOCK) else { continue };
            let at = |lanes: &[f32; BLOCK]| lanes.get(from % BLOCK).copied().unwrap_or(0.0);
            let [least, most] = [0, 1].map(|bound| block.iter().skip(bound).step_by(2).map(at).collect::<Vec<f32>>());
            if least.first() <= most.first() {
                moved.add(to, &least);
                moved.add(to, &most);
            }
        }
        moved
    }

    /// The largest product that `query` can have with a key of each of the first `count` pages (Tang et al. 2024, Quest,
    /// equation 1). For a channel where the query is not negative that is the product with the largest key.
    #[must_use]
    pub fn scores(&self, query: &[f32], count: usize) -> Vec<f32> {
        let mut scores = Vec::with_capacity(self.blocks.len() * BLOCK);
        let mut ahead = self.blocks.iter().skip(1);
        for block in self.blocks.iter().take(count.div_ceil(BLOCK)) {
            let mut sums = [0.0; BLOCK];
            // Which bounds are read follows the signs of the query, which the processor does not foresee.
            if let Some(next) = ahead.next() {
                next.chunks(2).zip(query).for_each(|(channel, query)| fetch(chosen(channel, *query)));
            }
            score(block, query, &mut sums);
            scores.extend(sums);
        }
        scores.truncate(count);
        scores
    }
}

/// Of the smallest and the largest keys of a channel those that bound its product with the query's.
#[inline(always)]
fn chosen(channel: &[[f32; BLOCK]], query: f32) -> &[f32] {
    channel.get(usize::from(query >= 0.0)).map_or(&[], |bounds| bounds)
}

fn score(block: &[[f32; BLOCK]], query: &[f32], sums: &mut [f32; BLOCK]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has the features, which was just asked.
            #[expect(unsafe_code, reason = "a function compiled for the features that were just found")]
            return unsafe { score_avx512(block, query, sums) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the features, which was just asked.
            #[expect(unsafe_code, reason = "a function compiled for the features that were just found")]
            return unsafe { score_avx2(block, query, sums) };
        }
    }
    lanes::<Portable>(block, query, sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn score_avx512(block: &[[f32; BLOCK]], query: &[f32], sums: &mut [f32; BLOCK]) {
    lanes::<Avx512>(block, query, sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn score_avx2(block: &[[f32; BLOCK]], query: &[f32], sums: &mut [f32; BLOCK]) {
    lanes::<Avx2>(block, query, sums);
}

#[inline(always)]
fn lanes<S: Products>(block: &[[f32; BLOCK]], query: &[f32], sums: &mut [f32; BLOCK]) {
    for (channel, query) in block.chunks(2).zip(query) {
        for (sum, bound) in sums.iter_mut().zip(chosen(channel, *query)) {
            *sum = if S::FMA { query.mul_add(*bound, *sum) } else { query * bound + *sum };
        }
    }
}

/// Asks the processor for `values` before they are read.
#[inline(always)]
fn fetch(values: &[f32]) {
    for line in values.chunks(LINE) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch touches no memory in a way that a program can see, whatever the address.
            #[expect(unsafe_code, reason = "a hint to the processor, which reads nothing")]
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }
}

#[cfg(test)]
mod tests {
    use longboard_suites::rng::Rng;

    use super::*;

    const DIM: usize = 20;

    fn drawn(rng: &mut Rng) -> Vec<f32> {
        (0..DIM).map(|_| (rng.unit() * 4.0 - 2.0) as f32).collect()
    }

    /// Keys of 150 pages of 16, and their bounds.
    fn pages(rng: &mut Rng) -> (Vec<Vec<Vec<f32>>>, Bounds) {
        let pages: Vec<Vec<Vec<f32>>> = (0..150).map(|_| (0..16).map(|_| drawn(rng)).collect()).collect();
        let mut bounds = Bounds::new(DIM);
        for (place, keys) in pages.iter().enumerate() {
            keys.iter().for_each(|key| bounds.add(place, key));
        }
        (pages, bounds)
    }

    /// Quest's equation 1, as it stands.
    fn textbook(keys: &[Vec<f32>], query: &[f32]) -> f32 {
        let channels = query
            .iter()
            .enumerate()
            .map(|(channel, query)| keys.iter().map(|key| query * key[channel]).fold(f32::NEG_INFINITY, f32::max));
        channels.sum()
    }

    #[test]
    fn scores_are_those_of_the_textbook_and_no_key_exceeds_them() {
        let mut rng = Rng::from_path(&[41]);
        let (pages, bounds) = pages(&mut rng);
        let mut query = drawn(&mut rng);
        query[3] = 0.0;
        let scores = bounds.scores(&query, 149);
        assert_eq!(scores.len(), 149);
        for (keys, score) in pages.iter().zip(&scores) {
            assert!((score - textbook(keys, &query)).abs() < 1e-4);
            let best = keys.iter().map(|key| key.iter().zip(&query).map(|(key, query)| key * query).sum());
            assert!(best.fold(f32::NEG_INFINITY, f32::max) <= score + 1e-4);
        }
        for block in &bounds.blocks {
            let (mut fast, mut portable) = ([0.0; BLOCK], [0.0; BLOCK]);
            score(block, &query, &mut fast);
            lanes::<Portable>(block, &query, &mut portable);
            let pairs = fast.iter().zip(&portable);
            assert!(pairs.filter(|(_, one)| one.is_finite()).all(|(a, b)| (a - b).abs() < 1e-4));
        }
    }

    #[test]
    fn pages_taken_back_fit_nothing_and_others_move_with_their_bounds() {
        let mut rng = Rng::from_path(&[42]);
        let (pages, mut bounds) = pages(&mut rng);
        let query = drawn(&mut rng);
        let moved = bounds.at((0..150).filter(|place| place % 3 == 1));
        for (place, score) in moved.scores(&query, 50).into_iter().enumerate() {
            assert!((score - textbook(&pages[3 * place + 1], &query)).abs() < 1e-4);
        }
        bounds.truncate(70);
        bounds.add(70, &pages[0][0]);
        let single: f32 = pages[0][0].iter().zip(&query).map(|(key, query)| key * query).sum();
        let scores = bounds.scores(&query, 128);
        assert!((scores[70] - single).abs() < 1e-4 && (scores[69] - textbook(&pages[69], &query)).abs() < 1e-4);
        assert!(scores[71..].iter().all(|score| *score < -1e30));
        assert_eq!(bounds.bytes(), Bounds::bytes_of(DIM, 71));
    }
}
