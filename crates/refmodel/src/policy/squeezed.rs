//! Squeezed Attention: the keys of a fixed context are clustered, and an answer reads the clusters that fit it.

use longboard_suites::rng::Rng;

use super::block_mean::product;
use super::kmeans::{cluster, means, unit};
use super::{Card, Meter, PageUse, Parameter, Policy, Properties, Reading, Seen, Selector, Site, Tile, Watch, between};
use crate::cache::HeadCache;

/// Squeezed Attention.
pub const CARD: Card = Card {
    slug: "squeezed",
    title: "Squeezed Attention",
    citation: "Hooper et al. 2024, Squeezed attention: accelerating long context length LLM inference, arXiv 2411.09688; \
               code SqueezeAILab/SqueezedAttention @ 4a50c64",
    what: "Clusters the keys of the prompt in two levels; a query of the answer reads the clusters whose centroid promises \
           more attention than a calibrated threshold, and the last tokens exactly.",
    differs: "The fixed context is the prompt but for its last tokens, clustered when it ends. Thresholds are quantiles \
              over the keys of one head, not over all layers and heads.",
    parameters: &[
        Parameter { name: "clusters", help: "clusters, as a share of the keys", default: 0.05, least: 0.0 },
        Parameter {
            name: "coarse",
            help: "clusters of the first level, as a share of the keys",
            default: 0.01,
            least: 0.0,
        },
        Parameter { name: "quantile", help: "share of the keys below the threshold", default: 0.9, least: 0.0 },
        Parameter { name: "window", help: "last tokens of the prompt, which calibrate", default: 100.0, least: 1.0 },
        Parameter { name: "iterations", help: "most iterations of k-means", default: 300.0, least: 1.0 },
    ],
    properties: Properties { recalls: true, shared_choice: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(Squeezed {
            clusters: settings.number("clusters"),
            coarse: settings.number("coarse"),
            quantile: settings.number("quantile").min(1.0),
            window: settings.count("window"),
            iterations: settings.count("iterations"),
        })
    },
};

/// Names the streams of the clusterings.
const SEED: u64 = 0;

#[derive(Clone, Copy)]
struct Squeezed {
    clusters: f64,
    coarse: f64,
    quantile: f64,
    window: usize,
    iterations: usize,
}

impl Policy for Squeezed {
    fn watch(&self) -> Watch {
        Watch { last_queries: self.window, ..Watch::default() }
    }

    fn selector(&self, site: Site) -> Box<dyn Selector> {
        let rng = Rng::from_path(&[SEED, site.layer as u64, site.kv_head as u64]);
        Box::new(Lookup { policy: *self, rng, context: None })
    }
}

struct Lookup {
    policy: Squeezed,
    rng: Rng,
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
    /// A cluster is read when it promises each of its keys more than this.
    threshold: f32,
}

impl Selector for Lookup {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let Some(context) = self.context.as_ref().filter(|_| tile.decoding && tile.rows() == 1) else {
            return vec![Reading::all(cache)];
        };
        let kept = context.surviving(tile.queries, tile.meter);
        let slots = cache.slots().iter().enumerate();
        let exact = slots.map(|(slot, page)| PageUse { slot, valid: between(page, context.tokens, usize::MAX) });
        let exact = exact.filter(|page| page.valid != 0).collect();
        vec![Reading::of(context.pages(&kept)), Reading::of(exact)]
    }

    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        let tokens = cache.len().saturating_sub(self.policy.window);
        if seen.prompt_over && tokens > 0 {
            self.context = Some(self.policy.cluster(cache, tokens, seen, &mut self.rng));
        }
    }

    fn forget(&mut self, next: usize) {
        self.context = self.context.take().filter(|context| context.tokens <= next);
    }
}

impl Squeezed {
    fn cluster(&self, cache: &HeadCache, tokens: usize, seen: &Seen<'_>, rng: &mut Rng) -> Context {
        let keys: Vec<Vec<f32>> = cache.slots().iter().flat_map(|slot| slot.page.all_keys()).take(tokens).collect();
        let units: Vec<Vec<f32>> = keys.iter().map(|key| unit(key)).collect();
        let fine_count = share(self.clusters, tokens);
        let labels = cluster(&units, fine_count, self.iterations, rng);
        let (fine, fine_counts) = means(&keys, &labels, fine_count);
        let fine_units: Vec<Vec<f32>> = fine.iter().map(|centroid| unit(centroid)).collect();
        let coarse_count = share(self.coarse, tokens).min(fine_count);
        let parents = cluster(&fine_units, coarse_count, self.iterations, rng);
        let coarse_labels: Vec<usize> = labels.iter().filter_map(|label| parents.get(*label).copied()).collect();
        let (coarse, coarse_counts) = means(&keys, &coarse_labels, coarse_count);
        seen.meter.products(tokens, fine_count, cache.dim());
        let level = |centroids, counts, labels: &[usize]| {
            let mut level = Level { centroids, counts, threshold: 0.0 };
            level.threshold = quantile(level.calibrate(seen.last_queries, labels), self.quantile);
            level
        };
        Context {
            tokens,
            coarse: level(coarse, coarse_counts, &coarse_labels),
            fine: level(fine, fine_counts, &labels),
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

/// The value that a share `at` of `values` does not exceed; 0 for none of them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
fn quantile(mut values: Vec<f32>, at: f64) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let below = (at * values.len() as f64).ceil() as usize;
    below.checked_sub(1).and_then(|place| values.get(place)).copied().unwrap_or(0.0)
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
    members
}

impl Level {
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

    /// What each key can be expected to get, mean over the queries.
    #[expect(clippy::cast_precision_loss, reason = "queries")]
    fn calibrate(&self, queries: &[Vec<f32>], labels: &[usize]) -> Vec<f32> {
        let (mut sums, mut count) = (vec![0.0; self.centroids.len()], 0);
        let (dim, all) = (self.centroids.first().map_or(1, Vec::len), vec![true; self.centroids.len()]);
        for query in queries.iter().flat_map(|member| member.chunks(dim)) {
            sums.iter_mut().zip(self.shares(query, &all)).for_each(|(sum, share)| *sum += share);
            count += 1;
        }
        labels.iter().map(|label| sums.get(*label).copied().unwrap_or(0.0) / count.max(1) as f32).collect()
    }
}

impl Context {
    /// Which clusters of the second level `query` reads: those above the threshold whose parents are.
    fn surviving(&self, query: &[f32], meter: &Meter) -> Vec<bool> {
        let coarse = self.coarse.shares(query, &vec![true; self.coarse.centroids.len()]);
        let open: Vec<bool> = coarse.iter().map(|share| *share > self.coarse.threshold).collect();
        let open: Vec<bool> = self.parents.iter().map(|parent| open.get(*parent).copied().unwrap_or(false)).collect();
        let looked_up = coarse.len() + open.iter().filter(|open| **open).count();
        meter.products(1, looked_up, query.len());
        if !open.contains(&true) {
            return open;
        }
        let fine = self.fine.shares(query, &open);
        fine.iter().zip(open).map(|(share, open)| open && *share > self.fine.threshold).collect()
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

    fn context(given: Squeezed, queries: &[Vec<f32>]) -> (Context, Vec<Vec<f32>>) {
        let mut rng = Rng::from_path(&[8]);
        let keys: Vec<Vec<f32>> = (0..240).map(|_| draw(&mut rng, DIM)).collect();
        let mut cache = HeadCache::new(DIM, Summaries::default());
        (0..).zip(&keys).for_each(|(position, key)| cache.push(position, key, key));
        let meter = Meter::default();
        let seen =
            Seen { prompt_over: true, decoding: true, last_queries: queries, sums: &[], surprisal: &[], meter: &meter };
        (given.cluster(&cache, 200, &seen, &mut rng), keys)
    }

    const GIVEN: Squeezed = Squeezed { clusters: 0.2, coarse: 0.05, quantile: 0.7, window: 40, iterations: 300 };

    fn queries() -> Vec<Vec<f32>> {
        let mut rng = Rng::from_path(&[6]);
        vec![draw(&mut rng, 40 * DIM), draw(&mut rng, 40 * DIM)]
    }

    #[test]
    fn a_cluster_per_key_gives_the_true_attention() {
        let (context, keys) = context(Squeezed { clusters: 1.0, ..GIVEN }, &queries());
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
        let (context, _) = context(GIVEN, &queries());
        for level in [&context.coarse, &context.fine] {
            let shares = level.shares(&queries()[1][..DIM], &vec![true; level.centroids.len()]);
            let sum: f32 = shares.iter().zip(&level.counts).map(|(share, count)| share * *count as f32).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        }
    }

    #[test]
    fn survivors_lie_in_surviving_parents_and_a_threshold_of_zero_keeps_all() {
        let (squeezed, _) = context(GIVEN, &queries());
        let query = &queries()[0][..DIM];
        let coarse = squeezed.coarse.shares(query, &vec![true; squeezed.coarse.centroids.len()]);
        let kept = squeezed.surviving(query, &Meter::default());
        assert!(kept.contains(&true) && kept.contains(&false));
        for (cluster, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
            assert!(coarse[squeezed.parents[cluster]] > squeezed.coarse.threshold);
        }
        let (whole, _) = context(Squeezed { quantile: 0.0, ..GIVEN }, &queries());
        let pages = whole.pages(&whole.surviving(query, &Meter::default()));
        assert_eq!(pages.iter().map(|page| page.valid.count_ones()).sum::<u32>(), 200);
    }

    #[test]
    fn the_threshold_keeps_the_stated_share_of_the_calibrating_keys() {
        let (context, _) = context(Squeezed { clusters: 1.0, ..GIVEN }, &queries());
        let labels: Vec<usize> = (0..200).collect();
        let means = context.fine.calibrate(&queries(), &labels);
        assert_eq!(means.iter().filter(|mean| **mean > context.fine.threshold).count(), 60);
    }
}
