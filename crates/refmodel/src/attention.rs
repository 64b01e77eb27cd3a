//! Attention of one chunk at one key and value head: the policy chooses, the kernel reads, partial results are merged.

use std::time::{Duration, Instant};

use crate::cache::HeadCache;
use crate::kernel::{self, PageView, RowRange};
use crate::page::Page;
use crate::policy::{PageUse, Places, Reading, Selector, Span, Tile, between};
use crate::rope::Rope;

/// What attention cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Time choosing.
    pub selecting: Duration,
    /// Time reading.
    pub reading: Duration,
    /// Pairs of a query and a key that it reads.
    pub pairs: u64,
    /// Tokens whose key and value are fetched, once for each tile and reading that lists them.
    pub fetched: u64,
}

impl Cost {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.selecting += other.selecting;
        self.reading += other.reading;
        self.pairs += other.pairs;
        self.fetched += other.fetched;
    }

    /// Floating-point operations: a product with the key and one with the value per pair.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn flops(&self, dim: usize) -> f64 {
        4.0 * dim as f64 * self.pairs as f64
    }

    /// Bytes of keys and values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn bytes(&self, dim: usize) -> f64 {
        2.0 * (dim * size_of::<f32>()) as f64 * self.fetched as f64
    }
}

/// Queries of one query head for a chunk whose keys are already in the cache.
pub struct Chunk<'a> {
    /// `[rows, dim]`, rotated unless keys are stored unrotated; with log-n factors, without scale.
    pub queries: &'a [f32],
    /// Which query head of the group.
    pub member: usize,
    /// Index in the cache of the first row's own token.
    pub first: usize,
    /// Position in the text of the first row.
    pub position: usize,
    /// The prompt is over.
    pub decoding: bool,
    /// Rotation to apply to keys and queries, where they are stored unrotated.
    pub rope: Option<&'a Rope>,
    /// Most rows that choose together.
    pub tile_rows: usize,
}

/// Attends `[rows, dim]` to `output`, with the log-sum-exp per row in `lse`.
pub fn attend(
    chunk: &Chunk<'_>,
    dim: usize,
    cache: &HeadCache,
    selector: &mut dyn Selector,
    output: &mut [f32],
    lse: &mut [f32],
) -> Cost {
    let mut cost = Cost::default();
    let rows = chunk.tile_rows.max(1);
    let tiles = chunk.queries.chunks(rows * dim).zip(output.chunks_mut(rows * dim)).zip(lse.chunks_mut(rows));
    for (index, ((queries, output), lse)) in tiles.enumerate() {
        let tile = Tile {
            queries,
            dim,
            member: chunk.member,
            first: chunk.first + index * rows,
            position: chunk.position + index * rows,
            decoding: chunk.decoding,
        };
        let begun = Instant::now();
        let readings = selector.select(cache, &tile);
        let chosen = Instant::now();
        read(&tile, cache, &readings, chunk.rope, output, lse);
        cost.selecting += chosen - begun;
        cost.reading += chosen.elapsed();
        for reading in &readings {
            count(&mut cost, &tile, cache, reading);
        }
    }
    cost
}

/// Adds what a reading of a tile takes, by the rules of a roofline: work per pair, traffic per listed token.
fn count(cost: &mut Cost, tile: &Tile<'_>, cache: &HeadCache, reading: &Reading) {
    let seen = |row: usize| range(reading.span, tile.first + row);
    let last = seen(tile.rows().saturating_sub(1));
    for page in &reading.pages {
        let Some(slot) = cache.slots().get(page.slot) else { continue };
        let within = |from: usize, to: usize| u64::from((page.valid & between(slot, from, to)).count_ones());
        cost.pairs += (0..tile.rows()).map(seen).map(|range| within(range.from, range.to)).sum::<u64>();
        cost.fetched += within(seen(0).from, last.to);
    }
}

fn read(
    tile: &Tile<'_>,
    cache: &HeadCache,
    readings: &[Reading],
    rope: Option<&Rope>,
    output: &mut [f32],
    lse: &mut [f32],
) {
    let Some((first, others)) = readings.split_first() else {
        output.fill(0.0);
        lse.fill(f32::NEG_INFINITY);
        return;
    };
    read_one(tile, cache, first, rope, output, lse);
    for reading in others {
        let (mut part, mut part_lse) = (vec![0.0; output.len()], vec![0.0; lse.len()]);
        read_one(tile, cache, reading, rope, &mut part, &mut part_lse);
        merge(tile.dim, output, lse, &part, &part_lse);
    }
}

/// Joins two attentions over different keys (Dao et al. 2022): the result is the softmax over both.
pub fn merge(dim: usize, output: &mut [f32], lse: &mut [f32], other: &[f32], other_lse: &[f32]) {
    let rows = output.chunks_mut(dim).zip(lse).zip(other.chunks(dim).zip(other_lse));
    for ((output, lse), (other, other_lse)) in rows {
        let most = lse.max(*other_lse);
        if most == f32::NEG_INFINITY {
            continue;
        }
        let (mine, theirs) = ((*lse - most).exp(), (other_lse - most).exp());
        let total = mine + theirs;
        for (output, other) in output.iter_mut().zip(other) {
            *output = (*output * mine + other * theirs) / total;
        }
        *lse = most + total.ln();
    }
}

fn read_one(
    tile: &Tile<'_>,
    cache: &HeadCache,
    reading: &Reading,
    rope: Option<&Rope>,
    output: &mut [f32],
    lse: &mut [f32],
) {
    let ranges: Vec<RowRange> = (0..tile.rows()).map(|row| range(reading.span, tile.first + row)).collect();
    let (mut queries, rotated) = match rope {
        Some(rope) => rotated(tile, cache, reading, rope),
        None => (tile.queries.to_vec(), Vec::new()),
    };
    let scale = kernel_scale(tile.dim);
    queries.iter_mut().for_each(|channel| *channel *= scale);
    let listed = reading.pages.iter().filter_map(|page| Some((page, cache.slots().get(page.slot)?)));
    let views: Vec<PageView<'_>> = listed
        .enumerate()
        .map(|(place, (page, slot))| PageView {
            page: rotated.get(place).unwrap_or(&slot.page),
            valid: page.valid,
            first: slot.first,
        })
        .collect();
    kernel::attend(&queries, &ranges, &views, output, lse);
}

/// log2(e) / sqrt(dim): the kernel works in powers of two.
#[expect(clippy::cast_precision_loss, reason = "head sizes")]
fn kernel_scale(dim: usize) -> f32 {
    std::f32::consts::LOG2_E / (dim as f32).sqrt()
}

fn range(span: Span, own: usize) -> RowRange {
    match span {
        Span::Causal => RowRange { from: 0, to: own + 1 },
        Span::Near(window) => RowRange { from: (own + 1).saturating_sub(window), to: own + 1 },
        Span::Far(window) => RowRange { from: 0, to: (own + 1).saturating_sub(window) },
    }
}

/// Queries and listed pages rotated to the positions that the reading gives them.
#[expect(clippy::cast_precision_loss, reason = "positions below 2^24")]
fn rotated(tile: &Tile<'_>, cache: &HeadCache, reading: &Reading, rope: &Rope) -> (Vec<f32>, Vec<Page>) {
    let mut counted = 0;
    let mut own = vec![0; tile.rows()];
    let mut pages = Vec::with_capacity(reading.pages.len());
    for PageUse { slot, valid } in &reading.pages {
        let Some(slot) = cache.slots().get(*slot) else { continue };
        let mut page = slot.page.clone();
        for (token, position) in slot.positions.iter().enumerate() {
            if valid >> token & 1 == 0 {
                continue;
            }
            let place = place(reading.places, *position as usize, counted);
            if let Some(own) = (slot.first + token).checked_sub(tile.first).and_then(|row| own.get_mut(row)) {
                *own = counted;
            }
            counted += 1;
            let (mut key, value) = slot.page.token(token);
            rope.rotate(&mut key, place as f32);
            page.set(token, &key, &value);
        }
        pages.push(page);
    }
    let mut queries = tile.queries.to_vec();
    for (row, (query, own)) in queries.chunks_mut(tile.dim).zip(own).enumerate() {
        let shift = if let Places::Grouped { shift, .. } = reading.places { shift } else { 0 };
        rope.rotate(query, (place(reading.places, tile.position + row, own) + shift) as f32);
    }
    (queries, pages)
}

fn place(places: Places, position: usize, counted: usize) -> usize {
    match places {
        Places::Text => position,
        Places::Packed => counted,
        Places::Grouped { by, .. } => position / by,
        Places::Wrapped { modulo } => position % modulo,
    }
}

/// Attention that each stored token got from the rows of a chunk, by their log-sum-exp, added to `sums`.
#[expect(clippy::cast_precision_loss, reason = "head sizes")]
pub fn column_sums(queries: &[f32], dim: usize, first: usize, cache: &HeadCache, lse: &[f32], sums: &mut [f32]) {
    let scale = 1.0 / (dim as f32).sqrt();
    let mut place = 0;
    for slot in cache.slots() {
        for (token, key) in slot.page.all_keys().enumerate() {
            let skipped = (slot.first + token).saturating_sub(first);
            let rows = queries.chunks(dim).zip(lse).skip(skipped);
            let sum: f32 = rows
                .map(|(query, lse)| {
                    let score: f32 = query.iter().zip(&key).map(|(query, key)| query * key).sum();
                    (score * scale - lse).exp()
                })
                .sum();
            if let Some(slot) = sums.get_mut(place) {
                *slot += sum;
            }
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use longboard_suites::rng::Rng;

    use super::*;
    use crate::cache::Summaries;

    #[test]
    fn two_partial_attentions_merge_into_the_joint_one() {
        const DIM: usize = 16;
        let mut rng = Rng::from_path(&[3]);
        let mut draw = |count: usize| (0..count).map(|_| (rng.unit() * 2.0 - 1.0) as f32).collect::<Vec<f32>>();
        let mut cache = HeadCache::new(DIM, Summaries::default());
        for position in 0..150 {
            cache.push(position, &draw(DIM), &draw(DIM));
        }
        let queries = draw(DIM * 5);
        let tile = Tile { queries: &queries, dim: DIM, member: 0, first: 145, position: 145, decoding: false };
        let reading = |span| Reading { span, ..Reading::all(&cache) };
        let run = |readings: &[Reading]| {
            let (mut output, mut lse) = (vec![0.0; DIM * 5], vec![0.0; 5]);
            read(&tile, &cache, readings, None, &mut output, &mut lse);
            (output, lse)
        };
        let whole = run(&[reading(Span::Causal)]);
        let parts = run(&[reading(Span::Far(40)), reading(Span::Near(40))]);
        let pairs = whole.0.iter().chain(&whole.1).zip(parts.0.iter().chain(&parts.1));
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-6);
        assert!(run(&[]).1.iter().all(|lse| *lse == f32::NEG_INFINITY));

        for (spans, fetched) in [(vec![Span::Causal], 150), (vec![Span::Far(40), Span::Near(40)], 110 + 44)] {
            let mut cost = Cost::default();
            spans.into_iter().for_each(|span| count(&mut cost, &tile, &cache, &reading(span)));
            assert_eq!((cost.pairs, cost.fetched), ((146..=150).sum(), fetched), "each row reads all up to itself");
        }

        let mut sums = vec![0.0; 150];
        column_sums(&queries, DIM, 145, &cache, &whole.1, &mut sums);
        assert!((sums.iter().sum::<f32>() - 5.0).abs() < 1e-4, "each row gives one");
    }
}
