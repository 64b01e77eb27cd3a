//! Attention of one chunk at one key and value head: the policy chooses, the kernel reads, partial results are merged.

use std::time::{Duration, Instant};

use crate::cache::{HeadCache, Slot};
use crate::cuda::Accelerator;
use crate::kernel::{self, PageView, RowRange};
use crate::page::{PAGE, Page};
use crate::policy::{Join, Meter, PageUse, Places, Reading, Selector, Span, Tile};
use crate::rope::Rope;
use crate::score;

/// What attention took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Time choosing.
    pub selecting: Duration,
    /// Time reading.
    pub reading: Duration,
    /// Floating-point operations: 4 per channel of every pair of a query and a key that it sees, and those of choosing.
    pub flops: f64,
    /// Bytes of the keys and values that the tiles read, once per tile, and of what choosing read.
    pub bytes: f64,
}

impl Cost {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.selecting += other.selecting;
        self.reading += other.reading;
        self.flops += other.flops;
        self.bytes += other.bytes;
    }

    /// Adds what choosing took.
    pub(crate) fn chosen(&mut self, meter: &Meter) {
        let (flops, bytes) = meter.counted();
        self.flops += flops;
        self.bytes += bytes;
    }

    /// Adds what `tile` reads of `cache`.
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
    fn count(&mut self, tile: &Tile<'_>, cache: &HeadCache, reading: &Reading) {
        let ranges: Vec<RowRange> = reading.rows_of(tile).map(|row| range(reading.span, tile.first + row)).collect();
        let (mut pairs, mut tokens) = (0_u64, 0_u64);
        for page in &reading.pages {
            let Some(slot) = cache.slots().get(page.slot) else { continue };
            let mut any = 0;
            for range in &ranges {
                let bits = range.bits(slot.first) & page.valid;
                pairs += u64::from(bits.count_ones());
                any |= bits;
            }
            tokens += u64::from(any.count_ones());
        }
        let dim = tile.dim as f64;
        self.flops += 4.0 * dim * pairs as f64;
        self.bytes += 2.0 * dim * size_of::<f32>() as f64 * tokens as f64;
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
    /// Counts what choosing takes.
    pub meter: &'a Meter,
    /// Reads in place of the processor.
    pub accelerator: Option<&'a Accelerator>,
}

impl Chunk<'_> {
    fn tiles(&self, dim: usize) -> impl Iterator<Item = Tile<'_>> {
        let rows = self.tile_rows.max(1);
        self.queries.chunks(rows * dim).enumerate().map(move |(index, queries)| Tile {
            queries,
            dim,
            member: self.member,
            first: self.first + index * rows,
            position: self.position + index * rows,
            decoding: self.decoding,
            meter: self.meter,
        })
    }
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
    let begun = Instant::now();
    let chosen: Vec<(Tile<'_>, Vec<Reading>)> =
        chunk.tiles(dim).map(|tile| (tile, selector.select(cache, &tile))).collect();
    let mut cost = Cost { selecting: begun.elapsed(), ..Cost::default() };
    let begun = Instant::now();
    // Keys that are rotated when they are read exist for one reading only: no device holds them.
    let device = chunk.accelerator.filter(|_| chunk.rope.is_none());
    let mut results = device.and_then(|device| device.read(cache, &chosen));
    let rows = chunk.tile_rows.max(1);
    for (((tile, readings), output), lse) in chosen.iter().zip(output.chunks_mut(rows * dim)).zip(lse.chunks_mut(rows))
    {
        match &mut results {
            Some(results) => gather(tile, readings, output, lse, |_, output, lse| results.next(output, lse)),
            None => read(tile, cache, readings, chunk.rope, output, lse),
        }
    }
    cost.reading = begun.elapsed();
    chosen.iter().for_each(|(tile, readings)| readings.iter().for_each(|reading| cost.count(tile, cache, reading)));
    cost
}

/// Reads what was chosen for a tile into `[rows, dim]` of `output` and the log-sum-exp per row in `lse`.
pub(crate) fn read(
    tile: &Tile<'_>,
    cache: &HeadCache,
    readings: &[Reading],
    rope: Option<&Rope>,
    output: &mut [f32],
    lse: &mut [f32],
) {
    gather(tile, readings, output, lse, |reading, output, lse| read_one(tile, cache, reading, rope, output, lse));
}

/// Joins the readings of a tile, of which `one` gives each, in their order.
fn gather(
    tile: &Tile<'_>,
    readings: &[Reading],
    output: &mut [f32],
    lse: &mut [f32],
    mut one: impl FnMut(&Reading, &mut [f32], &mut [f32]),
) {
    let mut others = readings;
    match readings.split_first() {
        Some((first, rest)) if first.rows.is_none() => {
            one(first, output, lse);
            others = rest;
        }
        _ => {
            output.fill(0.0);
            lse.fill(f32::NEG_INFINITY);
        }
    }
    for reading in others {
        let rows: Vec<usize> = reading.rows_of(tile).collect();
        let (mut part, mut part_lse) = (vec![0.0; rows.len() * tile.dim], vec![0.0; rows.len()]);
        one(reading, &mut part, &mut part_lse);
        for ((row, part), part_lse) in rows.into_iter().zip(part.chunks(tile.dim)).zip(part_lse) {
            let output = output.get_mut(row * tile.dim..(row + 1) * tile.dim);
            if let (Some(output), Some(lse)) = (output, lse.get_mut(row)) {
                join(reading.join, output, lse, part, part_lse);
            }
        }
    }
}

/// Joins a row's attention over other keys to what it has. One softmax over both follows from the log-sum-exp of each
/// (Dao et al. 2022).
pub(crate) fn join(how: Join, output: &mut [f32], lse: &mut f32, other: &[f32], other_lse: f32) {
    let most = lse.max(other_lse);
    if most == f32::NEG_INFINITY {
        return;
    }
    let (mine, theirs) = ((*lse - most).exp(), (other_lse - most).exp());
    let total = mine + theirs;
    let share = match how {
        Join::Gate(gate) if lse.is_finite() && other_lse.is_finite() => gate,
        _ => theirs / total,
    };
    for (output, other) in output.iter_mut().zip(other) {
        *output += (other - *output) * share;
    }
    *lse = most + total.ln();
}

fn read_one(
    tile: &Tile<'_>,
    cache: &HeadCache,
    reading: &Reading,
    rope: Option<&Rope>,
    output: &mut [f32],
    lse: &mut [f32],
) {
    let rotated = rope.map(|rope| (places(tile, cache, reading), rope));
    let turned = rotated.as_ref().map(|((_, queries), rope)| (queries.as_slice(), *rope));
    let (queries, ranges) = prepared(tile, reading, turned);
    let rotated = rotated.map_or_else(Vec::new, |((keys, _), rope)| rotated_pages(cache, reading, &keys, rope));
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

/// Queries of the rows that take part, rotated to places where there are some, and what each sees, as the kernel takes them.
pub(crate) fn prepared(
    tile: &Tile<'_>,
    reading: &Reading,
    turned: Option<(&[usize], &Rope)>,
) -> (Vec<f32>, Vec<RowRange>) {
    let rows: Vec<usize> = reading.rows_of(tile).collect();
    let ranges = rows.iter().map(|row| range(reading.span, tile.first + row)).collect();
    let own = rows.iter().filter_map(|row| tile.queries.get(row * tile.dim..(row + 1) * tile.dim));
    let mut queries: Vec<f32> = own.flatten().copied().collect();
    if let Some((places, rope)) = turned {
        rotate_queries(&mut queries, tile.dim, places, rope);
    }
    let scale = kernel_scale(tile.dim);
    queries.iter_mut().for_each(|channel| *channel *= scale);
    (queries, ranges)
}

/// log2(e) / sqrt(dim): the kernel works in powers of two.
#[expect(clippy::cast_precision_loss, reason = "head sizes")]
pub(crate) fn kernel_scale(dim: usize) -> f32 {
    std::f32::consts::LOG2_E / (dim as f32).sqrt()
}

fn range(span: Span, own: usize) -> RowRange {
    match span {
        Span::Causal => RowRange { from: 0, to: own + 1 },
        Span::Near(window) => RowRange { from: (own + 1).saturating_sub(window), to: own + 1 },
        Span::Far(window) => RowRange { from: 0, to: (own + 1).saturating_sub(window) },
    }
}

/// Positions at which `reading` puts the tokens that it lists, in order, and its rows.
pub(crate) fn places(tile: &Tile<'_>, cache: &HeadCache, reading: &Reading) -> (Vec<usize>, Vec<usize>) {
    let rows: Vec<usize> = reading.rows_of(tile).collect();
    let mut own = vec![0; rows.len()];
    let mut keys = Vec::new();
    for PageUse { slot, valid } in &reading.pages {
        let Some(slot) = cache.slots().get(*slot) else { continue };
        let listed = slot.positions.iter().enumerate().filter(|(token, _)| valid >> token & 1 == 1);
        for (token, position) in listed {
            let row = (slot.first + token).checked_sub(tile.first).and_then(|row| rows.binary_search(&row).ok());
            if let Some(own) = row.and_then(|row| own.get_mut(row)) {
                *own = keys.len();
            }
            keys.push(place(reading.places, *position as usize, keys.len()));
        }
    }
    let shift = if let Places::Grouped { shift, .. } = reading.places { shift } else { 0 };
    let queries = rows.iter().zip(own).map(|(row, own)| place(reading.places, tile.position + row, own) + shift);
    (keys, queries.collect())
}

#[expect(clippy::cast_precision_loss, reason = "positions below 2^24")]
fn rotate_queries(queries: &mut [f32], dim: usize, places: &[usize], rope: &Rope) {
    queries.chunks_mut(dim).zip(places).for_each(|(query, place)| rope.rotate(query, *place as f32));
}

/// Listed pages with their keys rotated to `places`.
#[expect(clippy::cast_precision_loss, reason = "positions below 2^24")]
fn rotated_pages(cache: &HeadCache, reading: &Reading, places: &[usize], rope: &Rope) -> Vec<Page> {
    let mut places = places.iter();
    let listed = reading.pages.iter().filter_map(|page| Some((page.valid, cache.slots().get(page.slot)?)));
    let rotate = |(valid, slot): (u64, &Slot)| {
        let mut page = slot.page.clone();
        for token in (0..page.len()).filter(|token| valid >> token & 1 == 1) {
            let (mut key, value) = slot.page.token(token);
            rope.rotate(&mut key, places.next().copied().unwrap_or(0) as f32);
            page.set(token, &key, &value);
        }
        page
    };
    listed.map(rotate).collect()
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
pub fn column_sums(queries: &[f32], dim: usize, first: usize, cache: &HeadCache, lse: &[f32], sums: &mut [f32]) {
    let mut weights = vec![0.0; lse.len() * PAGE];
    let mut left = sums;
    for slot in cache.slots() {
        let (sums, rest) = left.split_at_mut(slot.page.len().min(left.len()));
        left = rest;
        let skipped = slot.first.saturating_sub(first).min(lse.len());
        let (queries, lse) = (queries.get(skipped * dim..), lse.get(skipped..));
        let (Some(queries), Some(lse)) = (queries, lse) else { continue };
        score::weights(queries, dim, &slot.page, lse, &mut weights);
        for (own, weights) in (first + skipped..).zip(weights.chunks(PAGE).take(lse.len())) {
            let seen = weights.iter().take(own + 1 - slot.first);
            sums.iter_mut().zip(seen).for_each(|(sum, weight)| *sum += weight);
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
        let meter = Meter::default();
        let tile =
            Tile { queries: &queries, dim: DIM, member: 0, first: 145, position: 145, decoding: false, meter: &meter };
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

        for (spans, tokens) in [(vec![Span::Causal], 150), (vec![Span::Far(40), Span::Near(40)], 110 + 44)] {
            let mut cost = Cost::default();
            spans.into_iter().for_each(|span| cost.count(&tile, &cache, &reading(span)));
            let pairs = (146..=150).sum::<usize>();
            assert_eq!(cost.flops, (4 * DIM * pairs) as f64, "each row sees all up to itself");
            assert_eq!(cost.bytes, (2 * DIM * 4 * tokens) as f64, "a token is read once per tile and reading");
        }

        let mut sums = vec![0.0; 150];
        column_sums(&queries, DIM, 145, &cache, &whole.1, &mut sums);
        assert!((sums.iter().sum::<f32>() - 5.0).abs() < 1e-4, "each row gives one");
    }
}
