//! Longest common subsequence, 64 cells at a time (Hyyrö 2004, "Bit-parallel LCS-length computation revisited").
//!
//! Column `j` of the table of lengths is a bit vector over the first sequence: a bit is 0 where the length grows by one
//! from the row above.

use std::collections::HashMap;

/// Length of a longest common subsequence.
#[must_use]
pub fn length(first: &[u32], second: &[u32]) -> usize {
    let masks = Masks::new(first);
    let mut column = vec![u64::MAX; masks.width];
    for token in second {
        masks.advance(&mut column, *token);
    }
    zeros(&column, first.len())
}

/// The tokens of one longest common subsequence, last first. On a mismatch the path goes up in `first` only where the
/// length above is larger than the length to the left, as package `rouge` backtracks.
#[must_use]
pub fn words(first: &[u32], second: &[u32]) -> Vec<u32> {
    let masks = Masks::new(first);
    let mut columns = Vec::with_capacity(second.len() + 1);
    let mut column = vec![u64::MAX; masks.width];
    columns.push(column.clone());
    for token in second {
        masks.advance(&mut column, *token);
        columns.push(column.clone());
    }
    let (mut i, mut j, mut found) = (first.len(), second.len(), Vec::new());
    while let (Some(above), Some(left)) = (i.checked_sub(1), j.checked_sub(1)) {
        if first.get(above) == second.get(left) {
            found.extend(first.get(above));
            (i, j) = (above, left);
            continue;
        }
        let (Some(here), Some(before)) = (columns.get(j), columns.get(left)) else { break };
        // The length above is the one here unless the bit says that it grew; then the left one must be as long.
        let grew = here.get(above / 64).is_some_and(|word| word >> (above % 64) & 1 == 0);
        if !grew && zeros(here, i) > zeros(before, i) { i = above } else { j = left }
    }
    found
}

/// Where each token occurs in the first sequence.
struct Masks {
    width: usize,
    of: HashMap<u32, Vec<u64>>,
}

impl Masks {
    fn new(first: &[u32]) -> Self {
        let width = first.len().div_ceil(64);
        let mut of: HashMap<u32, Vec<u64>> = HashMap::new();
        for (place, token) in first.iter().enumerate() {
            let mask = of.entry(*token).or_insert_with(|| vec![0; width]);
            if let Some(word) = mask.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
        Self { width, of }
    }

    /// `V ← (V + (V ∧ M)) ∨ (V ∧ ¬M)`
    fn advance(&self, column: &mut [u64], token: u32) {
        let Some(mask) = self.of.get(&token) else { return };
        let mut carry = false;
        for (word, mask) in column.iter_mut().zip(mask) {
            let both = *word & mask;
            let (sum, over) = word.overflowing_add(both);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            carry = over || again;
            *word = sum | (*word & !mask);
        }
    }
}

/// Zero bits among the first `count`.
fn zeros(column: &[u64], count: usize) -> usize {
    let whole: u32 = column.iter().take(count / 64).map(|word| word.count_zeros()).sum();
    let rest = count % 64;
    let part = column.get(count / 64).filter(|_| rest > 0).map_or(0, |word| (!word & ((1 << rest) - 1)).count_ones());
    (whole + part) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The table of lengths, and package `rouge`'s walk through it.
    fn by_table(first: &[u32], second: &[u32]) -> (usize, Vec<u32>) {
        let mut table = vec![vec![0_usize; second.len() + 1]; first.len() + 1];
        for i in 1..=first.len() {
            for j in 1..=second.len() {
                table[i][j] = if first[i - 1] == second[j - 1] {
                    table[i - 1][j - 1] + 1
                } else {
                    table[i - 1][j].max(table[i][j - 1])
                };
            }
        }
        let (mut i, mut j, mut found) = (first.len(), second.len(), Vec::new());
        while i > 0 && j > 0 {
            if first[i - 1] == second[j - 1] {
                found.push(first[i - 1]);
                (i, j) = (i - 1, j - 1);
            } else if table[i - 1][j] > table[i][j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        (table[first.len()][second.len()], found)
    }

    proptest! {
        #[test]
        fn bits_walk_as_the_table_does(
            first in proptest::collection::vec(0_u32..6, 0..150),
            second in proptest::collection::vec(0_u32..6, 0..150),
        ) {
            let (expected, path) = by_table(&first, &second);
            prop_assert_eq!(length(&first, &second), expected);
            prop_assert_eq!(words(&first, &second), path);
        }
    }
}
