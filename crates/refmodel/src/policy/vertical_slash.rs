//! MInference's vertical-slash pattern for prompts, and dense answers.

use super::minference::CITATION;
use super::select::top;
use super::weigh::observe;
use super::{Ahead, Card, PageUse, Parameter, Policy, Properties, Reading, Selector, Site, Tile};
use crate::cache::{HeadCache, Slot};
use crate::page::PAGE;

/// Vertical-slash.
pub const CARD: Card = Card {
    slug: "minference-vertical-slash",
    title: "MInference vertical-slash",
    citation: CITATION,
    what: "The last 64 queries show which columns and diagonals of attention carry most; the prompt reads these, the \
           answer everything.",
    differs: "One pattern for all heads instead of an offline search per head. A prompt is read in chunks, and the \
              pattern of a chunk comes from its own last 64 queries.",
    parameters: &[
        Parameter { name: "vertical", help: "columns read", default: 1000.0, least: 30.0 },
        Parameter { name: "slash", help: "diagonals read", default: 6096.0, least: 100.0 },
    ],
    properties: Properties { prefix_stable: false, recalls: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(VerticalSlash { columns: settings.count("vertical"), diagonals: settings.count("slash") })
    },
};

/// Last queries that show the pattern.
const OBSERVERS: usize = 64;
/// First columns that are always read.
const FORCED_COLUMNS: usize = 30;
/// Nearest diagonals that are always read.
const FORCED_DIAGONALS: usize = 100;

#[derive(Clone, Copy)]
struct VerticalSlash {
    columns: usize,
    diagonals: usize,
}

impl Policy for VerticalSlash {
    /// As in the published kernel, a tile of 64 rows reads what any of its rows has on its diagonals.
    fn tile_rows(&self, _: bool) -> usize {
        PAGE
    }

    fn own_bytes(&self, tokens: usize, _: usize, group: usize) -> usize {
        group * (self.columns.min(tokens) + self.diagonals.min(tokens)) * size_of::<usize>()
    }

    fn selector(&self, site: Site) -> Box<dyn Selector> {
        Box::new(Patterns { size: *self, heads: vec![Pattern::default(); site.group] })
    }
}

struct Patterns {
    size: VerticalSlash,
    /// One per query head.
    heads: Vec<Pattern>,
}

#[derive(Debug, Clone, Default)]
struct Pattern {
    /// Indices of keys, ascending.
    columns: Vec<usize>,
    /// Distances of keys from the query, ascending.
    diagonals: Vec<usize>,
}

impl Selector for Patterns {
    fn open(&mut self, cache: &HeadCache, ahead: &Ahead<'_>) {
        if ahead.decoding {
            return;
        }
        for (pattern, queries) in self.heads.iter_mut().zip(ahead.queries) {
            let last = queries.len().saturating_sub(OBSERVERS * cache.dim());
            let (columns, diagonals) = sums(cache, queries.get(last..).unwrap_or_default(), ahead);
            *pattern = Pattern {
                columns: top(&forced(columns, FORCED_COLUMNS), self.size.columns),
                diagonals: top(&forced(diagonals, FORCED_DIAGONALS), self.size.diagonals),
            };
        }
    }

    fn bytes(&self) -> usize {
        let places = |pattern: &Pattern| pattern.columns.len() + pattern.diagonals.len();
        self.heads.iter().map(places).sum::<usize>() * size_of::<usize>()
    }

    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let pattern = self.heads.get(tile.member).filter(|_| !tile.decoding);
        vec![pattern.map_or_else(|| Reading::all(cache), |pattern| Reading::of(pattern.pages(cache, tile)))]
    }
}

/// Attention of `queries`, the last rows, by column and by distance.
fn sums(cache: &HeadCache, queries: &[f32], ahead: &Ahead<'_>) -> (Vec<f32>, Vec<f32>) {
    let (mut columns, mut diagonals) = (vec![0.0; cache.len()], vec![0.0; cache.len()]);
    observe(cache, queries, ahead.meter, |_, weights| {
        columns.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        diagonals.iter_mut().zip(weights.iter().rev()).for_each(|(sum, weight)| *sum += weight);
    });
    (columns, diagonals)
}

fn forced(mut sums: Vec<f32>, count: usize) -> Vec<f32> {
    sums.iter_mut().take(count).for_each(|sum| *sum = f32::INFINITY);
    sums
}

impl Pattern {
    /// What the rows of a tile read together.
    fn pages(&self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<PageUse> {
        let slots = cache.slots().iter().enumerate().take_while(|(_, slot)| slot.first < tile.end());
        slots
            .map(|(place, slot)| PageUse {
                slot: place,
                valid: (self.vertical(slot) | self.slash(slot, tile)) & slot.all(),
            })
            .filter(|page| page.valid != 0)
            .collect()
    }

    fn vertical(&self, slot: &Slot) -> u64 {
        let from = self.columns.partition_point(|column| *column < slot.first);
        let inside = self.columns.iter().skip(from).take_while(|column| **column < slot.end());
        inside.fold(0, |bits, column| bits | 1 << (column - slot.first))
    }

    /// Row r has key r - d on diagonal d: all rows of the tile together have a run of keys on it.
    fn slash(&self, slot: &Slot, tile: &Tile<'_>) -> u64 {
        let nearest = tile.first.saturating_sub(slot.end() - 1);
        let from = self.diagonals.partition_point(|distance| *distance < nearest);
        let meets = self.diagonals.iter().skip(from).take_while(|distance| slot.first + **distance < tile.end());
        meets.fold(0, |bits, distance| {
            bits | super::between(slot, tile.first.saturating_sub(*distance), tile.end().saturating_sub(*distance))
        })
    }
}

#[cfg(test)]
mod tests {
    use longboard_suites::rng::Rng;

    use super::*;
    use crate::cache::Summaries;
    use crate::policy::Meter;

    #[test]
    fn a_tile_reads_the_columns_and_the_runs_of_its_diagonals() {
        const DIM: usize = 16;
        let mut cache = HeadCache::new(DIM, Summaries::default());
        (0..300).for_each(|position| cache.push(position, &[0.0; DIM], &[0.0; DIM]));
        let pattern = Pattern { columns: vec![3, 70, 130], diagonals: vec![0, 1, 40, 150] };
        let meter = Meter::default();
        let queries = [0.0; DIM * 10];
        let tile =
            Tile { queries: &queries, dim: DIM, member: 0, first: 200, position: 200, decoding: false, meter: &meter };
        let found: Vec<usize> = pattern
            .pages(&cache, &tile)
            .iter()
            .flat_map(|page| (0..PAGE).filter(|bit| page.valid >> bit & 1 == 1).map(|bit| page.slot * PAGE + bit))
            .collect();
        let wanted: Vec<usize> = (0..300)
            .filter(|key| {
                [3, 70, 130].contains(key)
                    || (200..210).any(|row| [0, 1, 40, 150].contains(&(row as i64 - *key as i64)))
            })
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn columns_and_diagonals_are_sums_of_the_observed_attention() {
        const DIM: usize = 16;
        let mut rng = Rng::from_path(&[4]);
        let mut draw = |count: usize| (0..count).map(|_| (rng.unit() * 2.0 - 1.0) as f32).collect::<Vec<f32>>();
        let mut cache = HeadCache::new(DIM, Summaries::default());
        let keys: Vec<Vec<f32>> = (0..100).map(|_| draw(DIM)).collect();
        (0..).zip(&keys).for_each(|(position, key)| cache.push(position, key, key));
        let queries = draw(DIM * 3);
        let meter = Meter::default();
        let ahead =
            Ahead { queries: &[], first: 97, decoding: false, prompt_ends: true, sentence_ends: &[], meter: &meter };
        let (columns, diagonals) = sums(&cache, &queries, &ahead);
        let (mut wanted_columns, mut wanted_diagonals) = ([0.0; 100], [0.0; 100]);
        for (row, query) in queries.chunks(DIM).enumerate() {
            let weights = crate::policy::weigh::weights(query, keys.iter().take(98 + row));
            for (key, weight) in weights.iter().enumerate() {
                wanted_columns[key] += weight;
                wanted_diagonals[97 + row - key] += weight;
            }
        }
        for place in 0..100 {
            assert!((columns[place] - wanted_columns[place]).abs() < 1e-5);
            assert!((diagonals[place] - wanted_diagonals[place]).abs() < 1e-5);
        }
        assert_eq!(meter.counted().0, (2 * 3 * 100 * DIM) as f64);
    }
}
