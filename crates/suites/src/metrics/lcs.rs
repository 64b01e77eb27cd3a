//! Longest common subsequences, 64 cells at a time (Crochemore et al. 2001; Hyyrö 2004).
//!
//! Row vector `V` after row `i` has a zero at column `j` exactly where `L(i, j + 1) = L(i, j) + 1`. That bit is all a
//! backtracking needs that goes up where the cell above is larger than the one to the left, and left otherwise.

const NONE: u32 = u32::MAX;

/// Words (of eight bytes) of row vectors that a backtracking keeps at once: 32 MB.
const KEPT: usize = 1 << 22;

/// Length of a longest common subsequence.
#[must_use]
pub fn length(first: &[u32], second: &[u32]) -> usize {
    let vocabulary = first.iter().max().map_or(0, |&largest| largest as usize + 1);
    let mut columns = Columns::new(vocabulary);
    columns.set(first);
    columns.length(second)
}

/// A sequence of token ids, indexed by token.
pub(crate) struct Columns {
    last: Vec<u32>,
    before: Vec<u32>,
    tokens: Vec<u32>,
    row: Vec<u64>,
    mask: Vec<u64>,
}

impl Columns {
    /// For ids below `vocabulary`.
    pub(crate) fn new(vocabulary: usize) -> Self {
        Self { last: vec![NONE; vocabulary], before: Vec::new(), tokens: Vec::new(), row: Vec::new(), mask: Vec::new() }
    }

    /// Replaces the sequence.
    pub(crate) fn set(&mut self, tokens: &[u32]) {
        for &token in &self.tokens {
            if let Some(last) = self.last.get_mut(token as usize) {
                *last = NONE;
            }
        }
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
        self.before.clear();
        for (at, &token) in (0_u32..).zip(tokens) {
            if let Some(last) = self.last.get_mut(token as usize) {
                self.before.push(*last);
                *last = at;
            }
        }
        let words = tokens.len().div_ceil(64);
        self.row.resize(words, 0);
        self.mask.clear();
        self.mask.resize(words, 0);
    }

    /// Whether the sequence has `token`.
    pub(crate) fn has(&self, token: u32) -> bool {
        self.last.get(token as usize).is_some_and(|&last| last != NONE)
    }

    /// Length of the longest common subsequence with `rows`.
    pub(crate) fn length(&mut self, rows: &[u32]) -> usize {
        self.row.fill(u64::MAX);
        for &token in rows {
            self.step(token);
        }
        self.row.iter().map(|word| word.count_zeros() as usize).sum()
    }

    /// Calls `visit(row, column)` for each match of one longest common subsequence, from the end.
    pub(crate) fn trace(&mut self, rows: &[u32], mut visit: impl FnMut(usize, usize)) {
        let width = self.row.len();
        if rows.is_empty() || width == 0 {
            return;
        }
        let height = if rows.len().saturating_mul(width) <= KEPT { rows.len() } else { rows.len().isqrt() + 1 };
        let starts = self.starts(rows, height);
        let mut block = Vec::new();
        let mut column = self.tokens.len();
        for (number, start) in starts.iter().enumerate().rev() {
            let first = number * height;
            let some = rows.get(first..rows.len().min(first + height)).unwrap_or_default();
            self.row.copy_from_slice(start);
            block.clear();
            for &token in some {
                self.step(token);
                block.extend_from_slice(&self.row);
            }
            column = self.walk(some, &block, first, column, &mut visit);
        }
    }

    /// The row vector before each block of `height` rows.
    fn starts(&mut self, rows: &[u32], height: usize) -> Vec<Vec<u64>> {
        self.row.fill(u64::MAX);
        let mut starts = vec![self.row.clone()];
        let blocks = rows.chunks(height).count();
        for block in rows.chunks(height).take(blocks - 1) {
            for &token in block {
                self.step(token);
            }
            starts.push(self.row.clone());
        }
        starts
    }

    fn walk(
        &self,
        rows: &[u32],
        block: &[u64],
        first: usize,
        mut column: usize,
        visit: &mut impl FnMut(usize, usize),
    ) -> usize {
        let width = self.row.len();
        let mut row = rows.len();
        while row > 0 && column > 0 {
            let (i, j) = (row - 1, column - 1);
            if rows.get(i) == self.tokens.get(j) {
                visit(first + i, j);
                (row, column) = (i, j);
            } else if block.get(i * width + j / 64).is_some_and(|word| word >> (j % 64) & 1 == 0) {
                row = i;
            } else {
                column = j;
            }
        }
        column
    }

    /// One row: `V <- (V + (V & M)) | (V & !M)`.
    fn step(&mut self, token: u32) {
        let Some(&last) = self.last.get(token as usize).filter(|&&last| last != NONE) else { return };
        self.mark(last, true);
        let mut carry = false;
        for (word, &mask) in self.row.iter_mut().zip(&self.mask) {
            let (sum, first) = word.overflowing_add(*word & mask);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum | (*word & !mask);
            carry = first || second;
        }
        self.mark(last, false);
    }

    fn mark(&mut self, last: u32, on: bool) {
        let mut at = last;
        while at != NONE {
            if let Some(word) = self.mask.get_mut(at as usize / 64) {
                *word = if on { *word | 1 << (at % 64) } else { 0 };
            }
            at = self.before.get(at as usize).copied().unwrap_or(NONE);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(rows: &[u32], columns: &[u32]) -> Vec<Vec<usize>> {
        let mut table = vec![vec![0; columns.len() + 1]; rows.len() + 1];
        for i in 1..=rows.len() {
            for j in 1..=columns.len() {
                table[i][j] = if rows[i - 1] == columns[j - 1] {
                    table[i - 1][j - 1] + 1
                } else {
                    table[i - 1][j].max(table[i][j - 1])
                };
            }
        }
        table
    }

    fn backtrack(rows: &[u32], columns: &[u32]) -> Vec<(usize, usize)> {
        let table = table(rows, columns);
        let (mut i, mut j, mut matches) = (rows.len(), columns.len(), Vec::new());
        while i > 0 && j > 0 {
            if rows[i - 1] == columns[j - 1] {
                (i, j) = (i - 1, j - 1);
                matches.push((i, j));
            } else if table[i - 1][j] > table[i][j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        matches
    }

    proptest! {
        #[test]
        fn bits_give_the_tables_length_and_path(
            rows in prop::collection::vec(0_u32..6, 0..200),
            columns in prop::collection::vec(0_u32..6, 0..200),
        ) {
            let mut index = Columns::new(6);
            index.set(&[5, 4, 3]);
            index.set(&columns);
            prop_assert_eq!(index.length(&rows), table(&rows, &columns)[rows.len()][columns.len()]);
            let mut matches = Vec::new();
            index.trace(&rows, |i, j| matches.push((i, j)));
            prop_assert_eq!(matches, backtrack(&rows, &columns));
        }
    }

    #[test]
    fn long_inputs_are_traced_in_blocks() {
        let rows: Vec<u32> = (0..20_000_u32).map(|at| at * 7919 % 97).collect();
        let columns: Vec<u32> = (0..20_000_u32).map(|at| at * 104_729 % 89).collect();
        let mut index = Columns::new(100);
        index.set(&columns);
        let length = index.length(&rows);
        let mut matches = Vec::new();
        index.trace(&rows, |i, j| matches.push((i, j)));
        assert_eq!(matches.len(), length);
        assert!(matches.is_sorted_by(|a, b| a.0 > b.0 && a.1 > b.1));
        assert!(matches.iter().all(|&(i, j)| rows[i] == columns[j]));
    }
}
