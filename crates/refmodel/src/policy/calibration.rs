//! Thresholds that all layers and heads of a text share.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::vector_bytes;

/// How much attention each key of a cluster can be expected to get, and how many keys it has.
pub type Expected = Vec<(f32, usize)>;

/// What calibrating queries promise the keys of every layer and head, one entry per level of clusters, and the quantiles
/// of that: one threshold for each level (Hooper et al. 2024, Squeezed attention, section 4.1).
#[derive(Debug)]
pub struct Calibration {
    quantile: f64,
    stored: Mutex<Stored>,
}

#[derive(Debug, Default)]
struct Stored {
    /// By layer and head, so that calibrating again replaces what was there.
    sites: BTreeMap<(usize, usize), [Expected; 2]>,
    thresholds: Option<[f32; 2]>,
}

impl Calibration {
    /// Thresholds below which a share `quantile` of all keys lies.
    pub fn new(quantile: f64) -> Self {
        Self { quantile, stored: Mutex::default() }
    }

    /// Another one with the same quantile, which has seen nothing.
    pub fn fresh(&self) -> Self {
        Self::new(self.quantile)
    }

    /// Takes in what a layer and head expects.
    pub fn add(&self, site: (usize, usize), mut levels: [Expected; 2]) {
        levels.iter_mut().for_each(Vec::shrink_to_fit);
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.sites.insert(site, levels);
        stored.thresholds = None;
    }

    /// Bytes of what a layer and head expects.
    pub fn bytes(&self, site: (usize, usize)) -> usize {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.sites.get(&site).map_or(0, |levels| vector_bytes(levels))
    }

    /// The threshold of each level, over everything taken in so far.
    pub fn thresholds(&self) -> [f32; 2] {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = stored.thresholds {
            return known;
        }
        let found = [0, 1].map(|level| {
            let expected = stored.sites.values().filter_map(|levels| levels.get(level));
            quantile(expected.flatten().copied().collect(), self.quantile)
        });
        stored.thresholds = Some(found);
        found
    }
}

/// The value that a share `at` of the keys does not exceed; 0 for none of them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
fn quantile(mut expected: Expected, at: f64) -> f32 {
    expected.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let keys: usize = expected.iter().map(|(_, keys)| keys).sum();
    let mut left = (at * keys as f64).ceil() as usize;
    let mut value = 0.0;
    for (expected, keys) in expected {
        if left == 0 {
            break;
        }
        value = expected;
        left = left.saturating_sub(keys);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_threshold_lets_heads_with_more_expectation_keep_more() {
        let calibration = Calibration::new(0.5);
        let flat = vec![(0.2, 10), (0.3, 10)];
        let peaked = vec![(0.01, 19), (0.9, 1)];
        calibration.add((0, 0), [flat.clone(), flat.clone()]);
        assert_eq!(calibration.thresholds(), [0.2, 0.2]);
        calibration.add((0, 1), [peaked.clone(), flat]);
        // 20 of 40 keys lie at or below it: all of the flat head's but none of the peaked head's but one are above.
        let [coarse, fine] = calibration.thresholds();
        assert_eq!((coarse, fine), (0.2, 0.2));
        assert_eq!(peaked.iter().filter(|(value, _)| *value > coarse).map(|(_, keys)| keys).sum::<usize>(), 1);
        calibration.add((0, 0), [peaked.clone(), peaked]);
        assert_eq!(calibration.thresholds()[0], 0.01);
        assert_eq!(calibration.fresh().thresholds(), [0.0, 0.0]);
    }

    #[test]
    fn a_quantile_counts_keys_not_clusters() {
        let expected = vec![(0.5, 1), (0.1, 6), (0.3, 3)];
        for (at, value) in [(0.0, 0.0), (0.05, 0.1), (0.6, 0.1), (0.61, 0.3), (0.9, 0.3), (1.0, 0.5)] {
            assert_eq!(quantile(expected.clone(), at), value, "{at}");
        }
        assert_eq!(quantile(Vec::new(), 0.9), 0.0);
    }
}
