//! Numbers for words, so that n-grams and subsequences compare integers.

use foldhash::HashMap;

/// Words in the order of their first use.
#[derive(Default)]
pub(super) struct Vocabulary {
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    /// The number of `word`, a new one at its first use.
    pub(super) fn id(&mut self, word: &str) -> u32 {
        if let Some(&id) = self.ids.get(word) {
            return id;
        }
        let id = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.insert(word.to_owned(), id);
        id
    }

    /// How many different words there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }
}

/// The n-grams of `tokens`, sorted. `order` is 1 or 2.
pub(super) fn ngrams(tokens: &[u32], order: usize) -> Vec<u64> {
    let pack = |gram: &[u32]| gram.iter().fold(0_u64, |packed, &token| packed << 32 | u64::from(token));
    let mut grams: Vec<u64> = tokens.windows(order).map(pack).collect();
    grams.sort_unstable();
    grams
}

/// How many elements two sorted lists share, as often as both have them.
pub(super) fn shared<T: Ord>(left: &[T], right: &[T]) -> usize {
    let mut right = right.iter().peekable();
    let mut shared = 0;
    for gram in left {
        while right.next_if(|other| *other < gram).is_some() {}
        shared += usize::from(right.next_if_eq(&gram).is_some());
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_shared_as_often_as_both_have_them() {
        assert_eq!(shared(&[1, 1, 2, 3], &[1, 1, 1, 3, 4]), 3);
        assert_eq!(ngrams(&[1, 0, 1, 0], 2), [1, 1 << 32, 1 << 32]);
    }
}
