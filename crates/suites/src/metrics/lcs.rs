//! Longest common subsequences: their length in bits, and the places of one of them.

use std::collections::HashMap;
use std::hash::Hash;

/// Length of a longest common subsequence, 64 places at a time (Hyyrö 2004).
#[must_use]
pub fn length<T: Eq + Hash>(one: &[T], other: &[T]) -> usize {
    let blocks = one.len().div_ceil(64);
    let mut places: HashMap<&T, Vec<u64>> = HashMap::new();
    for (place, item) in one.iter().enumerate() {
        let row = places.entry(item).or_insert_with(|| vec![0; blocks]);
        if let Some(block) = row.get_mut(place / 64) {
            *block |= 1 << (place % 64);
        }
    }
    let mut state = vec![u64::MAX; blocks];
    for row in other.iter().filter_map(|item| places.get(item)) {
        let mut carry = false;
        for (block, matches) in state.iter_mut().zip(row) {
            let kept = *block & matches;
            let (sum, first) = block.overflowing_add(kept);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *block = sum | (*block & !matches);
        }
    }
    (0..one.len()).filter(|place| state.get(place / 64).is_some_and(|block| block >> (place % 64) & 1 == 0)).count()
}

/// Places in `one` of a longest common subsequence, found from the end: where items differ, back in `one` only when
/// that keeps more, else back in `other`. Needs a bit per pair of places.
#[must_use]
pub fn places<T: Eq>(one: &[T], other: &[T]) -> Vec<usize> {
    let width = other.len();
    let mut up = vec![0_u64; (one.len() * width).div_ceil(64)];
    let mut before = vec![0_u32; width + 1];
    let mut row = vec![0_u32; width + 1];
    let cell = |row: &[u32], at: usize| row.get(at).copied().unwrap_or_default();
    for (i, item) in one.iter().enumerate() {
        for (j, against) in other.iter().enumerate() {
            let (above, left) = (cell(&before, j + 1), cell(&row, j));
            let value = if item == against { cell(&before, j) + 1 } else { above.max(left) };
            if let Some(slot) = row.get_mut(j + 1) {
                *slot = value;
            }
            let bit = i * width + j;
            if let Some(block) = up.get_mut(bit / 64).filter(|_| above > left) {
                *block |= 1 << (bit % 64);
            }
        }
        std::mem::swap(&mut before, &mut row);
    }
    let (mut i, mut j, mut found) = (one.len(), width, Vec::new());
    while i > 0 && j > 0 {
        let bit = (i - 1) * width + j - 1;
        if one.get(i - 1) == other.get(j - 1) {
            (i, j) = (i - 1, j - 1);
            found.push(i);
        } else if up.get(bit / 64).is_some_and(|block| block >> (bit % 64) & 1 == 1) {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_places_are_as_many_as_the_length(one in "[a-d]{0,140}", other in "[a-d]{0,140}") {
            let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
            let found = places(&one, &other);
            prop_assert_eq!(found.len(), length(&one, &other));
            let mut rest = other.iter();
            prop_assert!(found.iter().all(|&place| rest.any(|item| *item == one[place])));
        }
    }
}
