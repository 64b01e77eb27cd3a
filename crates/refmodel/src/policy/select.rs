//! Choosing the best of many, the same way everywhere.

use std::collections::BTreeMap;

use super::{PageUse, Reading, between};
use crate::cache::HeadCache;

/// Places of the `count` largest scores, ascending; the earlier of equal ones.
pub fn top(scores: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let score = |place: &usize| scores.get(*place).copied().unwrap_or(f32::NEG_INFINITY);
    if count < order.len() {
        order.select_nth_unstable_by(count, |a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
        order.truncate(count);
        order.sort_unstable();
    }
    order
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
    use super::top;

    #[test]
    fn the_best_come_in_order_and_ties_go_to_the_earlier() {
        assert_eq!(top(&[1.0, 3.0, 2.0, 3.0], 2), [1, 3]);
        assert_eq!(top(&[1.0, 1.0, 1.0], 2), [0, 1]);
        assert_eq!(top(&[1.0], 5), [0]);
        assert!(top(&[1.0, 2.0], 0).is_empty());
    }
}
