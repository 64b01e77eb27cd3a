//! The Mersenne Twister helpers of CPython 3.11's `random`, needed only to rebuild upstream samples.
//!
//! MT19937 with `init_by_array` seeding; `randrange` by rejection on `getrandbits`; `shuffle` from the back.

const SIZE: usize = 624;
const MIDDLE: usize = 397;

/// `random.Random(seed)`.
pub struct PythonRandom {
    state: [u32; SIZE],
    next: usize,
}

impl PythonRandom {
    /// A generator in the state of `random.seed(seed)` for a non-negative whole number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (low, high) = (low_word(seed), low_word(seed >> 32));
        let key: &[u32] = if high == 0 { &[low] } else { &[low, high] };
        let mut random = Self { state: [0; SIZE], next: SIZE };
        random.fill(19_650_218);
        random.mix(key);
        random
    }

    fn at(&self, index: usize) -> u32 {
        self.state.get(index % SIZE).copied().unwrap_or_default()
    }

    fn set(&mut self, index: usize, value: u32) {
        if let Some(word) = self.state.get_mut(index) {
            *word = value;
        }
    }

    fn fill(&mut self, seed: u32) {
        let mut word = seed;
        for (index, cell) in (0_u32..).zip(self.state.iter_mut()) {
            if index > 0 {
                word = 1_812_433_253_u32.wrapping_mul(word ^ (word >> 30)).wrapping_add(index);
            }
            *cell = word;
        }
    }

    fn mix(&mut self, key: &[u32]) {
        let mut index = 1;
        let keyed = (0_u32..).zip(key.iter().copied()).cycle_to(SIZE.max(key.len()), key.len());
        for (position, word) in keyed {
            let before = self.at(index - 1);
            let mixed = (self.at(index) ^ (before ^ (before >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(word)
                .wrapping_add(position);
            self.set(index, mixed);
            index = self.advance(index);
        }
        for _ in 1..SIZE {
            let before = self.at(index - 1);
            let offset = u32::try_from(index).unwrap_or_default();
            let mixed = (self.at(index) ^ (before ^ (before >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(offset);
            self.set(index, mixed);
            index = self.advance(index);
        }
        self.set(0, 0x8000_0000);
    }

    fn advance(&mut self, index: usize) -> usize {
        if index + 1 < SIZE {
            return index + 1;
        }
        self.set(0, self.at(SIZE - 1));
        1
    }

    fn twist(&mut self) {
        for index in 0..SIZE {
            let joined = (self.at(index) & 0x8000_0000) | (self.at(index + 1) & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.set(index, self.at(index + MIDDLE) ^ (joined >> 1) ^ odd);
        }
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next >= SIZE {
            self.twist();
        }
        let mut word = self.at(self.next);
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// `getrandbits(bits)` for at most 128 bits; more are cut to 128.
    pub fn getrandbits(&mut self, bits: u32) -> u128 {
        let bits = bits.min(128);
        let mut value = 0_u128;
        let mut done = 0;
        while done < bits {
            let take = (bits - done).min(32);
            value |= u128::from(self.word() >> (32 - take)) << done;
            done += take;
        }
        value
    }

    /// `random()`, 53 bits in [0, 1).
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.word() >> 5);
        let low = f64::from(self.word() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// `randrange(bound)`; 0 for bound 0, where Python raises.
    pub fn randrange(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let bits = u64::BITS - bound.leading_zeros();
        loop {
            let value = u64::try_from(self.getrandbits(bits)).unwrap_or(u64::MAX);
            if value < bound {
                return value;
            }
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.randrange(bound as u64)).unwrap_or_default()
    }

    /// `randint(low, high)`, both ends included.
    pub fn randint(&mut self, low: u64, high: u64) -> u64 {
        low + self.randrange(high.saturating_sub(low) + 1)
    }

    /// `choice(items)`; `None` without items.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len());
        items.get(index)
    }

    /// `choices(range(count), k=k)` without weights.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "floor(random() * n) as CPython computes it"
    )]
    pub fn choices(&mut self, count: usize, k: usize) -> Vec<usize> {
        (0..k).map(|_| (self.random() * count as f64) as usize).collect()
    }

    /// `shuffle(items)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            let other = self.below(index + 1);
            items.swap(index, other);
        }
    }

    /// `sample(range(count), k)`; `k` is cut to `count`, where Python raises.
    pub fn sample(&mut self, count: usize, k: usize) -> Vec<usize> {
        let k = k.min(count);
        if count <= pool_limit(k) { self.sample_pool(count, k) } else { self.sample_set(count, k) }
    }

    fn sample_pool(&mut self, count: usize, k: usize) -> Vec<usize> {
        let mut pool: Vec<usize> = (0..count).collect();
        (0..k)
            .map(|_| {
                let chosen = self.below(pool.len());
                pool.swap_remove(chosen)
            })
            .collect()
    }

    fn sample_set(&mut self, count: usize, k: usize) -> Vec<usize> {
        let mut seen = std::collections::HashSet::new();
        let mut chosen = Vec::with_capacity(k);
        while chosen.len() < k {
            let index = self.below(count);
            if seen.insert(index) {
                chosen.push(index);
            }
        }
        chosen
    }

    /// UUIDs of RULER's needles: 128 random bits with version 4 and the RFC variant set.
    pub fn uuid_v4(&mut self) -> String {
        let bits = self.getrandbits(128);
        let version = bits & !(0xf000_u128 << 64) | (4_u128 << 76);
        format_uuid(version & !(0xc000_u128 << 48) | (0x8000_u128 << 48))
    }

    /// UUIDs of Needle Threading's haystacks: 128 random bits as they come.
    pub fn raw_uuid(&mut self) -> String {
        let bits = self.getrandbits(128);
        format_uuid(bits)
    }
}

/// Population size up to which `sample` draws from a pool.
fn pool_limit(k: usize) -> usize {
    let mut power = 1_usize;
    while k > 5 && power < k.saturating_mul(3) {
        power = power.saturating_mul(4);
    }
    if k > 5 { 21 + power } else { 21 }
}

fn low_word(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or_default()
}

fn format_uuid(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

trait CycleTo: Iterator + Clone + Sized {
    /// Repeats the sequence until `count` elements are out; `length` is the sequence's own length.
    fn cycle_to(self, count: usize, length: usize) -> std::iter::Take<std::iter::Cycle<std::iter::Take<Self>>> {
        self.take(length).cycle().take(count)
    }
}

impl<I: Iterator + Clone> CycleTo for I {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_seed_0() {
        let mut random = PythonRandom::new(0);
        assert_eq!(random.random(), 0.844_421_851_525_048_1);
        assert_eq!(PythonRandom::new(0).raw_uuid(), "e3e70682-c209-4cac-629f-6fbed82c07cd");
        assert_eq!(PythonRandom::new(0).uuid_v4(), "e3e70682-c209-4cac-a29f-6fbed82c07cd");
    }
}
