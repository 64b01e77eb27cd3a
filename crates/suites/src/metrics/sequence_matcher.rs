//! Python's `difflib.SequenceMatcher` without junk function, popularity filter on (Ratcliff and Obershelp 1988).

use std::collections::HashMap;
use std::hash::Hash;

/// Length of the second sequence from which popular elements are no anchors.
const POPULARITY_FROM: usize = 200;

/// `ratio()`: `2·M/T` with `M` matched elements of `T` in both; 1 for two empty sequences. Not symmetric.
#[must_use]
pub fn ratio<T: Hash + Eq>(first: &[T], second: &[T]) -> f64 {
    let total = first.len() + second.len();
    if total == 0 {
        return 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let ratio = 2.0 * Matcher::new(first, second).matched() as f64 / total as f64;
    ratio
}

/// [`ratio`] over the scalars of two texts.
#[must_use]
pub fn text_ratio(first: &str, second: &str) -> f64 {
    let [first, second] = [first, second].map(|text| text.chars().collect::<Vec<char>>());
    ratio(&first, &second)
}

struct Matcher<'a, T> {
    first: &'a [T],
    second: &'a [T],
    /// Places of each element of `second` that may anchor a match, ascending.
    places: HashMap<&'a T, Vec<usize>>,
}

/// A pair of stretches, as half-open ranges.
#[derive(Clone, Copy)]
struct Window {
    first: (usize, usize),
    second: (usize, usize),
}

impl<'a, T: Hash + Eq> Matcher<'a, T> {
    fn new(first: &'a [T], second: &'a [T]) -> Self {
        let mut places: HashMap<&T, Vec<usize>> = HashMap::new();
        for (place, element) in second.iter().enumerate() {
            places.entry(element).or_default().push(place);
        }
        if second.len() >= POPULARITY_FROM {
            let most = second.len() / 100 + 1;
            places.retain(|_, places| places.len() <= most);
        }
        Self { first, second, places }
    }

    /// Elements in matching blocks: the longest one, then left and right of it.
    fn matched(&self) -> usize {
        let mut open = vec![Window { first: (0, self.first.len()), second: (0, self.second.len()) }];
        let mut matched = 0;
        while let Some(window) = open.pop() {
            let (i, j, size) = self.longest(window);
            if size == 0 {
                continue;
            }
            matched += size;
            let left = Window { first: (window.first.0, i), second: (window.second.0, j) };
            let right = Window { first: (i + size, window.first.1), second: (j + size, window.second.1) };
            let is_open = |side: &Window| side.first.0 < side.first.1 && side.second.0 < side.second.1;
            open.extend([left, right].into_iter().filter(is_open));
        }
        matched
    }

    /// The longest block whose anchors may match, earliest first, grown at both ends over any equal elements.
    fn longest(&self, window: Window) -> (usize, usize, usize) {
        let (mut i, mut j, mut size) = (window.first.0, window.second.0, 0);
        let mut ending: HashMap<usize, usize> = HashMap::new();
        for (at, element) in self.first.iter().enumerate().take(window.first.1).skip(window.first.0) {
            let mut next = HashMap::new();
            for &place in self.places.get(element).map_or(&[][..], Vec::as_slice) {
                if place < window.second.0 {
                    continue;
                }
                if place >= window.second.1 {
                    break;
                }
                let length = place.checked_sub(1).and_then(|before| ending.get(&before)).copied().unwrap_or(0) + 1;
                next.insert(place, length);
                if length > size {
                    (i, j, size) = (at + 1 - length, place + 1 - length, length);
                }
            }
            ending = next;
        }
        self.grown(window, (i, j, size))
    }

    fn grown(&self, window: Window, (mut i, mut j, mut size): (usize, usize, usize)) -> (usize, usize, usize) {
        let equal = |a: usize, b: usize| self.first.get(a).is_some_and(|a| self.second.get(b) == Some(a));
        while i > window.first.0 && j > window.second.0 && equal(i - 1, j - 1) {
            (i, j, size) = (i - 1, j - 1, size + 1);
        }
        while i + size < window.first.1 && j + size < window.second.1 && equal(i + size, j + size) {
            size += 1;
        }
        (i, j, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_match_as_documented() {
        assert!((text_ratio("abcd", "bcde") - 0.75).abs() < 1e-12);
        assert_eq!(text_ratio("", ""), 1.0);
        assert_eq!(text_ratio("a", ""), 0.0);
    }

    #[test]
    fn popular_elements_do_not_anchor_long_texts() {
        let popular = "ab".repeat(100);
        assert_eq!(text_ratio("ab", &format!("c{popular}")), 0.0);
        assert!(text_ratio("ab", &format!("c{}", "ab".repeat(80))) > 0.0);
        // A block of no length still grows from where both begin.
        assert!((text_ratio("ab", &popular) - 4.0 / 202.0).abs() < 1e-12);
    }
}
