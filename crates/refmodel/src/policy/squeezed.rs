//! Squeezed Attention: the keys of a fixed context are clustered, and an answer reads the clusters that fit it.

use std::sync::Arc;

use longboard_suites::rng::Rng;

use super::block_mean::product;
use super::calibration::{Calibration, Expected};
use super::kmeans::{cluster, means, unit};
use super::{Card, Meter, PageUse, Parameter, Policy, Properties, Reading, Seen, Selector, Site, Tile, Watch, between};
use super::{bytes_of, vector_bytes};
use crate::cache::HeadCache;

/// Squeezed Attention.
pub const CARD: Card = Card {
    slug: "squeezed",
    title: "Squeezed Attention",
    citation: "Hooper et al. 2024, Squeezed attention: accelerating long context length LLM inference, arXiv 2411.09688; \
               code SqueezeAILab/SqueezedAttention @ 4a50c64",
    what: "Clusters the keys of the prompt in two levels; a query of the answer reads the clusters whose centroid promises \
           more attention than a threshold, one per level for all layers and heads, and the last tokens exactly.",
    differs: "The fixed context is the prompt but for its last tokens, clustered when it ends, not offline.",
    parameters: &[
        Parameter { name: "clusters", help: "clusters, as a share of the keys", default: 0.05, least: 0.0 },
        Parameter {
            name: "coarse",
            help: "clusters of the first level, as a share of the keys",
            default: 0.01,
            least: 0.0,
        },
        Parameter {
            name: "quantile",
            help: "share of the keys of all layers and heads below the threshold",
            default: 0.9,
            least: 0.0,
        },
        Parameter { name: "window", help: "last tokens of the prompt, which calibrate", default: 100.0, least: 1.0 },
        Parameter { name: "iterations", help: "most iterations of k-means", default: 300.0, least: 1.0 },
    ],
    properties: Properties { recalls: true, ..Properties::DENSE },
    build: |settings| {
        let calibration = Arc::new(Calibration::new(settings.number("quantile").min(1.0)));
        let levels = Levels {
            clusters: settings.number("clusters"),
            coarse: settings.number("coarse"),
            window: settings.count("window"),
            iterations: settings.count("iterations"),
        };
        Box::new(Squeezed { levels, calibration })
    },
};

/// Seed of every clustering, as in the code.
const SEED: u64 = 0;

#[derive(Clone, Copy)]
struct Levels {
    clusters: f64,
    coarse: f64,
    window: usize,
    iterations: usize,
}

struct Squeezed {
    levels: Levels,
    /// Of the text that its selectors work on.
    calibration: Arc<Calibration>,
}

impl Policy for Squeezed {
    fn watch(&self) -> Watch {
        Watch { last_queries: self.levels.window, ..Watch::default() }
    }

    fn own_bytes(&self, tokens: usize, dim: usize, group: usize) -> usize {
        let clusters = share(self.levels.clusters, tokens) + share(self.levels.coarse, tokens);
        // Keys of a cluster may each lie in a page of their own.
        clusters
            * (bytes_of::<f32>(dim)
                + bytes_of::<PageUse>(0)
                + 2 * size_of::<usize>()
                + group * size_of::<(f32, usize)>())
            + 2 * bytes_of::<(f32, usize)>(0)
            + tokens * size_of::<PageUse>()
    }

    fn for_text(&self) -> Option<Box<dyn Policy>> {
        Some(Box::new(Self { levels: self.levels, calibration: Arc::new(self.calibration.fresh()) }))
    }

    fn selector(&self, site: Site) -> Box<dyn Selector> {
        let calibration = Arc::clone(&self.calibration);
        Box::new(Lookup { levels: self.levels, calibration, site: (site.layer, site.kv_head), context: None })
    }
}

struct Lookup {
    levels: Levels,
    calibration: Arc<Calibration>,
    /// Layer and head.
    site: (usize, usize),
    context: Option<Context>,
}

/// A clustered context.
struct Context {
    /// Tokens of it; later ones are read exactly.
    tokens: usize,
    coarse: Level,
    fine: Level,
    /// Cluster of the first level that each of the second belongs to.
    parents: Vec<usize>,
    /// Tokens of each cluster of the second level.
    members: Vec<Vec<PageUse>>,
}

/// Clusters of one level.
struct Level {
    /// Mean keys, `[dim]` each.
    centroids: Vec<Vec<f32>>,
    /// Keys in each.
    counts: Vec<usize>,
}

impl Selector for Lookup {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let Some(context) = self.context.as_ref().filter(|_| tile.decoding && tile.rows() == 1) else {
            return vec![Reading::all(cache)];
        };
        let kept = context.surviving(tile.queries, self.calibration.thresholds(), tile.meter);
        let slots = cache.slots().iter().enumerate();
        let exact = slots.map(|(slot, page)| PageUse { slot, valid: between(page, context.tokens, usize::MAX) });
        let exact = exact.filter(|page| page.valid != 0).collect();
        vec![Reading::of(context.pages(&kept)), Reading::of(exact)]
    }

    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        let tokens = cache.len().saturating_sub(self.levels.window);
        if seen.prompt_over && tokens > 0 {
            let context = self.levels.cluster(cache, tokens, seen.meter);
            self.calibration.add(self.site, context.expected(seen.last_queries));
            self.context = Some(context);
        }
    }

    fn bytes(&self) -> usize {
        let Some(context) = &self.context else { return 0 };
        let levels = [&context.coarse, &context.fine].map(Level::bytes).iter().sum::<usize>();
        let labels = size_of_val(context.parents.as_slice());
        levels + labels + vector_bytes(&context.members) + self.calibration.bytes(self.site)
    }

    fn forget(&mut self, next: usize) {
        self.context = self.context.take().filter(|context| context.tokens <= next);
    }
}

impl Levels {
    fn cluster(&self, cache: &HeadCache, tokens: usize, meter: &Meter) -> Context {
        let keys: Vec<Vec<f32>> = cache.slots().iter().flat_map(|slot| slot.page.all_keys()).take(tokens).collect();
        let units: Vec<Vec<f32>> = keys.iter().map(|key| unit(key)).collect();
        let fine_count = share(self.clusters, tokens);
        let labels = cluster(&units, fine_count, self.iterations, &mut Rng::from_path(&[SEED]));
        let (fine, fine_counts) = means(&keys, &labels, fine_count);
        let fine_units: Vec<Vec<f32>> = fine.iter().map(|centroid| unit(centroid)).collect();
        let coarse_count = share(self.coarse, tokens).min(fine_count);
        let parents = cluster(&fine_units, coarse_count, self.iterations, &mut Rng::from_path(&[SEED]));
        let coarse_labels: Vec<usize> = labels.iter().filter_map(|label| parents.get(*label).copied()).collect();
        let (coarse, coarse_counts) = means(&keys, &coarse_labels, coarse_count);
        meter.products(tokens, fine_count, cache.dim());
        Context {
            tokens,
            coarse: Level { centroids: coarse, counts: coarse_counts },
            fine: Level { centroids: fine, counts: fine_counts },
            parents,
            members: members(cache, &labels, fine_count),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a count of tokens"
)]
fn share(share: f64, tokens: usize) -> usize {
    ((share * tokens as f64).ceil() as usize).clamp(1, tokens.max(1))
}

/// Tokens of each of `count` clusters, by page.
fn members(cache: &HeadCache, labels: &[usize], count: usize) -> Vec<Vec<PageUse>> {
    let mut members: Vec<Vec<PageUse>> = vec![Vec::new(); count];
    let mut labels = labels.iter();
    for (slot, page) in cache.slots().iter().enumerate() {
        for (token, label) in (0..page.page.len()).zip(&mut labels) {
            let Some(pages) = members.get_mut(*label) else { continue };
            match pages.last_mut() {
                Some(last) if last.slot == slot => last.valid |= 1 << token,
                _ => pages.push(PageUse { slot, valid: 1 << token }),
            }
        }
    }
    members.iter_mut().for_each(Vec::shrink_to_fit);
    members
}

impl Level {
    fn bytes(&self) -> usize {
        vector_bytes(&self.centroids) + size_of_val(self.counts.as_slice())
    }

    /// Attention that `query` can be expected to give to each key of each cluster, among the clusters `of`; 0 elsewhere.
    #[expect(clippy::cast_precision_loss, reason = "keys of a cluster, head sizes")]
    fn shares(&self, query: &[f32], of: &[bool]) -> Vec<f32> {
        let scale = 1.0 / (query.len() as f32).sqrt();
        let counted = self.counts.iter().zip(of).map(|(count, of)| *of && *count > 0);
        let scores = self.centroids.iter().zip(counted);
        let mut shares: Vec<f32> = scores
            .map(|(centroid, counted)| if counted { product(centroid, query) * scale } else { f32::NEG_INFINITY })
            .collect();
        let most = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        shares.iter_mut().for_each(|share| *share = (*share - most).exp());
        let total: f32 = shares.iter().zip(&self.counts).map(|(share, count)| share * *count as f32).sum();
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }

    /// What each key of each cluster can be expected to get from a query head, mean over its `queries`, `[rows, dim]`.
    #[expect(clippy::cast_precision_loss, reason = "queries")]
    fn expected(&self, queries: &[f32]) -> Expected {
        let (mut sums, all) = (vec![0.0; self.centroids.len()], vec![true; self.centroids.len()]);
        let dim = self.centroids.first().map_or(1, Vec::len);
        for query in queries.chunks(dim) {
            sums.iter_mut().zip(self.shares(query, &all)).for_each(|(sum, share)| *sum += share);
        }
        let rows = (queries.len() / dim).max(1) as f32;
        sums.iter().map(|sum| sum / rows).zip(self.counts.iter().copied()).collect()
    }
}

impl Context {
    /// What the keys can be expected to get from each of the query heads, by level.
    fn expected(&self, heads: &[Vec<f32>]) -> [Expected; 2] {
        [&self.coarse, &self.fine].map(|level| heads.iter().flat_map(|queries| level.expected(queries)).collect())
    }

    /// Which clusters of the second level `query` reads: those above the threshold whose parents are.
    fn surviving(&self, query: &[f32], thresholds: [f32; 2], meter: &Meter) -> Vec<bool> {
        let coarse = self.coarse.shares(query, &vec![true; self.coarse.centroids.len()]);
        let open: Vec<bool> = coarse.iter().map(|share| *share > thresholds[0]).collect();
        let open: Vec<bool> = self.parents.iter().map(|parent| open.get(*parent).copied().unwrap_or(false)).collect();
        let looked_up = coarse.len() + open.iter().filter(|open| **open).count();
        meter.products(1, looked_up, query.len());
        if !open.contains(&true) {
            return open;
        }
        let fine = self.fine.shares(query, &open);
        fine.iter().zip(open).map(|(share, open)| open && *share > thresholds[1]).collect()
    }

    fn pages(&self, kept: &[bool]) -> Vec<PageUse> {
        let kept = self.members.iter().zip(kept).filter(|(_, kept)| **kept);
        let mut pages: Vec<PageUse> = kept.flat_map(|(members, _)| members.iter().copied()).collect();
        pages.sort_unstable_by_key(|page| page.slot);
        pages.dedup_by(|next, page| {
            let same = next.slot == page.slot;
            if same {
                page.valid |= next.valid;
            }
            same
        });
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Summaries;
    use crate::policy::weigh::weights;

    const DIM: usize = 16;

    fn draw(rng: &mut Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| (rng.unit() * 4.0 - 2.0) as f32).collect()
    }

    /// A clustered context of 200 of 240 drawn keys, and its thresholds as the only layer and head.
    fn context(given: Levels, quantile: f64) -> (Context, [f32; 2], Vec<Vec<f32>>) {
        let mut rng = Rng::from_path(&[8]);
        let keys: Vec<Vec<f32>> = (0..240).map(|_| draw(&mut rng, DIM)).collect();
        let mut cache = HeadCache::new(DIM, Summaries::default());
        (0..).zip(&keys).for_each(|(position, key)| cache.push(position, key, key));
        let context = given.cluster(&cache, 200, &Meter::default());
        let calibration = Calibration::new(quantile);
        calibration.add((0, 0), context.expected(&queries()));
        (context, calibration.thresholds(), keys)
    }

    const GIVEN: Levels = Levels { clusters: 0.2, coarse: 0.05, window: 40, iterations: 300 };

    fn queries() -> Vec<Vec<f32>> {
        let mut rng = Rng::from_path(&[6]);
        vec![draw(&mut rng, 40 * DIM), draw(&mut rng, 40 * DIM)]
    }

    #[test]
    fn a_cluster_per_key_gives_the_true_attention() {
        let (context, _, keys) = context(Levels { clusters: 1.0, ..GIVEN }, 0.7);
        let query = &queries()[0][..DIM];
        let shares = context.fine.shares(query, &[true; 200]);
        let wanted = weights(query, keys.iter().take(200));
        for (cluster, share) in shares.iter().enumerate() {
            let PageUse { slot, valid } = context.members[cluster][0];
            assert!((share - wanted[slot * 64 + valid.trailing_zeros() as usize]).abs() < 1e-5);
        }
    }

    #[test]
    fn shares_of_all_keys_add_up_to_one() {
        let (context, _, _) = context(GIVEN, 0.7);
        for level in [&context.coarse, &context.fine] {
            let shares = level.shares(&queries()[1][..DIM], &vec![true; level.centroids.len()]);
            let sum: f32 = shares.iter().zip(&level.counts).map(|(share, count)| share * *count as f32).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        }
    }

    #[test]
    fn survivors_lie_in_surviving_parents_and_a_threshold_of_zero_keeps_all() {
        let (squeezed, thresholds, _) = context(GIVEN, 0.7);
        let query = &queries()[0][..DIM];
        let coarse = squeezed.coarse.shares(query, &vec![true; squeezed.coarse.centroids.len()]);
        let kept = squeezed.surviving(query, thresholds, &Meter::default());
        assert!(kept.contains(&true) && kept.contains(&false));
        for (cluster, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
            assert!(coarse[squeezed.parents[cluster]] > thresholds[0]);
        }
        let (whole, thresholds, _) = context(GIVEN, 0.0);
        let pages = whole.pages(&whole.surviving(query, thresholds, &Meter::default()));
        assert_eq!(pages.iter().map(|page| page.valid.count_ones()).sum::<u32>(), 200);
    }

    #[test]
    fn the_threshold_keeps_the_stated_share_of_the_calibrating_keys() {
        let (context, thresholds, _) = context(Levels { clusters: 1.0, ..GIVEN }, 0.7);
        // A key counts once for each of the two query heads, which have expectations of their own.
        let expected = context.expected(&queries());
        for (level, threshold) in expected.iter().zip(thresholds) {
            let kept = level.iter().filter(|(value, _)| *value > threshold).map(|(_, keys)| keys);
            assert!(level.iter().map(|(_, keys)| keys).sum::<usize>() == 400 && kept.sum::<usize>() <= 120);
        }
        assert_eq!(expected[1].iter().filter(|(value, keys)| *value > thresholds[1] && *keys == 1).count(), 120);
    }
}
