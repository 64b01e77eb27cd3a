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
    let ratio = 2.0 * matched(first, second) as f64 / total as f64;
    ratio
}

/// [`ratio`] over the scalars of two texts.
#[must_use]
pub fn text_ratio(first: &str, second: &str) -> f64 {
    let [first, second] = [first, second].map(|text| text.chars().collect::<Vec<char>>());
    ratio(&first, &second)
}

/// `fuzz.ratio` of fuzzywuzzy 0.18.0 without its C extension, 0..100: [`text_ratio`] in percent, rounded half to even.
#[must_use]
pub fn fuzz_ratio(first: &str, second: &str) -> f64 {
    if first == second {
        return 100.0;
    }
    if first.is_empty() || second.is_empty() {
        return 0.0;
    }
    (100.0 * text_ratio(first, second)).round_ties_even()
}

/// Elements in matching blocks.
fn matched<T: Hash + Eq>(first: &[T], second: &[T]) -> usize {
    if first == second {
        return first.len();
    }
    let mut matcher = Matcher::new(first, second);
    let mut open = vec![Span { first: (0, first.len()), second: (0, second.len()) }];
    let mut total = 0;
    while let Some(span) = open.pop() {
        let block = matcher.longest(span);
        if block.length == 0 {
            continue;
        }
        total += block.length;
        let before = Span { first: (span.first.0, block.first), second: (span.second.0, block.second) };
        let after = Span {
            first: (block.first + block.length, span.first.1),
            second: (block.second + block.length, span.second.1),
        };
        open.extend([before, after].into_iter().filter(|span| !span.is_empty()));
    }
    total
}

#[derive(Clone, Copy)]
struct Span {
    first: (usize, usize),
    second: (usize, usize),
}

impl Span {
    fn is_empty(&self) -> bool {
        self.first.0 >= self.first.1 || self.second.0 >= self.second.1
    }
}

#[derive(Clone, Copy, Default)]
struct Block {
    first: usize,
    second: usize,
    length: usize,
}

struct Matcher<'a, T> {
    first: &'a [T],
    second: &'a [T],
    /// For each element of the first sequence the list in `places` of where it stands in the second.
    anchors: Vec<usize>,
    places: Vec<Vec<usize>>,
    /// Lengths of matches that end at a place of the second sequence, for the row before and this one.
    lengths: [Vec<(usize, usize)>; 2],
}

impl<'a, T: Hash + Eq> Matcher<'a, T> {
    fn new(first: &'a [T], second: &'a [T]) -> Self {
        let mut numbers: HashMap<&T, usize> = HashMap::new();
        let mut places: Vec<Vec<usize>> = vec![Vec::new()];
        for (at, element) in second.iter().enumerate() {
            let number = *numbers.entry(element).or_insert(places.len());
            if number == places.len() {
                places.push(Vec::new());
            }
            if let Some(list) = places.get_mut(number) {
                list.push(at);
            }
        }
        if second.len() >= POPULARITY_FROM {
            let limit = second.len() / 100 + 1;
            places.iter_mut().filter(|list| list.len() > limit).for_each(Vec::clear);
        }
        let anchors = first.iter().map(|element| numbers.get(element).copied().unwrap_or(0)).collect();
        Self { first, second, anchors, places, lengths: [Vec::new(), Vec::new()] }
    }

    /// `find_longest_match`: the longest block of anchors, the earliest of several, grown by whatever is equal around.
    fn longest(&mut self, span: Span) -> Block {
        let mut best = Block { first: span.first.0, second: span.second.0, length: 0 };
        let [mut before, mut now] = std::mem::take(&mut self.lengths);
        before.clear();
        for i in span.first.0..span.first.1 {
            now.clear();
            let list = self.anchors.get(i).and_then(|&anchor| self.places.get(anchor)).map_or(&[][..], Vec::as_slice);
            let from = list.partition_point(|&place| place < span.second.0);
            let mut earlier = before.iter().peekable();
            for &j in list.get(from..).unwrap_or_default().iter().take_while(|&&place| place < span.second.1) {
                while earlier.next_if(|entry| entry.0 + 1 < j).is_some() {}
                let length = 1 + earlier.next_if(|entry| entry.0 + 1 == j).map_or(0, |entry| entry.1);
                now.push((j, length));
                if length > best.length {
                    best = Block { first: i + 1 - length, second: j + 1 - length, length };
                }
            }
            std::mem::swap(&mut before, &mut now);
        }
        self.lengths = [before, now];
        self.grown(span, best)
    }

    fn grown(&self, span: Span, mut block: Block) -> Block {
        let equal = |i: usize, j: usize| self.first.get(i).is_some_and(|one| self.second.get(j) == Some(one));
        while block.first > span.first.0 && block.second > span.second.0 && equal(block.first - 1, block.second - 1) {
            block = Block { first: block.first - 1, second: block.second - 1, length: block.length + 1 };
        }
        while block.first + block.length < span.first.1
            && block.second + block.length < span.second.1
            && equal(block.first + block.length, block.second + block.length)
        {
            block.length += 1;
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn fuzz_ratio_is_a_whole_percentage() {
        assert_eq!(fuzz_ratio("return s", "return self.value"), 64.0);
        assert_eq!(fuzz_ratio("", ""), 100.0);
        assert_eq!(fuzz_ratio("", "a"), 0.0);
    }

    proptest! {
        #[test]
        fn any_texts_have_a_ratio_in_range(first in ".{0,300}|[abc]{0,300}", second in ".{0,300}|[abc]{0,300}") {
            prop_assert!((0.0..=1.0).contains(&text_ratio(&first, &second)));
        }
    }
}
