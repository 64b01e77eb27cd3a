//! A page of keys and values in the order in which the kernel reads them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tokens of a page.
pub const PAGE: usize = 64;

/// Numbers worked on at once.
pub const LANES: usize = 16;

/// Bits of the first `count` tokens of a page.
#[must_use]
pub fn first_bits(count: usize) -> u64 {
    if count >= PAGE { u64::MAX } else { (1 << count) - 1 }
}

/// Keys and values of up to [`PAGE`] tokens of one head.
#[derive(Debug)]
pub struct Page {
    /// Given when it is first asked for. No two pages have the same, and what a token holds does not change under it.
    id: OnceLock<u64>,
    /// `[PAGE / LANES][dim][LANES]`: for each group of tokens, channel after channel.
    keys: Vec<[f32; LANES]>,
    /// `[ceil(dim / LANES)][PAGE][LANES]`: for each group of channels, token after token.
    values: Vec<[f32; LANES]>,
    dim: usize,
    len: usize,
}

impl Clone for Page {
    fn clone(&self) -> Self {
        Self { id: OnceLock::new(), keys: self.keys.clone(), values: self.values.clone(), dim: self.dim, len: self.len }
    }
}

impl Page {
    /// An empty page for heads of `dim` channels.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        let keys = vec![[0.0; LANES]; PAGE / LANES * dim];
        let values = vec![[0.0; LANES]; dim.div_ceil(LANES) * PAGE];
        Self { id: OnceLock::new(), keys, values, dim, len: 0 }
    }

    /// Stays the same while tokens are appended; a copy has another.
    #[must_use]
    pub(crate) fn id(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        *self.id.get_or_init(|| NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Tokens in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (self.keys.len() + self.values.len()) * size_of::<[f32; LANES]>()
    }

    /// Appends a token; `false` when the page is full.
    pub fn push(&mut self, key: &[f32], value: &[f32]) -> bool {
        if self.len == PAGE {
            return false;
        }
        self.write(self.len, key, value);
        self.len += 1;
        true
    }

    /// Overwrites a token.
    pub fn set(&mut self, token: usize, key: &[f32], value: &[f32]) {
        self.id.take();
        self.write(token, key, value);
    }

    fn write(&mut self, token: usize, key: &[f32], value: &[f32]) {
        let (group, lane) = (token / LANES, token % LANES);
        for (channels, channel) in self.keys.iter_mut().skip(group * self.dim).zip(key.iter().take(self.dim)) {
            if let Some(slot) = channels.get_mut(lane) {
                *slot = *channel;
            }
        }
        for (tokens, channels) in self.values.chunks_mut(PAGE).zip(value.chunks(LANES)) {
            if let Some(slot) = tokens.get_mut(token) {
                slot.iter_mut().zip(channels).for_each(|(slot, channel)| *slot = *channel);
            }
        }
    }

    /// The key of a token, `[dim]`.
    pub fn key(&self, token: usize) -> impl Iterator<Item = f32> + '_ {
        let (group, lane) = (token / LANES, token % LANES);
        let channels = self.keys.iter().skip(group * self.dim).take(self.dim);
        channels.map(move |lanes| lanes.get(lane).copied().unwrap_or(0.0))
    }

    /// The value of a token, `[dim]`.
    pub fn value(&self, token: usize) -> impl Iterator<Item = f32> + '_ {
        let groups = self.values.chunks(PAGE);
        groups.filter_map(move |tokens| tokens.get(token)).flatten().copied().take(self.dim)
    }

    /// Key and value of a token.
    #[must_use]
    pub fn token(&self, token: usize) -> (Vec<f32>, Vec<f32>) {
        (self.key(token).collect(), self.value(token).collect())
    }

    /// Keys of all its tokens.
    pub fn all_keys(&self) -> impl Iterator<Item = Vec<f32>> + '_ {
        (0..self.len).map(|token| self.key(token).collect())
    }

    /// Values of all its tokens.
    pub fn all_values(&self) -> impl Iterator<Item = Vec<f32>> + '_ {
        (0..self.len).map(|token| self.value(token).collect())
    }

    /// Groups of [`LANES`] tokens, each channel after channel.
    pub(crate) fn key_groups(&self) -> impl Iterator<Item = &[[f32; LANES]]> {
        self.keys.chunks(self.dim.max(1))
    }

    /// Groups of [`LANES`] channels, each token after token.
    pub(crate) fn value_groups(&self) -> impl Iterator<Item = &[[f32; LANES]]> {
        self.values.chunks(PAGE)
    }
}
