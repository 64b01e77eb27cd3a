//! The documented generator behind every item: SplitMix64 for seeding, xoshiro256** for the stream
//! (Blackman and Vigna 2018, <https://prng.di.unimi.it>). Written here because the bytes must never change.

/// A seeded stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A stream for a path of numbers, e.g. (season seed, task, length, index). Different paths give unrelated streams.
    #[must_use]
    pub fn from_path(path: &[u64]) -> Self {
        let mut key = 0x9e37_79b9_7f4a_7c15_u64;
        for &step in path {
            key = split_mix(&mut (key ^ step.wrapping_mul(0xd6e8_feb8_6659_fd93)));
        }
        let state = [split_mix(&mut key), split_mix(&mut key), split_mix(&mut key), split_mix(&mut key)];
        Self { state }
    }

    /// A number that names `text` in a path: FNV-1a, 64 bits.
    #[must_use]
    pub fn name(text: &str) -> u64 {
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in `0..bound` without bias (Lemire 2019); 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            let (high, low) = ((product >> 64) as u64, product as u64);
            if low >= threshold {
                return high;
            }
        }
    }

    /// An index into something of `len` elements; 0 when it is empty.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// A number in [0, 1) with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `choices`, `None` when there are none.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.index(choices.len()))
    }

    /// Shuffles in place (Fisher and Yates, from the back).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }

    /// `count` different numbers of `0..bound`, in random order; all of them when there are fewer.
    pub fn distinct(&mut self, bound: usize, count: usize) -> Vec<usize> {
        let mut seen = std::collections::HashSet::new();
        let mut picked = Vec::with_capacity(count.min(bound));
        if count.saturating_mul(2) >= bound {
            let mut all: Vec<usize> = (0..bound).collect();
            self.shuffle(&mut all);
            all.truncate(count);
            return all;
        }
        while picked.len() < count {
            let candidate = self.index(bound);
            if seen.insert(candidate) {
                picked.push(candidate);
            }
        }
        picked
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_never_changes() {
        let mut rng = Rng::from_path(&[1, 2, 3]);
        let head: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(head, FROZEN);
    }

    const FROZEN: [u64; 3] = [8_101_907_916_139_162_267, 16_623_520_171_411_264_202, 9_897_743_570_238_678_870];

    #[test]
    fn distinct_numbers_are_distinct() {
        let mut rng = Rng::from_path(&[7]);
        for (bound, count) in [(10, 10), (1000, 5), (3, 9)] {
            let mut picked = rng.distinct(bound, count);
            assert_eq!(picked.len(), count.min(bound));
            picked.sort_unstable();
            picked.dedup();
            assert_eq!(picked.len(), count.min(bound));
        }
    }
}
