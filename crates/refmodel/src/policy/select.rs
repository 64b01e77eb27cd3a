//! Choosing the best of many, the same way everywhere.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use super::{PageUse, Reading, between};
use crate::cache::HeadCache;

/// Scores looked at before one of them is compared.
const RUN: usize = 16;

/// Places of the `count` largest scores, ascending; the earlier of equal ones.
pub fn top(scores: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> =
        if count * RUN < scores.len() { few(scores, count) } else { (0..scores.len()).collect() };
    let score = |place: &usize| scores.get(*place).copied().unwrap_or(f32::NEG_INFINITY);
    if count < order.len() {
        order.select_nth_unstable_by(count, |a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
        order.truncate(count);
    }
    order.sort_unstable();
    order
}

/// A place with its score; the worse of two, which of equal ones is the later, is the larger.
struct Worse(f32, usize);

impl Ord for Worse {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Worse {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worse {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Worse {}

/// The same for few of many: the best so far are held, and a run of scores that holds none better is passed over.
fn few(scores: &[f32], count: usize) -> Vec<usize> {
    let mut best: BinaryHeap<Worse> = BinaryHeap::with_capacity(count + 1);
    let mut worst = None;
    for (run, scores) in scores.chunks(RUN).enumerate() {
        let better = |score: &f32, worst: Option<f32>| worst.is_none_or(|worst| score.total_cmp(&worst).is_gt());
        if !scores.iter().fold(false, |any, score| any | better(score, worst)) {
            continue;
        }
        for (lane, score) in scores.iter().enumerate().filter(|_| count > 0) {
            if better(score, worst) {
                best.push(Worse(*score, run * RUN + lane));
                if best.len() > count {
                    best.pop();
                }
                worst = best.peek().filter(|_| best.len() >= count).map(|worst| worst.0);
            }
        }
    }
    best.into_iter().map(|Worse(_, place)| place).collect()
}

/// Tokens with index below `sinks` or in `from..to`.
pub fn sinks_and(cache: &HeadCache, sinks: usize, from: usize, to: usize) -> Vec<PageUse> {
    let slots = cache.slots().iter().enumerate();
    slots
        .map(|(slot, page)| PageUse { slot, valid: between(page, 0, sinks) | between(page, from, to) })
        .filter(|page| page.valid != 0)
        .collect()
}

/// Blocks of so many `pages` that each row of a tile chose, ascending: one reading for a single row, else one per block
/// by the rows that chose it.
pub fn blocks(cache: &HeadCache, pages: usize, chosen: &[Vec<usize>]) -> Vec<Reading> {
    let places = |block: usize| block * pages..((block + 1) * pages).min(cache.slots().len());
    if let [only] = chosen {
        let places: Vec<usize> = only.iter().flat_map(|block| places(*block)).collect();
        return vec![Reading::of(whole(cache, &places))];
    }
    let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, chosen) in chosen.iter().enumerate() {
        chosen.iter().for_each(|block| rows.entry(*block).or_default().push(row));
    }
    let reading = |(block, rows): (usize, Vec<usize>)| {
        let places: Vec<usize> = places(block).collect();
        Reading { rows: (rows.len() < chosen.len()).then_some(rows), ..Reading::of(whole(cache, &places)) }
    };
    rows.into_iter().map(reading).collect()
}

/// The pages at these places, whole.
pub fn whole(cache: &HeadCache, places: &[usize]) -> Vec<PageUse> {
    let slots = places.iter().filter_map(|&slot| Some((slot, cache.slots().get(slot)?)));
    slots.map(|(slot, page)| PageUse { slot, valid: page.all() }).collect()
}

#[cfg(test)]
mod tests {
    use longboard_suites::rng::Rng;

    use super::top;

    #[test]
    fn the_best_come_in_order_and_ties_go_to_the_earlier() {
        assert_eq!(top(&[1.0, 3.0, 2.0, 3.0], 2), [1, 3]);
        assert_eq!(top(&[1.0, 1.0, 1.0], 2), [0, 1]);
        assert_eq!(top(&[1.0], 5), [0]);
        assert!(top(&[1.0, 2.0], 0).is_empty());
    }

    #[test]
    fn few_of_many_are_those_of_a_full_sort() {
        let mut rng = Rng::from_path(&[31]);
        // Few different scores, so that many are equal.
        let scores: Vec<f32> = (0..1000).map(|_| rng.below(40) as f32 - 20.0).collect();
        for count in [0, 1, 7, 30, 62, 63, 500] {
            let mut order: Vec<usize> = (0..1000).collect();
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
            order.truncate(count);
            order.sort_unstable();
            assert_eq!(top(&scores, count), order, "{count}");
        }
    }
}
