//! Timeline reorder: how far a list of events is from its right order.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

/// Four deviations of an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// Mean of squared distances of places.
    pub lsd: f64,
    /// Mean of distances of places.
    pub lmd: f64,
    /// Swaps of any two places that sort it.
    pub sd: usize,
    /// Smallest sum of distances of swapped places that sorts it.
    pub sdd: usize,
}

/// Deviations of `order` from `right`; `None` when it is no order of the same items.
#[must_use]
pub fn deviation(order: &[String], right: &[String]) -> Option<Deviation> {
    let places = places(order, right)?;
    let n = places.len() as f64;
    let distances = || places.iter().enumerate().map(|(place, &at)| place.abs_diff(at));
    let total: usize = distances().sum();
    Some(Deviation {
        lsd: distances().map(|distance| (distance * distance) as f64).sum::<f64>() / n,
        lmd: total as f64 / n,
        sd: places.len() - cycles(&places),
        // A pair whose swap brings both nearer exists until all is sorted, and the greedy rule takes such pairs.
        sdd: total / 2,
    })
}

/// Largest deviations of `items` places; all 0 below two.
#[must_use]
pub fn max_deviation(items: usize) -> Deviation {
    let (n, half) = (items as f64, items * items / 2);
    Deviation {
        lsd: ((n * n - 1.0) / 3.0).max(0.0),
        lmd: if items == 0 { 0.0 } else { half as f64 / n },
        sd: items.saturating_sub(1),
        sdd: half / 2,
    }
}

/// 1 minus the mean squared distance over its largest value, 0..1: 1 for the right order, 0 for the reverse and for
/// anything that is no order of the items. A random order has 1/2.
#[must_use]
pub fn order_score(order: &[String], right: &[String]) -> f64 {
    let largest = max_deviation(right.len()).lsd;
    match deviation(order, right) {
        Some(found) if largest > 0.0 => 1.0 - found.lsd / largest,
        Some(_) => 1.0,
        None => 0.0,
    }
}

/// Where the order puts each item of the right order.
fn places(order: &[String], right: &[String]) -> Option<Vec<usize>> {
    if right.is_empty() || order.len() != right.len() {
        return None;
    }
    let index: HashMap<&String, usize> = right.iter().zip(0..).collect();
    let mut places = vec![None; right.len()];
    for (place, item) in order.iter().enumerate() {
        let slot = places.get_mut(*index.get(item)?)?;
        if slot.replace(place).is_some() {
            return None;
        }
    }
    places.into_iter().collect()
}

fn cycles(places: &[usize]) -> usize {
    let mut seen = vec![false; places.len()];
    let mut count = 0;
    for start in 0..places.len() {
        let mut at = start;
        let mut fresh = false;
        while let Some(slot) = seen.get_mut(at).filter(|slot| !**slot) {
            *slot = true;
            fresh = true;
            at = places.get(at).copied().unwrap_or(start);
        }
        count += usize::from(fresh);
    }
    count
}

/// The Roman numerals of an answer in their order, as `\b[IVXLCDM]+\b` finds them.
#[must_use]
pub fn numerals(text: &str) -> Vec<String> {
    static NUMERAL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[IVXLCDM]+\b").ok());
    NUMERAL
        .as_ref()
        .map_or_else(Vec::new, |pattern| pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect())
}

/// 1 to 39 as a Roman numeral.
#[must_use]
pub fn numeral(number: usize) -> String {
    const ONES: [&str; 10] = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"];
    "X".repeat(number / 10) + ONES.get(number % 10).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(order: &[usize]) -> Vec<String> {
        order.iter().map(ToString::to_string).collect()
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(n - 1);
        let with = |order: Vec<usize>| {
            (0..n).map(move |at| {
                let mut order = order.clone();
                order.insert(at, n - 1);
                order
            })
        };
        shorter.into_iter().flat_map(with).collect()
    }

    /// The definition: swap the pair with the largest gain per distance, the first one among equals, until sorted.
    fn greedy(mut places: Vec<usize>) -> usize {
        let mut cost = 0;
        loop {
            let mut best: Option<(f64, usize, usize)> = None;
            for i in 0..places.len() {
                for j in i + 1..places.len() {
                    let gap = |place: usize, at: usize| place.abs_diff(at) as f64;
                    let gain = gap(places[i], i) + gap(places[j], j) - gap(places[j], i) - gap(places[i], j);
                    let gain = gain / (j - i) as f64;
                    if gain > 0.0 && best.is_none_or(|(other, ..)| gain > other) {
                        best = Some((gain, i, j));
                    }
                }
            }
            let Some((_, i, j)) = best else { return cost };
            places.swap(i, j);
            cost += j - i;
        }
    }

    #[test]
    fn the_sum_of_swap_distances_is_that_of_the_greedy_rule() {
        for n in 1..=6 {
            let right = items(&(0..n).collect::<Vec<_>>());
            let mut most = (0.0_f64, 0.0_f64, 0, 0);
            for order in permutations(n) {
                let places = places(&items(&order), &right).unwrap();
                let found = deviation(&items(&order), &right).unwrap();
                assert_eq!(found.sdd, greedy(places), "{order:?}");
                most = (most.0.max(found.lsd), most.1.max(found.lmd), most.2.max(found.sd), most.3.max(found.sdd));
            }
            let largest = max_deviation(n);
            assert!((largest.lsd - most.0).abs() < 1e-12 && (largest.lmd - most.1).abs() < 1e-12, "{n}");
            assert_eq!((largest.sd, largest.sdd), (most.2, most.3), "{n}");
        }
    }

    #[test]
    fn orders_score_between_the_right_one_and_its_reverse() {
        let right = items(&[0, 1, 2, 3]);
        assert_eq!(order_score(&right, &right), 1.0);
        assert_eq!(order_score(&items(&[3, 2, 1, 0]), &right), 0.0);
        assert_eq!(order_score(&items(&[0, 0, 1, 2]), &right), 0.0);
        let all = permutations(4);
        let mean = all.iter().map(|order| order_score(&items(order), &right)).sum::<f64>() / all.len() as f64;
        assert!((mean - 0.5).abs() < 1e-12);
    }

    #[test]
    fn numerals_stand_alone() {
        assert_eq!(numerals("Order: II, I,III and MIX not mix"), ["II", "I", "III", "MIX"]);
        assert_eq!(numeral(4), "IV");
        assert_eq!(numeral(19), "XIX");
    }
}
