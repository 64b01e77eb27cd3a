//! Okapi BM25 (Robertson and Zaragoza 2009, section 3), with k1 = 1.2 and b = 0.75.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Texts that can be ranked against questions.
pub struct Index {
    documents: Vec<Vec<String>>,
}

impl Index {
    /// Reads the words of all `texts`.
    #[must_use]
    pub fn new<T: AsRef<str>>(texts: &[T]) -> Self {
        Self { documents: texts.iter().map(|text| words(text.as_ref())).collect() }
    }

    /// BM25 of each text for the words of `question`; 0 where none occurs, else positive.
    #[must_use]
    pub fn scores(&self, question: &str) -> Vec<f64> {
        scores(&self.documents, &words(question).into_iter().collect())
    }
}

/// Lower-cased words: runs of letters and digits, but every Chinese or Japanese character on its own.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = String::new();
    for letter in text.chars() {
        let ideograph = is_ideograph(letter);
        if ideograph || !letter.is_alphanumeric() {
            if !open.is_empty() {
                found.push(std::mem::take(&mut open));
            }
            if ideograph {
                found.push(letter.to_string());
            }
        } else {
            open.extend(letter.to_lowercase());
        }
    }
    if !open.is_empty() {
        found.push(open);
    }
    found
}

/// Whether a character is written without spaces around its words: Han, Hiragana, Katakana.
pub(crate) const fn is_ideograph(letter: char) -> bool {
    matches!(letter,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3134f}')
}

/// Indices by falling score; of equal ones the lower first.
#[must_use]
pub fn ranked(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> = scores.iter().copied().enumerate().collect();
    order.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    order.into_iter().map(|(place, _)| place).collect()
}

/// Indices of the `count` largest scores, ascending; of equal ones the lower.
#[must_use]
pub fn best(scores: &[f64], count: usize) -> Vec<usize> {
    let mut places = ranked(scores);
    places.truncate(count);
    places.sort_unstable();
    places
}

/// BM25 of each document for the terms `asked`; 0 where none occurs, else positive.
#[must_use]
pub fn scores<T: Hash + Ord, D: AsRef<[T]>>(documents: &[D], asked: &BTreeSet<T>) -> Vec<f64> {
    let counted: Vec<HashMap<&T, u32>> = documents.iter().map(|document| counts(document.as_ref(), asked)).collect();
    let words: usize = documents.iter().map(|document| document.as_ref().len()).sum();
    let (total, mean) = (documents.len() as f64, words as f64 / documents.len().max(1) as f64);
    let weights = asked.iter().map(|term| {
        let holders = counted.iter().filter(|counts| counts.contains_key(term)).count() as f64;
        (term, ((total - holders + 0.5) / (holders + 0.5) + 1.0).ln())
    });
    let weights: Vec<(&T, f64)> = weights.collect();
    let score = |(counts, document): (&HashMap<&T, u32>, &D)| {
        let norm = K1 * (1.0 - B + B * document.as_ref().len() as f64 / mean.max(1.0));
        let of = |(term, weight): &(&T, f64)| {
            let times = f64::from(counts.get(term).copied().unwrap_or(0));
            weight * times * (K1 + 1.0) / (times + norm)
        };
        weights.iter().map(of).sum()
    };
    counted.iter().zip(documents).map(score).collect()
}

/// How often each of `asked` stands in a document.
fn counts<'a, T: Hash + Ord>(document: &'a [T], asked: &BTreeSet<T>) -> HashMap<&'a T, u32> {
    let mut counts = HashMap::new();
    for term in document.iter().filter(|term| asked.contains(term)) {
        *counts.entry(term).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_and_short_documents_weigh_more() {
        let documents = [vec!["the", "cat"], vec!["the", "dog", "and", "the", "fox"], vec!["the", "dog"], vec!["a"]];
        let asked = |words: &[&'static str]| words.iter().copied().collect::<BTreeSet<_>>();
        let found = scores(&documents, &asked(&["the", "cat"]));
        assert!(found[0] > found[2] && found[2] > 0.0 && found[3] == 0.0, "{found:?}");
        let found = scores(&documents, &asked(&["dog"]));
        assert!(found[2] > found[1] && found[1] > 0.0 && found[0] == 0.0, "{found:?}");
        assert!(scores::<u32, Vec<u32>>(&[], &BTreeSet::new()).is_empty());
    }

    #[test]
    fn a_score_is_what_the_formula_says() {
        // Two texts of two and four words; "cat" stands twice in the second: idf = ln(1.5 / 1.5 + 1), norm = 1.2 (0.25 + 0.75 4/3).
        let found = Index::new(&["a dog", "Cat, cat and mouse"]).scores("the CAT?");
        let expected = 2.0_f64.ln() * 2.0 * 2.2 / (2.0 + 1.2 * (0.25 + 0.75 * 4.0 / 3.0));
        assert!(found[0] == 0.0 && (found[1] - expected).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn ties_go_to_the_lower_index() {
        assert_eq!(ranked(&[1.0, 2.0, 2.0, 1.0]), [1, 2, 0, 3]);
        assert_eq!(best(&[1.0, 2.0, 2.0, 1.0], 3), [0, 1, 2]);
        assert_eq!(best(&[0.0, 1.0], 5), [0, 1]);
    }

    #[test]
    fn words_are_lower_case_and_chinese_goes_by_character() {
        assert_eq!(words("Amber-Kite's 12 ÉTÉS"), ["amber", "kite", "s", "12", "étés"]);
        assert_eq!(words("在town镇，"), ["在", "town", "镇"]);
        assert!(words(" .,\n").is_empty());
    }
}
