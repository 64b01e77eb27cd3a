//! The cache of keys and values: pages per layer and head, with what policies need to know about them.

use crate::bounds::Bounds;
use crate::page::{PAGE, Page, first_bits};

/// Tokens of a logical page, the unit of summaries.
pub const LOGICAL: usize = 16;

/// Logical pages of a page.
pub const PARTS: usize = PAGE / LOGICAL;

/// What is kept about every logical page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summaries {
    /// Channel-wise smallest and largest key.
    pub bounds: bool,
    /// Mean key.
    pub mean: bool,
}

/// What is known about a logical page without reading it.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Sum of keys per channel.
    pub sum: Vec<f32>,
    /// Tokens in it.
    pub count: usize,
}

impl Summary {
    fn add(&mut self, key: &[f32]) {
        self.sum.resize(key.len(), 0.0);
        self.sum.iter_mut().zip(key).for_each(|(sum, key)| *sum += key);
        self.count += 1;
    }

    /// The product of `query` with the mean key.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "tokens of a page")]
    pub fn mean_product(&self, query: &[f32]) -> f32 {
        let sum: f32 = query.iter().zip(&self.sum).map(|(query, sum)| query * sum).sum();
        sum / self.count.max(1) as f32
    }

    fn bytes(&self) -> usize {
        self.sum.len() * size_of::<f32>()
    }
}

/// A page in its place.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Index of its first token, in the order in which tokens were appended or kept.
    pub first: usize,
    /// Keys and values.
    pub page: Page,
    /// Positions in the text, one per token.
    pub positions: Vec<u32>,
    /// Summaries of its logical pages, where means are kept.
    pub summaries: Vec<Summary>,
}

impl Slot {
    /// One past the index of its last token.
    #[must_use]
    pub fn end(&self) -> usize {
        self.first + self.page.len()
    }

    /// Bits of all its tokens.
    #[must_use]
    pub fn all(&self) -> u64 {
        first_bits(self.page.len())
    }
}

/// Keys and values of one layer and head.
#[derive(Debug, Clone)]
pub struct HeadCache {
    slots: Vec<Slot>,
    /// Of every logical page, by the place of its page times [`PARTS`], where bounds are kept.
    bounds: Bounds,
    len: usize,
    next: usize,
    dim: usize,
    kept: Summaries,
}

impl HeadCache {
    /// An empty cache for heads of `dim` channels.
    #[must_use]
    pub fn new(dim: usize, kept: Summaries) -> Self {
        Self { slots: Vec::new(), bounds: Bounds::new(dim), len: 0, next: 0, dim, kept }
    }

    /// Pages in order.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Channels of a key.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Index that the next token gets.
    #[must_use]
    pub fn next(&self) -> usize {
        self.next
    }

    /// Tokens stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bounds of the logical pages, [`PARTS`] places for each page.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of pages, positions, summaries and bounds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of = |slot: &Slot| {
            let summaries = slot.summaries.iter().map(Summary::bytes).sum::<usize>();
            slot.page.bytes() + slot.positions.capacity() * size_of::<u32>() + summaries
        };
        self.slots.iter().map(of).sum::<usize>() + self.bounds.bytes()
    }

    /// Appends a token.
    pub fn push(&mut self, position: u32, key: &[f32], value: &[f32]) {
        if self.slots.last().is_none_or(|slot| slot.page.len() == PAGE || slot.end() != self.next) {
            self.slots.push(Slot {
                first: self.next,
                page: Page::new(self.dim),
                positions: Vec::with_capacity(PAGE),
                summaries: Vec::new(),
            });
        }
        let place = self.slots.len().saturating_sub(1);
        if let Some(slot) = self.slots.last_mut() {
            let logical = slot.page.len() / LOGICAL;
            slot.page.push(key, value);
            slot.positions.push(position);
            if self.kept.bounds {
                self.bounds.add(place * PARTS + logical, key);
            }
            if self.kept.mean {
                if slot.summaries.len() <= logical {
                    slot.summaries.push(Summary::default());
                }
                if let Some(summary) = slot.summaries.get_mut(logical) {
                    summary.add(key);
                }
            }
        }
        self.len += 1;
        self.next += 1;
    }

    /// Drops every page for which `wanted` is false.
    pub fn retain_pages(&mut self, wanted: impl Fn(&Slot) -> bool) {
        let kept: Vec<usize> =
            (0..).zip(&self.slots).filter(|(_, slot)| wanted(slot)).map(|(place, _)| place).collect();
        if kept.len() == self.slots.len() {
            return;
        }
        if self.kept.bounds {
            self.bounds = self.bounds.at(kept.iter().flat_map(|place| place * PARTS..(place + 1) * PARTS));
        }
        self.slots.retain(wanted);
        self.len = self.slots.iter().map(|slot| slot.page.len()).sum();
    }

    /// Keeps the tokens with these indices, ascending, and moves them together.
    pub fn retain_tokens(&mut self, kept: &[usize]) {
        let mut fresh = Self::new(self.dim, self.kept);
        let mut slots = self.slots.iter().peekable();
        for &index in kept {
            while slots.next_if(|slot| slot.end() <= index).is_some() {}
            let Some(slot) = slots.peek() else { break };
            let Some(token) = index.checked_sub(slot.first) else { continue };
            let (key, value) = slot.page.token(token);
            fresh.push(slot.positions.get(token).copied().unwrap_or(0), &key, &value);
        }
        *self = fresh;
    }

    /// A copy whose tokens for which `listed` is false are not numbers.
    #[cfg(test)]
    pub(crate) fn poisoned(&self, listed: impl Fn(usize, usize) -> bool) -> Self {
        let (mut poisoned, poison) = (self.clone(), vec![f32::NAN; self.dim]);
        for (place, slot) in poisoned.slots.iter_mut().enumerate() {
            let unlisted = (0..slot.page.len()).filter(|token| !listed(place, *token));
            unlisted.for_each(|token| slot.page.set(token, &poison, &poison));
        }
        poisoned
    }

    /// Shortens to the tokens with an index below `next`: what was appended on trial is taken back.
    pub fn truncate(&mut self, next: usize) {
        if next >= self.next {
            return;
        }
        let cut = self.slots.iter().find(|slot| slot.first < next && slot.end() > next).cloned();
        self.slots.retain(|slot| slot.end() <= next);
        self.bounds.truncate(self.slots.len() * PARTS);
        self.len = self.slots.iter().map(|slot| slot.page.len()).sum();
        self.next = cut.as_ref().map_or(next, |slot| slot.first);
        let Some(cut) = cut else { return };
        for (token, position) in cut.positions.iter().enumerate().take(next - cut.first) {
            let (key, value) = cut.page.token(token);
            self.push(*position, &key, &value);
        }
    }
}
